"""What all kinds of network share: M networks side by side; the networks are the first axis of every parameter.

A kind of network defines how a weight tensor maps a layer's input to its pre-activations, and which layers a skip
connection joins.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod, sqrt
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bnstudy.arms.base import Norm, Place, shown
from bnstudy.arms.find import make
from bnstudy.core.rng import rng

Sites = Callable[[int, str, Tensor], None]
"""Receives (layer from 1, site, activation [M, C, B, *S]); sites: linear, xhat, affine, relu, next."""


class Link(NamedTuple):
    """How a hidden layer is joined to the others.

    Attributes:
        stride: The layer computes every ``stride``-th row and column of pixels.
        keep: A skip connection starts at the layer's input.
        add: The skip connection ends here: what was kept is added before the layer's ReLU.
    """

    stride: int = 1
    keep: bool = False
    add: bool = False


class State(NamedTuple):
    """What a hidden layer hands on: its output [M, C, B, *S], and what a skip connection across it holds."""

    h: Tensor
    kept: Tensor | None


def pairs(depth: int) -> list[Link]:
    """Return skip connections over layers 2 and 3, 4 and 5, ... The first layer changes the width, so none crosses it.

    >>> [(link.keep, link.add) for link in pairs(3)]
    [(False, False), (True, False), (False, True)]
    """
    layers = range(1, depth + 1)
    return [Link(keep=layer % 2 == 0 and layer < depth, add=layer % 2 == 1 and layer > 1) for layer in layers]


class Net(nn.Module):
    """M networks of hidden layers (linear map, norm, ReLU) and a linear head.

    With skip connections a pair of layers computes relu(norm(W2 relu(norm(W1 h))) + h), as in He et al. 2016
    (https://arxiv.org/abs/1512.03385, figure 2).

    Args:
        weights: The weights of each hidden layer [M, out, in, *kernel].
        head: The weights of the head [M, classes, in].
        norms: The norm of each hidden layer.
        links: How each hidden layer is joined to the others; without them, one after another.
        image: (channels, height, width) of the inputs, for kinds of network that see images.
    """

    overwrite = True
    """Whether the ReLU may overwrite its argument. It may not overwrite a view, whose gradient autograd would copy."""

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
        """The number of networks, M."""
        return self.head.shape[0]

    def enter(self, x: Tensor) -> Tensor:
        """Return inputs [M, features, B] as the first layer takes them."""
        return x

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Return the pre-activations of one layer."""
        raise NotImplementedError

    def leave(self, h: Tensor) -> Tensor:
        """Return the last layer's output as the head takes it [M, C, B]."""
        return h

    def forward(self, x: Tensor | State, sites: Sites | None = None, calibrate: bool = False) -> Tensor:
        """Return the logits [M, classes, B].

        Args:
            x: Inputs [M, features, B], or what the layers before handed on.
            sites: Is shown the activations of every layer.
            calibrate: Let each norm set its constants from what reaches it, first layer first (the arm `once`).
        """
        state = self.start(x)
        for after in self.states(state, sites, calibrate):
            state = after
        return linear(self.head, self.leave(state.h), self.head_bias)

    def start(self, x: Tensor | State) -> State:
        """Return what the first layer gets."""
        return x if isinstance(x, State) else State(self.enter(x), None)

    def states(self, x: Tensor | State, sites: Sites | None = None, calibrate: bool = False) -> Iterator[State]:
        """Yield what each hidden layer hands on, layer by layer; the arguments are those of :meth:`forward`."""
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
        """Return one layer's output from its pre-activations ``z``, which it may overwrite."""
        overwrite = self.overwrite or not torch.is_grad_enabled()
        if norm.after_relu:
            h = norm(torch.relu_(z) if overwrite else torch.relu(z))
            return h if added is None else h + added
        a = norm(z)
        a = a if added is None else a + added
        if not norm.activation:
            return a
        own = norm.native or added is not None  # what others return, they may need in their backward pass
        return torch.relu_(a) if overwrite and own else torch.relu(a)

    def section(self, first: int, last: int) -> Self:
        """Return hidden layers ``first`` (from 1) to ``last`` and the head as networks of their own, on the same parameters.

        They take what :meth:`states` yields for the layer before.
        """
        layers = slice(first - 1, last)
        norms: list[Norm] = list(self.norms)  # type: ignore[arg-type]
        section = type(self)(list(self.weights)[layers], self.head, norms[layers], self.links[layers], self.image)
        start = sum(norm.bias for norm in norms[: first - 1])
        section.biases = nn.ParameterList(list(self.biases)[start : start + len(section.biases)])
        section.head, section.head_bias = self.head, self.head_bias
        return section

    def set_statistics(self, statistics: str, update: bool) -> None:
        """Switch every norm between "batch" and "running" statistics; ``update``: whether batches move the stored averages."""
        for norm in self.norms:
            norm.statistics, norm.update = statistics, update  # type: ignore[assignment]

    def set_noise(self, seeds: Sequence[int], step: int) -> None:
        """Tell norms that add noise to draw that of a step, for networks of these seeds."""
        for norm in self.norms:
            norm.noise_of = (seeds, step)  # type: ignore[assignment]


def _show(norm: Norm, z: Tensor, added: Tensor | None, show: Callable[[str, Tensor], None]) -> Tensor:
    """Return one layer's output and show every step of it.

    With a norm behind the ReLU, the skip connection is added behind the norm: it always carries an input to an output
    unchanged but for a ReLU.
    """
    show("linear", z)
    if norm.after_relu:
        a = torch.relu(z)
        show("relu", a)
        h = shown(norm, a, show)
        show("affine", h)
        h = h if added is None else h + added
    else:
        a = shown(norm, z, show)
        show("affine", a)
        h = a if added is None else a + added
        h = torch.relu(h) if norm.activation else h
        show("relu", h)
    show("next", h)
    return h


def linear(weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
    """Return weight [M, out, in] times h [M, in, B], plus bias [M, out]: [M, out, B], each network by itself."""
    z = torch.bmm(weight, h)
    return z if bias is None else z.add_(bias[..., None])


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of each network.

    Args:
        logits: [M, classes, B].
        labels: [M, B].

    Returns:
        Nats [M].

    >>> cross_entropy(torch.zeros(1, 2, 8), torch.zeros(1, 8, dtype=torch.long))  # ln 2: nothing is known
    tensor([0.6931])
    """
    return F.cross_entropy(logits, labels, reduction="none").mean(1)


class Layout(NamedTuple):
    """What a kind of network fixes for given inputs and depth.

    Attributes:
        net: The class of the networks.
        inputs: The number of features or channels that enter the first layer.
        kernel: The trailing axes of a weight tensor [M, out, in, *kernel].
        image: (channels, height, width) of the inputs, or ().
        strides: The stride of each hidden layer.
    """

    net: type[Net]
    inputs: int
    kernel: tuple[int, ...]
    image: tuple[int, ...]
    strides: Sequence[int]


def assemble(
    layout: Callable[[int | tuple[int, ...], int], Layout],
    inputs: int | tuple[int, ...],
    classes: int,
    depth: int,
    width: int,
    gain: float,
    arm: str,
    seeds: Sequence[int],
    dtype: torch.dtype = torch.float32,
    skip: bool = False,
) -> Net:
    """Return one network per seed.

    Weights are normal with sd gain sqrt(2 / fan-in) (He et al. 2015 for gain 1); the head's sd is sqrt(1 / fan-in). A
    seed draws the same numbers whatever the arm, the gain or the other networks.

    Args:
        layout: (inputs, depth) -> the layout of a kind of network.
        inputs: The number of inputs, or the shape (channels, height, width) of an image.
        classes: The number of outputs.
        depth: The number of hidden layers.
        width: The number of units of each hidden layer.
        gain: Multiplies the weights of the hidden layers.
        arm: The name of the arm, which makes the norms.
        seeds: The seed of each network.
        dtype: The type of all parameters.
        skip: Whether skip connections join layers 2 and 3, 4 and 5, ...

    Raises:
        ModuleNotFoundError: There is no such arm.
        TypeError: An arm from outside is no normalizer.
        ValueError: This kind of network cannot take such inputs.
    """
    net, features, kernel, image, strides = layout(inputs, depth)

    def draw(layer: int, sd: float, *shape: int) -> Tensor:
        drawn = [torch.randn(shape, generator=rng(seed, "init", layer)) for seed in seeds]
        return (torch.stack(drawn) * sd).to(dtype)

    incoming = [features] + [width] * (depth - 1)
    weights = [draw(i, gain * sqrt(2 / (n * prod(kernel))), width, n, *kernel) for i, n in enumerate(incoming, 1)]
    head = draw(0, sqrt(1 / width), classes, width)
    norms = [make(arm, seeds, width, Place(i, depth), len(kernel)) for i in range(1, depth + 1)]
    links = pairs(depth) if skip else [Link()] * depth
    links = [link._replace(stride=stride) for link, stride in zip(links, strides)]
    return net(weights, head, norms, links, image).to(dtype)
