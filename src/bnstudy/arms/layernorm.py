"""Layer normalization (Ba et al. 2016): mean and variance over a sample's units instead of a unit's samples.

Nothing is stored, and a sample's output does not depend on its batch.
"""

import torch
from torch import Tensor

from bnstudy.arms.base import EPS, Norm, Place, Record, affine_parameters, scale_shift


class LayerNorm(Norm):
    def __init__(self, models: int, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = affine_parameters(models, channels)

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        units = (1, *range(3, h.dim()))
        centred = h - h.mean(units, keepdim=True)  # two sums: torch.var_mean takes several times as long
        xhat = centred * torch.rsqrt(centred.square().mean(units, keepdim=True) + EPS)
        if record is not None:
            record("xhat", xhat)
        return scale_shift(xhat, self.gamma, self.beta)


def build(models: int, channels: int, place: Place) -> Norm:
    return LayerNorm(models, channels)
