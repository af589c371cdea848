"""From the name of a family of networks to what builds it."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from bnstudy.core.names import module_of
from bnstudy.nets.base import Net


def family(net: str) -> ModuleType:
    """Return the module of a family; raise ModuleNotFoundError where there is none."""
    return import_module(module_of("nets", net))


def builder(net: str) -> Callable[..., Net]:
    """Return what builds networks of a family: (inputs, classes, depth, width, gain, arm, seeds, dtype) -> Net.

    Raises:
        ModuleNotFoundError: There is no such module.
        AttributeError: The module has nothing of that name.
    """
    return getattr(family(net), net.partition(":")[2] or "build")  # type: ignore[no-any-return]
