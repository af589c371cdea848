"""Panels of lines over the layers of a network, one line per arm: the one design of what is measured per layer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bnstudy.report.figures.axes import label, legend, lines, log_y, panels, reference
from bnstudy.report.figures.style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def over_layers(
    tables: dict[str, pd.DataFrame], value: str, arms: Sequence[str], ylabel: str, width: float,
    at: tuple[float, str] | None = None, least: float | None = None, log: bool = True, columns: int = 2, sharex: bool = False,
) -> "Figure":  # fmt: skip
    """Draw one panel per entry of `tables` (title: rows with arm, seed, layer and `value`).

    `at` is a dotted line and its name; the axis of a figure with `log` holds `least` whatever the rows hold.
    """
    with drawing():
        figure, axes = panels(len(tables), width, columns=columns, sharex=sharex)
        for panel, (title, rows) in zip(axes, tables.items(), strict=True):
            panel.set_title(title)
            lines(panel, rows, "layer", value, arms)
        if log:
            log_y(axes, [*pd.concat(tables.values())[value], *([] if least is None else [least])])
        label(figure, "layer", ylabel)
        legend(figure, arms, [reference(axes, *at)] if at else [])
    return figure
