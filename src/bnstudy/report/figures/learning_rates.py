"""Figures of steps to target against the learning rate: which rates a network can be trained at."""

from collections.abc import Mapping
from functools import partial

import pandas as pd

from bnstudy.report.figures.axes import by_depth
from bnstudy.report.figures.panels_of_steps import steps
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.summary import times, told
from bnstudy.report.results import Results

ARMS = ("none", "bn", "once")
RATE = "learning rate (right = larger)"


def window(results: Results) -> Picture:
    """Return the figure of steps against the learning rate, one panel per depth."""
    runs = results.filter(results.table("convergence"), target=results.target)
    grid = results.table("rates").query("role == 'grid'")
    table = runs.merge(grid[["arm", "depth", "gain", "inputs", "rate"]])
    draw = partial(steps, by_depth(of_shared_rates(table, "depth")), "rate", results.arms(table, *ARMS), RATE, log=True)
    subject = f"Steps to training loss {results.target:g} against the learning rate"
    how = "Each panel's lowest points are the arms at their best. Below, the window of usable rates: a bar where every seed got there, else the number that didn't; × where some diverged."
    return Picture(results, "window", draw, table, subject, how, claim="Q3b", arms=["none", "bn"])


def window_by_gain(results: Results) -> Picture:
    """Return the figure of steps against the learning rate on the tuning seeds, one panel per scale of the first weights."""
    table = results.filter(results.table("sweep"), target=results.target, gain=...)
    table = results.shown_depths(table, "gain", 1)
    shared = of_shared_rates(table, "gain")
    of_all = shared.groupby("rate")["gain"].transform("nunique") == shared["gain"].nunique()  # one grid for all
    tables = {f"first weights × {gain:g}": rows for gain, rows in shared[of_all].groupby("gain", sort=True)}
    draw = partial(steps, tables, "rate", results.arms(table, *ARMS), RATE, log=True)
    subject = f"Steps to training loss {results.target:g} against the learning rate, by the initial scale of the weights, depth {table['depth'].max()}"
    how = (
        "Below, a bar where every seed arrived, else the number that did not; × where some diverged. "
        "On the tuning seeds, which choose the rates and are never evaluated. Scale 1 is He initialization."
    )
    needs, found = ["none", "bn"], usable(tables)
    said = told(shared[of_all].assign(time=times), "time", ["gain", "rate"])
    return Picture(results, "rate-window-by-gain", draw, table, subject, how, None, ARMS, needs, found=found, told=said)


def usable(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return in words at how many rates every seed arrived with and without batch norm; "" where an arm is lacking."""
    if not tables or not all({"none", "bn"} <= set(rows["arm"]) for rows in tables.values()):
        return ""
    arrived = pd.concat(tables, names=["panel"]).groupby(["panel", "rate", "arm"])["reached"].all().unstack("arm")
    bn, none = (int(arrived[arm].eq(True).sum()) for arm in ("bn", "none"))
    return f"All seeds arrive at {bn} of {arrived['bn'].count()} learning rates with batch norm, and at {none} without"


def of_shared_rates(table: pd.DataFrame, panel: str) -> pd.DataFrame:
    """Return the rows of the rates at which each of ARMS was run; refinements around one arm's best are left out.

    Where the arms of a panel share at most one rate, all of its rows stay.
    """
    kept = [table[:0]]
    for _, rows in table[table["arm"].isin(ARMS)].groupby(panel):
        shared = set.intersection(*(set(own["rate"]) for _, own in rows.groupby("arm")))
        kept.append(rows[rows["rate"].isin(shared)] if len(shared) > 1 else rows)
    return pd.concat(kept)
