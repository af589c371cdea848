"""Rename each field of each record that planning writes or reads, one at a time, and see that mypy refuses every time.

``python tests/rename_fields.py`` prints how many were tried; it fails, naming them, if one was let through. pytest does not
collect it: it takes as long as a run of mypy over that many copies of the module.
"""

import ast
import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bnstudy.core import cell, setting
from bnstudy.data import local
from bnstudy.pipeline import records

ROOT = Path(__file__).parents[1]
PLAN = ROOT / "src/bnstudy/pipeline/plan.py"
RECORDS = {
    name: {field.name for field in dataclasses.fields(kind)}
    for module in (records, cell, setting, local)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}


def places(tree: ast.AST) -> list[tuple[int, int, str]]:
    """Return (line, column, name) of every field: of each keyword of a record's call, and of what is read of a setting."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in RECORDS:
            found += [(k.lineno, k.col_offset, k.arg) for k in node.keywords if k.arg]
        if isinstance(node, ast.Attribute) and node.attr in RECORDS["Setting"]:
            assert node.end_lineno and node.end_col_offset
            found.append((node.end_lineno, node.end_col_offset - len(node.attr), node.attr))
    return sorted(found)


def renamed(lines: list[str], line: int, column: int, name: str) -> str:
    """Return the module with one field misspelt. Its lines are ASCII, so that bytes and characters agree."""
    text = lines[line - 1]
    assert text.isascii() and text[column:].startswith(name), text
    return "".join([*lines[: line - 1], f"{text[:column]}{name}_{text[column + len(name) :]}", *lines[line:]])


def main() -> None:
    """Check a copy of the module per field, all in one run of mypy."""
    source = PLAN.read_text()
    fields = places(ast.parse(source))
    with TemporaryDirectory() as scratch:
        files = [Path(scratch, f"renamed_{i}.py") for i in range(len(fields))]
        untouched = Path(scratch, "untouched.py")
        untouched.write_text(source)
        for file, field in zip(files, fields):
            file.write_text(renamed(source.splitlines(keepends=True), *field))
        command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", *map(str, files), str(untouched)]
        environment = {**os.environ, "MYPYPATH": "src"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    refused = {line.partition(":")[0].rpartition("/")[2] for line in done.stdout.splitlines() if ": error: " in line}
    if untouched.name in refused or not refused:
        raise SystemExit(f"the module itself does not pass, or mypy did not run:\n{done.stdout}{done.stderr}")
    passed = [f"line {line}: {name}" for file, (line, _, name) in zip(files, fields) if file.name not in refused]
    if passed:
        raise SystemExit(f"{len(passed)} of {len(fields)} renamed fields pass mypy: {'; '.join(passed)}")
    print(f"{len(fields)} fields renamed one at a time; mypy refuses every time")


if __name__ == "__main__":
    main()
