"""ReLU multilayer perceptrons, M of them side by side."""

from functools import partial
from math import prod

from torch import Tensor

from bnstudy.nets.base import Layout, Net, assemble, linear


class MLP(Net):
    """Networks of hidden layers (linear, norm, ReLU) with weights [M, out, in] and a linear head."""

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Return weight [M, out, in] times h [M, in, B], plus bias [M, out]: [M, out, B]."""
        return linear(weight, h, bias)


def layout(inputs: int | tuple[int, ...], depth: int) -> Layout:
    """Return the layout for so many inputs, or for images of that shape."""
    return Layout(MLP, inputs if isinstance(inputs, int) else prod(inputs), (), (), [1] * depth)


build = partial(assemble, layout)
