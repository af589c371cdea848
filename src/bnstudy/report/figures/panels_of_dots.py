"""Panels of dots with intervals over a few values side by side: the one design of what has no layers and no steps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bnstudy.report.figures.axes import Style, by_arm, draw, label, legend, line, log_scale, panels, plain, reference
from bnstudy.report.figures.summary import medians

MOST = 20
"""The most seeds of which each is a faint dot."""


def side_by_side(values: pd.Series) -> tuple[list[object], list[str]]:
    """Return the values of an axis and their names: numbers sorted, words in their order in the table."""
    if pd.api.types.is_numeric_dtype(values):
        ticks = sorted(values.unique())
        return ticks, [plain(tick) for tick in ticks]
    words = list(dict.fromkeys(values))
    return words, [str(word) for word in words]


def dots(
    tables: dict[str, pd.DataFrame], x: str, value: str, arms: Sequence[str], labels: tuple[str, str], width: float,
    log: bool = True, at: tuple[float, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw one panel per entry of `tables` (title: rows with arm, seed, `x`, `value`), the values of `x` side by side.

    `labels` are those of x and y, `at` is a dotted line and its name. All panels share the y axis.
    """
    figure, filled = panels(tables, width, columns=2, sharex=False)
    for panel, table in filled:
        # as many ticks whatever the height: others come, and wider ones, once the label has its place
        panel.yaxis.set_major_locator(MaxNLocator(4))
        ticks, names = side_by_side(table[x])
        table = table.assign(place=table[x].map(ticks.index).astype(float))
        for arm, rows in by_arm(table, arms):
            _arm(panel, rows, value, line(arm), 0.16 * (list(arms).index(arm) - (len(arms) - 1) / 2))
        panel.set_xticks(range(len(ticks)), names)
        panel.set_xlim(-0.5, len(ticks) - 0.5)
    if log:
        log_scale(figure.axes, [*pd.concat(tables.values())[value], *([at[0]] if at else [])])
    label(figure, *labels)
    legend(figure, arms, [reference(figure.axes, *at)] if at else [])
    return figure


def _arm(panel: Axes, table: pd.DataFrame, value: str, style: Style, shift: float) -> None:
    """Draw an arm's medians with intervals, and its seeds as faint dots beside them."""
    if table["seed"].nunique() <= MOST:
        at = table["place"] + shift + 0.06
        values = table[value].where(np.isfinite(table[value]))
        panel.plot(at, values, "o", color=style["color"], alpha=0.25, markersize=2.5, markeredgewidth=0)
    draw(panel, medians(table, value, ["place"]), "place", {**style, "linestyle": "none", "markersize": 5.5}, shift)
