"""The interval against the exact binomial, and its promise in simulated studies."""

from itertools import product
from math import inf

import numpy as np
import pytest
from scipy.stats import binom

from bnstudy.checks.coverage import ordered, simulate
from bnstudy.core.stats import max_intervals, median_interval, rank, seeds_needed, tail


def test_published_numbers() -> None:
    """10 seeds: [min, max] at 99.80%, 25 intervals; 14 seeds tolerate one aberrant one with up to 27; 16: 1638."""
    assert (max_intervals(10), max_intervals(16), max_intervals(5), max_intervals(0)) == (25, 1638, 0, 0)
    assert (rank(10, 25), rank(10, 26), rank(14, 27), rank(14, 28), rank(16, 25)) == (1, 0, 2, 1, 2)
    assert (seeds_needed(1), seeds_needed(25), seeds_needed(26)) == (6, 10, 11)


@pytest.mark.parametrize("intervals", [1, 4, 5, 11, 25, 30])
def test_rank_is_the_largest_that_the_binomial_allows(intervals: int) -> None:
    for n in range(2, 60):
        misses = 2 * binom.cdf(np.arange(n // 2), n, 0.5)  # of ranks 1, 2, ...
        assert rank(n, intervals) == (misses <= 0.05 / intervals).sum(), n
        assert max_intervals(n) == int(0.05 / tail(n, 1)) and tail(n, 1) == pytest.approx(misses[0])


@pytest.mark.parametrize("n", [1030, 1100, 10_000])
def test_more_than_a_thousand_seeds_overflow_nothing(n: int) -> None:
    # the normal approximation of the binomial's tail, good to a seed or two there
    assert abs(rank(n, 30) - (n / 2 - 3.14 * n**0.5 / 2)) < 3 + 0.01 * n**0.5
    assert max_intervals(n) >= max_intervals(999) > 10**290


@pytest.mark.parametrize("n", [6, 7, 10, 13])
@pytest.mark.parametrize("intervals", [1, 2, 5])
def test_coverage_is_the_binomial_one_by_brute_force(n: int, intervals: int) -> None:
    """All 2^n patterns of values above and below the median: the interval misses it in at most .05 / K of them, and
    one rank further in would miss it in more."""
    k = rank(n, intervals)
    below = np.array([sum(p) for p in product((0, 1), repeat=n)])

    def misses(k: int) -> float:
        return float(((below < k) | (below > n - k)).mean())

    if k:
        assert misses(k) <= 0.05 / intervals
        value = np.r_[np.full(n // 2, -1.0), np.full(n - n // 2, 1.0)]
        found = median_interval(value, value, intervals)
        assert (found.low, found.high) == (value[k - 1], value[n - k])
    if k + 1 <= n // 2:
        assert misses(k + 1) > 0.05 / intervals
    assert misses(2) == pytest.approx(2 * (1 + n) / 2**n)


def test_censored_ends_are_ordered_apart() -> None:
    lower = np.array([0.1 * i for i in range(16)])
    upper = lower.copy()
    upper[[0, 5]] = inf
    found = median_interval(lower, upper, 16)
    assert rank(16, 16) == 2 and found.low == pytest.approx(0.1) and found.high == inf
    assert found.estimate is None  # the upper ends' middle is not the lower ends'
    assert median_interval(lower, np.where(lower > 1.45, inf, lower), 16).high == pytest.approx(1.4)
    late = median_interval(lower, np.where(lower > 1.25, inf, lower), 16)
    assert late.high == inf and late.estimate == pytest.approx(0.75) and late.low == pytest.approx(0.1)
    unknown = median_interval(np.where(lower > 1.25, -inf, lower), np.where(lower > 1.25, inf, lower), 16)
    assert (unknown.low, unknown.high) == (-inf, inf)


def test_too_few_seeds_say_how_many() -> None:
    found = median_interval(np.zeros(3), np.zeros(3), 12)
    assert (found.low, found.high) == (-inf, inf) and found.estimate == 0.0
    assert found.reason == "too few seeds: 3 seeds allow no interval for 12 primary settings; at least 9 needed"


def test_ends_that_are_no_ends_are_refused() -> None:
    for lower, upper in ((np.ones(8), np.zeros(8)), (np.full(8, np.nan), np.ones(8)), (np.ones(7), np.ones(8))):
        with pytest.raises(ValueError, match="lower end"):
            median_interval(lower, upper, 1)


def test_simulated_studies_keep_the_promise_and_the_usual_intervals_do_not() -> None:
    found = simulate(studies=2000, seeds=(10, 16), bootstrapped=1000).set_index(["distribution", "n", "method"])
    ours = found.xs("order statistics", level="method")
    error = 3 * (0.05 * 0.95 / 2000) ** 0.5
    assert len(ours) == 10 and (ours["coverage"] >= 0.94).all() and (ours["false_verdicts"] <= 0.05 + error).all()
    exact = 1 - (1 - tail(10, 1)) ** 25
    assert ours.xs(10, level="n")["false_verdicts"].to_numpy() == pytest.approx(exact, abs=error)
    usual = found.drop("order statistics", level="method")
    assert usual.loc[("lognormal", 10, "t"), "coverage"] < 0.88
    assert (usual.xs("bootstrap", level="method")["false_verdicts"] > 0.1).all()
    assert set(found["simulated"]) == {2000, 1000} and set(found["resamples"]) == {0, 2000}
    assert found.loc[("normal", 10, "t"), "coverage"] == pytest.approx(0.95, abs=0.02)


def test_simulation_uses_the_very_interval() -> None:
    """The vectorised interval of the simulation is `median_interval`, censoring and all."""
    x = np.random.default_rng(3).normal(size=(20, 14))
    y = np.minimum(x, 1.0)
    low, high = ordered(x, y, rank(14, 5))
    for i in range(20):
        one = median_interval(y[i], np.where(y[i] < x[i], inf, x[i]), 5)
        assert (one.low, one.high) == (low[i], high[i])
