"""Figures of gradients: how they change when lower layers step, how they grow over the layers, and along a step."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bnstudy.report.figures.axes import label, legend, line, lines, log_y, panels, trace
from bnstudy.report.figures.dots import dots, when
from bnstudy.report.figures.q3 import INPUTS
from bnstudy.report.figures.style import INK, MUTED, NARROW, drawing
from bnstudy.report.figures.summary import interval, median

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MATCHINGS = {"rate": "same rate", "decrease": "same decrease", "step": "same step : norm"}
LENGTHS = {"change_absolute": "same absolute step", "change_relative": "same relative step"}
THEORY: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": (0, (1, 2))}


def ics_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Relative ICS by layer, a panel a matching of steps and a checkpoint; in gray each arm's noise floor.

    `table`: ics rows (arm, seed, checkpoint, matching, layer, relative, floor) of one depth.
    """
    from matplotlib.lines import Line2D

    with drawing():
        matchings = [m for m in MATCHINGS if m in set(table["matching"])]
        checkpoints = _in_order(table)
        cells = [(m, c) for c in checkpoints for m in matchings]
        if width <= NARROW:
            cells = [(m, c) for m in matchings for c in checkpoints]
        figure, axes = panels(len(cells), width, 1.8, len(matchings), narrow=len(checkpoints))
        for panel, (matching, checkpoint) in zip(axes, cells, strict=True):
            panel.set_title(f"{MATCHINGS[matching]}\n{when(checkpoint)}")
            rows = table[(table["matching"] == matching) & (table["checkpoint"] == checkpoint)]
            for arm in arms:
                style = {"color": MUTED, "linestyle": line(arm)["linestyle"], "linewidth": 0.9}
                floor = {**style, "marker": line(arm)["marker"], "markersize": 3, "markeredgewidth": 0}
                if len(mine := rows[rows["arm"] == arm]):
                    trace(panel, mine, "layer", "floor", floor)
            lines(panel, rows, "layer", "relative", arms)
        log_y(axes, [*table["relative"], *table["floor"]])
        label(axes, "layer whose gradient is compared", "relative change\n(up = changes more)")
        legend(figure, arms, [Line2D([], [], color=MUTED, linewidth=0.9, label="noise floor, same marks")])
    return figure


def _in_order(table: pd.DataFrame) -> list[str]:
    """Checkpoints as training meets them."""
    rank = {"init": (0, 0.0), "step100": (1, 0.0), "final": (3, 0.0)}
    return sorted(table["checkpoint"].unique(), key=lambda c: rank.get(c) or (2, -float(c.removeprefix("loss"))))


def gradient_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float, growth: dict[str, float]) -> "Figure":
    """Norm of dL/dh by layer, a panel a depth, checkpoint and gain in the order of the table.

    `table`: gradients rows (arm, depth, gain, seed, checkpoint, layer, norm). `growth`: arm to the growth of the squared
    norm a layer that theory gives at the start, at gain 1; it is drawn from the last layer's median.
    """
    from matplotlib.lines import Line2D

    with drawing():
        cells = list(dict.fromkeys(zip(table["depth"], table["checkpoint"], table["gain"], strict=True)))
        figure, axes = panels(len(cells), width, 1.8, 3, narrow=2, sharex=False)
        for panel, (depth, checkpoint, gain) in zip(axes, cells, strict=True):
            panel.set_title(f"{depth} layers, gain {gain:g}\n{when(checkpoint)}")
            rows = table[(table["depth"] == depth) & (table["checkpoint"] == checkpoint) & (table["gain"] == gain)]
            lines(panel, rows, "layer", "norm", arms)
            if checkpoint == "init":
                _theory(panel, rows, arms, growth)
        log_y(axes, table["norm"])
        label(axes, "layer", "norm of the loss's gradient, in nats\n(a level line = same size)")
        drawn = growth and "init" in set(table["checkpoint"])
        kinds = [Line2D([], [], label="theory at the start", **THEORY)] if drawn else []
        legend(figure, arms, kinds)
    return figure


def _theory(panel: Any, table: pd.DataFrame, arms: Sequence[str], growth: dict[str, float]) -> None:
    last = int(table["layer"].max())
    layers = np.arange(int(table["layer"].min()), last + 1)
    for arm in arms:
        end = table.loc[(table["arm"] == arm) & (table["layer"] == last), "norm"]
        if arm in growth and len(end):
            panel.plot(layers, end.median() * growth[arm] ** ((last - layers) / 2), zorder=5, **THEORY)


def gradient_change(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """How much the gradient changes over a step along it, a panel a length of the step, by checkpoint.

    `table`: landscape rows (arm, seed, checkpoint, change_absolute, change_relative) of one depth.
    """
    order = _in_order(table)
    table = table.sort_values("checkpoint", key=lambda c: c.map(order.index))
    table = table.assign(time=table["checkpoint"].map(when))
    found = {title: table.assign(change=table[column]) for column, title in LENGTHS.items()}
    return dots(found, "time", "change", arms, ("", "relative change\n(up = changes more)"), width)


def theory(checks: list[dict[str, Any]], base: dict[str, Any]) -> dict[str, float]:
    """Arm to the growth of the squared gradient norm a layer at the start, gain 1: `none` keeps it (check E7), `bn` as
    check E5 expects for the batch size, where it is among those checked.

    `checks`: rows of checks.json. `base`: holds the study's `batch`.
    """
    name = f"growth of the squared gradient a layer, batch {base.get('batch')}"
    growth = {"none": 1.0}
    for row in checks:
        if row["id"] == "E5" and row["name"] == name:
            growth["bn"] = row["expected"]
    return growth


QUANTITIES = {
    "loss_range": "range of the loss, nats",
    "predictiveness": "largest change of the gradient, nats",
    "beta_smoothness": "largest change of the gradient a step's length, nats",
    "hessian_top": "curvature, nats",
}


def surface(table: pd.DataFrame, arms: Sequence[str]) -> list[list[str]]:
    """Rows (quantity, checkpoint, a cell an arm) of the landscape's other numbers. `table`: landscape rows of a depth."""
    rows = []
    for column, words in QUANTITIES.items():
        for checkpoint in _in_order(table):
            here = table[(table["checkpoint"] == checkpoint) & table[column].notna()]
            cells = [_cell(here.loc[here["arm"] == arm, column]) for arm in arms]
            rows.append([words, when(checkpoint), *cells])
    return rows


def _cell(values: pd.Series) -> str:
    """Median and interval in three figures."""
    if values.empty:
        return "–"
    low, high = interval(values)
    ends = f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else ""
    return f"{median(values):.3g}{ends}"


def shares(table: pd.DataFrame) -> list[list[str]]:
    """Rows (inputs, median, interval) of `input_share`. `table`: landscape rows of one checkpoint."""
    rows, table = [], table.drop_duplicates(["inputs", "seed"])  # networks of a seed share their inputs
    for kind, words in INPUTS.items():
        values = table.loc[table["inputs"] == kind, "input_share"]
        if len(values):
            low, high = interval(values)
            rows.append([words, f"{median(values):.3g}", f"{low:.3g} to {high:.3g}" if np.isfinite(low) else "–"])
    return rows
