"""Panels of lines over the severity of a shift, one line per arm and kind of statistics that it is tested with."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bnstudy.report.figures.axes import Style, draw, entry, label, legend, line, panels, percent_y, reference, trace
from bnstudy.report.figures.style import PAPER, look
from bnstudy.report.figures.summary import medians

Modes = Mapping[tuple[str, str], str]
"""Arms and kinds of statistics (a column of shift.csv), each pair in words."""
STORED = {("none", "running"): "no normalization", ("bn", "running"): "batch norm, stored statistics"}
OF_BATCH = {**STORED, ("bn", "batch32"): "batch norm, test batch of 32"}
TESTED = {**OF_BATCH, ("bn", "reestimated"): "batch norm, re-estimated"}
CEILING: Style = {
    **line("none"), "marker": "_", "markersize": 14, "markeredgewidth": 2, "linestyle": "none",
    "markeredgecolor": look("none").light,
}  # fmt: skip
"""The bar of networks that were trained on what the others are tested on."""


def mode_style(arm: str, statistics: str) -> Style:
    """Return how an arm tested with some statistics looks: one colour per arm, a dash and fill per kind of statistics."""
    style: Style = {**line(arm), "markeredgecolor": look(arm).light}
    if statistics == "running":
        return style
    if statistics in ("batch32", "hue32"):
        return {**style, "linestyle": (0, (4, 2)), "markerfacecolor": PAPER}
    return {**style, "linestyle": (0, (1, 1.5)), "markerfacecolor": style["color"]}


def in_modes(table: pd.DataFrame, modes: Modes) -> pd.DataFrame:
    """Return the rows of these arms and kinds of statistics."""
    return table[table.set_index(["arm", "statistics"]).index.isin(list(modes))]


def of_mode(table: pd.DataFrame, mode: tuple[str, str]) -> pd.DataFrame:
    """Return the rows of one arm and kind of statistics."""
    return table[(table["arm"] == mode[0]) & (table["statistics"] == mode[1])]


def over_severities(
    tables: dict[str, pd.DataFrame], value: str, modes: Modes, labels: tuple[str, str], width: float, height: float = 1.6,
    columns: int = 4, ceilings: Mapping[str, pd.DataFrame] | None = None, at: tuple[float, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw one panel per entry of `tables` (title: rows with arm, statistics, seed, severity and `value`).

    `labels` are those of x and y, `at` is a dotted line and its name. `ceilings`: by title, rows of networks trained on
    the last severity, drawn as bars. A `value` of accuracy is in percent.
    """
    figure, filled = panels(tables, width, height, columns=columns, narrow=columns // 2)
    shown: dict[object, Line2D] = {}
    for panel, rows in filled:
        for mode, text in modes.items():
            if len(tested := of_mode(rows, mode)):
                style = mode_style(*mode)
                trace(panel, tested, "severity", value, {**style, "markersize": 3.5})
                shown[mode] = entry(text, style)
        if len(best := (ceilings or {}).get(panel.get_title(loc="left"), rows[:0])):
            draw(panel, medians(best, "accuracy", ["severity"]), "severity", CEILING)
            shown["ceiling"] = entry("no normalization, trained on severity 5", CEILING)
        if value == "accuracy":
            percent_y(panel)
        panel.set_xticks(range(0 if value == "accuracy" else 1, 6))
    label(figure, *labels)
    legend(figure, [], [*shown.values(), *([reference(figure.axes, *at)] if at else [])])
    return figure
