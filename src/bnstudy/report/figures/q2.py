"""Figures of question 2: shifted test data, and whose mean and spread the network uses then."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from bnstudy.report.figures.axes import draw, label, layer_ticks, legend, line, log_y, panels, reference, trace
from bnstudy.report.figures.style import NARROW, PAPER, drawing
from bnstudy.report.figures.summary import known, medians

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILIES = ["contrast", "brightness", "noise", "blur", "rotation", "translation", "inversion"]
MODES = {
    ("none", "running"): "no normalization",
    ("bn", "running"): "batch norm, stored statistics",
    ("bn", "batch32"): "batch norm, test batch of 32",
    ("bn", "reestimated"): "batch norm, re-estimated",
}


def mode(arm: str, statistics: str) -> dict[str, Any]:
    """Line properties of an arm tested with some statistics: one colour an arm, a dash and fill a mode."""
    style = line(arm)
    if statistics == "running":
        return style
    dashed = statistics in ("batch32", "hue32")
    return style | {
        "linestyle": (0, (4, 2)) if dashed else (0, (1, 1.5)),
        "markerfacecolor": PAPER if dashed else style["color"],
    }


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """The shift rows of the arms and statistics that the figures show."""
    keys = pd.Series(list(zip(table["arm"], table["statistics"], strict=True)), table.index, dtype=object)
    return table[keys.isin(list(MODES))]


def accuracy_by_severity(
    table: pd.DataFrame, width: float, modes: Sequence[tuple[str, str]] = tuple(MODES)
) -> "Figure":
    """Accuracy against severity, a panel a family, a line an arm and kind of statistics.

    `table`: shift rows (arm, seed, family, severity, statistics, accuracy in percent) of one depth. Severity 0 is the
    family "clean", shown in every panel.
    """
    from matplotlib.lines import Line2D

    with drawing():
        families = [f for f in FAMILIES if f in set(table["family"])]
        clean = table[table["family"] == "clean"]
        figure, axes = panels(len(families), width, 1.55, columns=4, narrow=2)
        shown: dict[tuple[str, str], Line2D] = {}
        for panel, family in zip(axes, families, strict=True):
            panel.set_title(family)
            rows = pd.concat([clean, table[table["family"] == family]])
            for key in modes:
                mine = rows[(rows["arm"] == key[0]) & (rows["statistics"] == key[1])]
                if len(mine):
                    style = {**mode(*key), "markersize": 3.5}
                    trace(panel, mine, "severity", "accuracy", style)
                    shown[key] = Line2D([], [], markeredgecolor=style["color"], label=MODES[key], **mode(*key))
            panel.set_ylim(0, 100)
            panel.set_yticks([0, 50, 100])
            panel.set_xticks(range(0, 6))
        label(axes, "severity of the shift (right = stronger)", "accuracy, %\n(up = better)")
        legend(figure, [], list(shown.values()))
    return figure


def relative_drop(table: pd.DataFrame) -> list[list[str]]:
    """Rows (family, then a cell an arm and kind of statistics, as MODES): the share of each network's own clean accuracy that
    the shift costs, percent, mean of its severities; median and interval over seeds.

    `table`: as of :func:`accuracy_by_severity`.
    """
    keys = ["arm", "statistics", "seed"]
    clean = table[table["family"] == "clean"].set_index(keys)["accuracy"].rename("clean")
    shifted = table[table["severity"] > 0].join(clean, on=keys, how="inner")
    lost = (100 * (1 - shifted["accuracy"] / shifted["clean"])).groupby([shifted[k] for k in ["family", *keys]]).mean()
    rows = []
    for family in [f for f in FAMILIES if f in lost.index]:
        rows.append([family, *(known(lost.loc[family].get(key, pd.Series(dtype=float))) for key in MODES)])
    return rows


def xhat_mismatch(table: pd.DataFrame, width: float) -> "Figure":
    """How far stored statistics miss x-hat on shifted images, by layer; a panel a family and depth, a line a severity.

    `table`: xhat rows (depth, seed, family, severity, layer, offset) of the arm `bn`.
    """
    from matplotlib.lines import Line2D

    dashes: dict[int, Any] = {1: (0, (1, 1.5)), 3: (0, (4, 2)), 5: "solid"}
    with drawing():
        table = table[table["severity"].isin(list(dashes))]
        families = [f for f in FAMILIES if f in set(table["family"])][:3]
        depths = sorted(table["depth"].unique())
        cells = [(family, depth) for depth in depths for family in families]
        if width <= NARROW:  # two columns of depths rather than three of families
            cells = [(family, depth) for family in families for depth in depths]
        figure, axes = panels(len(cells), width, 1.8, len(families), narrow=len(depths), sharex=False)
        for panel, (family, depth) in zip(axes, cells, strict=True):
            panel.set_title(f"{family}{chr(10) if width <= NARROW else ', '}{depth} layers")
            rows = table[(table["family"] == family) & (table["depth"] == depth)]
            for severity, dash in dashes.items():
                mine = rows[rows["severity"] == severity]
                if len(mine):
                    trace(panel, mine, "layer", "offset", {**line("bn"), "linestyle": dash, "marker": ""})
            layer_ticks(panel, rows["layer"])
        log_y(axes, [*table["offset"], 0.08])
        label(axes, "layer", "mismatch of x-hat, in sd\n(up = worse)")
        marks = {**line("bn"), "marker": ""}
        kinds = [Line2D([], [], label=f"severity {s}", **{**marks, "linestyle": d}) for s, d in dashes.items()]
        legend(figure, [], [*kinds, reference(axes, 0.10, "0.10 sd")])
    return figure


def statistics_on_clean(table: pd.DataFrame, width: float) -> "Figure":
    """Accuracy on clean test images by depth, with stored and with the batch's statistics.

    `table`: shift rows of the family "clean" (arm, depth, seed, statistics, accuracy).
    """
    from matplotlib.lines import Line2D

    with drawing():
        figure, (panel,) = panels(1, width, 2.1)
        depths = sorted(table["depth"].unique())
        table = table.assign(place=table["depth"].map(depths.index).astype(float))
        shown = []
        for index, (key, text) in enumerate(MODES.items()):
            mine = table[(table["arm"] == key[0]) & (table["statistics"] == key[1])]
            if len(mine):
                style = {**mode(*key), "markeredgecolor": mode(*key)["color"], "markeredgewidth": 1.0}
                draw(panel, medians(mine, "accuracy", ["place"]), "place", style, 0.08 * (index - 1.5))
                shown.append(Line2D([], [], label=text, **style))
        panel.set_xticks(range(len(depths)), [str(d) for d in depths])
        label([panel], "depth, in layers", "accuracy, %\n(up = better)")
        legend(figure, [], shown)
    return figure
