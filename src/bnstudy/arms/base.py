"""What an arm is: a module between a layer's linear map and its ReLU, for M networks at once.

Activations are [M, C, B, *S]: M networks, C units (channels), B samples, any spatial axes. The samples are the
contiguous axis, so that the mean of a unit over the batch is a sum over neighbouring numbers.
"""

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

EPS = 1e-5
"""What is added to the variance, as in torch.nn.BatchNorm1d."""

Record = Callable[[str, Tensor], None] | None
"""Receives (site, activation). A norm reports its normalized value as "xhat"."""


class Place(NamedTuple):
    """Where a norm stands: hidden layer ``layer`` (1 is the first) of ``layers``."""

    layer: int
    layers: int


class Norm(nn.Module):
    """The base of all arms: ``forward`` maps [M, C, B, *S] to the same shape.

    These attributes and ``calibrate`` are the whole contract: nothing else is set or called from outside, and all that
    an arm remembers stands in its parameters and buffers [M, ...].

    Attributes:
        bias: Whether the linear map before it keeps a bias. That is useless before a norm that subtracts the mean, or
            beside a beta.
        statistics: "batch" measures mean and variance on the batch at hand, "running" uses the stored averages.
        update: Whether a forward pass on batch statistics moves the stored averages; probes set it to False.
        after_relu: Whether the norm stands behind the ReLU.
        activation: Whether a ReLU follows; an arm that has a nonlinearity of its own says False.
        noise_of: The seeds [M] and the step whose noise an arm with noise adds; without them it adds none.
        has_statistics: Whether "batch" and "running" differ for this arm.
        draws: Whether a forward pass computes with numbers of the step's own. A card replays the steps of all other arms
            from a recording, which would repeat those of the first one.
        native: Whether it is an arm of this package, found by its name: its output may be overwritten, and tests may set
            ``ghost`` and ``adopt`` of its :class:`bnstudy.arms.bn.BatchNorm`. Never to be set by others.
    """

    bias: bool = False
    statistics: Literal["batch", "running"] = "batch"
    update: bool = True
    after_relu: bool = False
    activation: bool = True
    noise_of: tuple[Sequence[int], int] | None = None
    has_statistics: bool = False
    draws: bool = False
    native: bool = False

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        """Return the output of the norm, shaped as ``h`` [M, C, B, *S]; ``record`` is shown the normalized value."""
        raise NotImplementedError

    def calibrate(self, h: Tensor) -> None:
        """Set constants from the first training batch ``h`` [M, C, B, *S]; most arms have none."""


class GammaBeta(Norm):
    """A norm with trained gamma = 1 and beta = 0 [M, C]."""

    def __init__(self, models: int, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = affine_parameters(models, channels)


def shown(norm: Norm, h: Tensor, record: Callable[[str, Tensor], None]) -> Tensor:
    """Return the output for ``h``; ``record`` is shown the normalized value by norms whose ``forward`` takes it."""
    kinds = [parameter.kind for parameter in signature(norm.forward).parameters.values()]
    takes = len(kinds) > 1 or Parameter.VAR_POSITIONAL in kinds
    return norm(h, record) if takes else norm(h)


def scale_and_constant(norm: Norm) -> tuple[Tensor, Tensor] | None:
    """Return gamma and beta of a norm, each [M, C] or [M, 1]; beta is 0 where it has gamma alone. None: it has no gamma."""
    found = [getattr(norm, name, None) for name in ("gamma", "beta")]
    gamma, beta = (t.flatten(1) if isinstance(t, Tensor) and t.dim() > 1 else None for t in found)
    return None if gamma is None else (gamma, torch.zeros_like(gamma) if beta is None else beta)


def only(module: nn.Module, which: Tensor) -> None:
    """Leave only the networks at the places ``which`` [m] in every parameter and buffer (axis 0). Parameters become new
    objects."""
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            setattr(part, name, nn.Parameter(parameter.detach()[which]))
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, buffer[which])


def per_unit(value: Tensor, like: Tensor) -> Tensor:
    """Return [M, C] with trailing axes of length 1, to broadcast against ``like`` [M, C, B, *S].

    >>> per_unit(torch.ones(2, 3), torch.ones(2, 3, 8, 4, 4)).shape
    torch.Size([2, 3, 1, 1, 1])
    """
    return value.reshape(*value.shape, *[1] * (like.dim() - 2))


def scale_and_add(h: Tensor, scale: Tensor | None, constant: Tensor | None) -> Tensor:
    """Return scale * h + constant; None leaves that part out.

    Args:
        h: Activations [M, C, B, *S].
        scale: One per unit [M, C].
        constant: One per unit [M, C].

    >>> scale_and_add(torch.ones(1, 2, 3), torch.tensor([[2.0, 3.0]]), torch.tensor([[0.0, 1.0]])).tolist()
    [[[2.0, 2.0, 2.0], [4.0, 4.0, 4.0]]]
    """
    if scale is None:
        return h if constant is None else h + per_unit(constant, h)
    y = h * per_unit(scale, h)  # two passes: one with two broadcast operands takes four times as long
    return y if constant is None else y.add_(per_unit(constant, h))


def standardize(h: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor | None, beta: Tensor | None) -> Tensor:
    """Return gamma (h - mean) rstd + beta in two passes over ``h`` [M, C, B, *S]; all else is [M, C] or None."""
    scale = rstd if gamma is None else gamma * rstd
    return scale_and_add(h, scale, -mean * scale if beta is None else beta - mean * scale)


def affine_parameters(models: int, channels: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Return gamma = 1 and beta = 0, [M, C] each."""
    return nn.Parameter(torch.ones(models, channels)), nn.Parameter(torch.zeros(models, channels))


def pack(h: Tensor) -> Tensor:
    """Return [M, C, B, H, W] as [B, M x C, H, W], torch.nn.functional's order of axes: a view where :func:`unpack` made it."""
    return h.permute(2, 0, 1, 3, 4).flatten(1, 2)


def unpack(images: Tensor, models: int) -> Tensor:
    """Return [B, M x C, H, W] as a view [M, C, B, H, W]."""
    return images.unflatten(1, (models, -1)).permute(1, 2, 0, 3, 4)
