"""Internal covariate shift: how a layer's gradient changes when only the layers below it take their step.

Santurkar et al. 2018, definition 2.1: on one batch, G is the gradient of the loss in a layer's weights, and G' the same
gradient once the layers below have moved along theirs. The step is one plain gradient step, without momentum, of a
layer's weights and of its biases, gamma and beta alike; norms use the batch's own statistics, and arms that add noise
add the same to both.
"""

from copy import deepcopy
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import frame, milestones, norm
from bnstudy.measures.steps import (
    Grouped,
    TrainingImages,
    blocks,
    crossing,
    descend,
    gradients,
    layers,
    loss,
    move,
    outputs,
)
from bnstudy.nets.base import Net

COLUMNS = {
    "checkpoint": "init or a loss level",
    "layer": "hidden layer whose weight gradient G is compared, from 2; the layers below it step",
    "matching": "what is equal for all arms: rate (the shared learning rate), decrease (the whole network's step lowers "
    "the loss of the batch by 5%) or step (each layer's weights move by 1% of their norm)",
    "relative": "||G - G'|| / ||G||",
    "cosine": "-1..1: between G and G'",
    "absolute": "nats: ||G - G'||, as in the paper",
    "floor": "||G - G2|| / ||G||, G2 on another training batch at the same weights: how much batches differ",
    "rounding": "||G - G64|| / ||G64||, G64 in double precision: what is below it is not resolved",
}
DECREASE, STEP = 0.05, 0.01


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, checkpoint, layer and matching; `rate` is left out where there is no shared rate, a seed's
    `decrease` is NaN where no step along the gradient lowers the loss so far."""
    images = TrainingImages(cell, 2)
    (x, labels), other = images.batch(0), images.batch(1)
    rows: list[dict[str, Any]] = []
    for checkpoint in milestones(cell, 1.0):
        net, have = cell.net(checkpoint), cell.have(checkpoint)
        net.set_moment(cell.seeds, 0)
        _, grads = gradients(net, x, labels)
        _, second = gradients(net, *other)
        exact = cell.net(checkpoint).double()
        exact.set_moment(cell.seeds, 0)
        _, precise = gradients(exact, x.double(), labels)
        for matching, lengths in matchings(net, x, labels, grads, cell.shared).items():
            for layer, after in enumerate(shifted(net, x, labels, grads, lengths), 2):
                g = grads[layer - 1][0]
                values = {
                    **compare(g, after),
                    "floor": norm(g - second[layer - 1][0]) / norm(g),
                    "rounding": norm(g - precise[layer - 1][0]) / norm(g),
                }
                rows += frame(cell, have, values, checkpoint=checkpoint, layer=layer, matching=matching)
    return pd.DataFrame(rows)


def compare(before: Tensor, after: Tensor) -> dict[str, Tensor]:
    """Relative and absolute distance and cosine of two gradients [M, ...], a network each."""
    change = norm(after - before)
    cosine = torch.cosine_similarity(before.flatten(1), after.flatten(1), dim=1)
    return {"relative": change / norm(before), "cosine": cosine, "absolute": change}


def shifted(net: Net, x: Tensor, labels: Tensor, grads: Grouped, lengths: list[Tensor]) -> list[Tensor]:
    """Gradients in the weights of layers 2, 3, ..., each after only the layers below it have stepped."""
    with torch.no_grad():
        below = outputs(descend(net, grads, lengths), x)
    found = []
    last = len(net.weights)
    for layer in range(2, last + 1):
        rest = blocks(net, layer, last)
        value = loss(rest(below[layer - 2]), labels).sum()
        found.append(torch.autograd.grad(value, rest.weights[0])[0])
    return found


def matchings(net: Net, x: Tensor, labels: Tensor, grads: Grouped, shared: float | None) -> dict[str, list[Tensor]]:
    """{matching: length [M] of the step of each layer and of the head}."""
    groups = len(grads)
    found = {}
    if shared is not None:
        found["rate"] = [net.head.new_full((net.models,), shared)] * groups
    found["decrease"] = [decreasing(net, x, labels, grads)] * groups
    found["step"] = [STEP * norm(w[0].detach()) / norm(g[0]) for w, g in zip(layers(net), grads)]
    return found


@torch.no_grad()
def decreasing(net: Net, x: Tensor, labels: Tensor, grads: Grouped) -> Tensor:
    """Length [M] of the gradient step of the whole network that lowers the loss of the batch by 5%."""
    trial, before = deepcopy(net), loss(net(x), labels)
    square = sum(norm(g).square() for group in grads for g in group)

    def excess(length: Tensor) -> Tensor:
        move(trial, net, grads, [-length] * len(grads))
        return (1 - DECREASE) * before - loss(trial(x), labels)

    return crossing(excess, DECREASE * before / square)
