"""Whether gradients grow or vanish over the layers.

Measured on training batches of the size that the networks train on, since batch normalization's gradients depend on it
(Yang et al. 2019).
"""

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import frame, norm
from bnstudy.measures.steps import TrainingImages, loss

COLUMNS = {
    "checkpoint": "init, step100, a loss level, or final",
    "layer": "hidden layer, 1 is the first",
    "norm": "nats: ||dL/dh||, h the layer's output (the next layer's input) for all images of a batch, L their mean "
    "loss; RMS over 4 training batches",
    "weight_norm": "nats: ||dL/dW||, the same",
}
BATCHES = 4


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, checkpoint and layer."""
    images = TrainingImages(cell, BATCHES)
    rows: list[dict[str, Any]] = []
    for checkpoint in cell.checkpoints():
        net, have = cell.net(checkpoint), cell.have(checkpoint)
        squares = images.images.new_zeros(2, len(net.weights), net.models)
        for step in range(BATCHES):
            net.set_moment(cell.seeds, step)
            squares += torch.stack(norms(net, *images.batch(step))).square() / BATCHES
        for layer, (outputs, weights) in enumerate(squares.sqrt().unbind(1), 1):
            values = {"norm": outputs, "weight_norm": weights}
            rows += frame(cell, have, values, checkpoint=checkpoint, layer=layer)
    return pd.DataFrame(rows)


def norms(net: Any, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Norms of the loss's gradient in each layer's output and in each layer's weights, [L, M] twice."""
    found: list[Tensor] = []
    logits = net(x, sites=lambda layer, site, value: found.append(value) if site == "next" else None)
    each = torch.autograd.grad(loss(logits, labels).sum(), [*found, *net.weights])
    outputs, weights = each[: len(found)], each[len(found) :]
    return torch.stack([norm(g) for g in outputs]), torch.stack([norm(g) for g in weights])
