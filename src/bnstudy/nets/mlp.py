"""ReLU multilayer perceptrons, M of them side by side: every parameter has the networks as its first axis."""

from collections.abc import Callable, Sequence
from functools import partial
from math import sqrt

import torch
from torch import Tensor, nn

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.find import builder
from bnstudy.rng import rng

Sites = Callable[[int, str, Tensor], None]
"""Receives (layer from 1, site, activation [M, C, B]); sites: linear, xhat, affine, relu, next."""


class MLP(nn.Module):
    """``depth`` hidden layers (linear, norm, ReLU) and a linear head; built by :func:`build`."""

    def __init__(self, weights: list[Tensor], head: Tensor, norms: list[Norm]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.head = nn.Parameter(head)
        self.norms = nn.ModuleList(norms)
        self.biases = nn.ParameterList(w.new_zeros(w.shape[:2]) for w, norm in zip(weights, norms) if norm.bias)
        self.head_bias = nn.Parameter(head.new_zeros(head.shape[:2]))

    @property
    def models(self) -> int:
        return self.head.shape[0]

    def forward(self, x: Tensor, sites: Sites | None = None, calibrate: bool = False) -> Tensor:
        """Inputs [M, features, B] -> logits [M, classes, B].

        ``sites`` is shown every layer's activations. ``calibrate`` lets each norm set its constants from what
        reaches it, first layer first (the arm `once`).
        """
        h = x
        biases = iter(self.biases)
        for layer, (weight, norm) in enumerate(zip(self.weights, self.norms), 1):
            assert isinstance(norm, Norm)
            z = linear(weight, h, next(biases) if norm.bias else None)
            if calibrate:
                norm.calibrate(torch.relu(z) if norm.after_relu else z)
            if sites is None:
                h = norm(torch.relu_(z)) if norm.after_relu else torch.relu_(norm(z))
                continue
            sites(layer, "linear", z)
            show = partial(sites, layer)
            if norm.after_relu:
                a = torch.relu(z)
                sites(layer, "relu", a)
                h = norm(a, show)
                sites(layer, "affine", h)
            else:
                a = norm(z, show)
                sites(layer, "affine", a)
                h = torch.relu(a)
                sites(layer, "relu", h)
            sites(layer, "next", h)
        return linear(self.head, h, self.head_bias)

    def set_statistics(self, statistics: str, update: bool) -> None:
        """Switch every norm between batch and running statistics, and whether batches move the stored averages."""
        for norm in self.norms:
            norm.statistics, norm.update = statistics, update  # type: ignore[assignment]

    def set_moment(self, seeds: Sequence[int], step: int) -> None:
        """Tell norms that add noise whose and which step's noise to draw."""
        for norm in self.norms:
            norm.moment = (seeds, step)  # type: ignore[assignment]


def linear(weight: Tensor, h: Tensor, bias: Tensor | None) -> Tensor:
    """weight [M, out, in] times h [M, in, B], plus bias [M, out] -> [M, out, B], each network on its own."""
    z = torch.bmm(weight, h)
    return z if bias is None else z.add_(bias[..., None])


def build(
    inputs: int,
    classes: int,
    depth: int,
    width: int,
    gain: float,
    arm: str,
    seeds: Sequence[int],
    dtype: torch.dtype = torch.float32,
) -> MLP:
    """One network a seed. Weights are normal with sd gain sqrt(2 / fan-in) (He et al. 2015 for gain 1), the head's
    sd is sqrt(1 / fan-in); a seed draws the same numbers whatever the arm, gain or company.

    Raises ModuleNotFoundError for an arm that there is not.
    """
    norm = builder(arm)

    def draw(layer: int, rows: int, columns: int, sd: float) -> Tensor:
        each = [torch.randn(rows, columns, generator=rng(seed, "init", layer)) for seed in seeds]
        return (torch.stack(each) * sd).to(dtype)

    fan_in = [inputs] + [width] * (depth - 1)
    weights = [draw(i, width, n, gain * sqrt(2 / n)) for i, n in enumerate(fan_in, 1)]
    head = draw(0, classes, width, sqrt(1 / width))
    norms = [norm(len(seeds), width, Place(i, depth)) for i in range(1, depth + 1)]
    return MLP(weights, head, norms).to(dtype)
