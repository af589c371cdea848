"""Dots with intervals over a few values side by side: the one design of what has no layers and no steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bnstudy.report.figures.axes import draw, label, legend, line, log_y, panels, plain, reference
from bnstudy.report.figures.style import drawing
from bnstudy.report.figures.summary import medians

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHEN = {"init": "at the start", "step100": "after 100 steps", "final": "at the end"}
MOST = 20
"""Seeds up to which each is a faint dot."""


def when(checkpoint: str) -> str:
    """A checkpoint in words: loss0.5 -> loss 0.5."""
    return WHEN.get(checkpoint) or checkpoint.replace("loss", "loss ").removesuffix(".0")


def dots(
    found: dict[str, pd.DataFrame], x: str, value: str, arms: Sequence[str], labels: tuple[str, str], width: float,
    log: bool = True, at: tuple[float, str] | None = None,
) -> "Figure":  # fmt: skip
    """One panel an entry of `found` (title: rows with arm, seed, `x`, `value`), the values of `x` side by side.

    Numbers are sorted, words stand in their order in the table. `labels` are those of x and y; `at` a dotted line and
    its name. All panels share the y axis.
    """
    with drawing():
        figure, axes = panels(len(found), width, columns=2, sharex=False)
        for panel, (title, table) in zip(axes, found.items(), strict=True):
            panel.set_title(title)
            numbers = pd.api.types.is_numeric_dtype(table[x])
            ticks = sorted(table[x].unique()) if numbers else list(dict.fromkeys(table[x]))
            table = table.assign(place=table[x].map({tick: i for i, tick in enumerate(ticks)}).astype(float))
            for k, arm in enumerate(arms):
                mine = table[table["arm"] == arm]
                if len(mine):
                    _arm(panel, mine, value, line(arm), 0.16 * (k - (len(arms) - 1) / 2))
            panel.set_xticks(range(len(ticks)), [plain(t) if numbers else str(t) for t in ticks])
            panel.set_xlim(-0.5, len(ticks) - 0.5)
        if log:
            values = [*pd.concat(found.values())[value], *([at[0]] if at else [])]
            log_y(axes, values)
        label(axes, *labels)
        legend(figure, arms, [reference(axes, *at)] if at else [])
    return figure


def _arm(panel: Any, table: pd.DataFrame, value: str, style: dict[str, Any], shift: float) -> None:
    """An arm's medians with intervals, and its seeds as faint dots beside them."""
    if table["seed"].nunique() <= MOST:
        at = table["place"] + shift + 0.06
        values = table[value].where(np.isfinite(table[value]))
        panel.plot(at, values, "o", color=style["color"], alpha=0.25, markersize=2.5, markeredgewidth=0)
    draw(panel, medians(table, value, ["place"]), "place", {**style, "linestyle": "none", "markersize": 5.5}, shift)
