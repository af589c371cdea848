"""The one interval: order statistics for the median of paired contrasts, whatever their distribution."""

from math import comb
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """Estimate and ends; None where not determined (a censored end is open, and infinite)."""

    estimate: float | None
    low: float
    high: float
    reason: str


def rank(n: int, intervals: int) -> int:
    """Largest k with 2 BinomCDF(k-1; n, 1/2) <= .05 / intervals; 0 if there is none."""
    tail, k = 0.0, 0
    while k < n // 2:
        tail += comb(n, k) / 2**n
        if 2 * tail > 0.05 / intervals:
            break
        k += 1
    return k


def seeds_needed(intervals: int) -> int:
    """Fewest seeds that allow an interval at all beside ``intervals - 1`` others."""
    return next(n for n in range(2, 1000) if rank(n, intervals))


def median_interval(lower: np.ndarray, upper: np.ndarray, intervals: int) -> Interval:
    """[x(k), x(n+1-k)] for the median of values known to lie in [lower, upper] (equal where nothing is censored).

    Simultaneous 95% over ``intervals`` intervals by Bonferroni. The lower and the upper ends are ordered apart, so a
    censored pair can only widen it. With too few seeds the interval is the whole line, and the reason says so.
    """
    n = len(lower)
    middle = float(np.median(lower)), float(np.median(upper))
    estimate = middle[0] if middle[0] == middle[1] and np.isfinite(middle[0]) else None
    k = rank(n, intervals) if n else 0
    if k == 0:
        need = seeds_needed(intervals)
        text = f"too few seeds: {n} allow no interval beside {intervals - 1} others; at least {need} are needed"
        return Interval(estimate, -np.inf, np.inf, text)
    return Interval(estimate, float(np.sort(lower)[k - 1]), float(np.sort(upper)[n - k]), "")
