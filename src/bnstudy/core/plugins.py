"""Plug-ins by name: a file of a folder of this package that defines a function is one; nothing lists them.

Read from the syntax tree: nothing is imported, so that whoever plans stays free of torch.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def names(folder: str | Path, function: str) -> tuple[str, ...]:
    """Return the modules of ``folder`` (a path, or one inside the package) that define ``function``, sorted."""
    files = [f for f in (PACKAGE / folder).glob("*.py") if re.fullmatch("[a-z][a-z0-9_]*", f.stem)]
    return tuple(sorted(f.stem for f in files if function in top_level(f)))


def top_level(file: Path) -> Iterator[str]:
    """Yield the names that a module defines."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError):  # a broken file is no arm; importing it would say why
        return
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
