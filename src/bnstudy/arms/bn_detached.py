"""Batch normalization that is not differentiated through: mean and variance count as constants in the backward pass.

The forward pass, and what is stored, are those of batch normalization (Ioffe & Szegedy 2015, section 2, warn of this).
"""

import torch
from torch import Tensor

from bnstudy.arms.base import EPS, Norm, Place, Record, per_unit, scale_shift
from bnstudy.arms.bn import BatchNorm, normalize


class DetachedBatchNorm(BatchNorm):
    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        if self.statistics == "running" or self.ghost is not None:
            return super().forward(h, record)
        _, mean, var = normalize(h.detach(), None, None)
        if self.update:
            self._average(mean, var, h.shape[2:].numel())
        rstd = torch.rsqrt(var + EPS)
        if record is not None:
            record("xhat", (h - per_unit(mean, h)) * per_unit(rstd, h))
        assert self.gamma is not None and self.beta is not None
        scale = self.gamma * rstd
        return scale_shift(h, scale, self.beta - mean * scale)


def build(models: int, channels: int, place: Place) -> Norm:
    return DetachedBatchNorm(models, channels, trained=True)
