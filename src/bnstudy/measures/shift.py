"""Accuracy and loss on shifted test images, by whose statistics the norms use."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.cell import TrainedCell
from bnstudy.data.images import split
from bnstudy.inputs import treatment
from bnstudy.measures.common import frame
from bnstudy.rng import rng

COLUMNS = {
    "family": "kind of shift; clean = none",
    "severity": "0 (clean) to 5",
    "statistics": "running; batch8, 32, 128 (of shuffled test images); whole (all of them); reestimated (heldout)",
    "accuracy": "percent of the test images",
    "nll": "nats: negative log-likelihood",
}
BATCHES = (8, 32, 128)


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, family, severity and kind of statistics, at the end of training."""
    net, have = cell.net("final"), cell.have("final")
    view = SeedView(cell, "test")
    labels, heldout = view.labels, SeedView(cell, "heldout")
    statistics = [n.has_statistics for n in net.norms]
    rows: list[dict[str, Any]] = []
    for family, severity, images in cell.source.shifted(cell.setting["pool"]):
        x = view(images)
        for name, logits in predictions(net, x, heldout(images), any(statistics)):
            values = {
                "accuracy": 100 * (logits.argmax(1) == labels).float().mean(1),
                "nll": F.cross_entropy(logits, labels, reduction="none").mean(1),
            }
            rows += frame(cell, have, values, family=family, severity=severity, statistics=name)
    return pd.DataFrame(rows)


class SeedView:
    """Each seed's own split of a pool, shuffled, as its networks see it."""

    def __init__(self, cell: TrainedCell, name: str) -> None:
        index, self.scales = [], []
        for seed in cell.seeds:
            parts = split(cell.images.y, cell.spec["splits"], seed)
            order = torch.randperm(len(parts[name]), generator=rng(seed, "shuffle", 0)).numpy()
            index.append(parts[name][order])
            self.scales.append(treatment(cell.images.x[parts["train"]], cell.setting["inputs"]))
        self.index = torch.from_numpy(np.stack(index))
        self.labels = torch.from_numpy(cell.images.y)[self.index]

    def __call__(self, pool: Tensor) -> Tensor:
        """[N, C, H, W] -> [M, features, n]."""
        flat = pool.flatten(1)
        each = [
            ((flat[i] - torch.from_numpy(a)) * torch.from_numpy(b)).float()
            for i, (a, b) in zip(self.index, self.scales)
        ]
        return torch.stack(each).mT


@torch.no_grad()
def predictions(net: Any, x: Tensor, heldout: Tensor, statistics: bool) -> Iterator[tuple[str, Tensor]]:
    """(kind of statistics, logits [M, classes, n]); an arm without statistics has only "running"."""
    net.set_statistics("running", update=False)
    yield "running", net(x)
    if not statistics:
        return
    net.set_statistics("batch", update=False)
    for size in BATCHES:
        if size < x.shape[2]:
            yield f"batch{size}", torch.cat([net(b) for b in x.tensor_split(-(-x.shape[2] // size), 2)], 2)
    yield "whole", net(x)
    yield "reestimated", with_statistics_of(net, heldout)(x)


def with_statistics_of(net: Any, x: Tensor) -> Any:
    """The networks with running averages replaced by the statistics of ``x``, layer after layer (AdaBN, Li et al.
    2016); a copy, the given networks stay as they are."""
    own = deepcopy(net)
    for norm in own.norms:
        norm.adopt = True
    own.set_statistics("batch", update=True)
    own(x)
    own.set_statistics("running", update=False)
    return own
