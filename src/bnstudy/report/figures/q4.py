"""Figures of question 4: what depth does, with and without normalization."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bnstudy.report.figures.axes import draw, label, legend, lines, log_ticks, log_y, panels, reference
from bnstudy.report.figures.style import INK, MUTED, drawing
from bnstudy.report.figures.summary import medians, times

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def variance_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Variance of the activations by layer, a panel an initial gain.

    `table`: moments rows (arm, gain, seed, layer, variance) of one site and checkpoint.
    """
    with drawing():
        gains = sorted(table["gain"].unique())
        figure, axes = panels(len(gains), width)
        for panel, gain in zip(axes, gains, strict=True):
            panel.set_title(f"initial gain {gain:g}")
            lines(panel, table[table["gain"] == gain], "layer", "variance", arms)
        log_y(axes, table["variance"])
        label(axes, "layer", "variance over images\n(up = grows)")
        legend(figure, arms)
    return figure


def saved(table: pd.DataFrame) -> pd.DataFrame:
    """Steps without batch norm divided by steps with it, paired by seed: depth, target, seed, ratio.

    Infinite where only `none` fails, zero where only `bn` fails; a pair that failed twice says nothing and is left
    out, counted in column `both` of the group.
    """
    keys = ["depth", "target", "seed"]
    sides = [table[table["arm"] == arm].assign(time=times)[[*keys, "time"]] for arm in ("none", "bn")]
    pairs = sides[0].merge(sides[1], on=keys, suffixes=("_none", "_bn"))
    failed = np.isinf(pairs["time_none"]) & np.isinf(pairs["time_bn"])
    pairs["both"] = failed.groupby([pairs["depth"], pairs["target"]]).transform("sum")
    pairs = pairs[~failed]
    return pairs.assign(ratio=pairs["time_none"] / pairs["time_bn"])[[*keys, "ratio", "both"]]


def steps_saved(table: pd.DataFrame, width: float) -> "Figure":
    """How many times as many steps a net without batch norm needs, by depth; a panel a target.

    `table`: the result of `saved`. Open ends: beyond what the budget can show.
    """
    with drawing():
        targets = sorted(table["target"].unique(), reverse=True)
        depths = sorted(table["depth"].unique())
        figure, axes = panels(len(targets), width, columns=2)
        finite = table["ratio"][np.isfinite(table["ratio"]) & (table["ratio"] > 0)]
        low, high = min([*finite, 1.0]) / 1.3, max([*finite, 1.0]) * 1.3
        for panel, target in zip(axes, targets, strict=True):
            rows = table[table["target"] == target]
            rows = rows.assign(place=rows["depth"].map(depths.index).astype(float))
            panel.set_title(f"loss {target:g}")
            panel.set_yscale("log")
            panel.set_ylim(low, high)
            log_ticks(panel.yaxis, low, high)
            panel.axhline(1, color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)))
            edge = rows["ratio"].clip(low * 1.03, high / 1.03)
            panel.plot(rows["place"] + 0.12, edge, "o", color=INK, alpha=0.25, markersize=3, markeredgewidth=0)
            style = {"color": INK, "marker": "o", "markersize": 5, "linewidth": 1.2, "linestyle": "solid"}
            draw(panel, medians(rows, "ratio", ["place"]), "place", style)
            panel.set_xticks(range(len(depths)), [str(d) for d in depths])
            panel.set_xlim(-0.5, len(depths) - 0.5)
        label(axes, "depth, in layers", "steps, without : with batch norm\n(up = it saves more)")
    return figure


def relative_to_first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with `growth`: each layer's `column` over that of the network's first layer in the table."""
    keys = ["arm", "depth", "seed"]
    first = table.sort_values("layer").groupby(keys)[column].first().rename("first").reset_index()
    table = table.merge(first, on=keys)
    return table.assign(growth=table[column] / table["first"]).drop(columns="first")


def growth(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """What moves at each layer as a multiple of the first layer's, a panel a `measure` in the order of the table.

    `table`: rows (measure, arm, seed, layer, growth) of one depth.
    """
    with drawing():
        measures = list(dict.fromkeys(table["measure"]))
        figure, axes = panels(len(measures), width, columns=2)
        for panel, measure in zip(axes, measures, strict=True):
            panel.set_title(measure)
            lines(panel, table[table["measure"] == measure], "layer", "growth", arms)
        log_y(axes, [*table["growth"], 2.2])
        label(axes, "layer", "times the first layer's\n(up = grows with depth)")
        legend(figure, arms, [reference(axes, 2, "would matter: 2 times")])
    return figure
