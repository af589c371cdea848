"""Figures of gradients: how they change when lower layers step, and how their norm grows over the layers."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import Style, by_arm, crossed_panels, entry, label, legend, lines, log_scale, panels
from bnstudy.report.figures.checkpoints import in_order, when
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import INK, MUTED
from bnstudy.report.results import CheckRow, Results

ARMS = ["none", "bn"]
MATCHINGS = {"rate": "same rate", "decrease": "same decrease", "step": "same step : norm"}
THEORY: Style = {"color": INK, "linewidth": 1.0, "linestyle": (0, (1, 2))}


def ics(results: Results) -> Picture:
    """Return the figure of how much a layer's gradient changes when the layers below it step."""
    depth = results.depth("middle")
    table = results.at("ics", depth=depth, checkpoint=["init", results.main])
    draw = partial(ics_by_layer, table, results.arms(table, *ARMS))
    subject = f"How much a layer's gradient changes when the layers below it step, depth {depth}"
    how = "What is equal for both arms: the learning rate, the loss that the step saves (5%), or the step relative to the weights (1%)."
    return Picture(results, "ics", draw, table, subject, how, claim="Q1c", arms=ARMS)


def ics_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw relative ICS by layer, one panel per matching of steps and checkpoint; in gray what another batch changes."""
    matchings = [m for m in MATCHINGS if m in set(table["matching"])]
    figure, grid = crossed_panels(matchings, in_order(table), width, lambda m, c: f"{MATCHINGS[m]}\n{when(c)}")
    for panel, (matching, checkpoint) in grid:
        rows = table[(table["matching"] == matching) & (table["checkpoint"] == checkpoint)]
        lines(panel, rows, "layer", "other_batch", arms, color=MUTED, linewidth=0.9, markersize=3)
        lines(panel, rows, "layer", "relative", arms)
    log_scale(figure.axes, [*table["relative"], *table["other_batch"]])
    label(figure, "layer whose gradient is compared (right = later)", "relative change\n(up = changes more)")
    legend(figure, arms, [entry("another batch, same marks", {"color": MUTED, "linewidth": 0.9})])
    return figure


def norms(results: Results) -> Picture:
    """Return the figure of the gradient's norm at each layer's output."""
    table = results.at("gradients", arm=ARMS, gain=...)
    deep = table[(table["depth"] == results.depth("deep")) & (table["gain"] == 1)]
    middle = table[(table["depth"] == results.depth("middle"))]
    parts = [deep[deep["checkpoint"] == checkpoint] for checkpoint in ("init", results.main)]
    parts += [middle[(middle["checkpoint"] == results.main) & (middle["gain"] == 1)]]
    later = middle[middle["checkpoint"] == "step100"].sort_values("gain", kind="stable")
    table = pd.concat([*parts, later])
    growth = theory(results.checks, int(results.base["batch"]))
    draw = partial(norm_by_layer, table, results.arms(table, *ARMS), growth=growth)
    subject = "Norm of the loss's gradient at each layer's output"
    how = "On training batches. The dotted lines are what theory expects at the start, from the last layer on."
    return Picture(results, "gradients", draw, table, subject, how, claim="Q3e", arms=ARMS)


def norm_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float, growth: dict[str, float]) -> Figure:
    """Draw the norm of dL/dh by layer, one panel per depth, checkpoint and gain in the order of the table.

    `growth`: by arm, the growth of the squared norm per layer that theory gives at the start, at gain 1; it is drawn from
    the last layer's median.
    """
    tables = {
        f"{depth} layers\ngain {gain:g}\n{when(checkpoint)}": rows
        for (depth, checkpoint, gain), rows in table.groupby(["depth", "checkpoint", "gain"], sort=False)
    }
    figure, filled = panels(tables, width, 1.8, 3, narrow=2, sharex=False)
    for panel, rows in filled:
        lines(panel, rows, "layer", "norm", arms)
        if "init" in set(rows["checkpoint"]):
            _theory(panel, rows, arms, growth)
    log_scale(figure.axes, table["norm"])
    label(figure, "layer (right = later)", "norm of the loss's gradient, in nats\n(a level line = same size)")
    drawn = growth and "init" in set(table["checkpoint"])
    legend(figure, arms, [entry("theory at the start", THEORY)] if drawn else [])
    return figure


def _theory(panel: Axes, table: pd.DataFrame, arms: Sequence[str], growth: dict[str, float]) -> None:
    last = int(table["layer"].max())
    layers = np.arange(int(table["layer"].min()), last + 1)
    for arm, rows in by_arm(table[table["layer"] == last], arms):
        if arm in growth:
            panel.plot(layers, rows["norm"].median() * growth[arm] ** ((last - layers) / 2), zorder=5, **THEORY)


def theory(checks: Sequence[CheckRow], batch: int) -> dict[str, float]:
    """Return, by arm, the growth of the squared gradient norm per layer at the start, gain 1: `none` keeps it (check E7),
    `bn` grows as check E5 expects for the batch size, where it is among those checked."""
    expected = {(row["id"], row["key"]): row["expected"] for row in checks}
    growth = expected.get(("E5", f"batch_{batch}"))
    return {"none": 1.0} if growth is None else {"none": 1.0, "bn": growth}
