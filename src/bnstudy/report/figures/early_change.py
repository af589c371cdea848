"""Figures of what a change of the early layers does to the later ones, and of what undoing it costs."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import crossed_panels, label, legend, lines, log_scale, panels, percent_y, reference
from bnstudy.report.figures.checkpoints import when
from bnstudy.report.figures.panels_of_steps import steps
from bnstudy.report.figures.picture import Picture
from bnstudy.report.results import Results

ARMS = ["none", "bn"]
MEASURES = {"moments": "mean and spread", "values": "the values", "gradients": "weight gradient"}
KINDS = {"gradient": "gradient step", "random": "random change"}
MATCHES = {"dose": "same relative change", "damage": "same damage"}


def reach(results: Results) -> Picture:
    """Return the figure of how far a gradient step of the earlier half reaches."""
    table = results.at("intervention", depth=results.depth("middle"), arm=ARMS)
    table = table[(table["dose"] == 0.01) & (table["kind"] == "gradient")]
    draw = partial(reach_by_layer, table, results.arms(table, *ARMS))
    subject = f"What later layers and the output change by when the earlier half takes a gradient step, depth {results.depth('middle')}"
    how = "Every early weight matrix moves by 1% of its norm. At a batch-normalized layer the normalized value keeps mean and spread by definition; what is shown is the next layer's input."
    return Picture(results, "reach", draw, table, subject, how, claim="Q4a", arms=ARMS)


def reach_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw how much later layers and the output change, one panel per measure of change and checkpoint.

    `table`: intervention rows of one depth, kind and dose; the last layer's number stands for the logits, where there are
    values alone.
    """
    checkpoints = sorted(table["checkpoint"].unique())
    figure, grid = crossed_panels(list(MEASURES), checkpoints, width, lambda m, c: f"{MEASURES[m]}\n{when(c)}")
    first, out = int(table["layer"].min()), int(table["layer"].max())
    every = max(1, (out - first) // 4)
    ticks = list(range(first, out - every + 1, every))
    for panel, (measure, checkpoint) in grid:
        rows = table[(table["checkpoint"] == checkpoint) & table[measure].notna()]
        lines(panel, rows, "layer", measure, arms)
        panel.set_xticks([*ticks, out], [*map(str, ticks), "out"])
    log_scale(figure.axes, table[list(MEASURES)].to_numpy().ravel())
    label(figure, "layer (right = later)", "relative change\n(up = changes more)")
    legend(figure, arms)
    return figure


def share_left(results: Results) -> Picture:
    """Return the figure of what of an early change is left when every unit's mean and spread are set back."""
    table = results.at("intervention", depth=results.depth("middle"), arm=ARMS)
    table = table[(table["dose"] == 0.01) & table["left"].notna()]
    draw = partial(left_by_layer, table, results.arms(table, *ARMS))
    subject = "What of an early change is left in a layer's sums when every unit's mean and spread are set back"
    how = "Every early weight matrix moves by 1% of its norm."
    return Picture(results, "share-left", draw, table, subject, how, claim="Q4f", arms=ARMS, needs=["none"])


def left_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw the share left by layer, one panel per kind of change and checkpoint."""
    table = table.assign(percent=100 * table["left"])
    tables = {f"{KINDS[kind]}\n{when(at)}": rows for (at, kind), rows in table.groupby(["checkpoint", "kind"])}
    figure, filled = panels(tables, width, 1.6, 2, narrow=2)
    for panel, rows in filled:
        lines(panel, rows, "layer", "percent", arms)
        percent_y(panel, 103)
    label(figure, "layer (right = later)", "left of the squared\nchange, % (up = more)")
    legend(figure, arms, [reference(figure.axes, 50, "half")])
    return figure


def recovery(results: Results) -> Picture:
    """Return the figure of the steps that the later half alone needs until the loss is back.

    A change that needs no step is drawn as one.
    """
    table = results.at("adaptation", depth=results.depth("middle"), arm=ARMS)
    rows = table.assign(steps=table["steps"].clip(lower=1), diverged_at=np.nan, kind=table["match"].map(MATCHES))
    rows = rows.sort_values("kind", key=lambda kind: kind.map([*MATCHES.values()].index), kind="stable")
    ylabel = "steps until the loss is back\n(up = slower)"
    arms = results.arms(table, *ARMS)
    draw = partial(steps, {"": rows}, "kind", arms, "what is equal for both", ylabel=ylabel)
    subject = "Steps that the later half alone needs until the loss is back within 5%"
    how = "After a random change of the earlier half: every weight matrix by half its norm, or by as much as doubles the loss. Below, a bar where every seed came back, else the number that didn't."
    return Picture(results, "adaptation", draw, table, subject, how, claim="Q4e", arms=ARMS, kind="Dot plot")
