"""What all network families share: M networks side by side, every parameter with the networks as its first axis.

A family says how a weight tensor maps a layer's input to its pre-activations, and which layers a skip connection joins.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod, sqrt
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.find import builder
from bnstudy.core.rng import rng

Sites = Callable[[int, str, Tensor], None]
"""Receives (layer from 1, site, activation [M, C, B, *S]); sites: linear, xhat, affine, relu, next."""


class Link(NamedTuple):
    """How a hidden layer is joined to the others.

    ``stride``: it computes every ``stride``-th row and column of pixels. ``keep``: a skip connection starts at its input.
    ``add``: what was kept is added before its ReLU.
    """

    stride: int = 1
    keep: bool = False
    add: bool = False


class State(NamedTuple):
    """What a hidden layer hands on: its output [M, C, B, *S], and what the skip connection that crosses there holds."""

    h: Tensor
    kept: Tensor | None


def pairs(depth: int) -> list[Link]:
    """Skip connections over layers 2 and 3, 4 and 5, ...: the first layer changes the width, and none crosses it."""
    layers = range(1, depth + 1)
    return [Link(keep=layer % 2 == 0 and layer < depth, add=layer % 2 == 1 and layer > 1) for layer in layers]


class Net(nn.Module):
    """Hidden layers (linear map, norm, ReLU) and a linear head. With skip connections a pair of layers computes
    relu(norm(W2 relu(norm(W1 h))) + h), as in He et al. 2016 (https://arxiv.org/abs/1512.03385, figure 2).

    ``image``: (channels, height, width) of the inputs, where the family looks at them as images.
    """

    overwrite = True
    """Whether the ReLU may overwrite its argument: not where that is a view, whose gradient autograd would copy."""

    def __init__(
        self,
        weights: Sequence[Tensor],
        head: Tensor,
        norms: Sequence[Norm],
        links: Sequence[Link] | None = None,
        image: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.head = nn.Parameter(head)
        self.norms = nn.ModuleList(norms)
        self.biases = nn.ParameterList(w.new_zeros(w.shape[:2]) for w, norm in zip(weights, norms) if norm.bias)
        self.head_bias = nn.Parameter(head.new_zeros(head.shape[:2]))
        self.links, self.image = list(links or [Link()] * len(weights)), image

    @property
    def models(self) -> int:
        return self.head.shape[0]

    def enter(self, x: Tensor) -> Tensor:
        """Inputs [M, features, B] as the first layer takes them."""
        return x

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Pre-activations of one layer."""
        raise NotImplementedError

    def leave(self, h: Tensor) -> Tensor:
        """The last layer's output as the head takes it [M, C, B]."""
        return h

    def forward(self, x: Tensor | State, sites: Sites | None = None, calibrate: bool = False) -> Tensor:
        """Inputs [M, features, B], or what the layers before handed on -> logits [M, classes, B].

        ``sites`` is shown every layer's activations. ``calibrate`` lets each norm set its constants from what
        reaches it, first layer first (the arm `once`).
        """
        state = self.start(x)
        for after in self.states(state, sites, calibrate):
            state = after
        return linear(self.head, self.leave(state.h), self.head_bias)

    def start(self, x: Tensor | State) -> State:
        return x if isinstance(x, State) else State(self.enter(x), None)

    def states(self, x: Tensor | State, sites: Sites | None = None, calibrate: bool = False) -> Iterator[State]:
        """What each hidden layer hands on, layer by layer; arguments as of :meth:`forward`."""
        h, kept = self.start(x)
        biases = iter(self.biases)
        for layer, (weight, norm, link) in enumerate(zip(self.weights, self.norms, self.links), 1):
            assert isinstance(norm, Norm)
            if link.keep:
                kept = h
            z = self.transform(weight, h, next(biases) if norm.bias else None, link.stride)
            if kept is not None and link.stride > 1:
                kept = kept[..., :: link.stride, :: link.stride]
            if calibrate:
                norm.calibrate(torch.relu(z) if norm.after_relu else z)
            added = kept if link.add else None
            h = self._activate(norm, z, added) if sites is None else _show(norm, z, added, partial(sites, layer))
            kept = None if link.add else kept
            yield State(h, kept)

    def _activate(self, norm: Norm, z: Tensor, added: Tensor | None) -> Tensor:
        """One layer's output from its pre-activations ``z``, which it may overwrite."""
        relu = torch.relu_ if self.overwrite or not torch.is_grad_enabled() else torch.relu
        if norm.after_relu:
            h = norm(relu(z))
            return h if added is None else h + added
        a = norm(z)
        return relu(a if added is None else a + added)

    def part(self, first: int, last: int) -> Self:
        """Hidden layers ``first`` (from 1) to ``last`` and the head as networks of their own, on the same parameters."""
        these = slice(first - 1, last)
        norms: list[Norm] = list(self.norms)  # type: ignore[arg-type]
        part = type(self)(list(self.weights)[these], self.head, norms[these], self.links[these], self.image)
        start = sum(norm.bias for norm in norms[: first - 1])
        part.biases = nn.ParameterList(list(self.biases)[start : start + len(part.biases)])
        part.head, part.head_bias = self.head, self.head_bias
        return part

    def set_statistics(self, statistics: str, update: bool) -> None:
        """Switch every norm between batch and running statistics, and whether batches move the stored averages."""
        for norm in self.norms:
            norm.statistics, norm.update = statistics, update  # type: ignore[assignment]

    def set_moment(self, seeds: Sequence[int], step: int) -> None:
        """Tell norms that add noise whose and which step's noise to draw."""
        for norm in self.norms:
            norm.moment = (seeds, step)  # type: ignore[assignment]


def _show(norm: Norm, z: Tensor, added: Tensor | None, show: Callable[[str, Tensor], None]) -> Tensor:
    """One layer's output, every step of it shown. A norm behind the ReLU has what is added behind it as well: the skip
    connection always carries an input to an output unchanged but for a ReLU."""
    show("linear", z)
    if norm.after_relu:
        a = torch.relu(z)
        show("relu", a)
        h = norm(a, show)
        show("affine", h)
        h = h if added is None else h + added
    else:
        a = norm(z, show)
        show("affine", a)
        h = torch.relu(a if added is None else a + added)
        show("relu", h)
    show("next", h)
    return h


def linear(weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
    """weight [M, out, in] times h [M, in, B], plus bias [M, out] -> [M, out, B], each network on its own."""
    z = torch.bmm(weight, h)
    return z if bias is None else z.add_(bias[..., None])


Family = TypeVar("Family", bound=Net)


def assemble(
    family: type[Family],
    inputs: int,
    kernel: tuple[int, ...],
    image: tuple[int, ...],
    links: Sequence[Link],
    classes: int,
    width: int,
    gain: float,
    arm: str,
    seeds: Sequence[int],
    dtype: torch.dtype,
) -> Family:
    """One network a seed, of as many hidden layers as ``links``, each of ``width`` units; a weight tensor is
    [M, out, in, *kernel], the first layer's ``in`` is ``inputs``.

    Weights are normal with sd gain sqrt(2 / fan-in) (He et al. 2015 for gain 1), the head's sd is sqrt(1 / fan-in); a
    seed draws the same numbers whatever the arm, gain or company. Raises ModuleNotFoundError for an arm that there
    is not.
    """
    norm = builder(arm)
    depth = len(links)

    def draw(layer: int, sd: float, *shape: int) -> Tensor:
        each = [torch.randn(shape, generator=rng(seed, "init", layer)) for seed in seeds]
        return (torch.stack(each) * sd).to(dtype)

    incoming = [inputs] + [width] * (depth - 1)
    weights = [draw(i, gain * sqrt(2 / (n * prod(kernel))), width, n, *kernel) for i, n in enumerate(incoming, 1)]
    head = draw(0, sqrt(1 / width), classes, width)
    norms = [norm(len(seeds), width, Place(i, depth)) for i in range(1, depth + 1)]
    return family(weights, head, norms, links, image).to(dtype)
