"""Batch normalization in the earlier half of the layers only, 1..L/2 (rounded down)."""

from bnstudy.arms import bn, none
from bnstudy.arms.base import Norm, Place


def build(models: int, channels: int, place: Place) -> Norm:
    early = place.layer <= place.layers // 2
    return (bn if early else none).build(models, channels, place)
