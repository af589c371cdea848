"""What a single value of a config must satisfy beyond its type."""

import re

from bnstudy.config.errors import nearest, refuse
from bnstudy.core.fingerprints import path_of
from bnstudy.core.plugins import names, top_level

OUTSIDE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
"""An arm that stands outside the package."""
RESERVED = ("bench", "cells", "data", "reference")
"""Folders of results/ that are no study's."""


def known(folder: str, function: str, what: str, name: str) -> str:
    """``name`` if src/bnstudy/``folder``/``name``.py has ``function``; else refuses, naming those that do."""
    have = names(folder, function)
    if name not in have:
        todo = f"write one of them, or add src/bnstudy/{folder}/NAME.py with a function {function}"
        raise refuse(f"there is no {what} of this name", "one of " + ", ".join(have), todo, nearest(name, have))
    return name


def arm_name(name: str) -> str:
    """``name`` if there is such an arm; else refuses, saying what there is. Nothing is imported."""
    if ":" not in name:
        return known("arms", "build", "arm", name)
    if not OUTSIDE.fullmatch(name):
        raise refuse("it is not of the form package.module:Name", "letters, digits and _, as in mypkg.norms:Fancy")
    module, _, defined = name.partition(":")
    file = path_of(module)
    if module.startswith("bnstudy.") or file is None:
        todo = f"put {module.replace('.', '/')}.py into the folder you start from, or its folder into PYTHONPATH"
        raise refuse(f"there is no module {module}", "a module of your own, beside the project", todo)
    have = sorted(set(top_level(file)))
    if defined not in have:
        todo = f"define {defined}(models, channels, place), a function or a subclass of Norm"
        raise refuse(
            f"{file} defines no {defined}", "one of " + (", ".join(have) or "(nothing)"), todo, nearest(defined, have)
        )
    return name


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """``values`` when no two are equal."""
    twice = sorted({str(v) for v in values if values.count(v) > 1})
    if twice:
        raise refuse(f"{', '.join(twice)} stands there more than once", "", "name each value once")
    return values


def ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    """``values`` when each is above the one before."""
    if list(values) != sorted(set(values)):
        right = ", ".join(f"{v:g}" for v in sorted(set(values)))
        raise refuse("the values do not ascend, or one stands there twice", "", f"write [{right}]")
    return values


def unreserved(name: str) -> str:
    if name in RESERVED:
        todo = f"choose another name; results/{name} is used otherwise"
        raise refuse("the name is reserved", f"any name but {', '.join(RESERVED)}", todo)
    return name
