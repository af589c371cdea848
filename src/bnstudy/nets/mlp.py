"""ReLU multilayer perceptrons, M of them side by side."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from bnstudy.nets.base import Link, Net, assemble, linear, pairs


class MLP(Net):
    """``depth`` hidden layers (linear, norm, ReLU) of weights [M, out, in] and a linear head."""

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Weight [M, out, in] times h [M, in, B], plus bias [M, out] -> [M, out, B]."""
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
    """One network a seed (see :func:`bnstudy.nets.base.assemble`). ``inputs``: how many, or the shape of an image."""
    features = inputs if isinstance(inputs, int) else prod(inputs)
    links = pairs(depth) if skip else [Link()] * depth
    return assemble(MLP, features, (), (), links, classes, width, gain, arm, seeds, dtype)
