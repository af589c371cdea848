"""Published normalizers, made as anyone's own are: an ordinary module each, named ``bnstudy.zoo:NAME`` in a study.

config/normalizers.yaml sets them beside none and bn. Whatever stands here could stand in a file beside the project.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bnstudy.arms.base import Norm, Place, Record
from bnstudy.nets import mlp
from bnstudy.nets.base import Net, assemble
from bnstudy.nets.mlp import MLP

EPS = 1e-5
GROUPS = 8
GHOST = 16
"""Samples that share statistics under ghost batch normalization."""
OPENING = 200
"""Steps over which the limits of batch renormalization open: of its authors' schedule, which takes 40,000, the same shape."""


def _units(value: Tensor, like: Tensor) -> Tensor:
    """Return [C] with trailing axes of length 1, to broadcast against ``like`` [B, C, *S]."""
    return value.view(-1, *[1] * (like.dim() - 2))


def _normalized(x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return (x - _units(mean, x)) * _units((var + EPS).rsqrt(), x)


class _Scaled(nn.Module):
    """A scale that starts at 1 and a constant that starts at 0 per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def scaled(self, x: Tensor) -> Tensor:
        """Return weight x + bias."""
        return x * _units(self.weight, x) + _units(self.bias, x)


def GroupNorm(channels: int) -> nn.Module:
    """Group normalization (Wu & He 2018) in eight groups; in one where eight do not divide the channels."""
    return nn.GroupNorm(GROUPS if channels % GROUPS == 0 else 1, channels)


def InstanceNorm(channels: int) -> nn.Module:
    """Instance normalization (Ulyanov et al. 2016), for images: over the pixels of each channel of a sample."""
    return nn.InstanceNorm2d(channels, affine=True)


class RMSNorm(nn.Module):
    """Each sample divided by its root mean square over the channels, with a gain (Zhang & Sennrich 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * (x.square().mean(1, keepdim=True) + EPS).rsqrt() * _units(self.weight, x)


class DynamicTanh(_Scaled):
    """tanh(alpha x) with a scale and a constant, and no statistics at all (Zhu et al. 2025)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.alpha = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.scaled(torch.tanh(self.alpha * x))


class _Stored(_Scaled):
    """What keeps running averages of the mean and the variance of each channel."""

    mean: Tensor
    var: Tensor
    of_batch: Callable[[Tensor], Tensor]
    """Returns x normalized as in training, and keeps the averages."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.scaled(self.of_batch(x) if self.training else _normalized(x, self.mean, self.var))

    @torch.no_grad()
    def keep(self, mean: Tensor, var: Tensor, samples: int) -> None:
        """Move the averages by a tenth of the way; ``var`` is the biased one of so many samples."""
        self.mean.mul_(0.9).add_(0.1 * mean)
        self.var.mul_(0.9).add_(0.1 * var * samples / max(samples - 1, 1))


class GhostBatchNorm(_Stored):
    """Batch normalization over every 16 samples by themselves (Hoffer et al. 2017); a rest of a batch joins the last."""

    def of_batch(self, x: Tensor) -> Tensor:
        axes = [0, *range(2, x.dim())]
        whole = max(1, x.shape[0] // GHOST)
        sizes = [GHOST] * (whole - 1) + [x.shape[0] - GHOST * (whole - 1)]
        each = [(part, part.mean(axes), part.var(axes, correction=0)) for part in x.split(sizes)]
        _, means, variances = zip(*each)
        self.keep(torch.stack(means).mean(0), torch.stack(variances).mean(0), x[:, 0].numel() // whole)
        return torch.cat([_normalized(*part) for part in each])


class BatchRenorm(_Stored):
    """Batch renormalization (Ioffe 2017): the batch's statistics, corrected towards the averages within limits that open."""

    steps: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.register_buffer("steps", torch.zeros(()))

    def of_batch(self, x: Tensor) -> Tensor:
        axes = [0, *range(2, x.dim())]
        mean, var = x.mean(axes), x.var(axes, correction=0)
        opened = (self.steps / OPENING).clamp(max=1)
        most_r, most_d = 1 + 2 * opened, 5 * opened
        sd, known = (var + EPS).sqrt(), (self.var + EPS).sqrt()
        r = (sd / known).detach().clamp(1 / most_r, most_r)
        d = torch.minimum(torch.maximum(((mean - self.mean) / known).detach(), -most_d), most_d)
        y = (x - _units(mean, x)) / _units(sd, x) * _units(r, x) + _units(d, x)
        self.keep(mean.detach(), var.detach(), x[:, 0].numel())
        with torch.no_grad():
            self.steps.add_(1)
        return y


class FilterResponseNorm(_Scaled):
    """Filter response normalization with its thresholded linear unit (Singh & Krishnan 2020), for images."""

    activation = False

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.threshold = nn.Parameter(torch.full((channels,), -1e-2))

    def forward(self, x: Tensor) -> Tensor:
        xhat = x * (x.square().mean((2, 3), keepdim=True) + 1e-6).rsqrt()
        return torch.maximum(self.scaled(xhat), _units(self.threshold, x))


class SkipInit(Norm):
    """A normalizer-free residual start (De & Smith 2020): in networks with skip connections each branch is multiplied by one
    number per network that starts at 0. Only the layers where a connection ends have it."""

    bias = True

    def __init__(self, models: int, channels: int, place: Place) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(models, 1)) if place.layer > 1 and place.layer % 2 == 1 else None

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        return h if self.scale is None else h * self.scale.view(-1, *[1] * (h.dim() - 1))


class StandardizedMLP(MLP):
    """Perceptrons with weight standardization (Qiao et al. 2019): the weights that enter a unit have mean 0 and He's sd."""

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Return the standardized weight [M, out, in] times h [M, in, B], plus bias [M, out]: [M, out, B]."""
        centred = weight - weight.mean(2, keepdim=True)
        sd = (centred.square().mean(2, keepdim=True) + EPS).sqrt()
        return super().transform(centred / sd * (2 / weight.shape[2]) ** 0.5, h, bias, stride)


def standardized_mlp(*arguments: Any, **named: Any) -> Net:
    """Build networks of :class:`StandardizedMLP`, as :func:`bnstudy.nets.mlp.build` does."""
    return assemble(lambda *size: mlp.layout(*size)._replace(net=StandardizedMLP), *arguments, **named)
