"""Figures of steps to a target loss, each network at its own best learning rate: by depth, gain, inputs, batch, arm."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.claims.others import ONE_LAYER
from bnstudy.core.setting import SKIP
from bnstudy.report.figures.axes import by_depth
from bnstudy.report.figures.panels_of_steps import steps
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import GUESTS, INPUTS, LOOKS, NARROW
from bnstudy.report.figures.summary import median, times, told
from bnstudy.report.results import Results

COUNTED = "Below, a bar where every seed got there, else the number that didn't; × where some diverged."
APART = ("bn_detached", "bn_post", "bn_early", "bn_late")
"""Arms that have a figure of their own."""


def groups(present: Sequence[str]) -> dict[str, list[str]]:
    """Return the arms of a study as panels of at most four, always with `none` and `bn`: title to arms."""
    base = [a for a in ("none", "bn") if a in present]
    pairs: list[tuple[str, ...]] = [*GUESTS, *((arm,) for arm in sorted(present) if arm not in LOOKS)]
    titles = ["without batch statistics", "parts taken away", "noise, and another norm", "half of the layers"]
    grouped = {}
    for index, pair in enumerate(pairs):
        if guests := [a for a in pair if a in present]:
            grouped[titles[index] if index < len(titles) else guests[0]] = base + guests
    return grouped or ({"": base} if base else {})


def by_depths(results: Results) -> list[Picture]:
    """Return the figures of steps by depth, one per group of arms."""
    best = results.at("convergence", target=results.target)
    pictures: list[Picture] = []
    shown = [a for a in best["arm"].unique() if a not in APART and not a.startswith(ONE_LAYER)]
    how = "Each arm at its own best rate. Below, a bar where every seed got there, else the number of seeds that didn't; × where some of them diverged."
    for title, arms in groups(shown).items():
        id, claim = ("depths", "Q3a") if not pictures else (f"depths-{len(pictures) + 1}", None)
        subject = f"Steps to training loss {results.target:g} by depth" + (f": {title}" if title else "")
        rows = best[best["arm"].isin(arms)]
        draw = over_depths(results, rows, arms)
        numbers = told(rows.assign(time=times(rows)), "time", ["depth"])
        pictures.append(Picture(results, id, draw, rows, subject, how, claim, arms, needs=["none", "bn"], told=numbers))
    return pictures


def detached(results: Results) -> Picture:
    """Return the figure of steps with mean and variance as constants in the backward pass."""
    words, how = "mean and variance as constants in the backward pass", "Each arm at its own best rate."
    return _beside(results, "detached", "bn_detached", words, how, "Q3f")


def post(results: Results) -> Picture:
    """Return the figure of steps with batch norm before or after the ReLU."""
    return _beside(results, "post", "bn_post", "batch norm before or after the ReLU", COUNTED, "U5")


def _beside(results: Results, id: str, arm: str, words: str, how: str, claim: str) -> Picture:
    """Return the figure of steps with an arm beside no normalization and batch norm, at the depths that have it."""
    arms = ["none", "bn", arm]
    table = results.beside(results.at("convergence", target=results.target, arm=arms), "depth", arm=arm)
    subject = f"Steps to training loss {results.target:g} with {words}"
    return Picture(results, id, over_depths(results, table, arms), table, subject, how, claim, arms, needs=arms[1:])


def over_depths(results: Results, table: pd.DataFrame, arms: Sequence[str]) -> Callable[[float], Figure]:
    """Return what draws steps by depth in one panel."""
    rows, shown = table.sort_values("depth"), results.arms(table, *arms)
    return partial(steps, {"": rows}, "depth", shown, "depth, in layers (right = deeper)")


def by_gain(results: Results) -> Picture:
    """Return the figure of steps by the initial scale of the weights, one panel per depth."""
    arms = ["none", "bn", "once"]
    table = results.at("convergence", target=results.target, gain=...)
    table = table[table.groupby("depth")["gain"].transform("nunique") > 1]
    shown = table[table["arm"].isin(arms)]
    tables = {title: rows for title, rows in by_depth(shown).items() if rows["gain"].nunique() > 1}
    x = "scale of the first weights (1 = He, right = larger)"
    draw = partial(steps, tables, "gain", results.arms(table, *arms), x)
    subject = f"Steps to training loss {results.target:g} by the initial scale of the weights"
    how = "Each arm at its own best rate for that scale."
    return Picture(results, "steps-by-gain", draw, table, subject, how, claim="Q3h", arms=arms, needs=["none", "bn"])


def by_inputs(results: Results) -> Picture:
    """Return the figure of steps by the scaling of the inputs."""
    arms = ["none", "bn"]
    table = results.at("convergence", target=results.target, inputs=list(INPUTS))
    table = table[table.groupby("depth")["inputs"].transform("nunique") > 1]
    rows = table.sort_values("inputs", key=lambda inputs: inputs.map([*INPUTS].index), kind="stable")
    rows = rows.assign(kind=rows["inputs"].map(INPUTS))
    draw = partial(steps, {"": rows}, "kind", results.arms(table, *arms), "inputs")
    subject = f"Steps to training loss {results.target:g} by the scaling of the inputs"
    how = (
        "Each arm at its own best rate. Unequal: pixels are multiplied by fixed numbers whose largest is up to 1000 times "
        "the smallest, and then all by one number, so that their mean square is that of standardized ones. × 64: the "
        "scale alone."
    )
    return Picture(results, "steps-by-inputs", draw, table, subject, how, claim="Q3c", arms=arms, kind="Dot plot")


def by_batch(results: Results) -> Picture:
    """Return the figure of steps by images per training batch."""
    table = results.at("convergence", target=results.target, depth=results.depth("shallow"), batch=...)
    table = table[table.groupby("arm")["batch"].transform("nunique") > 1]
    rows, arms = table.sort_values("batch"), results.arms(table, "none", "bn")
    draw = partial(steps, {"": rows}, "batch", arms, "images a training batch (right = more)")
    subject = f"Steps to training loss {results.target:g} by images a training batch, depth {results.depth('shallow')}"
    return Picture(results, "batch-size", draw, table, subject, COUNTED, claim="U3", arms=["none", "bn"])


def halves(results: Results) -> Picture:
    """Return the figure of steps with batch norm in the early or in the late half of the layers alone."""
    arms = ["none", "bn", "bn_early", "bn_late"]
    table = results.at("convergence", target=results.target, gain=..., arm=arms)
    table = results.beside(table, "depth", "gain", arm="bn_late")
    draw = partial(by_network, table, results.arms(table, *arms))
    subject = "Steps with batch norm in the early or in the late half of the layers alone"
    needs = ["bn_early", "bn_late"]
    return Picture(results, "halves", draw, table, subject, COUNTED, "Q4c", arms, needs=needs, kind="Dot plot")


def one_layer(results: Results) -> Picture:
    """Return the figure of steps with batch norm in one layer alone, by the place of that layer."""
    arms = ["none", "bn", "batch_norm_in_one_layer"]
    best = results.at("convergence", target=results.target)
    alone = best[best["arm"].str.startswith(ONE_LAYER)]
    alone = alone.assign(layer=alone["arm"].str.removeprefix(ONE_LAYER).astype(int), arm=arms[2])
    beside = best[best["arm"].isin(arms) & best["depth"].isin(alone["depth"])]
    table = pd.concat([alone, beside.merge(alone["layer"].drop_duplicates(), how="cross")])
    draw = partial(steps, by_depth(table), "layer", arms, "layer with batch norm (right = later)")
    subject = "Steps with batch norm in one layer alone, by the place of that layer"
    how = f"The level lines are networks with batch norm in no layer and in every layer. {COUNTED}"
    numbers, found = told(alone.assign(time=times(alone)), "time", ["layer"]), of_one_layer(table, arms)
    return Picture(results, "one-layer", draw, table, subject, how, arms=arms, told=numbers, found=found)


def of_one_layer(table: pd.DataFrame, arms: Sequence[str]) -> str:
    """Return between how many median steps networks with batch norm in one layer alone take, beside none and every layer;
    "" where those of some arm never arrive, or the depths are several."""
    middle = table.assign(time=times(table)).groupby(["arm", "layer"])["time"].agg(median)
    if table["depth"].nunique() != 1 or not np.isfinite(middle).all() or not set(arms) <= set(table["arm"]):
        return ""
    alone = middle[arms[2]]
    return (
        f"In one layer alone batch norm takes {alone.min():.0f} steps (layer {alone.idxmin()}) to {alone.max():.0f} "
        f"(layer {alone.idxmax()}); in every layer {middle[arms[1]].iloc[0]:.0f}, in none {middle[arms[0]].iloc[0]:.0f}"
    )


def by_network(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw steps by network: its depth, its gain where that is not He's, and whether it has skip connections."""
    skip, gap = table["net"].isin(SKIP.values()), "\n" if width <= NARROW else " "
    words = [
        f"{depth}{gap}layers" + (f",\nweights\n× {gain:g}" if gain != 1 else "") + (",\nskip" if skips else "")
        for depth, gain, skips in zip(table["depth"], table["gain"], skip, strict=True)
    ]
    rows = table.assign(network=words, skip=~skip).sort_values(["gain", "skip", "depth"], ascending=False)
    return steps({"": rows}, "network", arms, "network", width)
