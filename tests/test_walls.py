"""The walls of the house that import-linter does not see: modules found by name, and what `__init__` files hold."""

import ast
from pathlib import Path

import pytest

from helpers.project import ROOT

SOURCE = ROOT / "src/bnstudy"
BY_NAME = {
    ("arms/find.py", "module_of('arms', arm)"),  # bnstudy.arms, or a user's own module
    ("nets/find.py", "module_of('nets', net)"),
    ("bench/machine.py", "'bnstudy.bench.contestants'"),
    ("core/fingerprints.py", "first"),  # where an installed package lies: it is not imported
    ("data/prepare.py", "f'bnstudy.data.{spec.source}'"),
    ("pipeline/jobs.py", "f'bnstudy.measures.{name}'"),
    ("pipeline/rehearsal.py", "f'bnstudy.measures.{name}'"),
    ("pipeline/rehearsal.py", "module"),  # the user's own, for the names in it
}
"""Each file that imports a module by name, and what it may load."""
WINGS = ["core", "data", "arms", "nets", "training", "measures", "checks", "pipeline", "bench"]
"""From the lowest up, as in the first contract of pyproject.toml: checks and measures do not meet either."""


def loads(file: Path) -> set[str]:
    """Return what a file gives to `import_module`, or to any other function that imports by name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__", "find_spec", "exec_module"):
                found.add(ast.unparse(node.args[0]))
    return found


def test_each_module_that_is_found_by_name_is_listed() -> None:
    files = {file.relative_to(SOURCE).as_posix(): file for file in SOURCE.rglob("*.py")}
    assert {(name, argument) for name, file in files.items() for argument in loads(file)} == BY_NAME


@pytest.mark.parametrize(("file", "module"), sorted(item for item in BY_NAME if "bnstudy." in item[1]))
def test_no_module_found_by_name_stands_above(file: str, module: str) -> None:
    wing, loaded = file.partition("/")[0], module.split(".")[1]
    assert WINGS.index(loaded) <= WINGS.index(wing)


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("__init__.py")), ids=lambda f: f.parent.name)
def test_what_init_files_import_would_be_invisible_to_digests_of_code(file: Path) -> None:
    body = ast.parse(file.read_bytes()).body
    assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)
    assert len(body) <= 1
