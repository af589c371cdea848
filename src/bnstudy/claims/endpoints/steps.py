"""Steps to a target loss, and the rates that get there at all.

Where a run never reached its target, its steps are only known to exceed the budget; a diverged run never arrives.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bnstudy.claims.endpoints.common import Spec, endpoint
from bnstudy.claims.lookup import Factors, Lookup, Missing, NotEvaluable, bounds, total

if TYPE_CHECKING:
    import pandas as pd

OVER_GAINS = frozenset({"usable_gains", "usable_gains_change", "central_gain"})
"""Endpoints that read a network over a range of first weights, each over the grid of rates."""
FEWEST_GAINS = 7
"""So many scales of the first weights make a range."""


def ln_steps(lookup: Lookup, spec: Spec, arm: str, **change: object) -> pd.DataFrame:
    """Return ln T per seed: equal ends where the target was reached within the budget, else (ln budget, inf)."""
    setting, target = lookup.setting(spec, arm, **change), lookup.target(spec.get("target"))
    tuned = lookup.roles.get(arm, "best")
    role = "shared" if spec.get("rate") == "shared" else f"{tuned}@{target:g}"
    if spec.get("rate") == "same":
        grid = lookup.rates(setting, "grid")
        best = lookup.rate(lookup.setting(spec, spec["arms"][0], **change), role)
        rate = min(grid, key=lambda of_grid: abs(math.log(of_grid / best)))
    else:
        rate = lookup.rate(setting, role)
    rows = lookup.rows("convergence", setting, rate=rate, target=target)
    if rows.empty:
        raise Missing(f"no run of {lookup.describe(setting)} at the rate of {role}")
    return censored(lookup, setting, rows.set_index("seed"))


def censored(lookup: Lookup, setting: Factors, rows: pd.DataFrame) -> pd.DataFrame:
    """Return ln steps of rows {steps, reached, budget}, one per seed; at least one step is counted."""
    rows = rows.reindex(lookup.seeds)
    if rows["budget"].isna().all():
        raise NotEvaluable(f"{lookup.describe(setting)}: no run of an evaluation seed")
    reached = rows["reached"].eq(True)
    steps = rows["steps"].astype(float).clip(lower=1)
    known = np.log(steps.where(reached, rows["budget"].astype(float)))
    return bounds(known.fillna(-math.inf), known.where(reached, math.inf))


def _steps_ratio(lookup: Lookup, spec: Spec, **change: object) -> pd.DataFrame:
    a, b = (ln_steps(lookup, spec, arm, **change) for arm in spec["arms"])
    return total((1, a), (-1, b))


@endpoint(2, must="depth", may="target rate", timed=True)
def steps_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(T_a / T_b) for arms [a, b], each at its own best rate for the target, or both at one rate.

    With `rate: shared` that is the one of the study's plain network, with `same` the rate of the grid nearest to a's best.
    """
    return _steps_ratio(lookup, spec)


@endpoint(2, must="depth against", may="target rate", timed=True)
def steps_interaction(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(T_a / T_b) here minus the same against another depth, gain or treatment of the inputs."""
    return total((1, _steps_ratio(lookup, spec)), (-1, _steps_ratio(lookup, spec, **spec["against"])))


@endpoint(1, must="depth against", may="target rate", timed=True)
def steps_change(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(T here / T against another network of the same arm)."""
    (arm,) = spec["arms"]
    return total((1, ln_steps(lookup, spec, arm)), (-1, ln_steps(lookup, spec, arm, **spec["against"])))


@endpoint(3, must="depth", may="target rate", timed=True)
def steps_excess(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln T_a - (ln T_b + ln T_c) / 2 for arms [a, b, c]: how far a lies beyond halfway between b and c."""
    a, b, c = (ln_steps(lookup, spec, arm) for arm in spec["arms"])
    return total((1, a), (-0.5, b), (-0.5, c))


@endpoint(2, must="depth", may="target", timed=True)
def usable_rates(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the decades of rates at which a reaches the target within its budget, minus those of b.

    They are a count of the grid's rates, on evaluation seeds, times the step of the grid (0.5 decades by default).
    """
    settings = [lookup.setting(spec, arm) for arm in spec["arms"]]
    grids = [sorted(lookup.rates(s, "grid")) for s in settings]
    if grids[0] != grids[1] or len(grids[0]) < 2:
        names = " and ".join(lookup.describe(s) for s in settings)
        raise NotEvaluable(f"{names} were not run over the same grid of rates")
    step = math.log10(grids[0][-1] / grids[0][0]) / (len(grids[0]) - 1)
    target = lookup.target(spec.get("target"))
    a, b = (_reached(lookup, setting, target, grids[0]) for setting in settings)
    return lookup.exact(step * (a - b))


def _reached(lookup: Lookup, setting: Factors, target: float, rates: list[float]) -> pd.Series:
    """Return at how many of these rates each seed reached the target; unknown for a seed that was not run at all of them."""
    rows = lookup.rows("convergence", setting, target=target)
    rows = rows[rows["rate"].isin(rates)]
    ran = rows.groupby("seed")["rate"].nunique()
    return rows["reached"].astype(bool).groupby(rows["seed"]).sum().where(ran == len(rates))


def _trained_from(lookup: Lookup, setting: Factors, target: float) -> pd.DataFrame:
    """Return whether a network gets to the target from each gain of its first weights: 1 or 0 [seed x gain].

    It does if it gets there within its budget at any of the middle three rates of the grid (of the four middle ones of an
    even number, the lower three).
    """
    import pandas as pd

    reached = {}
    for gain in sorted(set(lookup.tables.get("rates", pd.DataFrame()).get("gain", ()))):
        try:
            grid = sorted(lookup.rates({**setting, "gain": gain}, "grid"))
        except Missing:
            continue
        middle = grid[(len(grid) - 3) // 2 :][:3]
        reached[gain] = _reached(lookup, {**setting, "gain": gain}, target, middle).astype(float).clip(upper=1)
    if len(reached) < FEWEST_GAINS:
        raise Missing(f"the study lacks {lookup.describe(setting)} over a range of first weights")
    return pd.DataFrame(reached)


def decades(lookup: Lookup, setting: Factors, target: float) -> pd.Series:
    """Return how many decades of first weights a network trains from, per seed: a count of the study's gains times their step.

    Args:
        lookup: the study's tables.
        setting: the network; whatever its gain, the whole range is read.
        target: the loss in nats that it is to reach.

    Raises:
        Missing: where the study runs it from fewer than FEWEST_GAINS scales over the grid of rates.
    """
    trained = _trained_from(lookup, setting, target)
    gains = trained.columns
    return trained.sum(axis=1, skipna=False) * math.log10(gains[-1] / gains[0]) / (len(gains) - 1)


@endpoint(2, must="depth", may="target", timed=True)
def usable_gains(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the decades of first weights from which a gets to the target, minus those of b."""
    target = lookup.target(spec.get("target"))
    a, b = (decades(lookup, lookup.setting(spec, arm), target) for arm in spec["arms"])
    return lookup.exact(a - b)


@endpoint(1, must="depth against", may="target", timed=True)
def usable_gains_change(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the decades of first weights from which a network gets to the target, minus those of another one."""
    here, there = lookup.setting(spec), lookup.setting(spec, **spec["against"])
    target = lookup.target(spec.get("target"))
    return lookup.exact(decades(lookup, here, target) - decades(lookup, there, target))


@endpoint(1, must="depth", may="target", timed=True)
def central_gain(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the mean of log10 gain over the first weights from which a network gets to the target; He's are at 0."""
    setting = lookup.setting(spec)
    trained = _trained_from(lookup, setting, lookup.target(spec.get("target")))
    if not trained.any(axis=None):
        raise NotEvaluable(f"{lookup.describe(setting)}: it trains from none of its first weights")
    return lookup.exact((trained * np.log10(trained.columns)).sum(axis=1, skipna=False) / trained.sum(axis=1))
