"""The arm bn_noisy, half the dose."""

from bnstudy.arms import bn_noisy
from bnstudy.arms.base import Norm, Place


def build(models: int, channels: int, place: Place) -> Norm:
    return bn_noisy.build(models, channels, place, dose=0.5)
