"""Does the interval keep its promise? Studies with a known truth are simulated; t and bootstrap intervals stand beside it."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from bnstudy.core.stats import LEVEL, ends, rank

CAP = 1.0
"""Values above this are censored: they are known only to exceed it, like steps beyond the budget."""

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Ends = tuple[np.ndarray, np.ndarray]
SHAPES: dict[str, tuple[Draw, float, float]] = {
    "normal": (lambda r, s: r.normal(size=s), 0.0, 0.0),
    "lognormal": (lambda r, s: r.lognormal(size=s), 1.0, float(np.exp(0.5))),
    "exponential": (lambda r, s: r.exponential(size=s), float(np.log(2)), 1.0),
    "censored at a cap": (lambda r, s: r.normal(size=s), 0.0, 0.0),
    "one seed in twenty aberrant": (lambda r, s: r.normal(size=s) + 10 * (r.random(s) < 0.05), 0.0660118, 0.5),
}
"""(draw, median, mean) of a paired contrast, by name. Order statistics aim at the median, t and bootstrap at the mean."""


def simulate(studies: int = 10_000, seeds: Sequence[int] = (12, 16, 18), bootstrapped: int = 2_000) -> pd.DataFrame:
    """Return one row per distribution, n and method (order statistics, t, percentile bootstrap of the mean).

    The column ``coverage`` is the share of single 95% intervals that hold the truth. ``false_verdicts`` is the share of
    studies of one question with ``intervals`` settings in which an effect exactly at the smallest that matters gets a
    verdict, at simultaneous 95%. t and bootstrap take a censored value at the cap, as is often done. Because the
    bootstrap is costly, it has only ``bootstrapped`` intervals; its false verdicts follow from their joint level, since
    the settings are independent. ``simulated`` is the number of studies behind a row, for the bootstrap of intervals;
    ``resamples`` is the number of resamples of each.
    """
    rng, rows, intervals, resamples = np.random.default_rng(0), [], 25, 2_000
    for shape, (draw, median, mean) in SHAPES.items():
        for n in seeds:
            x = draw(rng, (studies * intervals, n))
            y = np.minimum(x, CAP) if "cap" in shape else x
            levels = (LEVEL, LEVEL / intervals)
            methods = {
                "order statistics": (median, studies, 0, [ordered(x, y, rank(n, k)) for k in (1, intervals)]),
                "t": (mean, studies, 0, student(y, levels)),
                "bootstrap": (mean, bootstrapped, resamples, bootstrap(y[:bootstrapped], levels, resamples, rng)),
            }
            for method, (truth, simulated, drawn, both) in methods.items():
                single, joint = ((truth < low) | (truth > high) for low, high in both)
                some = 1 - (1 - joint.mean()) ** intervals if drawn else joint.reshape(studies, intervals).any(1).mean()
                rows.append((shape, n, method, 1 - single.mean(), some, simulated, drawn))
    names = ["distribution", "n", "method", "coverage", "false_verdicts", "simulated", "resamples"]
    return pd.DataFrame(rows, columns=names)


def ordered(x: np.ndarray, y: np.ndarray, k: int) -> Ends:
    """Return [x(k), x(n+1-k)] per row of [rows, n]; where y < x the value is only known to be at least y."""
    return ends(y, np.where(y < x, np.inf, x), k)


def student(y: np.ndarray, levels: Sequence[float]) -> list[Ends]:
    """Return the t interval of the mean, per row of [rows, n] and level."""
    from scipy.stats import sem, t

    return [t.interval(1 - level, y.shape[1] - 1, y.mean(1), sem(y, axis=1)) for level in levels]


def bootstrap(y: np.ndarray, levels: Sequence[float], resamples: int, rng: np.random.Generator) -> list[Ends]:
    """Return the percentile bootstrap of the mean, per row of [rows, n] and level. All rows share their resampled places,
    which does not change the distribution of any row's interval."""
    n = y.shape[1]
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    below = [int(level / 2 * resamples) for level in levels]
    means = y @ weights.T
    means.partition([*below, *(resamples - 1 - k for k in below)], axis=1)  # in place: no copy of all resamples
    return [(means[:, k], means[:, resamples - 1 - k]) for k in below]
