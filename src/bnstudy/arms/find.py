"""From an arm's name to the norms it builds."""

from collections.abc import Callable, Sequence
from importlib import import_module
from inspect import Parameter, isclass, signature
from typing import Any

from torch import nn

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.guest import Guest, built
from bnstudy.core.names import module_of


def make(arm: str, seeds: Sequence[int], channels: int, place: Place, pixels: int = 0) -> Norm:
    """Return the norm of one layer, for one network per seed.

    Args:
        arm: The name of the arm.
        seeds: The seed of each network.
        channels: The number of units.
        place: Where the norm stands.
        pixels: How many axes of pixels its input has behind the samples: 0, or 2 in networks of images.

    Raises:
        ModuleNotFoundError: There is no such module.
        AttributeError: The module has nothing of that name.
        TypeError: What it has is no normalizer: it makes no module from the number of channels.
    """
    builder = find(arm)
    if ":" not in arm:
        norm: Norm = builder(len(seeds), channels, place)
        norm.native = True
        return norm
    if fast(builder):
        norm = builder(len(seeds), channels, place)
        if not isinstance(norm, Norm):
            raise TypeError(f"it makes a {type(norm).__name__}, not a bnstudy.arms.base.Norm")
        return norm
    return Guest([built(builder, channels, place, seed) for seed in seeds], channels, place, pixels)


def find(arm: str) -> Callable[..., Any]:
    """Return what makes the norms of an arm; the errors are those of :func:`make`."""
    module = import_module(module_of("arms", arm))
    found = getattr(module, arm.partition(":")[2] if ":" in arm else "build")
    if isinstance(found, nn.Module) or not callable(found):
        raise TypeError(f"it is a {type(found).__name__}, not a class or function that makes a module")
    return found  # type: ignore[no-any-return]


def fast(builder: Callable[..., Any]) -> bool:
    """Return whether ``builder`` makes norms of M networks: a subclass of Norm, or a function (models, channels, place)."""
    if isclass(builder):
        return issubclass(builder, Norm)
    try:
        parameters = signature(builder).parameters.values()
    except ValueError:  # compiled code does not say
        return False
    required = [
        p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return len(required) == 3 or any(p.name == "models" and p.kind is not Parameter.VAR_KEYWORD for p in parameters)
