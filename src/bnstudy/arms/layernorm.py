"""Layer normalization (Ba et al. 2016): mean and variance are those of a sample over its units, not of a unit over its
samples.

Nothing is stored, and the output for a sample does not depend on its batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms.base import EPS, GammaBeta, Norm, Place, Record, pack, scale_and_add, unpack


class LayerNorm(GammaBeta):
    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        if h.is_cuda and h.dim() > 3 and record is None:
            # of [B, M x C, H, W] the channels of a network are a group: one kernel
            packed = F.group_norm(pack(h), len(h), self.gamma.flatten(), self.beta.flatten(), EPS)
            return unpack(packed, len(h))
        units = (1, *range(3, h.dim()))
        centred = h - h.mean(units, keepdim=True)  # two sums: torch.var_mean takes several times as long
        xhat = centred * torch.rsqrt(centred.square().mean(units, keepdim=True) + EPS)
        if record is not None:
            record("xhat", xhat)
        return scale_and_add(xhat, self.gamma, self.beta)


def build(models: int, channels: int, place: Place) -> Norm:
    return LayerNorm(models, channels)
