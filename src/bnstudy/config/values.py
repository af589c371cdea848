"""Check what a single value of a config must satisfy beyond its type."""

import ast
import re

from bnstudy.config.errors import nearest_name, refusal
from bnstudy.core.fingerprints import installed, path_of
from bnstudy.core.plugins import names, top_level

OUTSIDE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
"""An arm, or a family of networks, that stands outside the package."""
NAMED_AS_OUTSIDE = ("bnstudy.zoo", "bnstudy.arms.one_layer")
"""The modules of this package whose norms are named as those from outside are."""
RESERVED = ("bench", "cells", "data", "reference")
"""Folders of results/ that are no study's."""


def known(folder: str, function: str, what: str, name: str) -> str:
    """Return ``name`` if src/bnstudy/``folder``/``name``.py has ``function``; else refuse, naming those that do."""
    existing = names(folder, function)
    if name not in existing:
        remedy = f"write one of them, or add src/bnstudy/{folder}/NAME.py with a function {function}"
        choices = "one of " + ", ".join(existing)
        raise refusal(f"there is no {what} of this name", choices, remedy, nearest_name(name, existing))
    return name


def arm_name(name: str) -> str:
    """Return ``name`` if there is such an arm, as far as can be seen without importing anything; else refuse."""
    makes = "a class or function that makes a torch.nn.Module of the number of channels"
    return _outside(name, makes) if ":" in name else known("arms", "build", "arm", name)


def net_name(name: str) -> str:
    """Return ``name`` if there is such a family of networks, as far as can be seen without imports; else refuse."""
    makes = "a function that builds networks as build in src/bnstudy/nets/mlp.py does"
    return _outside(name, makes) if ":" in name else known("nets", "build", "network family", name)


def _outside(name: str, makes: str) -> str:
    if not OUTSIDE.fullmatch(name):
        raise refusal("it is not of the form package.module:Name", "letters, digits and _, as in mypkg.norms:Fancy")
    module, _, defined = name.partition(":")
    file = path_of(module)
    own = module.startswith("bnstudy.") and module not in NAMED_AS_OUTSIDE
    if own or (file is None and installed(module) is None):
        remedy = f"put {module.replace('.', '/')}.py into the folder you start from, or its folder into PYTHONPATH"
        choices = "a module of your own, beside the project, or an installed one"
        raise refusal(f"there is no module {module}", choices, remedy)
    if file is None:  # the rehearsal imports it
        return name
    try:
        text = file.read_bytes()
        ast.parse(text)
    except (SyntaxError, ValueError, OSError) as error:
        fault = f"{file}, line {getattr(error, 'lineno', 1)}: {getattr(error, 'msg', error)}"
        raise refusal(fault, "a file of Python", "mend that line") from None
    definitions = sorted(top_level(file))
    if defined not in definitions and not re.search(rb"import \*|globals\(|__getattr__|exec\(", text):
        choices, near = "one of " + (", ".join(definitions) or "(nothing)"), nearest_name(defined, definitions)
        raise refusal(f"{file} defines no {defined}", choices, f"define {defined}, {makes}", near)
    return name


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """Return ``values``; refuse them if two are equal."""
    if twice := sorted({str(v) for v in values if values.count(v) > 1}):
        raise refusal(f"{', '.join(twice)} stands there more than once", "", "name each value once")
    return values


def ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return ``values``; refuse them unless each is above the one before."""
    if list(values) != sorted(set(values)):
        ordered = ", ".join(f"{v:g}" for v in sorted(set(values)))
        raise refusal("the values do not ascend, or one stands there twice", "", f"write [{ordered}]")
    return values


def unreserved(name: str) -> str:
    """Return ``name``; refuse a folder of results/ that is no study's."""
    if name in RESERVED:
        remedy = f"choose another name; results/{name} is used otherwise"
        raise refusal("the name is reserved", f"any name but {', '.join(RESERVED)}", remedy)
    return name
