"""Batch normalization with noise added to its outputs on purpose at every step (see :mod:`bnstudy.arms.noise`)."""

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.bn import BatchNorm
from bnstudy.arms.noise import Noise


class NoisyBatchNorm(Noise, BatchNorm):
    pass


def build(models: int, channels: int, place: Place, dose: float = 1.0) -> Norm:
    return NoisyBatchNorm(models, channels, trained=True).noisy(place, dose)
