"""No normalization: only the linear map, its bias and the ReLU."""

from torch import Tensor

from bnstudy.arms.base import Norm, Place, Record


class Identity(Norm):
    bias = True

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        return h


def build(models: int, channels: int, place: Place) -> Norm:
    return Identity()
