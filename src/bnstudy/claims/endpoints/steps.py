"""Steps to a target loss, and the rates that get there at all.

Where a run never reached its target its steps are only known to exceed the budget; a diverged run never will.
"""

import math

import numpy as np
import pandas as pd

from bnstudy.claims.endpoints.common import Spec, against
from bnstudy.claims.lookup import Lookup, Missing, NotEvaluable, total


def ln_steps(at: Lookup, spec: Spec, arm: str, **change: object) -> pd.DataFrame:
    """ln T, a seed: equal ends where the target was reached within the budget, else (ln budget, inf)."""
    setting, target = at.setting(spec, arm, **change), at.target(spec.get("target"))
    tuned = at.roles.get(arm, "best")
    role = "shared" if spec.get("rate") == "shared" else f"{tuned}@{target:g}"
    rows = at.rows("convergence", setting, rate=at.rate(setting, role), target=target)
    if rows.empty:
        raise Missing(f"no run of {at.describe(setting)} at the rate of {role}")
    return censored(at, setting, rows.set_index("seed"))


def censored(at: Lookup, setting: dict, rows: pd.DataFrame) -> pd.DataFrame:
    """ln steps of rows {steps, reached, budget}, one a seed; at least one step is counted."""
    rows = rows.reindex(at.seeds)
    if rows["budget"].isna().all():
        raise NotEvaluable(f"{at.describe(setting)}: no run of an evaluation seed")
    reached = rows["reached"].eq(True)
    steps = rows["steps"].astype(float).clip(lower=1)
    known = np.log(steps.where(reached, rows["budget"].astype(float)))
    return pd.DataFrame({"lower": known.fillna(-math.inf), "upper": known.where(reached, math.inf)})


def steps_ratio(at: Lookup, spec: Spec, **change: object) -> pd.DataFrame:
    """ln(T_a / T_b) for arms [a, b], each at its own best rate for the target, or both at the shared one."""
    a, b = (ln_steps(at, spec, arm, **change) for arm in spec["arms"])
    return total((1, a), (-1, b))


def steps_interaction(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(T_a / T_b) here minus the same against another depth, gain or treatment of the inputs."""
    return total((1, steps_ratio(at, spec)), (-1, steps_ratio(at, spec, **against(spec))))


def steps_change(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(T here / T against another network of the same arm)."""
    (arm,) = spec["arms"]
    return total((1, ln_steps(at, spec, arm)), (-1, ln_steps(at, spec, arm, **against(spec))))


def steps_excess(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln T_a - (ln T_b + ln T_c) / 2 for arms [a, b, c]: how far a lies beyond halfway between b and c."""
    a, b, c = (ln_steps(at, spec, arm) for arm in spec["arms"])
    return total((1, a), (-0.5, b), (-0.5, c))


def usable_rates(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Decades of rates at which a reaches the target within its budget, minus those of b: a count of grid rates on
    evaluation seeds, times the grid's step (.5 decades by default)."""
    settings = [at.setting(spec, arm) for arm in spec["arms"]]
    grids = [sorted(at.rates(s, "grid")) for s in settings]
    if grids[0] != grids[1] or len(grids[0]) < 2:
        names = " and ".join(at.describe(s) for s in settings)
        raise NotEvaluable(f"{names} were not run over the same grid of rates")
    step = math.log10(grids[0][-1] / grids[0][0]) / (len(grids[0]) - 1)
    count = []
    for setting in settings:
        rows = at.rows("convergence", setting, target=at.target(spec.get("target")))
        rows = rows[rows["rate"].isin(grids[0])]
        ran = rows.groupby("seed")["rate"].nunique()
        count.append(rows["reached"].astype(bool).groupby(rows["seed"]).sum().where(ran == len(grids[0])))
    return at.exact(step * (count[0] - count[1]))
