"""How the loss and its gradient change along the gradient, and how curved the loss is, on one training batch.

Loss range, predictiveness and beta-smoothness follow Santurkar et al. 2018, section 3.1: all trained parameters take
steps of .5 to 4 times the learning rate that all arms share. The two relative changes of the gradient move only the
weight matrices and compare only their gradient, since other parameters differ between the arms. Everything is computed
in double precision; norms use the statistics of the batch.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, euclidean, milestones
from bnstudy.measures.steps import Grouped, TrainingImages, gradients, layers, move
from bnstudy.nets.base import Net

COLUMNS = (
    "checkpoint",
    "change_absolute",
    "change_relative",
    "loss_range",
    "predictiveness",
    "beta_smoothness",
    "hessian_top",
    "input_share",
)
"""The columns after `seed`:

checkpoint: init or a loss level
change_absolute: ||G(w+d) - G(w)|| / ||G(w)|| of the weight matrices, d along minus G, ||d|| = 1% of the norm of the
    seed's initial weights, the same for all arms
change_relative: the same with ||d|| = 1% of the norm of the weights at the checkpoint
loss_range: nats: highest minus lowest loss after gradient steps of .5, 1, 2, 4 times the shared rate
predictiveness: nats: largest ||G(w+d) - G(w)|| over these steps
beta_smoothness: nats: largest ||G(w+d) - G(w)|| / ||d|| over these steps
hessian_top: nats: largest eigenvalue of the Hessian in all trained parameters, ReLU gates held; empty if not found
    to within 5%
input_share: 0..1: largest eigenvalue over the trace of the uncentred second moment of the training inputs
"""
RATES = (0.5, 1.0, 2.0, 4.0)
STEP = 0.01
LEAST, PRODUCTS, ACCURACY, NUDGE = 4, 30, 0.05, 1e-9


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed and checkpoint; the paper's three quantities are empty where there is no shared rate."""
    images = TrainingImages(cell, 1)
    x, labels = images.batch(0)
    x = x.double()
    share = input_share(images.training)
    size = weight_norm(cell.net("init").double())
    table = Table(cell, COLUMNS)
    for checkpoint in milestones(cell, 1.0):
        net = cell.net(checkpoint).double()
        net.set_noise(cell.seeds, 0)
        grads = gradients(net, x, labels)[1]
        values = {
            "change_absolute": gradient_change(net, x, labels, grads, STEP * size),
            "change_relative": gradient_change(net, x, labels, grads, STEP * weight_norm(net)),
            **along_the_gradient(net, x, labels, grads, cell.shared),
            "hessian_top": hessian_top(net, x, labels, grads),
            "input_share": share,
        }
        table.add(cell.have(checkpoint), values, checkpoint=checkpoint)
    return table.frame()


def input_share(images: Tensor) -> Tensor:
    """Return the largest eigenvalue over the trace of the uncentred second moment of images [M, n, features]: [M].

    The matrix of features x features and that of images x images have the same of both; the smaller one is made.
    """
    rows = images if images.shape[1] >= images.shape[2] else images.mT
    second = (rows.mT @ rows).double()
    return torch.linalg.eigvalsh(second)[:, -1] / second.diagonal(dim1=1, dim2=2).sum(1)


def weight_norm(net: Net) -> Tensor:
    """Return the norm of all weight matrices together, including the head's: [M]."""
    return euclidean(flat([group[0].detach()] for group in layers(net)))


def flat(groups: Iterable[Sequence[Tensor]]) -> Tensor:
    """Return all tensors [M, ...] of the groups side by side: [M, P]."""
    return torch.cat([t.reshape(len(t), -1) for group in groups for t in group], 1)


def gradient_change(net: Net, x: Tensor, labels: Tensor, grads: Grouped, length: Tensor) -> Tensor:
    """Return the relative change [M] of the gradient in the weight matrices after a step of ``length`` [M] against it."""
    matrices = [group[:1] for group in grads]
    before = flat(matrices)
    trial = move(deepcopy(net), net, matrices, [-length / euclidean(before)] * len(grads))
    after = flat(group[:1] for group in gradients(trial, x, labels)[1])
    return euclidean(after - before) / euclidean(before)


def along_the_gradient(net: Net, x: Tensor, labels: Tensor, grads: Grouped, rate: float | None) -> dict[str, Tensor]:
    """Return loss range, predictiveness and beta-smoothness [M] over steps of ``RATES`` times ``rate``; NaN without a rate."""
    names = ("loss_range", "predictiveness", "beta_smoothness")
    if rate is None:
        return {name: torch.full((net.models,), torch.nan) for name in names}
    before, trial = flat(grads), deepcopy(net)
    losses, changes, distances = [], [], []
    for factor in RATES:
        length = before.new_full((net.models,), factor * rate)
        value, after = gradients(move(trial, net, grads, [-length] * len(grads)), x, labels)
        losses.append(value)
        changes.append(euclidean(flat(after) - before))
        distances.append(length * euclidean(before))
    loss, change = torch.stack(losses), torch.stack(changes)
    steepness = change / torch.stack(distances)
    return dict(zip(names, (loss.amax(0) - loss.amin(0), change.amax(0), steepness.amax(0))))


def hessian_top(net: Net, x: Tensor, labels: Tensor, grads: Grouped) -> Tensor:
    """Return the largest eigenvalue [M] of the Hessian in all trained parameters, for networks in double precision.

    Products with the Hessian are differences of gradients over a distance of 1e-9 of the parameters' norm. They are
    exact to about 1e-6 where no ReLU gate switches on the way. The result is NaN where the products are not those of a
    symmetric matrix (a gate switched, or the arm's backward pass is not the gradient of its loss), and where the
    eigenvalue is not found.
    """
    before, trial = flat(grads), deepcopy(net)
    sizes = [p[0].numel() for group in grads for p in group]
    nudge = NUDGE * euclidean(flat(layers(net))).detach()

    def product(v: Tensor) -> Tensor:
        parts = iter(v.split(sizes, 1))
        directions = [[next(parts).view_as(p) for p in group] for group in grads]
        after = gradients(move(trial, net, directions, [nudge] * len(grads)), x, labels)[1]
        return (flat(after) - before) / nudge[:, None]

    return largest_eigenvalue(product, before)


def largest_eigenvalue(product: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """Return the largest eigenvalue [M] of one symmetric matrix per network, by Lanczos iteration from ``start`` [M, P].

    ``product`` multiplies by the matrices. A value counts as found after at least 4 products, once its residual is below
    5% of it. It is NaN where 30 products do not get there, or the matrix turns out not to be symmetric.
    """
    zero = torch.zeros_like(start[:, 0])
    previous, v, beta = torch.zeros_like(start), start / euclidean(start)[:, None], zero
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    eigenvalue, symmetric = torch.full_like(zero, torch.nan), torch.ones_like(zero, dtype=torch.bool)
    for k in range(1, PRODUCTS + 1):
        w = product(v)
        skew = ((previous * w).sum(1) - beta).abs()
        alpha = (v * w).sum(1)
        w = w - alpha[:, None] * v - beta[:, None] * previous
        diagonal.append(alpha)
        small = torch.diag_embed(torch.stack(diagonal, 1))
        if beside:
            off = torch.stack(beside, 1)
            small = small + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
        values, vectors = torch.linalg.eigh(small.nan_to_num())
        top, beta = values[:, -1], euclidean(w)
        symmetric &= skew <= ACCURACY * top.abs()
        close = beta * vectors[:, -1, -1].abs() <= ACCURACY * top.abs()
        eigenvalue = torch.where(eigenvalue.isnan() & close & symmetric & (k >= LEAST), top, eigenvalue)
        if (~eigenvalue.isnan() | ~symmetric).all():
            break
        beside.append(beta)
        previous, v = v, w / beta.clamp_min(1e-300)[:, None]
    return eigenvalue
