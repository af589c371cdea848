"""Batch normalization with noise added to its outputs on purpose at every step (see :mod:`bnstudy.arms.noise`).

The dose is about the least at which the next layer's input moves as far as without batch norm, so that what the movement
itself does can be told.
"""

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.bn import BatchNorm
from bnstudy.arms.noise import Noise


class NoisyBatchNorm(Noise, BatchNorm):
    pass


def build(models: int, channels: int, place: Place, dose: float = 2.25) -> Norm:
    return NoisyBatchNorm(models, channels, trained=True).noisy(place, dose)
