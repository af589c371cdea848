"""Figures of whole runs: training loss by step, how many seeds are still above the target, and what depth saves."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.claims.sentences import listing
from bnstudy.report.figures.axes import Style, by_arm, by_depth, draw, label, legend, log_scale, panels
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import INK, MUTED, look
from bnstudy.report.figures.summary import medians, never, times, told
from bnstudy.report.results import Results


def survival(results: Results) -> Picture:
    """Return the figure of the share of seeds still above the target, one panel per depth."""
    arms = ["none", "bn", "once", "bn_frozen"]
    table = results.shown_depths(results.at("convergence", target=results.target, arm=arms), "arm", 2)
    draw = partial(kaplan_meier, table, results.arms(table, *arms))
    subject = f"Share of seeds still above training loss {results.target:g}"
    how = f"Kaplan-Meier curves; a run that never got there stays above the target to the end. Bands: 95%, exponential Greenwood, pointwise. The mark is the median. {never(table)}".strip()
    kind = "Kaplan-Meier curves"
    return Picture(
        results, "survival", draw, table, subject, how, claim="Q3d", arms=arms, needs=["bn"], intervals="", kind=kind
    )


def kaplan_meier(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw Kaplan-Meier curves, one panel per depth.

    A run that reached nothing is censored at its budget, a diverged one as well: it never will.
    """
    from lifelines import KaplanMeierFitter

    figure, filled = panels(by_depth(table), width, columns=2, sharex=False)
    for panel, rows in filled:
        for arm, runs in by_arm(rows, arms):
            reached = runs["reached"].astype(bool)
            fit = KaplanMeierFitter().fit(runs["steps"].where(reached, runs["budget"]).astype(float), reached)
            curve, band = fit.survival_function_.iloc[:, 0], fit.confidence_interval_.ffill()
            looks = look(arm)
            panel.step(curve.index, curve, where="post", color=looks.light, linestyle=looks.dash, linewidth=looks.width)
            ends = (band.iloc[:, 0], band.iloc[:, 1])
            panel.fill_between(band.index, *ends, step="post", color=looks.light, alpha=0.15, linewidth=0)
            if np.isfinite(fit.median_survival_time_):
                panel.plot([fit.median_survival_time_], [0.5], looks.marker, color=looks.light, markersize=4.5)
        panel.set_ylim(0, 1.02)
        late = rows["budget"].max() if not rows["reached"].all() else rows["steps"].max() * 1.1
        panel.set_xlim(0, late)
    label(figure, "training step (right = later)", "share of seeds still above the target (down = faster)")
    legend(figure, arms)
    return figure


def losses(results: Results) -> Picture:
    """Return the figure of the training loss at one shared learning rate."""
    arms = ["none", "bn"]
    table = results.at("curves", "shared")
    table = results.shown_depths(table, "arm", 2)
    table = while_all_train(table[table["arm"].isin(arms) & (table["step"] > 0)])
    draw = partial(loss_curves, table, results.arms(table, *arms))
    subject = "Training loss at one shared learning rate"
    how = "The rate that is best without normalization: its best case. A thin line a seed, the loss on 512 fixed training images by that set's own statistics; the thick line is the median. Each panel ends where the first run was ended, since it had reached its targets."
    ends = table[table["step"] == table.groupby("depth")["step"].transform("max")]
    numbers = f"Where each panel ends. {told(ends, 'loss', ['depth', 'step'])}" if len(ends) else ""
    return Picture(results, "loss-curves", draw, table, subject, how, arms=arms, intervals="", told=numbers)


def while_all_train(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each depth up to the step at which the first run was ended; one that diverged ends none.

    A run is ended early once it has reached its targets: beyond that step some curves would stop and others go on.
    """
    ends = table.groupby(["depth", "arm", "seed"])["step"].max().rename("end").reset_index()
    bad = table.loc[~np.isfinite(table["loss"].astype(float)), ["depth", "arm", "seed"]].drop_duplicates()
    ends = ends.merge(bad, how="left", indicator=True).query("_merge == 'left_only'")
    return table[table["step"] <= table["depth"].map(ends.groupby("depth")["end"].min()).fillna(np.inf)]


def loss_curves(table: pd.DataFrame, arms: Sequence[str], width: float) -> Figure:
    """Draw the training loss of every seed, one panel per depth; a run that diverged ends in a cross."""
    figure, filled = panels(by_depth(table), width, columns=2, sharex=False)
    finite = table[np.isfinite(table["loss"]) & (table["loss"] > 0)]
    for panel, rows in filled:
        for arm in arms:
            looks, colour = look(arm), look(arm).light
            runs = finite[(finite["depth"] == rows["depth"].iloc[0]) & (finite["arm"] == arm)]
            for _, run in runs.groupby("seed"):
                panel.plot(run["step"], run["loss"], color=colour, linewidth=0.6, alpha=0.6)
            bad = rows[(rows["arm"] == arm) & ~np.isfinite(rows["loss"])]
            last = runs[runs["seed"].isin(set(bad["seed"]))].groupby("seed").tail(1)
            panel.plot(last["step"], last["loss"], "x", color=colour, markersize=5)
            middle = runs.groupby("step")["loss"].median()
            panel.plot(middle.index, middle, color=colour, linestyle=looks.dash, linewidth=1.8)
            if len(middle):
                at = middle.index[len(middle) * (2 + list(arms).index(arm)) // 6]
                panel.plot([at], [middle[at]], looks.marker, color=colour, markersize=6)
    log_scale(figure.axes, finite["loss"].clip(1e-3, 10))
    label(figure, "training step (right = later)", "training loss, in nats\n(down = better)")
    legend(figure, arms)
    return figure


def saved(results: Results) -> Picture:
    """Return the figure of how many times as many steps a network without batch norm needs, by depth."""
    runs = [results.at("convergence", f"best@{target:g}", target=target) for target in results.targets]
    table = ratios(pd.concat(runs))
    draw = partial(steps_saved, table)
    subject = "Steps without batch norm, as a multiple of the steps with it, by depth"
    both = table.groupby(["depth", "target"])["both"].max()
    out = [f"{count} at depth {depth} and loss {target:g}" for (depth, target), count in both.items() if count]
    how = f"Each at its own best rate; a small dot a seed. Pairs in which neither got to the target are left out: {listing(out) if out else 'none'}. An arrow: the budget shows no end."
    return Picture(results, "saved", draw, table, subject, how, claim="Q4g", kind="Dot plot")


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return steps without batch norm divided by steps with it, paired by seed: depth, target, seed, ratio.

    The ratio is infinite where only `none` fails and zero where only `bn` fails; a pair that failed twice says nothing and
    is left out, counted in column `both` of the group.
    """
    keys = ["depth", "target", "seed"]
    sides = [table[table["arm"] == arm].assign(time=times)[[*keys, "time"]] for arm in ("none", "bn")]
    pairs = sides[0].merge(sides[1], on=keys, suffixes=("_none", "_bn"))
    failed = np.isinf(pairs["time_none"]) & np.isinf(pairs["time_bn"])
    pairs["both"] = failed.groupby([pairs["depth"], pairs["target"]]).transform("sum")
    pairs = pairs[~failed]
    return pairs.assign(ratio=pairs["time_none"] / pairs["time_bn"])[[*keys, "ratio", "both"]]


def steps_saved(table: pd.DataFrame, width: float) -> Figure:
    """Draw the result of `ratios` by depth, one panel per target. An open end lies beyond what the budget can show."""
    targets = sorted(table["target"].unique(), reverse=True)
    depths = sorted(table["depth"].unique())
    figure, filled = panels({f"loss {t:g}": table[table["target"] == t] for t in targets}, width, columns=2)
    finite = table["ratio"][np.isfinite(table["ratio"]) & (table["ratio"] > 0)]
    low, high = log_scale(figure.axes, [*finite, 1.0], pad=1.3)
    for panel, rows in filled:
        rows = rows.assign(place=rows["depth"].map(depths.index).astype(float))
        panel.axhline(1, color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)))
        edge = rows["ratio"].clip(low * 1.03, high / 1.03)
        panel.plot(rows["place"] + 0.12, edge, "o", color=INK, alpha=0.25, markersize=3, markeredgewidth=0)
        style: Style = {"color": INK, "marker": "o", "markersize": 5, "linewidth": 1.2, "linestyle": "solid"}
        draw(panel, medians(rows, "ratio", ["place"]), "place", style)
        panel.set_xticks(range(len(depths)), [str(d) for d in depths])
        panel.set_xlim(-0.5, len(depths) - 0.5)
    label(figure, "depth, in layers (right = deeper)", "steps, without : with batch norm\n(up = it saves more)")
    return figure
