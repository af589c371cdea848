"""What a change of the early layers does to the later ones: do(early), where layers 1..L/2 move and all else is held.

Every weight matrix of the early layers moves by the same relative dose, either against its gradient on a training batch
(one step of gradient descent, with a length set per matrix) or in a random direction. Everything is measured on the
probe with its own batch statistics. Where a later layer is batch-normalized, its normalized value has mean 0 and sd 1
before and after. No change of moments can show there: that is so by construction, not by experiment.
"""

from copy import deepcopy
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from bnstudy.core.rng import rng
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, Units, Value, centred, euclidean, milestones, moment_change, shape_change
from bnstudy.measures.steps import TrainingImages, gradients, move
from bnstudy.nets.base import Net, cross_entropy

COLUMNS = ("checkpoint", "kind", "dose", "layer", "moments", "shape", "values", "gradients", "left")
"""The columns after `seed`:

checkpoint: init or the main target's loss level
kind: direction of the change: gradient (minus the gradient) or random
dose: ||dW|| / ||W|| of every weight matrix of layers 1..L/2 (rounded down)
layer: hidden layer, from L/2+1; depth+1: the logits
moments: sd: RMS over units of the change of (mean, sd) at the next layer's input, over the layer's RMS sd
shape: sd: mean over units of Wasserstein-1 between the units' standardized values at the next layer's input
values: ||dA|| / ||A||, A the next layer's input (or the logits) with each unit's mean removed
gradients: ||dG|| / ||G||, G the gradient of the probe's loss in the layer's weights
left: 0..1: share of the squared change of the pre-activations that is left once every unit's mean and sd are set
    back to what they were
"""
DOSES = (0.001, 0.01, 0.1)
KINDS = ("gradient", "random")


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint, kind, dose and later layer; at the logits only ``values`` is known."""
    images = TrainingImages(cell, 1)
    x, labels = images.probe
    table = Table(cell, COLUMNS)
    for checkpoint in milestones(cell):
        net, have = cell.net(checkpoint), cell.have(checkpoint)
        net.set_noise(cell.seeds, 0)
        half = len(net.weights) // 2
        before = later_half(net, x, labels, half)
        units = [Units.of(seen.next) for seen in before.layers]
        trial = deepcopy(net)
        for kind in KINDS:
            directions = early_directions(net, half, kind, cell.seeds, images.batch(0))
            for dose in DOSES:
                doses = net.head.new_full((net.models,), dose)
                after = later_half(shock(trial, net, directions, doses), x, labels, half)
                where: dict[str, Value] = {"checkpoint": checkpoint, "kind": kind, "dose": dose}
                for layer, (a, b, old) in enumerate(zip(before.layers, after.layers, units), half + 1):
                    new = Units.of(b.next)
                    values = {
                        "moments": moment_change(old, new),
                        "shape": shape_change(old, new),
                        "values": centred_change(a.next, b.next),
                        "gradients": euclidean(b.gradient - a.gradient) / euclidean(a.gradient),
                        "left": left(a.linear, b.linear),
                    }
                    table.add(have, values, **where, layer=layer)
                values = {"values": centred_change(before.logits, after.logits)}
                table.add(have, values, **where, layer=len(net.weights) + 1)
    return table.frame()


def early_directions(net: Net, half: int, kind: str, seeds: list[int], batch: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Return a direction [M, ...] of norm 1 for each of the first ``half`` weight matrices: minus the gradient on the batch,
    or Gaussian numbers, which are the same for a seed whatever the arm."""
    if kind == "gradient":
        directions = [-group[0] for group in gradients(net, *batch)[1][:half]]
    else:
        directions = [
            torch.stack([torch.randn(w.shape[1:], generator=rng(s, "shock", layer)) for s in seeds]).to(w)
            for layer, w in enumerate(net.weights[:half], 1)
        ]
    return [d / euclidean(d).view(-1, *[1] * (d.dim() - 1)) for d in directions]


def shock(trial: Net, net: Net, directions: list[Tensor], dose: Tensor) -> Net:
    """Set ``trial`` to ``net`` with its first weight matrices moved along ``directions`` (of norm 1) by ``dose`` [M]
    of their norms; return ``trial``."""
    lengths = [dose * euclidean(w.detach()) for w in net.weights]
    return move(trial, net, [[d] for d in directions], lengths)


class Seen(NamedTuple):
    """A later layer: its pre-activations and what the next layer gets [M, C, n], where every pixel of an image is a sample;
    the gradient in its weights."""

    linear: Tensor
    next: Tensor
    gradient: Tensor


class Half(NamedTuple):
    """The later half of the networks on the probe, with the logits [M, classes, n]."""

    layers: list[Seen]
    logits: Tensor


def later_half(net: Net, x: Tensor, labels: Tensor, half: int) -> Half:
    """Return what the layers after the first ``half`` make of the inputs x [M, F, n]."""
    with torch.no_grad():
        h = list(net.section(1, half).states(x))[-1]
    rest = net.section(half + 1, len(net.weights))
    sites: dict[str, list[Tensor]] = {"linear": [], "next": []}
    logits = rest(h, sites=lambda layer, site, value: sites[site].append(value.flatten(2)) if site in sites else None)
    grads = torch.autograd.grad(cross_entropy(logits, labels).sum(), list(rest.weights))
    seen = [Seen(z.detach(), a.detach(), g) for z, a, g in zip(sites["linear"], sites["next"], grads)]
    return Half(seen, logits.detach())


def centred_change(a: Tensor, b: Tensor) -> Tensor:
    """Return ||b - a|| / ||a|| without each unit's mean over the samples: [M, C, n] twice -> [M]."""
    return euclidean(centred(b - a)) / euclidean(centred(a))


def left(a: Tensor, b: Tensor) -> Tensor:
    """Return ||b* - a||^2 / ||b - a||^2, where b* is b with each unit's mean and sd set to those of a: [M, C, n] twice -> [M].

    It is NaN where nothing changed. A unit without any spread after the change is set to the mean of a.
    """
    middle = centred(b)
    spread = norm_of_units(middle)
    scale = torch.where(spread > 0, norm_of_units(centred(a)) / spread, 0)
    matched = a.mean(2, keepdim=True) + scale[..., None] * middle
    change = euclidean(b - a)
    return torch.where(change > 0, (euclidean(matched - a) / change).square(), torch.nan)


def norm_of_units(h: Tensor) -> Tensor:
    """Return the Euclidean norm over the samples: [M, C, n] -> [M, C]."""
    return torch.linalg.vector_norm(h, dim=2)
