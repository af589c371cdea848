"""The clean test loss of networks on their way down: does one generalize better at equal fit?

Fit is the loss of the network as a function, on training images. Two functions are looked at: that of the stored
averages, which lag behind the weights early in training, and that of averages measured again on training images.
"""

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, accuracy
from bnstudy.measures.view import with_statistics_of
from bnstudy.nets.base import Net, cross_entropy

COLUMNS = ("checkpoint", "statistics", "fit", "nll", "accuracy")
"""The columns after `seed`:

checkpoint: a level of the training loss, or final
statistics: running (the stored averages), or reestimated (on as many training images as there are test images, or as
    LEAST and PIXELS allow); both are the same for arms without statistics
fit: nats: mean negative log-likelihood of the training images, the first FIT where there are more, by the same function
nll: nats: mean negative log-likelihood of the clean test images
accuracy: percent of the clean test images
"""
FIT = 8192
"""Images that tell the fit. On 60,000, a pass over all at four checkpoints would cost more than to train the networks."""
LEAST, PIXELS = 512, 2**19
"""Images that may always be looked at in one pass, and numbers of their inputs where more may: memory is bounded, and
averages that are measured again rest on enough images however large these are."""


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint and kind of statistics."""
    (train, answers), (x, labels) = cell.split("train"), cell.split("test")
    train, answers = train[..., :FIT], answers[..., :FIT]
    size = min(x.shape[2], max(LEAST, PIXELS // x.shape[1]))
    table = Table(cell, COLUMNS)
    for checkpoint in cell.checkpoints():
        if checkpoint.startswith("loss") or checkpoint == "final":
            have, net = cell.have(checkpoint), cell.net(checkpoint, "running")
            for name, function in (("running", net), ("reestimated", with_statistics_of(net, train[..., :size]))):
                logits = _in_parts(function, x, size)
                fit = cross_entropy(_in_parts(function, train, size), answers)
                values = {"fit": fit, "nll": cross_entropy(logits, labels), "accuracy": accuracy(logits, labels)}
                table.add(have, values, checkpoint=checkpoint, statistics=name)
    return table.frame()


def _in_parts(net: Net, x: Tensor, size: int) -> Tensor:
    """Return the logits [M, classes, n] of inputs [M, F, n], ``size`` images at a time."""
    return torch.cat([net(part) for part in x.split(size, 2)], 2)
