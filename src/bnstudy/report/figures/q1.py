"""Figures of question 1: does what a layer receives stand still, and does it matter?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bnstudy.report.figures.axes import by_layer, label, legend, lines, log_ticks, log_y, panels, reference
from bnstudy.report.figures.style import MUTED, drawing, look
from bnstudy.report.figures.summary import interval, median, times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGES = {"linear": "linear map's output", "affine": "after γ and β", "next": "the next layer's input"}


def drift_by_layer(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Drift of the next layer's input by layer, a panel a depth.

    `table`: drift rows (arm, depth, seed, layer, moments) of one site and one pair of checkpoints.
    """
    with drawing():
        figure, axes = by_layer(table, "moments", arms, width)
        log_y(axes, table["moments"])
        label(axes, "layer", "drift, in sd\n(up = moves more)")
        legend(figure, arms)
    return figure


def drift_by_stage(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """Drift by layer, a panel a stage of the block (site). x-hat is left out: its drift is zero by arithmetic."""
    with drawing():
        sites = [s for s in STAGES if s in set(table["site"])]
        figure, axes = panels(len(sites), width)
        for panel, site in zip(axes, sites, strict=True):
            panel.set_title(STAGES[site])
            lines(panel, table[table["site"] == site], "layer", "moments", arms)
        log_y(axes, table["moments"])
        label(axes, "layer", "drift, in sd\n(up = moves more)")
        legend(figure, arms)
    return figure


def drift_and_steps(drift: pd.DataFrame, convergence: pd.DataFrame) -> pd.DataFrame:
    """One row a network: arm, depth, gain, seed, drift (mean over layers from the second on) and time.

    A network that didn't reach the target has no drift to it: its time is infinite and its drift is empty.
    """
    keys = ["arm", "depth", "gain", "seed"]
    mean = drift[drift["layer"] >= 2].groupby(keys)["moments"].mean().reset_index(name="drift")
    return (
        convergence.assign(time=times(convergence))[[*keys, "time"]]
        .merge(mean, how="left")
        .query("drift.notna() or time == inf")
    )


def drift_against_steps(table: pd.DataFrame, arms: Sequence[str], width: float, halfway: bool = False) -> "Figure":
    """One mark an arm with both intervals, a panel a depth and gain; an arm whose median never arrives sits on a rail.

    `table`: the result of `drift_and_steps`. `halfway`: a dotted line at the geometric mean of `none` and `bn`, where
    half of what batch norm gains would be lost.
    """
    with drawing():
        networks = sorted(set(zip(table["depth"], table["gain"], strict=True)))
        figure, axes = panels(len(networks), width, 2.5, columns=2)
        shown = []
        finite = table.loc[np.isfinite(table["time"]), "time"]
        rail = (finite.max() if len(finite) else 1000.0) * 1.4
        for panel, (depth, gain) in zip(axes, networks, strict=True):
            panel.set_title(f"depth {depth}" + (f", initial gain {gain:g}" if gain != 1 else ""))
            panel.set_xscale("log")
            here = table[(table["depth"] == depth) & (table["gain"] == gain)]
            panel.axhline(rail, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
            for arm in arms:
                mine = here[(here["arm"] == arm) & (here["drift"] > 0)]
                if len(mine):
                    _cross(panel, mine, arm, rail)
            failed = here[np.isinf(here["time"])].groupby("arm")["seed"].nunique()
            _rail(panel, rail, {arm: int(failed[arm]) for arm in arms if arm in failed})
            middle = [median(here.loc[here["arm"] == arm, "time"]) for arm in ("none", "bn") if arm in set(here["arm"])]
            if halfway and len(middle) == 2 and np.isfinite(middle).all():
                shown = [reference([panel], float(np.sqrt(middle[0] * middle[1])), "half of the gain lost")]
        log_y(axes, [*finite, rail * 1.25])
        drifts = table.loc[table["drift"] > 0, "drift"]  # 0 where two checkpoints are one, none where nobody got there
        low, high = (drifts.min() / 1.1, drifts.max() * 1.1) if len(drifts) else (0.1, 1.0)
        for panel in axes:
            panel.set_xlim(low, high)
            log_ticks(panel.xaxis, low, high)
        label(
            axes,
            "drift of the next layer's input, in sd\n(right = moves more)",
            "steps to target\n(up = slower)",
        )
        legend(figure, arms, shown)
    return figure


def _rail(panel, rail: float, failed: dict[str, int]) -> None:  # type: ignore[no-untyped-def]
    """On the rail, how many seeds of an arm never got there."""
    at = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "color": MUTED}
    panel.annotate("not reached by" if failed else "reached by all", (0.01, rail), xytext=(0, 3), **at)
    for index, (arm, count) in enumerate(failed.items()):
        place = 0.48 + 0.14 * index
        panel.plot(
            [place], [rail * 1.1], look(arm).marker, color=look(arm).light, markersize=4.5, markeredgewidth=0,
            transform=panel.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
        panel.annotate(str(count), (place, rail), xytext=(5, 3), **at)


def _cross(panel, table: pd.DataFrame, arm: str, rail: float) -> None:  # type: ignore[no-untyped-def]
    entry = look(arm)
    time = table["time"].clip(upper=rail)
    x, y = median(table["drift"]), median(time)
    panel.plot(table["drift"], time, entry.marker, color=entry.light, markersize=2.5, alpha=0.3, markeredgewidth=0)
    panel.hlines(y, *interval(table["drift"]), color=entry.light, linewidth=1.0)
    panel.vlines(x, *interval(time), color=entry.light, linewidth=1.0)
    panel.plot([x], [y], entry.marker, color=entry.light, markersize=7, markeredgewidth=0)


def affine_motion(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """How far γ and β move, relative to γ, by layer; a panel a depth; the dotted line is what would matter.

    `table`: affine rows (arm, depth, seed, layer, motion = change_rms / gamma_rms) of one pair of checkpoints.
    """
    with drawing():
        figure, axes = by_layer(table, "motion", arms, width)
        for panel in axes:
            panel.set_ylim(0, max(0.13, table["motion"].max() * 1.05))
        label(axes, "layer", "motion, in sd\n(up = moves more)")
        legend(figure, arms, [reference(axes, 0.10, "would matter: 0.10")])
    return figure


def input_offset(table: pd.DataFrame, arms: Sequence[str], width: float) -> "Figure":
    """How far each layer's input is from mean 0 and variance 1, by layer; a panel a depth.

    `table`: moments rows (arm, depth, seed, layer, offset) at the next layer's input, one checkpoint.
    """
    with drawing():
        figure, axes = by_layer(table, "offset", arms, width)
        log_y(axes, [*table["offset"], 0.2])
        label(axes, "layer", "distance from (0, 1), in sd\n(up = farther)")
        legend(figure, arms, [reference(axes, 0.25, "a quarter of an sd")])
    return figure
