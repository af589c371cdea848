"""Figures of question 3: steps to a target, and at which learning rates."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bnstudy.core.setting import SKIP
from bnstudy.report.figures.axes import label, legend, line, log_y, panels
from bnstudy.report.figures.style import GUESTS, LOOKS, NARROW, drawing, look
from bnstudy.report.figures.summary import time_summary
from bnstudy.report.figures.timing import timing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INPUTS = {"standardized": "standardized", "raw": "raw pixels", "mixed": "unequal"}


def window(table: pd.DataFrame, arms: Sequence[str], width: float, panel: str = "depth") -> "Figure":
    """Steps to target against the learning rate, a panel a value of `panel` (depth or gain).

    `table`: convergence or sweep rows (arm, `panel`, rate, seed, steps, reached, diverged_at) of one target.
    """
    table = _grid(table[table["arm"].isin(list(arms))], panel)
    title = "depth {}" if panel == "depth" else "initial gain {:g}"
    found = {
        title.format(value): time_summary(rows, ["arm", "rate"]) for value, rows in table.groupby(panel, sort=True)
    }
    return timing(found, "rate", arms, "learning rate", width, log=True)


def _grid(table: pd.DataFrame, panel: str) -> pd.DataFrame:
    """The rates that every arm of a panel was run at; refinements around one arm's best are left out."""
    kept = []
    for _, rows in table.groupby(panel):
        rates = [set(mine["rate"]) for _, mine in rows.groupby("arm")]
        both = set.intersection(*rates)
        kept.append(rows[rows["rate"].isin(both)] if len(both) > 1 else rows)
    return pd.concat(kept)


def survival(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Kaplan-Meier curves: the share of seeds still above the target, a panel a depth.

    `table`: convergence rows (arm, depth, seed, steps, reached, budget) of one target. A run that reached nothing is
    censored at its budget, a diverged one as well: it never will. Bands: 95%, exponential Greenwood, pointwise.
    """
    from lifelines import KaplanMeierFitter

    with drawing():
        depths = sorted(table["depth"].unique())
        figure, axes = panels(len(depths), width, columns=2, sharex=False)
        for panel, depth in zip(axes, depths, strict=True):
            rows = table[table["depth"] == depth]
            panel.set_title(f"depth {depth}")
            for arm in arms:
                mine = rows[rows["arm"] == arm]
                if mine.empty:
                    continue
                reached = mine["reached"].astype(bool)
                fit = KaplanMeierFitter().fit(mine["steps"].where(reached, mine["budget"]).astype(float), reached)
                curve, band = fit.survival_function_.iloc[:, 0], fit.confidence_interval_.ffill()
                style = {k: v for k, v in line(arm).items() if k in ("color", "linestyle", "linewidth")}
                panel.step(curve.index, curve, where="post", **style)
                panel.fill_between(
                    band.index,
                    band.iloc[:, 0],
                    band.iloc[:, 1],
                    step="post",
                    color=style["color"],
                    alpha=0.15,
                    linewidth=0,
                )
                middle = np.searchsorted(-curve.to_numpy(), -0.5)
                if middle < len(curve):
                    panel.plot([curve.index[middle]], [0.5], look(arm).marker, color=style["color"], markersize=4.5)
            panel.set_ylim(0, 1.02)
            late = rows["budget"].max() if not rows["reached"].all() else rows["steps"].max() * 1.1
            panel.set_xlim(0, late)
        label(axes, "training step", "share of seeds\nstill above the target")
        legend(figure, arms)
    return figure


def groups(present: Sequence[str]) -> dict[str, list[str]]:
    """The arms of a study as panels of at most four, always with `none` and `bn`: title to arms."""
    base = [a for a in ("none", "bn") if a in present]
    pairs: list[tuple[str, ...]] = [*GUESTS, *((arm,) for arm in sorted(present) if arm not in LOOKS)]
    titles = ["without batch statistics", "parts taken away", "noise, and another norm", "half of the layers"]
    found = {}
    for index, pair in enumerate(pairs):
        guests = [a for a in pair if a in present]
        if guests:
            found[titles[index] if index < len(titles) else guests[0]] = base + guests
    return found or ({"": base} if base else {})


def steps_by_depth(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps to target by depth, each arm at its own best rate. `table`: convergence rows of one target."""
    rows = table[table["arm"].isin(list(arms))].sort_values("depth")
    return timing({"": time_summary(rows, ["arm", "depth"])}, "depth", arms, "depth, in layers", width)


def steps_by_gain(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps to target by initial gain, each arm at its own best rate, a panel a depth."""
    rows = table[table["arm"].isin(list(arms))]
    found = {
        f"depth {depth}": time_summary(mine, ["arm", "gain"])
        for depth, mine in rows.groupby("depth", sort=True)
        if mine["gain"].nunique() > 1
    }
    return timing(found, "gain", arms, "initial gain (1 = He)", width)


def steps_by_inputs(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps to target by the scaling of the inputs, each arm at its own best rate; painted inputs are other images."""
    table = table[table["inputs"].isin(list(INPUTS))]
    order = [text for key, text in INPUTS.items() if key in set(table["inputs"])]
    rows = table[table["arm"].isin(list(arms)) & table["inputs"].isin(list(INPUTS))]
    found = time_summary(rows.assign(kind=rows["inputs"].map(INPUTS)), ["arm", "kind"])
    found = found.assign(order=found["kind"].map(order.index)).sort_values("order")
    return timing({"": found}, "kind", arms, "inputs", width)


def steps_by_network(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Steps to target by network, each arm at its own best rate. `table`: convergence rows (arm, depth, gain, net, seed,
    steps, ...) of one target."""
    skip, gap = table["net"].isin(SKIP.values()), "\n" if width <= NARROW else " "
    words = [
        f"{depth}{gap}layers" + (f",\ngain {gain:g}" if gain != 1 else "") + (",\nskip" if skips else "")
        for depth, gain, skips in zip(table["depth"], table["gain"], skip, strict=True)
    ]
    rows = table.assign(network=words, skip=~skip)
    order = list(dict.fromkeys(rows.sort_values(["gain", "skip", "depth"], ascending=False)["network"]))
    found = time_summary(rows[rows["arm"].isin(list(arms))], ["arm", "network"])
    found = found.sort_values("network", key=lambda n: n.map(order.index))
    return timing({"": found}, "network", arms, "network", width)


def loss_curves(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Training loss of every seed, a panel a depth; a run that diverged ends in a cross.

    `table`: curves rows (arm, depth, seed, step, loss) at one rate an arm.
    """
    with drawing():
        depths = sorted(table["depth"].unique())
        figure, axes = panels(len(depths), width, columns=2, sharex=False)
        finite = table[np.isfinite(table["loss"]) & (table["loss"] > 0)]
        for panel, depth in zip(axes, depths, strict=True):
            panel.set_title(f"depth {depth}")
            for arm in arms:
                mine = finite[(finite["depth"] == depth) & (finite["arm"] == arm)]
                for _, run in mine.groupby("seed"):
                    panel.plot(run["step"], run["loss"], color=look(arm).light, linewidth=0.6, alpha=0.6)
                bad = table[(table["depth"] == depth) & (table["arm"] == arm) & ~np.isfinite(table["loss"])]
                last = mine[mine["seed"].isin(set(bad["seed"]))].groupby("seed").tail(1)
                panel.plot(last["step"], last["loss"], "x", color=look(arm).light, markersize=5)
                middle = mine.groupby("step")["loss"].median()
                panel.plot(middle.index, middle, color=look(arm).light, linestyle=look(arm).dash, linewidth=1.8)
                if len(middle):
                    at = middle.index[len(middle) * (2 + list(arms).index(arm)) // 6]
                    panel.plot([at], [middle[at]], look(arm).marker, color=look(arm).light, markersize=6)
        log_y(axes, finite["loss"].clip(1e-3, 10))
        label(axes, "training step", "training loss, in nats\n(down = better)")
        legend(figure, arms)
    return figure
