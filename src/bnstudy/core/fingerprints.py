"""Digests of source code: what a stored result depends on, comments and docstrings left out.

A digest covers the import closure of some modules inside this package. It is found without importing anything, so that
editing the trainer retrains, editing a figure does not, and a comment changes nothing. Arms, networks, sources and
measures are imported by name at run time; whoever needs them in a digest names them. What an `__init__` file imports is
invisible to it: they hold nothing but docstrings.
"""

import ast
import hashlib
import os
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "bnstudy"


def digest(*modules: str) -> str:
    """Return twelve hex digits for the closure of dotted module names, e.g. ``digest("bnstudy.training.train")``.

    Raises:
        FileNotFoundError: There is no such module.
    """
    text = "\n".join(f"{name} {_parse(name)[0]}" for name in sorted(closure(*modules)))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stamp(*modules: str) -> str:
    """Return module names and the digest of their closure in one text, for a job that tells whether they were edited."""
    return f"{','.join(modules)}={digest(*modules)}"


def edited(stamp: str) -> bool:
    """Return whether the files of the modules of a stamp, read anew, are other code than they were, or none."""
    modules, _, before = stamp.partition("=")
    _source.cache_clear()
    try:
        return digest(*filter(None, modules.split(","))) != before
    except (OSError, SyntaxError, ValueError):
        return True


def closure(*modules: str) -> set[str]:
    """Return these modules and all that they import, directly or not, inside this package or among a user's own."""
    waiting, closed = list(modules), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in closed:
            closed.add(name)
            waiting += _parse(name)[1]
    return closed


def path_of(module: str) -> Path | None:
    """Return the file of a module of this package, or of a user's own in the folder of the run or in one of PYTHONPATH."""
    first, *rest = module.split(".")
    bases = [ROOT.joinpath(*rest)]
    if first != PACKAGE:
        folders = [Path.cwd(), *(Path(f) for f in os.environ.get("PYTHONPATH", "").split(os.pathsep) if f)]
        bases = [folder.joinpath(first, *rest) for folder in folders]
    files = (file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py"))
    return next((file for file in files if file.is_file()), None)


def installed(module: str) -> Path | None:
    """Return the file of a module of an installed package, without importing it; None where there is none."""
    first, *rest = module.split(".")
    spec = PathFinder.find_spec(first)
    if spec is None or first == PACKAGE:
        return None
    folders = [Path(folder).joinpath(*rest) for folder in spec.submodule_search_locations or ()]
    files = [file for base in folders for file in (base.with_suffix(".py"), base / "__init__.py")] if rest else []
    files += [Path(spec.origin)] if not rest and spec.origin else []
    return next((file for file in files if file.is_file()), None)


def imported(tree: ast.AST, outside: bool = False) -> list[str]:
    """Return the modules of this package that a program imports, anywhere in it; with ``outside`` those of users too."""
    modules: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    return [m for m in modules if (outside or m.startswith(f"{PACKAGE}.")) and path_of(m)]


def _parse(module: str) -> tuple[str, list[str]]:
    """Return a hash of the syntax tree without docstrings, and the modules of this package that it imports."""
    source = _source(module)
    return _parsed(module, source) if isinstance(source, bytes) else (source, [])


@cache
def _source(module: str) -> bytes | str:
    """Return the source of a module; of an installed package its version, which counts there."""
    if path := path_of(module):
        return path.read_bytes()
    if outside := installed(module):
        names = _distributions().get(module.partition(".")[0], [])
        return version(names[0]) if names else hashlib.sha256(outside.read_bytes()).hexdigest()
    raise FileNotFoundError(f"no module {module}")


_distributions = cache(packages_distributions)


@cache
def _parsed(module: str, source: bytes) -> tuple[str, list[str]]:
    tree = ast.parse(source)
    inside = imported(tree, outside=not module.startswith(f"{PACKAGE}."))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            if isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
                body[0] = ast.Pass()
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), inside
