"""Batch normalization whose mean and variance count as constants in the backward pass.

The forward pass and the stored averages are those of batch normalization (Ioffe & Szegedy 2015, section 2, warn of this).
"""

import torch
from torch import Tensor

from bnstudy.arms.base import EPS, Norm, Place, Record, per_unit, standardize
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
        return standardize(h, mean, rstd, self.gamma, self.beta)


def build(models: int, channels: int, place: Place) -> Norm:
    return DetachedBatchNorm(models, channels, trained=True)
