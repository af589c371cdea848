"""The loss surface in numbers: how the gradient changes along a step, curvature, and how unequal the inputs are."""

from functools import partial

import numpy as np
import pandas as pd

from bnstudy.report.figures.checkpoints import in_order, when
from bnstudy.report.figures.panels_of_dots import dots
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.style import INPUTS, arm_name
from bnstudy.report.figures.summary import interval, known, median
from bnstudy.report.results import Results

ARMS = ["none", "bn"]
LENGTHS = {"change_absolute": "same absolute step", "change_relative": "same relative step"}
QUANTITIES = {
    "loss_range": "range of the loss, nats",
    "predictiveness": "largest change of the gradient, nats",
    "beta_smoothness": "largest change of the gradient a step's length, nats",
    "hessian_top": "curvature, nats",
}


def gradient_change(results: Results) -> Picture:
    """Return the figure of how much the gradient changes over a step along it, one panel per length of the step."""
    table = results.at("landscape", depth=results.depth("middle"), arm=ARMS)
    ordered = table.sort_values("checkpoint", key=lambda c: c.map(in_order(table).index))
    ordered = ordered.assign(time=ordered["checkpoint"].map(when))
    tables = {title: ordered.assign(change=ordered[column]) for column, title in LENGTHS.items()}
    labels = ("", "relative change\n(up = changes more)")
    draw = partial(dots, tables, "time", "change", results.arms(table, *ARMS), labels)
    subject = f"How much the gradient changes over a step along it, depth {results.depth('middle')}"
    how = "A step of 1% of the norm of the initial weights, the same for both arms, or of 1% of each network's own weights. Small dots are seeds."
    return Picture(results, "landscape", draw, table, subject, how, claim="Q3g", arms=ARMS, kind="Dot plot")


def quantities(results: Results) -> Numbers:
    """Return the numbers by which the literature describes the surface."""
    table = results.at("landscape", depth=results.depth("middle"), arm=ARMS)
    arms = results.arms(table, *ARMS)
    how = (
        "Medians over seeds with 95% order-statistic intervals, pointwise. The first three over steps of 0.5 to 4 times the shared "
        "learning rate, as Santurkar et al. (2018) define them; curvature is the largest eigenvalue of the Hessian. No verdict rests on these: scaling weights in front of a batch norm scales them."
    )
    rows = [
        [words, when(checkpoint), *(known(of.loc[of["arm"] == arm, column].dropna(), ".3g") for arm in arms)]
        for column, words in QUANTITIES.items()
        for checkpoint in in_order(table)
        for of in [table[table["checkpoint"] == checkpoint]]
    ]
    title = f"The surface in the literature's numbers, depth {results.depth('middle')}"
    return Numbers(title, ["", "when", *map(arm_name, arms)], rows, how)


def input_shares(results: Results) -> Numbers:
    """Return how unequal the directions of the inputs are."""
    how = (
        "Of the uncentred second moment of the training inputs; 1 would be a single direction: the larger it is, "
        "the more unequal the curvature that a first layer meets (LeCun et al., 1998). Medians over seeds."
    )
    title, head = "How unequal the inputs' directions are", ["inputs", "largest eigenvalue : trace", "95% interval"]
    return Numbers(title, head, shares(results.at("landscape", checkpoint="init", inputs=..., arm="none")), how)


def shares(table: pd.DataFrame) -> list[list[str]]:
    """Return rows (inputs, median, interval) of `input_share`. `table`: landscape rows of one checkpoint."""
    rows, table = [], table.drop_duplicates(["inputs", "seed"])  # networks of a seed share their inputs
    for kind, words in INPUTS.items():
        if len(values := table.loc[table["inputs"] == kind, "input_share"]):
            low, high = interval(values)
            rows.append([words, f"{median(values):.3g}", f"{low:.3g} to {high:.3g}" if np.isfinite(low) else "–"])
    return rows
