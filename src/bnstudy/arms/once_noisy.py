"""Normalization with constants (see :mod:`bnstudy.arms.once`), with the same noise as in the arm bn_noisy_mild."""

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.noise import Noise
from bnstudy.arms.once import Once


class NoisyOnce(Noise, Once):
    pass


def build(models: int, channels: int, place: Place) -> Norm:
    return NoisyOnce(models, channels).noisy(place, dose=1.0)
