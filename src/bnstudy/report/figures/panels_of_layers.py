"""Panels of lines over the layers of a network, one line per arm: the one design of what is measured per layer."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import label, legend, lines, log_scale, panels, reference


def over_layers(
    tables: dict[str, pd.DataFrame], value: str, arms: Sequence[str], ylabel: str, width: float,
    at: tuple[float, str] | None = None, least: float | None = None, log: bool = True, columns: int = 2, sharex: bool = False,
) -> Figure:  # fmt: skip
    """Draw one panel per entry of `tables` (title: rows with arm, seed, layer and `value`).

    `at` is a dotted line and its name; the axis of a figure with `log` holds `least` whatever the rows hold.
    """
    figure, filled = panels(tables, width, columns=columns, sharex=sharex)
    for panel, rows in filled:
        lines(panel, rows, "layer", value, arms)
    if log:
        log_scale(figure.axes, [*pd.concat(tables.values())[value], *([] if least is None else [least])])
    label(figure, "layer (right = later)", ylabel)
    legend(figure, arms, [reference(figure.axes, *at)] if at else [])
    return figure
