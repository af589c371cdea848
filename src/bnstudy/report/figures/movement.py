"""Figures of how far layers move in training: drift of what a layer hands on, motion of γ and β, drift against steps."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import by_arm, by_depth, label, legend, log_scale, panels, reference
from bnstudy.report.figures.panels_of_layers import over_layers
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.starts import KINDS
from bnstudy.report.figures.style import MUTED, look
from bnstudy.report.figures.summary import interval, median, times, told
from bnstudy.report.results import Results

SHOWN = ("none", "bn", "bn_frozen", "once")
STAGES = {"linear": "linear map's output", "affine": "after γ and β", "next": "the next layer's input"}
DRIFT = "drift, in sd\n(up = moves more)"


def _drift(results: Results) -> pd.DataFrame:
    """Return the drift of the next layer's input, at the depths that figures show."""
    table = results.at("drift", site="next", start="loss1.0", end=results.main, arm=list(SHOWN))
    return _where_judged(results, table, ["none", "bn"])


def _where_judged(results: Results, table: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    """Return the rows of the two depths that have these arms, whatever others they lack."""
    return table[table["depth"].isin(results.depths(table[table["arm"].isin(arms)], "arm", 2))]


def drift(results: Results) -> Picture:
    """Return the figure of drift by layer, one panel per depth."""
    table = _drift(results)
    draw = partial(over_layers, by_depth(table), "moments", results.arms(table, *SHOWN), DRIFT)
    subject = "Drift of each layer's output, which is the next layer's input"
    how = f"Training losses 1.0 and {results.target:g}, one fixed batch of training images."
    return Picture(results, "drift", draw, table, subject, how, claim="Q1b", arms=SHOWN, needs=["none", "bn"])


def drift_by_stage(results: Results) -> Picture:
    """Return the figure of drift by layer, one panel per stage of a block; x-hat's drift is zero by arithmetic."""
    arms = ["none", "bn", "bn_frozen"]
    table = results.shown_depths(results.at("drift", start="loss1.0", end=results.main, arm=arms), "arm", 1)
    table = table[table["site"].isin(list(STAGES))]
    table = table[(table["arm"] != "bn_frozen") | (table["site"] != "affine")]  # that is x-hat
    stages = {text: table[table["site"] == site] for site, text in STAGES.items() if site in set(table["site"])}
    draw = partial(over_layers, stages, "moments", results.arms(table, *arms), DRIFT, columns=3, sharex=True)
    subject = f"Drift at the stages of a block, depth {table['depth'].max()}"
    how = (
        "The normalized value x-hat isn't drawn, nor the second stage where γ and β are frozen, which is x-hat: on the batch's own statistics it has no drift, by arithmetic, so it is no evidence. "
        "Without normalization the first two stages are the same."
    )
    numbers = told(table.assign(stage=table["site"].map(STAGES)), "moments", ["stage"])
    return Picture(results, "drift-by-stage", draw, table, subject, how, arms=arms, needs=["bn"], told=numbers)


def affine(results: Results) -> Picture:
    """Return the figure of how far γ and β move, relative to γ, by layer."""
    arms = ["bn", "once", "affine"]
    table = _where_judged(results, results.at("affine", start="init", end=results.main, arm=arms), ["bn"])
    table = table.assign(motion=table["change_rms"] / table["gamma_rms"])
    draw = partial(affine_motion, table, results.arms(table, *arms))
    subject = "How far γ and β move during training"
    how = "In units of the sd that a layer puts out, which is γ. The verdict takes the root mean square over layers."
    return Picture(results, "affine", draw, table, subject, how, claim="Q1a", arms=["bn"])


def affine_motion(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw `motion` by layer, one panel per depth; the dotted line is what would matter."""
    ylabel, at = "motion, in sd\n(up = moves more)", (0.10, "would matter: 0.10")
    figure = over_layers(by_depth(table), "motion", arms, ylabel, width, at, log=False)
    for panel in figure.axes:
        panel.set_ylim(0, max(0.13, table["motion"].max() * 1.05))
    return figure


def drift_and_steps(drift: pd.DataFrame, convergence: pd.DataFrame) -> pd.DataFrame:
    """Return one row per network: arm, net, depth, gain, seed, drift (mean over layers from the second on) and time.

    A network that didn't reach the target has no drift to it: its time is infinite and its drift is empty. So is that of
    the few that did where most did not. Networks without any drift that all arrived are left out: it was not measured.
    """
    keys = ["arm", "net", "depth", "gain", "seed"]
    mean = drift[drift["layer"] >= 2].groupby(keys)["moments"].mean().reset_index(name="drift")
    mean = mean.astype(convergence[keys].dtypes)  # of a study without drift there is no row to tell the types
    runs = convergence.assign(time=times(convergence))[[*keys, "time"]].merge(mean, how="left")
    return runs.groupby(keys[:-1]).filter(lambda own: (own["drift"].notna() | np.isinf(own["time"])).any())


def drift_steps(results: Results) -> Picture:
    """Return the figure of drift against steps to target."""
    moved = _drift(results)
    arms = results.arms(moved, *SHOWN)
    depths = sorted(moved["depth"].unique())
    table = drift_and_steps(moved, results.at("convergence", target=results.target, arm=arms, depth=depths))
    draw = partial(drift_against_steps, table, arms)
    subject = "Drift against steps to target"
    how = "One mark an arm, each at its own best learning rate; small dots are seeds. On the dotted rail, how many seeds never got there."
    return Picture(results, "drift-steps", draw, table, subject, how, "Q1f", SHOWN, ["bn"], kind="Scatter plot")


def noisy(results: Results) -> Picture:
    """Return the figure of drift against steps where shifts are put back on purpose."""
    arms = ["none", "bn", "none_noisy", "bn_noisy"]
    steps = results.at("convergence", target=results.target, gain=..., net=..., arm=arms)
    steps = results.beside(steps, "net", "depth", "gain", arm="bn_noisy")
    moved = results.at("drift", site="next", start="loss1.0", end=results.main, gain=..., net=...)
    table = drift_and_steps(moved, steps)
    draw = partial(drift_against_steps, table, results.arms(table, *arms), halfway=True)
    subject = "Drift against steps to target, with shifts put back on purpose"
    how = (
        "Where a network without batch norm gets there, a dotted line lies halfway, as a ratio, from batch norm to it; "
        "on the rail above, how many seeds never got there, and so have no drift to the target. "
        f"Median steps without batch norm, with it, and with it shaken: {_medians(table)}."
    )
    return Picture(results, "noisy", draw, table, subject, how, "Q1e", ["none", "bn", "bn_noisy"], kind="Scatter plot")


def drift_against_steps(table: pd.DataFrame, arms: Sequence[str], width: float, halfway: bool = False) -> Figure:
    """Draw one mark per arm with both intervals, one panel per network and gain; an arm whose median never arrives sits
    on a rail.

    `table`: the result of `drift_and_steps`. `halfway`: a dotted line at the geometric mean of `none` and `bn`, where
    half of what batch norm gains would be lost.
    """
    titled = {name.replace(", weights", ",\nweights"): rows for name, rows in _networks(table).items()}
    figure, filled = panels(titled, width, 2.5)
    shown = []
    finite = table.loc[np.isfinite(table["time"]), "time"]
    rail = (finite.max() if len(finite) else 1000.0) * 1.4
    for panel, here in filled:
        panel.axhline(rail, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
        for arm, rows in by_arm(here[here["drift"] > 0], arms):
            _cross(panel, rows, arm, rail)
        failed = here[np.isinf(here["time"])].groupby("arm")["seed"].nunique()
        _rail(panel, rail, {arm: int(failed[arm]) for arm in arms if arm in failed})
        middle = [median(rows["time"]) for _, rows in by_arm(here, ("none", "bn"))]
        if halfway and len(middle) == 2 and np.isfinite(middle).all():
            shown = [reference([panel], float(np.sqrt(middle[0] * middle[1])), "half of the gain lost")]
    log_scale(figure.axes, [*finite, rail * 1.25])
    drifts = table.loc[table["drift"] > 0, "drift"]  # 0 where two checkpoints are one, none where nobody got there
    log_scale(figure.axes, drifts, "x", 1.1, empty=(0.1, 1.0))
    label(figure, "drift of the next layer's input, in sd\n(right = moves more)", "steps to target\n(up = slower)")
    legend(figure, arms, shown)
    return figure


def _networks(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each kind of network, depth and scale of the first weights, by the title of its panel."""
    return {
        (f"{KINDS.get(net, net)}, " if table["net"].nunique() > 1 else "")
        + f"{depth} layers"
        + (f", weights × {gain:g}" if gain != 1 else ""): rows
        for (net, depth, gain), rows in table.groupby(["net", "depth", "gain"])
    }


def _medians(table: pd.DataFrame) -> str:
    """Return the median steps of each network without batch norm, with it, and shaken, in words."""
    said = []
    for name, rows in _networks(table).items():
        steps = {arm: median(own["time"]) for arm, own in by_arm(rows, ("none", "bn", "bn_noisy"))}
        told = [f"{steps[arm]:.0f}" if arm in steps else "not run" for arm in ("none", "bn", "bn_noisy")]
        said.append(f"{name}: {', '.join(told).replace('inf', 'never')}")
    return "; ".join(said)


def _rail(panel: Axes, rail: float, failed: dict[str, int]) -> None:
    """Write on the rail how many seeds of an arm never got there."""

    def write(text: str, x: float, right: float) -> None:
        panel.annotate(text, (x, rail), (right, 3), ("axes fraction", "data"), "offset points", color=MUTED)

    write("never:" if failed else "all arrived", 0.01, 0)
    for index, (arm, count) in enumerate(failed.items()):
        place = 0.34 + 0.16 * index
        panel.plot(
            [place], [rail * 1.1], look(arm).marker, color=look(arm).light, markersize=4.5, markeredgewidth=0,
            transform=panel.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
        write(str(count), place, 5)


def _cross(panel: Axes, table: pd.DataFrame, arm: str, rail: float) -> None:
    looks = look(arm)
    time = table["time"].clip(upper=rail)
    x, y = median(table["drift"]), median(time)
    panel.plot(table["drift"], time, looks.marker, color=looks.light, markersize=2.5, alpha=0.3, markeredgewidth=0)
    panel.hlines(y, *interval(table["drift"]), color=looks.light, linewidth=1.0)
    panel.vlines(x, *interval(time), color=looks.light, linewidth=1.0)
    panel.plot([x], [y], looks.marker, color=looks.light, markersize=7, markeredgewidth=0)


def growth(results: Results) -> Picture:
    """Return the figure of what moves at each layer of the deep network, as a multiple of the first layer's."""
    arms, deep = ["none", "bn"], results.depth("deep")
    moved = results.at("drift", depth=deep, arm=arms, site="next", start="loss1.0", end=results.main)
    changed = results.at("ics", depth=deep, arm=arms, matching="step", checkpoint=results.main)
    tables = {
        "drift of the next input": relative_to_first(moved, "moments"),
        "change of the gradient": relative_to_first(changed, "relative"),
    }
    tables = {measure: rows for measure, rows in tables.items() if len(rows)}
    table = pd.concat([rows.assign(measure=measure) for measure, rows in tables.items()] or [moved])
    labels, at = "times the first layer's\n(up = grows with depth)", (2, "would matter: 2 times")
    draw = partial(over_layers, tables, "growth", results.arms(table, *arms), labels, at=at, least=2.2, sharex=True)
    subject = f"Movement and change of the gradient at each layer over the first layer's, depth {deep}"
    how = f"Drift between training losses 1.0 and {results.target:g}; change of the gradient at loss {results.target:g} when the layers below take the same relative step, from layer 2 on."
    return Picture(results, "growth", draw, table, subject, how, claim="Q4b", arms=arms)


def relative_to_first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the table with `growth`: each layer's `column` over that of the network's first layer in the table."""
    first = table.sort_values("layer").groupby(["arm", "depth", "seed"])[column].transform("first")
    return table.assign(growth=table[column] / first)
