"""Batch normalization in the later half of the layers only, those that bn_early leaves out."""

from bnstudy.arms import bn, none
from bnstudy.arms.base import Norm, Place


def build(models: int, channels: int, place: Place) -> Norm:
    late = place.layer > place.layers // 2
    return (bn if late else none).build(models, channels, place)
