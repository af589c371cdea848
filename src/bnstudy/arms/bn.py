"""Batch normalization (Ioffe & Szegedy 2015, algorithms 1 and 2), M networks at once.

torch's own kernel is memory-bound far below memory speed at these sizes; this one is written as a few passes over
rows of neighbouring numbers, forward and backward, and shares the sums that the gradients of gamma, beta and the
input have in common. It equals ``torch.nn.BatchNorm1d`` (tested in float64).
"""

from typing import Any

import torch
from torch import Tensor, nn

from bnstudy.arms.base import EPS, Norm, Place, Record, affine_parameters, per_unit, scale_shift

MOMENTUM = 0.1
"""Weight of the newest batch in the running averages, as in torch.nn.BatchNorm1d."""


class Normalize(torch.autograd.Function):
    """gamma (h - mean) / sqrt(var + eps) + beta over the samples of each unit; also returns mean and var.

    h [M, C, N] contiguous, gamma and beta [M, C] or None -> y [M, C, N], mean [M, C], biased var [M, C].
    Backward: dL/dh = gamma/sigma (g - <g>/N - xhat <g, xhat>/N), g = dL/dy (Ioffe & Szegedy 2015, section 3).
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, ...]:
        mean = h.mean(2)
        centred = h - mean[..., None]
        var = torch.linalg.vector_norm(centred, dim=2).square_().div_(h.shape[2])
        rstd = torch.rsqrt(var + EPS)
        scale = rstd if gamma is None else gamma * rstd
        ctx.save_for_backward(centred, rstd, scale)
        ctx.affine = gamma is not None
        ctx.mark_non_differentiable(mean, var)
        return scale_shift(centred, scale, beta), mean, var

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        g = grads[0]
        centred, rstd, scale = ctx.saved_tensors
        n = g.shape[2]
        sum_g = g.sum(2)
        sum_gx = (g * centred).sum(2)
        shift = -scale * sum_g / n
        pull = -scale * rstd.square() * sum_gx / n
        dh = torch.addcmul(shift[..., None], g, scale[..., None]).addcmul_(centred, pull[..., None])
        return dh, *((sum_gx * rstd, sum_g) if ctx.affine else (None, None))


class BatchNorm(Norm):
    """Batch normalization with or without trained gamma and beta [M, C]; running averages as torch keeps them."""

    has_statistics = True
    adopt = False
    """Whether the averages take the newest batch whole: re-estimation on other images."""
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, models: int, channels: int, trained: bool) -> None:
        super().__init__()
        self.gamma: nn.Parameter | None = None
        self.beta: nn.Parameter | None = None
        if trained:
            self.gamma, self.beta = affine_parameters(models, channels)
        self.register_buffer("running_mean", torch.zeros(models, channels))
        self.register_buffer("running_var", torch.ones(models, channels))

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        if self.statistics == "running":
            mean, var = self.running_mean, self.running_var
            rstd = torch.rsqrt(var + EPS)
            scale = rstd if self.gamma is None else self.gamma * rstd
            shift = -mean * scale if self.beta is None else self.beta - mean * scale
            y = scale_shift(h, scale, shift)
        else:
            flat, mean, var = Normalize.apply(h.flatten(2), self.gamma, self.beta)
            y = flat.view_as(h)
            if self.update:
                self._average(mean, var, h[0, 0].numel())
        if record is not None:
            record("xhat", (h - per_unit(mean, h)) * per_unit(torch.rsqrt(var + EPS), h))
        return y

    @torch.no_grad()
    def _average(self, mean: Tensor, var: Tensor, samples: int) -> None:
        """Exponential averages; the stored variance is the unbiased one, m/(m-1) times the batch's."""
        weight = 1.0 if self.adopt else MOMENTUM
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(var * (samples / (samples - 1)), weight)


def build(models: int, channels: int, place: Place) -> Norm:
    return BatchNorm(models, channels, trained=True)
