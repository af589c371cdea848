"""ReLU multilayer perceptrons, M of them side by side."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from bnstudy.nets.base import Link, Net, assemble, linear, pairs


class MLP(Net):
    """Networks of hidden layers (linear, norm, ReLU) with weights [M, out, in] and a linear head."""

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Return weight [M, out, in] times h [M, in, B], plus bias [M, out]: [M, out, B]."""
        return linear(weight, h, bias)


def build(
    inputs: int | tuple[int, ...],
    classes: int,
    depth: int,
    width: int,
    gain: float,
    arm: str,
    seeds: Sequence[int],
    dtype: torch.dtype = torch.float32,
    skip: bool = False,
) -> MLP:
    """Return one network per seed; see :func:`bnstudy.nets.base.assemble` for the arguments that are not here.

    Args:
        inputs: The number of inputs, or the shape of an image.
        depth: The number of hidden layers.
        skip: Whether skip connections join layers 2 and 3, 4 and 5, ...

    Raises:
        ModuleNotFoundError: There is no such arm.
    """
    features = inputs if isinstance(inputs, int) else prod(inputs)
    links = pairs(depth) if skip else [Link()] * depth
    return assemble(MLP, features, (), (), links, classes, width, gain, arm, seeds, dtype)
