"""What an untrained network does to images: candidates for the one quantity that tells where batch norm saves steps."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table
from bnstudy.nets.base import Net, cross_entropy
from bnstudy.training.train import build

UNTRAINED = True
"""It asks for no checkpoint of the cell."""
COLUMNS = {
    "ln_variance_last": "ln of the variance over images of the last hidden layer's pre-activations, mean over units",
    "ln_variance_head": "ln of the variance over images of what enters the head, mean over units",
    "ln_square_head": "ln of the mean square of what enters the head",
    "cosine_head": "mean cosine between what enters the head for two images",
    "gradient_spread": "ln of the largest : smallest norm over layers of the loss's gradient in a layer's output",
    "weight_gradient_spread": "the same of the gradient in a layer's weights",
}
"""The columns after `seed`, on the probe images."""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed."""
    net = build(cell.spec, cell.images, cell.seeds).to(cell.source.device)
    table = Table(cell, tuple(COLUMNS))
    labels = cell.split("train")[1][:, : cell.probe.shape[2]]
    table.add(np.ones(len(cell.seeds), bool), quantities(net, cell.probe, labels))
    return table.frame()


def quantities(net: Net, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return each quantity [M] of untrained networks on images [M, features, n] with labels [M, n], by its column."""
    outputs: list[Tensor] = []
    last = torch.empty(0)

    def see(layer: int, site: str, value: Tensor) -> None:
        nonlocal last
        if site == "linear":
            last = value
        elif site == "next":
            outputs.append(value)

    loss = cross_entropy(net(x, sites=see), labels).sum()
    gradients = torch.autograd.grad(loss, [*outputs, *net.weights])
    norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients])
    of_outputs, of_weights = (n.max(0).values.log() - n.min(0).values.log() for n in norms.split(len(outputs)))
    head = net.leave(outputs[-1]).detach()
    return {
        "ln_variance_last": _variance(last.detach()).log(),
        "ln_variance_head": _variance(head).log(),
        "ln_square_head": head.square().mean((1, 2)).log(),
        "cosine_head": _cosine(head),
        "gradient_spread": of_outputs,
        "weight_gradient_spread": of_weights,
    }


def _variance(h: Tensor) -> Tensor:
    """Return the variance over images of h [M, C, n, *S], averaged over units and pixels: [M]."""
    return h.var(2).flatten(1).mean(1)


def _cosine(h: Tensor) -> Tensor:
    """Return the mean cosine between two of the n images of h [M, C, n], [M]."""
    n = h.shape[2]
    directions = h / torch.linalg.vector_norm(h, dim=1, keepdim=True)
    return (directions.sum(2).square().sum(1) - n) / (n * (n - 1))
