"""The figure of what each network loses under every shift, by whose mean and spread it uses."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import Style, entry, label, legend, panels
from bnstudy.report.figures.panels_of_severities import TESTED, in_modes, mode_style, of_mode
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.shifts import kinds_of_shift, points_lost, tested_depth
from bnstudy.report.figures.style import RULE
from bnstudy.report.figures.summary import medians
from bnstudy.report.results import Results

MODES = {
    **TESTED,
    ("layernorm", "running"): "layer norm, each image's own",
    ("once", "running"): "normalized once, constants",
}
APART = 0.13
"""How far apart the marks of a shift stand, where two shifts are 1 apart."""


def remembering(results: Results) -> Picture:
    """Return the figure of the accuracy that each shift costs, with what is stored, measured anew, or held constant."""
    depth = tested_depth(results)
    table = points_lost(in_modes(results.at("shift", depth=depth), MODES))
    kinds = kinds_of_shift(results)
    table = table[table["family"].isin(kinds)]
    table = table.sort_values("family", key=lambda families: families.map(kinds.index), kind="stable")
    subject = f"Accuracy that each shift costs, by whose mean and spread are used, depth {depth}"
    how = (
        "Clean minus shifted accuracy with the same statistics, mean of the severities 1 to 5. Another source, where there is one, is images of "
        "the same classes that others collected; half of them are tested, and the other half gives re-estimated statistics."
    )
    draw = partial(by_shift, table)
    arms = list(dict.fromkeys(arm for arm, _ in MODES if arm in set(table["arm"])))
    return Picture(results, "remembering", draw, table, subject, how, "Q2h", arms, ["bn"], kind="Dot plot")


def by_shift(table: pd.DataFrame, width: float) -> Figure:
    """Draw a row per kind of shift and in it a mark per network and kind of statistics, in the order of the legend."""
    families = list(dict.fromkeys(table["family"]))
    figure, [(panel, table)] = panels({"": table}, width, 0.55 * len(families))
    shown = []
    for index, (mode, text) in enumerate(MODES.items()):
        if len(rows := of_mode(table, mode)):
            style = _mark(*mode)
            found = medians(rows, "lost", ["family"])
            at = found["family"].map(families.index).to_numpy(float) + APART * (index - (len(MODES) - 1) / 2)
            low, high = (found[end].to_numpy(float) for end in ("low", "high"))
            known = np.isfinite(low) & np.isfinite(high)
            panel.hlines(at[known], low[known], high[known], color=style["color"], linewidth=1.0)
            panel.plot(found["median"], at, **style)
            shown.append(entry(text, style))
    panel.axvline(0, color=RULE, linewidth=1.0, zorder=0)
    panel.set_yticks(range(len(families)), families)
    panel.set_ylim(len(families) - 0.5, -0.5)
    label(figure, "accuracy lost, in points (right = worse)", "")
    legend(figure, [], shown)
    return figure


def _mark(arm: str, statistics: str) -> Style:
    """Return the look of a mark without its line: what is re-estimated is filled by half."""
    mark: Style = {**mode_style(arm, statistics), "linestyle": "none", "markeredgewidth": 1.0}
    return {**mark, "fillstyle": "left"} if statistics == "reestimated" else mark
