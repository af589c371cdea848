"""Plug-ins by name: a file of a folder of this package that defines a function is one; nothing lists them.

Read from the syntax tree: nothing is imported, so that whoever plans stays free of torch.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bnstudy.core.fingerprints import ROOT, path_of
from bnstudy.core.names import module_of


def defines(folder: str, name: str, what: str) -> bool:
    """Return whether the module of a plug-in, which may stand outside this package, defines ``what``."""
    path = path_of(module_of(folder, name))
    return path is not None and what in top_level(path)


@cache
def names(folder: str | Path, function: str) -> tuple[str, ...]:
    """Return the modules of ``folder`` (a path, or one inside the package) that define ``function``, sorted."""
    files = [f for f in (ROOT / folder).glob("*.py") if re.fullmatch("[a-z][a-z0-9_]*", f.stem)]
    return tuple(sorted(f.stem for f in files if function in top_level(f)))


def top_level(file: Path) -> set[str]:
    """Return the names that a module defines, as far as its text shows; none where it is no Python."""
    try:
        return set(_defined(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):  # a broken file is no arm; importing it would say why
        return set()


def _defined(node: ast.AST) -> Iterator[str]:
    """Yield the names defined in a module or in the statements of one; not those inside functions and classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in child.names)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        elif not isinstance(child, ast.Lambda):
            yield from _defined(child)
