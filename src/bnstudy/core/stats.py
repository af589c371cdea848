"""The one interval: order statistics for the median of paired contrasts, whatever their distribution.

Pure arithmetic and numpy: the claims file is checked against a study's seeds without any heavy import.
"""

from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np

LEVEL = 0.05
"""The error that a question may make over all its primary intervals."""
MOST_SEEDS = 1000
ADVISED = 12
"""So many evaluation seeds are the least that is advised: with fewer a study is a trial."""


class Interval(NamedTuple):
    """Estimate and ends of a median. ``estimate`` is None where censoring hides it; ends may be infinite."""

    estimate: float | None
    low: float
    high: float
    reason: str


def tail(n: int, k: int) -> float:
    """Return how often [x(k), x(n+1-k)] misses the median of a continuous distribution: 2 BinomCDF(k-1; n, 1/2).

    Args:
        n: The number of independent values.
        k: The rank of the ends, from 1 to n/2.

    >>> tail(6, 1)  # all six on one side of the median: twice 1/64
    0.03125
    """
    return 2 * sum(comb(n, i) for i in range(k)) / 2**n


@cache
def rank(n: int, intervals: int) -> int:
    """Return the largest k with 2 BinomCDF(k-1; n, 1/2) <= .05 / intervals (Bonferroni); 0 where not even 1 is allowed.

    Args:
        n: The number of seeds.
        intervals: How many intervals hold together with 95% confidence.

    >>> rank(18, 1), rank(18, 30), rank(4, 1)
    (5, 3, 0)
    """
    k, below, ways = 0, 1, 1  # below: the number of the 2^n outcomes with at most k successes; ways: with exactly k
    while k < n // 2 and 2 * below / 2**n <= LEVEL / intervals:
        k += 1
        ways = ways * (n - k + 1) // k
        below += ways
    return k


def max_intervals(n: int) -> int:
    """Return the most simultaneous 95% intervals that n seeds allow; 0 below n = 6.

    >>> max_intervals(5), max_intervals(10), max_intervals(16)
    (0, 25, 1638)
    """
    return int(LEVEL * 2.0 ** (min(n, MOST_SEEDS) - 1)) if n > 0 else 0


def seeds_needed(intervals: int) -> int:
    """Return the fewest seeds that allow so many simultaneous intervals.

    >>> seeds_needed(1), seeds_needed(25)
    (6, 10)
    """
    return next(n for n in range(2, MOST_SEEDS) if rank(n, intervals))


def median_interval(lower: np.ndarray, upper: np.ndarray, intervals: int) -> Interval:
    """Return the interval [x(k), x(n+1-k)] for the median of n values.

    Lower and upper ends are ordered apart, so a censored value can only widen the interval. With too few seeds it is the
    whole line, and its reason says how many are needed.

    Args:
        lower: The least that each value can be [n].
        upper: The most that each value can be [n]; the same where the value is not censored.
        intervals: How many intervals hold together with 95% confidence.

    Returns:
        The interval, in the values' unit.

    Raises:
        ValueError: An end is missing, or they are the wrong way round.

    >>> values = np.array([3.0, 1.0, 2.0, 6.0, 4.0, 7.0, 5.0])
    >>> median_interval(values, values, intervals=1)
    Interval(estimate=4.0, low=1.0, high=7.0, reason='')
    >>> median_interval(values, np.where(values < 7, values, np.inf), intervals=1).high  # the largest is only known to exceed 7
    inf
    """
    lower, upper = np.sort(np.asarray(lower, float)), np.sort(np.asarray(upper, float))
    if lower.shape != upper.shape or not (lower <= upper).all():
        raise ValueError("every value needs a lower end not above its upper end, and no nan")
    n = len(lower)
    k = rank(n, intervals)
    if k == 0:
        reason = (
            f"too few seeds: {n} seeds allow no interval for {intervals} primary settings; "
            f"at least {seeds_needed(intervals)} needed"
        )
        return Interval(_middle(lower, upper), -np.inf, np.inf, reason)
    low, high = ends(lower, upper, k)
    return Interval(_middle(lower, upper), float(low), float(high), "")


def ends(lower: np.ndarray, upper: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x(k) of the lower ends and x(n+1-k) of the upper ends, along the last of the axes [..., n], for k from 1 on."""
    return np.sort(lower, axis=-1)[..., k - 1], np.sort(upper, axis=-1)[..., -k]


def _middle(lower: np.ndarray, upper: np.ndarray) -> float | None:
    """Return the median where the lower and the upper ends agree on a finite one, else None."""
    n = len(lower)
    if n == 0:
        return None
    pair = [(n - 1) // 2, n // 2]
    known = np.isfinite(lower[pair]).all() and (lower[pair] == upper[pair]).all()
    return float(lower[pair].mean()) if known else None
