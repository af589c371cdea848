"""No normalization: the linear map, its bias, the ReLU."""

from torch import Tensor

from bnstudy.arms.base import Norm, Place, Record


class Identity(Norm):
    bias = True

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        return h


def build(models: int, channels: int, place: Place) -> Norm:
    return Identity()
