"""The figure of steps with and without batch norm, start by start, over all kinds of networks of a study."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.core import words
from bnstudy.core.setting import FACTORS
from bnstudy.report.figures.axes import label, legend, log_scale, panels
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import INPUTS, MUTED, NARROW, PAPER, look
from bnstudy.report.figures.summary import interval, lost, median, times, told
from bnstudy.report.results import Results

KINDS = {"mlp": "plain", "resmlp": "skips", "cnn": "plain", "resnet": "skips"}
"""Kinds of networks in one word, where room is scarce."""


def starts(results: Results) -> Picture:
    """Return the figure of steps with and without batch norm, start by start, over all kinds of networks."""
    table = every_start(results)
    rows = start_names(table, str(results.base["net"]))
    others = [name for name, row in steps_by_start(rows).iterrows() if not row["bn"] < row["none"]]
    subject = f"Steps to training loss {results.target:g} with and without batch norm, start by start"
    count = rows["start"].nunique()
    but = f", not at {'; '.join(map(str, others))}" if 0 < len(others) < 4 else ""
    found = f"Fewer steps with batch norm at {count - len(others)} of {count} starts{but}"
    also = "; the cases of claim Q3a have other kinds too" * bool(results.ledger.kinds)
    how = (
        f"Starts of the study's own networks, with and without skips, of its own width and batch{also}. Each at its own best rate. Right: steps without batch norm over steps with it, a ratio of medians; claims take the "
        "ratio of each seed, and the median of these. An open mark: most seeds never arrived. k/n: so many of n seeds never did."
    )
    draw, arms, numbers = partial(dumbbells, rows), ["none", "bn"], told(rows, "time", ["start"])
    return Picture(results, "starts", draw, rows, subject, how, arms=arms, kind="Dot plot", found=found, told=numbers)


def every_start(results: Results) -> pd.DataFrame:
    """Return the runs with and without batch norm of each start and kind of network that has both."""
    table = results.at("convergence", target=results.target, arm=["none", "bn"], gain=..., net=..., inputs=list(INPUTS))
    keys = [factor for factor in FACTORS if factor != "arm"]
    both = table.groupby(keys)["arm"].transform("nunique") == 2 if len(table) else table.index == ""
    return table[both].assign(time=times)


def start_names(table: pd.DataFrame, own: str) -> pd.DataFrame:
    """Return the rows with `start`, the network in words: the study's own kind first, then by what differs and by depth."""
    kind = {net: KINDS.get(net, words.factor("net", net)) for net in table["net"].unique()}
    rows = table.assign(other=table["net"] != own, odd=table["inputs"] != "standardized")
    rows = rows.sort_values(["other", "odd", "gain", "depth"], kind="stable")
    names = [
        ", ".join(
            [kind[row.net]] * (len(kind) > 1)
            + [f"{row.depth} layers"]
            + [f"weights × {row.gain:g}"] * (row.gain != 1)
            + [INPUTS[row.inputs] + " pixels" * (row.inputs != "raw")] * row.odd
        )
        for row in rows.itertuples()
    ]
    return rows.assign(start=names).drop(columns=["other", "odd"])


def steps_by_start(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the median steps of each start, in the order of the rows: columns none and bn."""
    medians = rows.groupby(["start", "arm"], sort=False)["time"].agg(median).unstack("arm")
    return medians.reindex(index=rows["start"].drop_duplicates(), columns=["none", "bn"])


def dumbbells(rows: pd.DataFrame, width: float) -> Figure:
    """Draw the median steps of both arms per start on one line each, with their intervals, and their ratio at the right.

    Where seeds of an arm never arrived, their number stands at its mark.
    """
    table = steps_by_start(rows)
    narrow = width <= NARROW
    seeds = rows.groupby(["start", "arm"], sort=False)["time"]
    ends, never, of = seeds.agg(interval), seeds.agg(lost), seeds.size()
    figure, [(panel, _)] = panels({"": table}, width, (0.36 if narrow else 0.24) * len(table) + 0.4)
    finite = [end for pair in ends for end in pair if np.isfinite(end)]
    low, high = log_scale([panel], [*table.to_numpy().flat, *finite], "x", empty=(10.0, 1000.0))
    panel.grid(axis="x")
    panel.grid(False, axis="y")
    for place, (start, none, bn) in enumerate(table.itertuples()):
        panel.hlines(place, *np.clip([none, bn], low, high), color=MUTED, linewidth=1.2)
        for arm, value in (("none", none), ("bn", bn)):
            marker, colour = look(arm).marker, look(arm).light
            panel.hlines(place, *np.clip(ends[start, arm], low, high), color=colour, linewidth=2.6, alpha=0.55)
            at, face = min(value, high), colour if np.isfinite(value) else PAPER
            panel.plot([at], [place], marker, markerfacecolor=face, markeredgecolor=colour, markersize=6, clip_on=False)
            if never[start, arm]:
                text = f"{never[start, arm]}/{of[start, arm]}"
                x, side = (-6, "right") if value > np.sqrt(low * high) else (6, "left")
                panel.annotate(text, (at, place), (x, 4), textcoords="offset points", color=MUTED, size=8.5, ha=side)
        ratio = none / bn if np.isfinite(none) or np.isfinite(bn) else np.nan
        told = f"{ratio:#.2g}" if 0 < ratio < np.inf else "–"
        panel.text(1.03, place, told, transform=panel.get_yaxis_transform(), va="center")
    names = [name.replace(", ", ",\n", 1) if narrow and len(name) > 20 else name for name in table.index]
    panel.set_yticks(range(len(table)), names)
    panel.set_ylim(len(table) - 0.4, -0.6 if narrow else -1.4)
    if narrow:
        legend(figure, ["none", "bn"])
    else:  # named at the first marks, to the left of the left one and to the right of the right one
        first = table.iloc[0].clip(low, high).sort_values()
        for arm, side, by in zip(first.index, ("right", "left"), (-5, 5)):
            panel.plot([first[arm]], [-1], look(arm).marker, color=look(arm).light, markersize=4, clip_on=False)
            name, at = words.arm(arm), (first[arm], -1)
            panel.annotate(name, at, (by, 0), textcoords="offset points", ha=side, va="center", size=8.5)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set_visible(False)
    label(figure, "steps to target (right = slower)", "")
    return figure
