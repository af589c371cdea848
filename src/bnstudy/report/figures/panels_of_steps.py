"""Panels of steps to target, with what never got there counted below: the one design of all figures of time."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import draw, label, legend, line, log_scale, log_ticks
from bnstudy.report.figures.panels_of_dots import side_by_side
from bnstudy.report.figures.style import INK, NARROW, PAPER, RULE, look
from bnstudy.report.figures.summary import time_summary


def steps(
    tables: dict[str, pd.DataFrame], x: str, arms: Sequence[str], xlabel: str, width: float, log: bool = False,
    ylabel: str = "steps to target\n(up = slower)",
) -> Figure:  # fmt: skip
    """Draw one panel per entry of `tables` (title: rows with arm, seed, `x`, steps, reached, diverged_at).

    Above stand medians of the steps with their intervals, on a log axis that all panels share. Below, a strip with a row
    per arm shows a bar where every seed reached the target, else the number that did not (x: some diverged). `x` is
    numeric with `log`; else its values stand side by side, numbers sorted, words in their order in the table.
    """
    across = min(len(tables), 3) if width > NARROW else 1
    rows = math.ceil(len(tables) / across)
    strip = 0.17 * len(arms) + 0.08
    figure = Figure(figsize=(width, rows * (2.1 + strip) + 0.5), layout="constrained")
    figure.get_layout_engine().set(hspace=0.02, h_pad=0.02)  # type: ignore[call-arg, union-attr]
    grid = figure.add_gridspec(2 * rows, across, height_ratios=[1.8, strip] * rows)
    tables = {title: table[table["arm"].isin(list(arms))] for title, table in tables.items()}
    values = pd.concat(tables.values())[x]
    ticks, names = side_by_side(values)
    places = np.array(ticks, float) if log else np.arange(len(ticks))
    numbers = pd.api.types.is_numeric_dtype(values)
    summaries = {title: time_summary(table, ["arm", x]) for title, table in tables.items()}
    ends = pd.concat(summaries.values())[["median", "low", "high"]]
    for index, (title, table) in enumerate(summaries.items()):
        row, column = divmod(index, across)
        top = figure.add_subplot(grid[2 * row, column])
        below = figure.add_subplot(grid[2 * row + 1, column], sharex=top)
        top.set_title(title)
        log_scale([top], ends, pad=1.2, empty=(10.0, 1000.0))
        if log:
            top.set_xscale("log")
        table = table.assign(place=table[x] if log else table[x].map(ticks.index).astype(float))
        table = table.sort_values("place", kind="stable")
        for k, arm in enumerate(arms):
            shift = (k - (len(arms) - 1) / 2) * (0.06 if log else 0.09)
            joined = line(arm) if numbers else {**line(arm), "linestyle": "none"}
            draw(top, table[table["arm"] == arm], "place", joined, shift)
        _strip(below, table, arms, places, log)
        top.tick_params(labelbottom=False, bottom=False, labelleft=not column)
        if log and len(ticks) > 4:
            log_ticks(below.xaxis, *below.get_xlim())
        else:
            below.set_xticks(places, names)
            below.minorticks_off()
    label(figure, xlabel, ylabel)
    legend(figure, arms)
    return figure


def _strip(axes: Axes, table: pd.DataFrame, arms: Sequence[str], ticks: np.ndarray, log: bool) -> None:
    axes.spines[:].set_visible(False)
    axes.grid(False)
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_yticks([])
    gap = np.diff(np.log10(ticks) if log else ticks)
    half = (gap.min() if len(gap) else 1.0) * 0.5
    for row, arm in enumerate(arms):
        looks = look(arm)
        axes.plot(
            [-0.045], [row], marker=looks.marker, color=looks.light, markersize=4.5, markeredgewidth=0,
            transform=axes.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
        axes.axhline(row, color=RULE, linewidth=0.6, zorder=0)
        for _, cell in table[table["arm"] == arm].iterrows():
            at = cell["place"]
            if not cell["failed"]:
                ends = (at * 10**-half, at * 10**half) if log else (at - half, at + half)
                axes.hlines(row, *ends, color=looks.light, linewidth=4.5)
            else:
                axes.text(
                    at, row, f"{cell['failed']:.0f}{'×' if cell['diverged'] else ''}", ha="center", va="center_baseline",
                    fontsize=8.5, color=INK, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.4},
                )  # fmt: skip
    edge = half * 1.2
    axes.set_xlim((ticks[0] * 10**-edge, ticks[-1] * 10**edge) if log else (ticks[0] - edge, ticks[-1] + edge))
