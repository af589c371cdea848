"""Internal covariate shift: how a layer's gradient changes when only the layers below it take their step.

In Santurkar et al. 2018, definition 2.1, G is the gradient of the loss on one batch in a layer's weights, and G' is the
same gradient once the layers below have moved along theirs. The step is one plain gradient step, without momentum, of a
layer's weights, biases, gamma and beta alike. Norms use the statistics of the batch, and arms that add noise add the
same noise before and after the step.
"""

from copy import deepcopy

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, euclidean, milestones
from bnstudy.measures.steps import Grouped, TrainingImages, crossing, gradients, layers, move
from bnstudy.nets.base import Net, cross_entropy

COLUMNS = ("checkpoint", "layer", "matching", "relative", "cosine", "absolute", "other_batch", "rounding")
"""The columns after `seed`:

checkpoint: init or a loss level
layer: hidden layer whose weight gradient G is compared, from 2; the layers below it step
matching: what is equal for all arms: rate (the shared learning rate), decrease (the whole network's step lowers the
    loss of the batch by 5%) or step (each layer's weights move by 1% of their norm)
relative: ||G - G'|| / ||G||
cosine: -1..1: between G and G'
absolute: nats: ||G - G'||, as in the paper
other_batch: ||G - G2|| / ||G||, G2 on another training batch at the same weights: a yardstick, no error of measurement
rounding: ||G - G64|| / ||G64||, G64 in double precision: what is below it is not resolved
"""
DECREASE, STEP = 0.05, 0.01


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint, layer and matching.

    Without a shared rate there are no rows for `rate`; where no step along the gradient lowers the loss by 5%, the row
    for `decrease` is empty.
    """
    images = TrainingImages(cell, 2)
    (x, labels), other = images.batch(0), images.batch(1)
    table = Table(cell, COLUMNS)
    for checkpoint in milestones(cell, 1.0):
        net, have = cell.net(checkpoint), cell.have(checkpoint)
        net.set_noise(cell.seeds, 0)
        _, grads = gradients(net, x, labels)
        _, second = gradients(net, *other)
        exact = cell.net(checkpoint).double()
        exact.set_noise(cell.seeds, 0)
        _, precise = gradients(exact, x.double(), labels)
        for matching, lengths in matchings(net, x, labels, grads, cell.shared).items():
            for layer, after in enumerate(after_lower_steps(net, x, labels, grads, lengths), 2):
                g = grads[layer - 1][0]
                values = {
                    **compare(g, after),
                    "other_batch": euclidean(g - second[layer - 1][0]) / euclidean(g),
                    "rounding": euclidean(g - precise[layer - 1][0]) / euclidean(g),
                }
                table.add(have, values, checkpoint=checkpoint, layer=layer, matching=matching)
    return table.frame()


def compare(before: Tensor, after: Tensor) -> dict[str, Tensor]:
    """Return the relative and absolute distance and the cosine, [M] each, of two gradients [M, ...]."""
    change = euclidean(after - before)
    cosine = torch.cosine_similarity(before.flatten(1), after.flatten(1), dim=1)
    return {"relative": change / euclidean(before), "cosine": cosine, "absolute": change}


def after_lower_steps(net: Net, x: Tensor, labels: Tensor, grads: Grouped, lengths: list[Tensor]) -> list[Tensor]:
    """Return the gradients in the weights of layers 2, 3, ..., each after a step of only the layers below."""
    with torch.no_grad():
        stepped = move(deepcopy(net), net, grads, [-length for length in lengths])
        below = list(stepped.states(x))
    after = []
    last = len(net.weights)
    for layer in range(2, last + 1):
        rest = net.section(layer, last)
        value = cross_entropy(rest(below[layer - 2]), labels).sum()
        after.append(torch.autograd.grad(value, rest.weights[0])[0])
    return after


def matchings(net: Net, x: Tensor, labels: Tensor, grads: Grouped, shared: float | None) -> dict[str, list[Tensor]]:
    """Return, by matching, the length [M] of the step of each layer and of the head."""
    groups = len(grads)
    lengths = {}
    if shared is not None:
        lengths["rate"] = [net.head.new_full((net.models,), shared)] * groups
    lengths["decrease"] = [decreasing(net, x, labels, grads)] * groups
    lengths["step"] = [STEP * euclidean(w[0].detach()) / euclidean(g[0]) for w, g in zip(layers(net), grads)]
    return lengths


@torch.no_grad()
def decreasing(net: Net, x: Tensor, labels: Tensor, grads: Grouped) -> Tensor:
    """Return the length [M] of the gradient step of the whole network that lowers the loss of the batch by 5%."""
    trial, before = deepcopy(net), cross_entropy(net(x), labels)
    square = sum(euclidean(g).square() for group in grads for g in group)

    def excess(length: Tensor) -> Tensor:
        move(trial, net, grads, [-length] * len(grads))
        return (1 - DECREASE) * before - cross_entropy(trial(x), labels)

    return crossing(excess, DECREASE * before / square)
