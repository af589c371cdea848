"""Batch normalization that is not differentiated through: mean and variance count as constants in the backward pass.

The forward pass, and what is stored, are those of batch normalization (Ioffe & Szegedy 2015, section 2, warn of this).
"""

import torch
from torch import Tensor

from bnstudy.arms.base import EPS, Norm, Place, Record, per_unit, scale_shift
from bnstudy.arms.bn import BatchNorm


class DetachedBatchNorm(BatchNorm):
    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        if self.statistics == "running" or self.ghost is not None:
            return super().forward(h, record)
        var, mean = torch.var_mean(h.detach().flatten(2), 2, correction=0)
        if self.update:
            self._average(mean, var, h[0, 0].numel())
        xhat = (h - per_unit(mean, h)) * per_unit(torch.rsqrt(var + EPS), h)
        if record is not None:
            record("xhat", xhat)
        return scale_shift(xhat, self.gamma, self.beta)


def build(models: int, channels: int, place: Place) -> Norm:
    return DetachedBatchNorm(models, channels, trained=True)
