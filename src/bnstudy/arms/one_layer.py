"""Batch normalization in one layer alone: ``bnstudy.arms.one_layer:batch_norm_in_layer_3`` has it in the third.

The number is the arm's parameter. It is written as an arm from outside is, since a name without a colon has a file of its own.
"""

import re
from collections.abc import Callable
from functools import partial

from bnstudy.arms import bn, none
from bnstudy.arms.base import Norm, Place


def __getattr__(name: str) -> Callable[[int, int, Place], Norm]:
    found = re.fullmatch(r"batch_norm_in_layer_([1-9]\d*)", name)
    if not found:
        raise AttributeError(f"{name}: write batch_norm_in_layer_1, batch_norm_in_layer_2 and so on")
    return partial(alone, int(found[1]))


def alone(layer: int, models: int, channels: int, place: Place) -> Norm:
    """Return batch norm in that layer, and nothing in every other."""
    return (bn if place.layer == layer else none).build(models, channels, place)
