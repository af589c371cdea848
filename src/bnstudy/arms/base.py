"""What an arm is: the module that stands between a layer's linear map and its ReLU, for M networks at once.

Activations are [M, C, B, *S]: M networks, C units (channels), B samples, any spatial axes. The samples are the
contiguous axis, so that a unit's mean over the batch is a sum over neighbouring numbers.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

EPS = 1e-5
"""Added to the variance, as in torch.nn.BatchNorm1d."""

Record = Callable[[str, Tensor], None] | None
"""Receives (site, activation); a norm reports its normalized value as "xhat"."""


class Place(NamedTuple):
    """Where a norm stands: hidden layer ``layer`` (1 is the first) of ``layers``."""

    layer: int
    layers: int


class Norm(nn.Module):
    """Base of all arms. ``forward`` maps [M, C, B, *S] to the same shape.

    ``bias``: whether the linear map before it keeps its own bias (useless under a norm that subtracts the mean, or
    beside a beta). ``statistics``: "batch" measures mean and variance on the batch at hand, "running" uses the stored
    averages. ``update``: whether a forward pass on batch statistics moves the stored averages; probes set it False.
    """

    bias: bool = False
    statistics: Literal["batch", "running"] = "batch"
    update: bool = True
    after_relu: bool = False
    moment: tuple[Sequence[int], int] | None = None
    has_statistics: bool = False
    """Whether "batch" and "running" differ for this arm."""
    draws: bool = False
    """Whether a forward pass computes with numbers of the moment's own. A card replays the steps of all other arms from a
    recording, which would repeat those of the first one."""

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        raise NotImplementedError

    def calibrate(self, h: Tensor) -> None:
        """Set constants from the first training batch ``h`` [M, C, B, *S]; most arms have none to set."""


def only(module: nn.Module, which: Tensor) -> None:
    """Leave only the networks at these places [m] in every parameter and buffer, whose first axis is the networks; the
    parameters are new objects."""
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            setattr(part, name, nn.Parameter(parameter.detach()[which]))
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, buffer[which])


def per_unit(value: Tensor, like: Tensor) -> Tensor:
    """[M, C] with trailing axes of length 1, to broadcast against ``like`` [M, C, B, *S]."""
    return value.reshape(*value.shape, *[1] * (like.dim() - 2))


def scale_shift(h: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    """scale * h + shift with one scale and one shift [M, C] a unit; None leaves that part out."""
    if scale is None:
        return h if shift is None else h + per_unit(shift, h)
    y = h * per_unit(scale, h)  # two passes: one with two broadcast operands takes four times as long
    return y if shift is None else y.add_(per_unit(shift, h))


def affine_parameters(models: int, channels: int) -> tuple[nn.Parameter, nn.Parameter]:
    """gamma = 1 and beta = 0, [M, C] each."""
    return nn.Parameter(torch.ones(models, channels)), nn.Parameter(torch.zeros(models, channels))


def pack(h: Tensor) -> Tensor:
    """[M, C, B, H, W] -> [B, M x C, H, W], as torch.nn.functional has images; a view of what :func:`unpack` made."""
    return h.permute(2, 0, 1, 3, 4).flatten(1, 2)


def unpack(images: Tensor, models: int) -> Tensor:
    """[B, M x C, H, W] -> [M, C, B, H, W], a view."""
    return images.unflatten(1, (models, -1)).permute(1, 2, 0, 3, 4)
