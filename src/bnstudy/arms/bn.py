"""Batch normalization (Ioffe & Szegedy 2015, algorithms 1 and 2), M networks at once.

The samples of a unit are neighbouring numbers here, a row, so batch normalization is group normalization with one group
per row. At 64 samples torch's kernel for that took half the time of its kernel for batch normalization (forward and
backward). It equals ``torch.nn.BatchNorm1d`` (tested in float64).
"""

import torch
from torch import Tensor, nn

from bnstudy.arms import base
from bnstudy.arms.base import EPS, Norm, Place, Record, pack, per_unit, unpack

MOMENTUM = 0.1
"""The weight of the newest batch in the running averages, as in torch.nn.BatchNorm1d."""
ROWS = 65_535
"""The most rows that torch's kernel takes on a card."""
SHORT_ROW = 8
"""Up to this many samples per ghost batch, plain passes over many batches at once beat torch's kernel, which is made for
long rows: they are 2 times (8 samples) to 15 times (1 sample) faster."""


def normalize(h: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Normalize over the samples of each unit.

    Args:
        h: Activations [M, C, B, *S].
        gamma: [M, C] or None.
        beta: [M, C] or None; without gamma it must be None: let gamma be ones that are not learned.

    Returns:
        y = gamma (h - mean) / sqrt(var + eps) + beta, shaped as h; mean [M, C] and biased var [M, C], not differentiable.
    """
    models, channels = h.shape[:2]
    scale = None if gamma is None else gamma.reshape(-1)
    constant = None if beta is None else beta.reshape(-1)
    if h.is_contiguous():
        rows, samples = models * channels, h.shape[2:].numel()
        if rows > ROWS and h.is_cuda:
            return _in_parts(h, gamma, beta)
        # The kernel takes the counts as arguments and leaves shapes alone. A view here, which the ReLU overwrites, would
        # make autograd copy its whole gradient.
        y, mean, rstd = torch.native_group_norm(h, scale, constant, 1, rows, samples, rows, EPS)
    else:  # images whose channels lie next to each other, as convolutions make them
        y, mean, rstd = torch.native_batch_norm(pack(h), scale, constant, None, None, True, 0, EPS)
        y = unpack(y, models)
    var = rstd.detach().square().reciprocal_().sub_(EPS).clamp_min_(0)
    return y, mean.detach().view(models, channels), var.view(models, channels)


def _in_parts(h: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return what :func:`normalize` does, so many channels at a time that the kernel takes their rows."""
    size = ROWS // len(h)
    parts = [
        normalize(part.contiguous(), *(None if p is None else p[:, i * size : (i + 1) * size] for p in (gamma, beta)))
        for i, part in enumerate(h.split(size, 1))
    ]
    y, mean, var = (torch.cat(each, 1) for each in zip(*parts))
    return y, mean, var


class BatchNorm(Norm):
    """Batch normalization with or without trained gamma and beta [M, C]; running averages as torch keeps them."""

    has_statistics = True
    adopt = False
    """Whether the averages become those of the newest batch alone, to re-estimate them on other images."""
    ghost: int | None = None
    """The number of samples that share statistics in a test. Every ``ghost`` neighbours are then a batch of their own
    (ghost batches, Hoffer et al. 2017), so that one pass tests many batches; nothing is recorded or stored. None: all
    samples are one batch."""
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, models: int, channels: int, trained: bool) -> None:
        super().__init__()
        self.gamma: nn.Parameter | None = None
        self.beta: nn.Parameter | None = None
        if trained:
            self.gamma, self.beta = base.affine_parameters(models, channels)
        self.register_buffer("running_mean", torch.zeros(models, channels))
        self.register_buffer("running_var", torch.ones(models, channels))

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        if self.statistics == "running":
            mean, var = self.running_mean, self.running_var
            y = base.standardize(h, mean, torch.rsqrt(var + EPS), self.gamma, self.beta)
        else:
            if self.ghost is not None:
                return self._ghosts(h, self.ghost)
            y, mean, var = normalize(h, self.gamma, self.beta)
            if self.update:
                self._average(mean, var, h.shape[2:].numel())
        if record is not None:
            record("xhat", (h - per_unit(mean, h)) * per_unit(torch.rsqrt(var + EPS), h))
        return y

    def _ghosts(self, h: Tensor, size: int) -> Tensor:
        """Normalize every ``size`` neighbours of h [M, C, B, *S] by themselves; ``size`` divides B."""
        if not h.is_contiguous():  # images: one call per batch reads them where they lie
            normalized = [pack(normalize(batch, self.gamma, self.beta)[0]) for batch in h.split(size, 2)]
            return unpack(torch.cat(normalized), len(h))
        models, channels, samples = h.shape[:3]
        batches = samples // size
        rows = h.reshape(models, channels, batches, -1)
        if rows.shape[3] <= SHORT_ROW:
            columns = rows.mT.contiguous()
            centred = columns - columns.mean(2, keepdim=True)
            xhat = centred * torch.rsqrt(centred.square().mean(2, keepdim=True) + EPS)
            return base.scale_and_add(xhat, self.gamma, self.beta).mT.reshape(h.shape)
        gamma, beta = (None if p is None else p.repeat_interleave(batches, 1) for p in (self.gamma, self.beta))
        return normalize(rows.flatten(1, 2), gamma, beta)[0].view_as(h)

    @torch.no_grad()
    def _average(self, mean: Tensor, var: Tensor, samples: int) -> None:
        """Update the exponential averages; the stored variance is the unbiased one, m/(m-1) times the batch's."""
        weight = 1.0 if self.adopt else MOMENTUM
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(var * (samples / (samples - 1)), weight)


def build(models: int, channels: int, place: Place) -> Norm:
    return BatchNorm(models, channels, trained=True)
