"""Figures of question 2 taken literally, and of its limits: coloured images, the classes and the size of a test batch."""

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd

from bnstudy.report.figures.axes import draw, label, legend, line, panels, reference, trace
from bnstudy.report.figures.q2 import mode
from bnstudy.report.figures.style import drawing, name
from bnstudy.report.figures.summary import known, medians

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Modes = Mapping[tuple[str, str], str]
STORED: dict[tuple[str, str], str] = {
    ("none", "running"): "no normalization",
    ("bn", "running"): "batch norm, stored statistics",
}
LECTURE = {
    **STORED,
    ("bn", "hue32"): "batch norm, 32 images of one hue",
    ("bn", "mixed32"): "batch norm, 32 images of mixed hues",
}
CONTROL = {
    **STORED,
    ("bn", "batch32"): "batch norm, test batch of 32",
    ("bn", "whole"): "batch norm, all images at hand",
}
GROUNDS = {
    "lecture_white": "white ground",
    "lecture_gray": "mid-gray ground",
    "lecture_white_twin": "white, without colour",
    "lecture_gray_twin": "mid-gray, without colour",
}
CONTROLS = {"label": "one class more frequent", "spurious_colour": "colour that told the class"}
SIZES = ["batch1", "batch2", "batch4", "batch8", "batch32", "batch128", "whole"]


def of(table: pd.DataFrame, families: Mapping[str, str], modes: Modes) -> pd.DataFrame:
    """The shift rows of these families, arms and statistics."""
    keys = pd.Series(list(zip(table["arm"], table["statistics"], strict=True)), table.index, dtype=object)
    return table[table["family"].isin(list(families)) & keys.isin(list(modes))]


def ceilings(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of networks trained on the colours of severity 5, tested on these colours."""
    rows = table[table["inputs"].astype(str).str.endswith("_ceiling") & (table["severity"] == 5)]
    return rows[rows["arm"].eq("none") & rows["inputs"].eq(rows["family"].astype(str) + "_ceiling")]


def by_severity(
    table: pd.DataFrame, families: Mapping[str, str], modes: Modes, width: float, ceiling: pd.DataFrame | None = None
) -> "Figure":
    """Accuracy against severity, a panel a family, a line an arm and kind of statistics.

    `table`: shift rows (arm, seed, family, severity from 0 on, statistics, accuracy in percent). `ceiling`: rows of
    networks trained on the last severity (see :func:`ceilings`); the line at 80% is what these must reach.
    """
    from matplotlib.lines import Line2D

    with drawing():
        shown = [f for f in families if f in set(table["family"])]
        figure, axes = panels(len(shown), width, 1.9, columns=2, narrow=1)
        found: dict[tuple[str, str], Line2D] = {}
        above: list[Any] = []
        for panel, family in zip(axes, shown, strict=True):
            panel.set_title(families[family])
            for key, text in modes.items():
                mine = table[(table["family"] == family) & (table["arm"] == key[0]) & (table["statistics"] == key[1])]
                if len(mine):
                    style = {**mode(*key), "markersize": 3.5}
                    trace(panel, mine, "severity", "accuracy", style)
                    found[key] = Line2D([], [], markeredgecolor=style["color"], label=text, **mode(*key))
            best = ceiling[ceiling["family"] == family] if ceiling is not None else table[:0]
            if len(best):
                style = {**line("none"), "marker": "_", "markersize": 14, "markeredgewidth": 2, "linestyle": "none"}
                style["markeredgecolor"] = style["color"]
                draw(panel, medians(best, "accuracy", ["severity"]), "severity", style)
                above = [Line2D([], [], label="no normalization, trained on severity 5", **style)]
            panel.set_ylim(0, 100)
            panel.set_yticks([0, 50, 100])
            panel.set_xticks(range(0, 6))
        label(axes, "severity (right = further from training)", "accuracy, %\n(up = better)")
        legend(figure, [], [*found.values(), *above])
    return figure


def swapped(table: pd.DataFrame) -> list[list[str]]:
    """Rows (arm and kind of statistics, accuracy in percent) where every image wears another class's hue: median and
    interval over seeds. `table`: as of :func:`by_severity`."""
    found = table[table["family"] == "spurious_colour_swapped"].groupby(["arm", "statistics"])["accuracy"]
    groups = dict(iter(found))
    return [[text, known(groups[key])] for key, text in CONTROL.items() if key in groups]


def colour_share(table: pd.DataFrame) -> list[list[str]]:
    """Rows (network, then three shares in percent) of layer 1's weights that look at colour: at the start, at the end, and of
    what training changed; median and interval over seeds. `table`: rows of colour.csv (arm, depth, gain, inputs, seed)."""
    rows = []
    for inputs, arm, gain in product(GROUNDS, ("none", "bn"), sorted(table["gain"].unique())):
        mine = table[(table["inputs"] == inputs) & (table["arm"] == arm) & (table["gain"] == gain)]
        mine = mine[mine["depth"] == mine["depth"].min()]
        if mine.empty:
            continue
        end = mine[mine["checkpoint"] == "final"]
        shares = (mine.loc[mine["checkpoint"] == "init", "colour_share"], end["colour_share"], end["change_share"])
        rows.append([f"{GROUNDS[inputs]}, {name(arm)}, gain {gain:g}", *(known(100 * share) for share in shares)])
    return rows


def by_size(table: pd.DataFrame, width: float) -> "Figure":
    """Accuracy of batch norm against the size of the test batch, a panel a kind of images, a line a depth; dotted: the
    same networks with their stored statistics.

    `table`: shift rows (depth, seed, family, severity, statistics, accuracy) of arm bn, clean and contrast 3.
    """
    from matplotlib.lines import Line2D

    kinds = {("clean", 0): "clean images", ("contrast", 3): "contrast, severity 3"}
    depths = sorted(table["depth"].unique())
    with drawing():
        figure, axes = panels(len(kinds), width, 2.1, columns=2, narrow=1)
        place = table["statistics"].map({s: i for i, s in enumerate(SIZES)})
        table = table.assign(place=place)
        for panel, (kind, text) in zip(axes, kinds.items(), strict=True):
            panel.set_title(text)
            rows = table[(table["family"] == kind[0]) & (table["severity"] == kind[1])]
            for depth, dash in zip(depths, _dashes(len(depths)), strict=True):
                mine = rows[rows["depth"] == depth]
                style = {**line("bn"), "linestyle": dash, "markersize": 3.5}
                sized, stored = mine[mine["place"].notna()], mine[mine["statistics"] == "running"]["accuracy"]
                if len(sized):
                    trace(panel, sized, "place", "accuracy", style)
                if len(stored):
                    panel.plot(len(SIZES), stored.median(), **{**style, "linestyle": "none"})
            panel.set_ylim(0, 100)
            panel.set_yticks([0, 50, 100])
            names = [s.removeprefix("batch").replace("whole", "all") for s in SIZES]
            panel.set_xticks(range(len(SIZES) + 1), [*names, "stored"])
        label(axes, "images in a test batch", "accuracy, %\n(up = better)")
        marks = zip(depths, _dashes(len(depths)), strict=True)
        shown = [Line2D([], [], label=f"batch norm, depth {d}", **{**line("bn"), "linestyle": k}) for d, k in marks]
        legend(figure, [], shown)
    return figure


def effective(table: pd.DataFrame, width: float) -> "Figure":
    """Effective robustness in points against severity, a panel a family, a line a kind of statistics of arm bn; nothing
    where the line does not hold.

    `table`: rows of effective_robustness.csv (arm, seed, family, severity, statistics, effective).
    """
    from matplotlib.lines import Line2D

    modes = {
        ("bn", "running"): "batch norm, stored statistics",
        ("bn", "batch32"): "batch norm, test batch of 32",
        ("bn", "reestimated"): "batch norm, re-estimated",
    }
    with drawing():
        families = sorted(table["family"].unique())
        figure, axes = panels(len(families), width, 1.6, columns=4, narrow=2)
        for panel, family in zip(axes, families, strict=True):
            panel.set_title(family)
            for key in modes:
                mine = table[(table["family"] == family) & (table["statistics"] == key[1])]
                if len(mine):
                    trace(panel, mine, "severity", "effective", {**mode(*key), "markersize": 3.5})
            panel.set_xticks(range(1, 6))
        label(axes, "severity of the shift (right = stronger)", "effective robustness, points\n(up = better)")
        shown = [Line2D([], [], label=t, markeredgecolor=mode(*k)["color"], **mode(*k)) for k, t in modes.items()]
        legend(figure, [], [*shown, reference(axes, 0.0, "as clean accuracy foretells")])
    return figure


def _dashes(count: int) -> list[Any]:
    every: list[Any] = ["solid", (0, (4, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5))]
    return [every[i % len(every)] for i in range(count)]
