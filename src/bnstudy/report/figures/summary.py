"""What the figures draw of many seeds: the median and its interval, and times that may never come."""

import math
from collections.abc import Collection

import numpy as np
import pandas as pd

from bnstudy.core.stats import rank, seeds_needed
from bnstudy.report.figures.style import arm_name

FEWEST = seeds_needed(1)
"""Seeds below which the median has no 95% interval."""


def interval(values: "np.ndarray | pd.Series") -> tuple[float, float]:
    """Return the order-statistic interval of the median, [x(k), x(n+1-k)], at 95% or more for any distribution.

    Infinite values are allowed. Below six values no such interval exists: (nan, nan).

    >>> interval(pd.Series([3.0, 1.0, 2.0, 6.0, 4.0, 5.0]))
    (1.0, 6.0)
    """
    ordered = np.sort(np.asarray(values, float))
    k = rank(len(ordered), intervals=1)
    return (float(ordered[k - 1]), float(ordered[-k])) if k else (math.nan, math.nan)


def median(values: "np.ndarray | pd.Series") -> float:
    """Return the median; of an even number of values with infinite ones, the upper middle if that is infinite.

    >>> median(pd.Series([1.0, 2.0, math.inf, math.inf]))
    inf
    """
    ordered = np.sort(np.asarray(values, float))
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else (low + high) / 2)


def known(values: "Collection[float] | pd.Series", form: str = "z.0f") -> str:
    """Return median and interval as `form` writes them; of too few seeds the median alone, of none a dash.

    >>> known([1, 2, 3, 4, 5, 6], ".1f"), known([1, 2]), known([])
    ('3.5 (1.0 to 6.0)', '2', '–')
    """
    if len(values) == 0:
        return "–"
    numbers = np.asarray(values, float)
    middle, low, high = (f"{number:{form}}" for number in (median(numbers), *interval(numbers)))
    return middle if low == "nan" else f"{middle} ({low} to {high})"


def medians(table: pd.DataFrame, value: str, by: list[str]) -> pd.DataFrame:
    """Return one row per group: `by`, median, low, high, n."""
    rows = [(*key, median(group), *interval(group), len(group)) for key, group in table.groupby(by, sort=True)[value]]
    return pd.DataFrame(rows, columns=[*by, "median", "low", "high", "n"])


def told(table: pd.DataFrame, value: str, by: list[str]) -> str:
    """Return the medians of every arm, and of every part in `by`, as a sentence.

    >>> told(pd.DataFrame({"arm": ["bn", "bn", "none"], "depth": [5, 5, 5], "drift": [1.0, 3.0, 0.25]}), "drift", ["depth"])
    'Medians: batch norm, depth 5: 2; no normalization, depth 5: 0.25.'
    """
    said = []
    for arm, *places, middle in medians(table, value, ["arm", *by])[["arm", *by, "median"]].itertuples(index=False):
        where = [place if isinstance(place, str) else f"{name} {place}" for name, place in zip(by, places)]
        number = "never arrived" if np.isinf(middle) else f"{middle:.3g}"
        said.append(f"{', '.join([arm_name(arm), *where])}: {number}")
    return f"Medians: {'; '.join(said)}."


def times(table: pd.DataFrame) -> pd.Series:
    """Return steps to the target, infinite for a run that didn't reach it in its budget or diverged."""
    return pd.Series(np.where(table["reached"].astype(bool), table["steps"], np.inf), table.index, dtype=float)


def lost(steps: "np.ndarray | pd.Series") -> int:
    """Return how many of these runs never arrived."""
    return int(np.isinf(steps).sum())


def never(table: pd.DataFrame) -> str:
    """Return how many runs of each arm and depth never arrived, of how many, as a sentence; "" where all did.

    >>> never(pd.DataFrame({"arm": ["bn", "none", "none"], "depth": [5, 5, 5], "reached": [True, False, True]}))
    'Never arrived: no normalization at depth 5, 1 of 2.'
    """
    counted = table.groupby(["arm", "depth"])["reached"].agg(["sum", "size"]).astype(int)
    said = [
        f"{arm_name(arm)} at depth {depth}, {of - arrived} of {of}"
        for (arm, depth), arrived, of in counted.itertuples()
        if arrived < of
    ]
    return f"Never arrived: {'; '.join(said)}." if said else ""


def time_summary(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return one row per group: `by`, median, low, high, n of the steps to target, and `failed`, `diverged` seeds."""
    table = table.assign(time=times, failed=~table["reached"].astype(bool), diverged=table["diverged_at"].notna())
    counts = table.groupby(by, sort=True)[["failed", "diverged"]].sum().reset_index()
    return medians(table, "time", by).merge(counts, on=by)
