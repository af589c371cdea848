"""Check what a single value of a config must satisfy beyond its type."""

import re

from bnstudy.config.errors import nearest_name, refusal
from bnstudy.core.fingerprints import path_of
from bnstudy.core.plugins import names, top_level

OUTSIDE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
"""An arm that stands outside the package."""
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
    """Return ``name`` if there is such an arm; else refuse, saying what there is. Import nothing."""
    if ":" not in name:
        return known("arms", "build", "arm", name)
    if not OUTSIDE.fullmatch(name):
        raise refusal("it is not of the form package.module:Name", "letters, digits and _, as in mypkg.norms:Fancy")
    module, _, defined = name.partition(":")
    file = path_of(module)
    if module.startswith("bnstudy.") or file is None:
        remedy = f"put {module.replace('.', '/')}.py into the folder you start from, or its folder into PYTHONPATH"
        raise refusal(f"there is no module {module}", "a module of your own, beside the project", remedy)
    definitions = sorted(set(top_level(file)))
    if defined not in definitions:
        remedy = f"define {defined}(models, channels, place), a function or a subclass of Norm"
        choices = "one of " + (", ".join(definitions) or "(nothing)")
        raise refusal(f"{file} defines no {defined}", choices, remedy, nearest_name(defined, definitions))
    return name


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """Return ``values``; refuse them if two are equal."""
    twice = sorted({str(v) for v in values if values.count(v) > 1})
    if twice:
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
