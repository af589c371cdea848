"""Normalized once, with constants, as inputs are: mean and variance of the first batch, then never measured again.

gamma and beta are trained as under batch normalization. (Data-dependent initialization.)
"""

import torch
from torch import Tensor

from bnstudy.arms.base import EPS, Norm, Place, Record, affine_parameters, scale_shift


class Once(Norm):
    mean: Tensor
    var: Tensor

    def __init__(self, models: int, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = affine_parameters(models, channels)
        self.register_buffer("mean", torch.zeros(models, channels))
        self.register_buffer("var", torch.ones(models, channels))

    def calibrate(self, h: Tensor) -> None:
        var, mean = torch.var_mean(h.flatten(2), 2, correction=0)
        self.mean.copy_(mean)
        self.var.copy_(var)

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        rstd = torch.rsqrt(self.var + EPS)
        if record is not None:
            record("xhat", scale_shift(h, rstd, -self.mean * rstd))
        scale = self.gamma * rstd
        return scale_shift(h, scale, self.beta - self.mean * scale)


def build(models: int, channels: int, place: Place) -> Norm:
    return Once(models, channels)
