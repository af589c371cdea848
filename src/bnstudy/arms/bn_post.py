"""Batch normalization after the ReLU. The linear map keeps its bias, which the ReLU makes useful."""

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.bn import BatchNorm


class PostBatchNorm(BatchNorm):
    bias = True
    after_relu = True


def build(models: int, channels: int, place: Place) -> Norm:
    return PostBatchNorm(models, channels, trained=True)
