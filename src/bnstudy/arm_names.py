"""Arms by name: a file of src/bnstudy/arms, or ``package.module:Name`` for one that stands outside. No torch here."""

import re

from bnstudy.code import path_of
from bnstudy.config_checks import known, top_level
from bnstudy.config_errors import nearest, refuse

OUTSIDE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def module_of(arm: str) -> str:
    """The module whose code an arm's results depend on."""
    return arm.partition(":")[0] if ":" in arm else f"bnstudy.arms.{arm}"


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
