"""From an arm's name to the norms it builds."""

from collections.abc import Callable
from importlib import import_module

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.names import module_of


def builder(arm: str) -> Callable[[int, int, Place], Norm]:
    """Return what makes the norm of one layer: (models, channels, place) -> Norm.

    Raises:
        ModuleNotFoundError: There is no such arm.
    """
    module = import_module(module_of(arm))
    return getattr(module, arm.partition(":")[2] if ":" in arm else "build")  # type: ignore[no-any-return]
