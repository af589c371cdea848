"""The interval: against the exact binomial, and what it does to verdicts in simulated studies."""

import numpy as np
import pytest
from scipy.stats import binom

from bnstudy.claims.judge import combine, decide
from bnstudy.core.stats import median_interval, rank, seeds_needed

STUDIES = 10_000


@pytest.mark.parametrize("n", range(2, 40))
@pytest.mark.parametrize("intervals", [1, 4, 11, 25])
def test_rank_is_the_largest_that_the_binomial_allows(n: int, intervals: int) -> None:
    allowed = [k for k in range(1, n // 2 + 1) if 2 * binom.cdf(k - 1, n, 0.5) <= 0.05 / intervals]
    assert rank(n, intervals) == max(allowed, default=0)


def test_known_ranks() -> None:
    assert (rank(10, 25), rank(10, 26), rank(14, 27), rank(14, 28)) == (1, 0, 2, 1)
    assert rank(5, 1) == 0 and seeds_needed(1) == 6


def test_too_few_seeds_is_said() -> None:
    found = median_interval(np.zeros(3), np.zeros(3), 4)
    assert (found.low, found.high) == (-np.inf, np.inf) and "at least 8" in found.reason


def test_censored_pairs_only_widen() -> None:
    x = np.arange(10.0)
    open_above = np.where(x > 7, np.inf, x)
    found = median_interval(x, open_above, 1)
    assert found.low == median_interval(x, x, 1).low and found.high >= median_interval(x, x, 1).high


def draws(kind: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """([studies, n] values, their true median)."""
    size = (STUDIES, n)
    if kind == "normal":
        return rng.normal(size=size), 0.0
    if kind == "lognormal":
        return rng.lognormal(size=size), 1.0
    if kind == "exponential":
        return rng.exponential(size=size), np.log(2)
    values = rng.normal(size=size)
    values[:, 0] = np.where(rng.random(STUDIES) < 0.5, 50, values[:, 0])
    return values, 0.0


@pytest.mark.parametrize("kind", ["normal", "lognormal", "exponential", "aberrant"])
@pytest.mark.parametrize("n", [10, 14, 16])
def test_coverage(kind: str, n: int) -> None:
    values, median = draws(kind, n, np.random.default_rng(1))
    values.sort(axis=1)
    k = rank(n, 1)
    covered = (values[:, k - 1] <= median) & (median <= values[:, n - k])
    assert covered.mean() >= 0.94


@pytest.mark.parametrize("kind", ["normal", "lognormal", "censored"])
def test_false_verdicts_of_a_question(kind: str) -> None:
    """At the edge of mattering (true median = SESOI) with ten intervals, at most 5% of studies decide anything."""
    rng, n, intervals = np.random.default_rng(2), 10, 10
    k = rank(n, intervals)
    lower, median = draws("normal" if kind == "censored" else kind, n * intervals, rng)
    lower = lower.reshape(STUDIES, intervals, n) - median
    upper = np.where(lower > 0.5, np.inf, lower) if kind == "censored" else lower
    low, high = np.sort(lower)[..., k - 1], np.sort(upper)[..., n - k]
    wrong = ((low > 0) | (high < 0)).any(1).mean()
    assert wrong <= 0.05


def test_decision_rule() -> None:
    assert decide(1.1, 2, 1) == ("supported", None)
    assert decide(-3, -1.1, 1) == ("contradicted", "opposite")
    assert decide(-0.9, 0.9, 1) == ("contradicted", "negligible")
    assert decide(-3, 0.9, 1) == ("contradicted", "not enough")
    assert decide(0.5, 2, 1) == ("open", None) == decide(-np.inf, np.inf, 1)
    s, c, o = "supported", "contradicted", "open"
    assert combine([s, c, o]) == "mixed" and combine([s, o]) == s and combine([c, c, o]) == c
    assert combine([s, o, o]) == "inconclusive" == combine([o])
