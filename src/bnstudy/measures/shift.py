"""Accuracy and loss on shifted test images, by whose statistics the norms use."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import accuracy, frame
from bnstudy.measures.painted import Tested, label_shift, lecture, spurious_colour
from bnstudy.measures.view import SeedView, in_batches, with_statistics_of

AT_END = True
"""Looks at networks at the start and the end of training alone: those on the way need not be kept."""
COLUMNS = {
    "family": "kind of shift; clean = none; label = shares of the classes; painted inputs have families of their own",
    "severity": "0 (as in training) to 5",
    "statistics": "running; batch1, 2, 4, 8, 32, 128 (of shuffled test images); whole (all of them); of these 32 "
    "at every severity, the others at some; reestimated (heldout); of the lecture split hue32 and mixed32 (batches of 32 "
    "of one hue, of all hues)",
    "accuracy": "percent of the test images",
    "nll": "nats: negative log-likelihood",
}
BATCH = 32
"""Images a test batch, at every severity; more sizes at some, since every size costs a pass."""
SIZES, SIZES_AT = (8, BATCH, 128, None), (0, 3)
"""At these severities of every family; None: the whole set is one batch."""
SMALL, SMALL_AT = (1, 2, 4), (("clean", 0), ("contrast", 3))
"""At these alone: a pass in small batches costs many times one in large ones. One image has no spread: its x-hat is 0 in
every unit, so that all images get the same logits."""


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, family, severity and kind of statistics, at the end of training."""
    net, have, view = cell.net("final"), cell.have("final"), SeedView(cell, "test")
    statistics, inputs = any(norm.has_statistics for norm in net.norms), cell.setting.inputs
    if view.painted is None:
        tests = [shifted(cell, net, view, statistics), label_shift(cell, net, view, statistics)]
    else:
        tests = [(lecture if inputs.startswith("lecture") else spurious_colour)(cell, net, view, statistics)]
    rows: list[dict[str, Any]] = []
    for family, severity, name, logits, labels in (tested for each in tests for tested in each):
        values = {
            "accuracy": accuracy(logits, labels),
            "nll": F.cross_entropy(logits, labels, reduction="none").mean(1),
        }
        rows += frame(cell, have, values, family=family, severity=severity, statistics=name)
    return pd.DataFrame(rows)


def shifted(cell: TrainedCell, net: Any, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Clean test images, then each family and severity."""
    heldout = SeedView(cell, "heldout")
    for family, severity, images in cell.source.shifted(cell.setting.pool):
        x = view(images)
        sizes: tuple[int | None, ...] = SIZES if severity in SIZES_AT else (BATCH,)
        if (family, severity) in SMALL_AT:
            sizes = (*SMALL, *sizes)
        for name, logits in predictions(net, x, heldout(images) if statistics else x, sizes, statistics):
            yield Tested(family, severity, name, logits, view.labels)


def predictions(
    net: Any, x: Tensor, heldout: Tensor, sizes: tuple[int | None, ...], statistics: bool
) -> Iterator[tuple[str, Tensor]]:
    """(kind of statistics, logits [M, classes, n]); an arm without statistics has only "running"."""
    net.set_statistics("running", update=False)
    yield "running", net(x)
    if not statistics:
        return
    net.set_statistics("batch", update=False)
    for size in sizes:
        if size is None:
            yield "whole", net(x)
        elif size <= x.shape[2]:
            yield f"batch{size}", in_batches(net, x, size)
    yield "reestimated", with_statistics_of(net, heldout)(x)
