"""The clean test loss of networks that have reached the same training loss: does one generalize better at equal fit?"""

import pandas as pd
import torch

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, accuracy
from bnstudy.nets.base import cross_entropy

COLUMNS = ("checkpoint", "statistics", "nll", "accuracy")
"""The columns after `seed`:

checkpoint: a level of the training loss, or final
statistics: running (the stored averages), or whole (those of all test images; arms with statistics alone)
nll: nats: mean negative log-likelihood of the clean test images
accuracy: percent of the clean test images
"""


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint and kind of statistics."""
    x, labels = cell.split("test")
    table = Table(cell, COLUMNS)
    for checkpoint in cell.checkpoints():
        if checkpoint.startswith("loss") or checkpoint == "final":
            have, net = cell.have(checkpoint), cell.net(checkpoint)
            modes = {"running": "running"}
            if any(norm.has_statistics for norm in net.norms):
                modes["whole"] = "batch"
            for name, statistics in modes.items():
                net.set_statistics(statistics, update=False)
                logits = net(x)
                values = {"nll": cross_entropy(logits, labels), "accuracy": accuracy(logits, labels)}
                table.add(have, values, checkpoint=checkpoint, statistics=name)
    return table.frame()
