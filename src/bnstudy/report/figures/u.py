"""Figures of what learners ask besides: shapes of distributions, batch sizes, test loss, the order of norm and ReLU."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bnstudy.report.figures.axes import by_layer, label, legend, reference
from bnstudy.report.figures.dots import dots
from bnstudy.report.figures.style import drawing
from bnstudy.report.figures.summary import time_summary
from bnstudy.report.figures.timing import timing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def kurtosis(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Excess kurtosis of what a layer sums up, by layer; a panel a depth.

    `table`: moments rows (arm, depth, seed, layer, excess_kurtosis) of one site and checkpoint.
    """
    with drawing():
        figure, axes = by_layer(table, "excess_kurtosis", arms, width)
        label(axes, "layer", "excess kurtosis\n(0 = a bell)")
        legend(figure, arms, [reference(axes, 0, "a bell")])
    return figure


def steps_by_batch(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps to target by images a training batch, each at its own best rate. `table`: convergence rows of a target."""
    rows = table[table["arm"].isin(list(arms))].sort_values("batch")
    return timing({"": time_summary(rows, ["arm", "batch"])}, "batch", arms, "images a training batch", width)


def loss_at_level(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Clean test loss where the training loss is the same, by network.

    `table`: levels rows (arm, seed, network in words, nll) of one checkpoint and kind of statistics.
    """
    labels = ("", "test loss, in nats\n(down = better)")
    return dots({"": table}, "network", "nll", arms, labels, width)


def modes_apart(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy with a test batch's own statistics minus that with the stored ones, points: arm, depth, seed, gap.

    `table`: shift rows (arm, depth, seed, statistics, accuracy) of the family "clean".
    """
    keys = ["arm", "depth", "seed"]
    own, stored = (table[table["statistics"] == s][[*keys, "accuracy"]] for s in ("batch128", "running"))
    both = own.merge(stored, on=keys, suffixes=("_own", "_stored"))
    return both.assign(gap=both["accuracy_own"] - both["accuracy_stored"])


def gap_by_depth(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """What stored statistics cost on clean images, by depth. `table`: the result of `modes_apart`."""
    labels = ("depth, in layers", "own minus stored\n(up = stored worse)")
    return dots({"": table}, "depth", "gap", arms, labels, width, log=False, at=(0.0, "no difference"))


def accuracy_by_depth(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Clean test accuracy with stored statistics, by depth. `table`: shift rows of the family "clean"."""
    labels = ("depth, in layers", "accuracy, %\n(up = better)")
    return dots({"": table}, "depth", "accuracy", arms, labels, width, log=False)
