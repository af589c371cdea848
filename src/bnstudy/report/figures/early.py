"""Figures of what a change of the early layers does to the later ones, and what undoing it costs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bnstudy.report.figures.axes import label, legend, line, lines, log_y, panels, reference, trace
from bnstudy.report.figures.dots import when
from bnstudy.report.figures.style import NARROW, drawing
from bnstudy.report.figures.summary import time_summary
from bnstudy.report.figures.timing import timing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = {"moments": "mean and spread", "values": "the values", "gradients": "weight gradient"}
KINDS = {"gradient": "gradient step", "random": "random change"}
MATCHES = {"dose": "same relative change", "damage": "same damage"}


def reach(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """How much later layers and the output change after the same change of the earlier half, a panel a measure of
    change and a checkpoint.

    `table`: intervention rows (arm, seed, checkpoint, layer, moments, values, gradients) of one depth, kind and dose;
    the last layer's number stands for the logits, where there are values alone.
    """
    with drawing():
        checkpoints = sorted(table["checkpoint"].unique())
        cells = [(measure, checkpoint) for checkpoint in checkpoints for measure in MEASURES]
        if width <= NARROW:
            cells = [(measure, checkpoint) for measure in MEASURES for checkpoint in checkpoints]
        figure, axes = panels(len(cells), width, 1.8, len(MEASURES), narrow=len(checkpoints))
        out = int(table["layer"].max())
        for panel, (measure, checkpoint) in zip(axes, cells, strict=True):
            panel.set_title(f"{MEASURES[measure]}\n{when(checkpoint)}")
            rows = table[(table["checkpoint"] == checkpoint) & table[measure].notna()]
            lines(panel, rows, "layer", measure, arms)
            first = int(table["layer"].min())
            every = max(1, (out - first) // 4)
            ticks = list(range(first, out - every + 1, every))
            panel.set_xticks([*ticks, out], [*map(str, ticks), "out"])
        log_y(axes, table[list(MEASURES)].to_numpy().ravel())
        label(axes, "layer", "relative change\n(up = changes more)")
        legend(figure, arms)
    return figure


def _kinds(table: pd.DataFrame) -> list[tuple[str, str]]:
    """(kind of change, checkpoint) of each panel."""
    kinds = [kind for kind in KINDS if kind in set(table["kind"])]
    return [(kind, checkpoint) for checkpoint in sorted(table["checkpoint"].unique()) for kind in kinds]


def by_dose(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """How much the output changes with the size of the early change, a panel a kind of change and a checkpoint.

    `table`: intervention rows (arm, seed, checkpoint, kind, dose, values) of the logits of one depth.
    """
    with drawing():
        cells = _kinds(table)
        doses = sorted(table["dose"].unique())
        figure, axes = panels(len(cells), width, 1.6, 2, narrow=2)
        for panel, (kind, checkpoint) in zip(axes, cells, strict=True):
            panel.set_title(f"{KINDS[kind]}\n{when(checkpoint)}")
            rows = table[(table["checkpoint"] == checkpoint) & (table["kind"] == kind)]
            rows = rows.assign(place=rows["dose"].map(doses.index))
            for arm in arms:
                if len(mine := rows[rows["arm"] == arm]):
                    trace(panel, mine, "place", "values", line(arm))
            panel.set_xticks(range(len(doses)), [f"{100 * dose:g}%" for dose in doses])
        log_y(axes, table["values"])
        label(
            axes, "change of every early weight matrix : its norm", "relative change of the output\n(up = changes more)"
        )
        legend(figure, arms)
    return figure


def share_left(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """What of an early change is left when every unit's mean and spread are set back, by layer; a panel a kind of
    change and a checkpoint.

    `table`: intervention rows (arm, seed, checkpoint, kind, layer, left in 0..1) of one depth and dose.
    """
    with drawing():
        table = table[table["left"].notna()].assign(percent=lambda t: 100 * t["left"])
        cells = _kinds(table)
        figure, axes = panels(len(cells), width, 1.6, 2, narrow=2)
        for panel, (kind, checkpoint) in zip(axes, cells, strict=True):
            panel.set_title(f"{KINDS[kind]}\n{when(checkpoint)}")
            rows = table[(table["checkpoint"] == checkpoint) & (table["kind"] == kind)]
            lines(panel, rows, "layer", "percent", arms)
            panel.set_ylim(0, 103)
            panel.set_yticks([0, 50, 100])
        label(axes, "layer", "left of the change, %\n(up = normalizing removes less)")
        legend(figure, arms, [reference(axes, 50, "half")])
    return figure


def recovery(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps of the later half alone until the loss is back, by what is equal for both arms.

    `table`: adaptation rows (arm, seed, match, steps, reached). A change that needs no step is drawn as one.
    """
    table = table.assign(steps=table["steps"].clip(lower=1), diverged_at=np.nan, kind=table["match"].map(MATCHES))
    found = time_summary(table, ["arm", "kind"]).sort_values("kind", key=lambda k: k.map([*MATCHES.values()].index))
    ylabel = "steps until the loss is back\n(up = slower)"
    return timing({"": found}, "kind", arms, "what is equal for both", width, ylabel=ylabel)
