"""Whether gradients grow or vanish over the layers.

They are measured on training batches of the size that the networks train on, since batch normalization's gradients
depend on it (Yang et al. 2019).
"""

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, euclidean
from bnstudy.measures.steps import TrainingImages
from bnstudy.nets.base import Net, cross_entropy

COLUMNS = ("checkpoint", "layer", "norm", "weight_norm")
"""The columns after `seed`:

checkpoint: init, step100, a loss level, or final
layer: hidden layer, 1 is the first
norm: nats: ||dL/dh||, h the layer's output (the next layer's input) for all images of a batch, L their mean loss;
    RMS over 4 training batches
weight_norm: nats: ||dL/dW||, the same
"""
BATCHES = 4


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint and layer."""
    images = TrainingImages(cell, BATCHES)
    table = Table(cell, COLUMNS)
    for checkpoint in cell.checkpoints():
        net, have = cell.net(checkpoint), cell.have(checkpoint)
        squares = images.training.new_zeros(2, len(net.weights), net.models)
        for step in range(BATCHES):
            net.set_noise(cell.seeds, step)
            squares += torch.stack(norms(net, *images.batch(step))).square() / BATCHES
        for layer, (of_output, of_weights) in enumerate(squares.sqrt().unbind(1), 1):
            values = {"norm": of_output, "weight_norm": of_weights}
            table.add(have, values, checkpoint=checkpoint, layer=layer)
    return table.frame()


def norms(net: Net, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the norms of the loss's gradient in the output and in the weights of each layer, [L, M] twice."""
    outputs: list[Tensor] = []
    logits = net(x, sites=lambda layer, site, value: outputs.append(value) if site == "next" else None)
    gradients = torch.autograd.grad(cross_entropy(logits, labels).sum(), [*outputs, *net.weights])
    of_outputs, of_weights = torch.stack([euclidean(g) for g in gradients]).split(len(outputs))
    return of_outputs, of_weights
