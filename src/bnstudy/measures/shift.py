"""Accuracy and loss on shifted test images, by the statistics that the norms use."""

from collections.abc import Iterator
from itertools import chain

import pandas as pd
import torch
from torch import Tensor

from bnstudy.core.shifted import ANOTHER
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, accuracy
from bnstudy.measures.painted import BATCH, Tested, label_shift, lecture, spurious_colour
from bnstudy.measures.view import SeedView, in_batches, with_statistics_of
from bnstudy.nets.base import Net, cross_entropy

AT_END = True
"""This measure needs networks at the start and the end of training only: those in between need not be kept."""
COLUMNS = ("family", "severity", "statistics", "accuracy", "nll")
"""The columns after `seed`:

family: kind of shift; clean = none; label = shares of the classes; another source = images that others collected;
    painted inputs have families of their own
severity: 0 (as in training) to 5; another source has severity 1 alone
statistics: running; batch1, 2, 4, 8, 32, 128 (of shuffled test images); whole (all of them); of these 32 at every
    severity, the others at some; reestimated (heldout); of the lecture split hue32 and mixed32 (batches of 32 of
    one hue, of all hues)
accuracy: percent of the test images
nll: nats: negative log-likelihood
"""
SIZES, SIZES_AT = (8, BATCH, 128, None), (0, 3)
"""Images per test batch, and the severities of every shift at which all these sizes are tested. Elsewhere only BATCH is,
since every size costs a pass. None: the whole set is one batch."""
SMALL, SMALL_AT = (1, 2, 4), (("clean", 0), ("contrast", 3))
"""Small sizes, and the only shifts at which they are tested: a pass in small batches costs many times one in large ones.
One image has no spread: its x-hat is 0 in every unit, so that all images get the same logits."""


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, shift, severity and kind of statistics, at the end of training."""
    net, have, view = cell.net("final"), cell.have("final"), SeedView(cell, "test")
    statistics, inputs = any(norm.has_statistics for norm in net.norms), cell.setting.inputs
    if view.painted is None:
        tests = [test(cell, net, view, statistics) for test in (shifted, label_shift, another_source)]
    else:
        tests = [(lecture if inputs.startswith("lecture") else spurious_colour)(cell, net, view, statistics)]
    table = Table(cell, COLUMNS)
    for kind, severity, name, logits, labels in chain.from_iterable(tests):
        values = {"accuracy": accuracy(logits, labels), "nll": cross_entropy(logits, labels)}
        table.add(have, values, family=kind, severity=severity, statistics=name)
    return table.frame()


def shifted(cell: TrainedCell, net: Net, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Test on clean images, then under each shift and severity."""
    heldout = SeedView(cell, "heldout")
    for kind, severity, images in cell.source.shifted(cell.setting.pool):
        x = view(images)
        sizes: tuple[int | None, ...] = SIZES if severity in SIZES_AT else (BATCH,)
        if (kind, severity) in SMALL_AT:
            sizes = (*SMALL, *sizes)
        for name, logits in predictions(net, x, heldout(images) if statistics else x, sizes, statistics):
            yield Tested(kind, severity, name, logits, view.labels)


def another_source(cell: TrainedCell, net: Net, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Test on images of the same classes that others collected, where the study has some.

    Statistics are re-estimated on the other half of them.
    """
    other = cell.source.other(cell.setting.pool)
    if other is None:
        return
    pool = torch.from_numpy(other.x).to(cell.source.device)
    theirs, heldout = (SeedView(cell, name, other) for name in ("test", "heldout"))
    for name, logits in predictions(net, theirs(pool), heldout(pool), (BATCH,), statistics):
        yield Tested(ANOTHER, 1, name, logits, theirs.labels)


def predictions(
    net: Net, x: Tensor, heldout: Tensor, sizes: tuple[int | None, ...], statistics: bool
) -> Iterator[tuple[str, Tensor]]:
    """Yield (kind of statistics, logits [M, classes, n]); an arm without statistics has only "running"."""
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
