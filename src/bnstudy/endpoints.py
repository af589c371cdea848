"""From tables to one number a seed: the quantities that the claims are about.

Each endpoint takes (lookup, spec) and returns [seed -> lower, upper], paired by seed: spec holds a setting's keys of
the claims file. Lower and upper differ where a run never reached its target: its steps are then only known to exceed
the budget (a diverged run as well: it never will). A seed whose run reached no such checkpoint may be anything,
(-inf, inf); no seed is ever dropped. Missing and NotEvaluable are raised as in bnstudy.lookup. The normalized value
x-hat never drifts on batch statistics, by construction: no endpoint is about that.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bnstudy.lookup import Lookup, NotEvaluable, describe, total

Spec = Mapping[str, Any]
SEVERITIES = range(1, 6)
UNREACHED = "no run reached the loss this is measured at"


def ln_steps(at: Lookup, spec: Spec, arm: str, **change: Any) -> pd.DataFrame:
    """ln T, a seed: equal ends where the target was reached within the budget, else (ln budget, inf)."""
    setting, target = at.setting(spec, arm, **change), at.target(spec.get("target"))
    role = "shared" if spec.get("rate") == "shared" else f"best@{target:g}"
    rows = at.rows("convergence", setting, rate=at.rate(setting, role), target=target).set_index("seed")
    rows = rows.reindex(at.seeds)
    if rows["budget"].isna().all():
        raise NotEvaluable(f"{describe(setting)}: no run of an evaluation seed")
    reached = rows["reached"].eq(True)
    known = np.log(rows["steps"].astype(float).where(reached, rows["budget"].astype(float)))
    return pd.DataFrame({"lower": known.fillna(-math.inf), "upper": known.where(reached, math.inf)})


def steps_ratio(at: Lookup, spec: Spec, **change: Any) -> pd.DataFrame:
    """ln(T_a / T_b) for arms [a, b], each at its own best rate for the target, or both at the shared one."""
    a, b = (ln_steps(at, spec, arm, **change) for arm in spec["arms"])
    return total((1, a), (-1, b))


def steps_interaction(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(T_a / T_b) here minus the same against another depth, gain or treatment of the inputs."""
    return total((1, steps_ratio(at, spec)), (-1, steps_ratio(at, spec, **_other(spec))))


def steps_change(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(T here / T against another depth, gain or treatment of the inputs) for one arm."""
    (arm,) = spec["arms"]
    return total((1, ln_steps(at, spec, arm)), (-1, ln_steps(at, spec, arm, **_other(spec))))


def _other(spec: Spec) -> dict[str, Any]:
    return {k: v for k, v in spec["against"].items() if v is not None}


def usable_rates(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Decades of rates at which a reaches the main target within its budget, minus those of b: a count of grid rates
    on evaluation seeds, times the grid's step (.5 decades by default)."""
    settings = [at.setting(spec, arm) for arm in spec["arms"]]
    grids = [sorted(at.rates(s, "grid")) for s in settings]
    if grids[0] != grids[1] or len(grids[0]) < 2:
        raise NotEvaluable(
            f"{describe(settings[0])} and {describe(settings[1])} were not run over the same grid of rates"
        )
    step = math.log10(grids[0][-1] / grids[0][0]) / (len(grids[0]) - 1)
    count = []
    for setting in settings:
        rows = at.rows("convergence", setting, target=at.target(None))
        rows = rows[rows["rate"].isin(grids[0])]
        ran = rows.groupby("seed")["rate"].nunique()
        count.append(rows["reached"].astype(bool).groupby(rows["seed"]).sum().where(ran == len(grids[0])))
    return at.exact(step * (count[0] - count[1]))


def accuracy(at: Lookup, setting: dict[str, Any], statistics: str, family: str) -> pd.Series:
    """Percent right, a seed, mean of the severities 1 to 5 (clean images have none)."""
    rows = at.measured("shift", setting, "no run was left to test", statistics=statistics, family=family)
    if family != "clean":
        rows = rows[rows["severity"].isin(SEVERITIES)]
    return rows.groupby("seed")["accuracy"].mean()


def clean_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Clean test accuracy of arm a minus that of b, points, stored statistics."""
    a, b = (accuracy(at, at.setting(spec, arm), "running", "clean") for arm in spec["arms"])
    return at.exact(a - b)


def drop_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Points that a loses under a shift minus those that b loses, stored statistics, mean of severities 1 to 5."""
    drops = []
    for arm in spec["arms"]:
        setting = at.setting(spec, arm)
        drops.append(accuracy(at, setting, "running", "clean") - accuracy(at, setting, "running", spec["family"]))
    return at.exact(drops[0] - drops[1])


def statistics_gain(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Accuracy with `statistics` of the shifted test images minus that with the stored ones, points."""
    setting = at.setting(spec, spec["arms"][0])
    fresh = accuracy(at, setting, spec["statistics"], spec["family"])
    return at.exact(fresh - accuracy(at, setting, "running", spec["family"]))


def affine_motion(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over all units of sqrt(dbeta^2 + (d abs gamma)^2), over RMS abs gamma; init to the main target."""
    setting = at.setting(spec, spec["arms"][0])
    rows = at.measured("affine", setting, UNREACHED, start="init", end=_level(at))
    square = rows[["change_rms", "gamma_rms"]].pow(2).groupby(rows["seed"]).mean()
    return at.exact(np.sqrt(square["change_rms"] / square["gamma_rms"]))


def drift_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(D_a / D_b), D = mean over layers 2..L of the drift at the next layer's input, loss 1.0 to the main target."""
    drifts = []
    for arm in spec["arms"]:
        setting = at.setting(spec, arm)
        rows = at.measured("drift", setting, UNREACHED, site="next", start="loss1.0", end=_level(at))
        rows = rows[rows["layer"] >= 2]
        drifts.append(rows[spec["column"]].groupby(rows["seed"]).mean())
    return at.exact(_ln(drifts[0] / drifts[1]))


def input_offset(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over layers and units of sqrt(mean^2 + (ln sd)^2) at the next layer's input, at the main target."""
    setting = at.setting(spec, spec["arms"][0])
    return at.exact(_rms(at.measured("moments", setting, UNREACHED, site="next", checkpoint=_level(at))))


def variance_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """abs ln(variance of the last layer's pre-activation / the first's) after 100 steps."""
    setting = at.setting(spec, spec["arms"][0])
    rows = at.measured("moments", setting, "no run had 100 steps", site="linear", checkpoint="step100")
    wide = rows.pivot(index="seed", columns="layer", values="variance")
    return at.exact(_ln(wide[setting["depth"]] / wide[1]).abs())


def xhat_offset(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over layers and units of the shift of x-hat's (mean, ln sd), stored statistics, shifted minus clean images."""
    return at.exact(_rms(_xhat(at, spec)))


def xhat_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(that shift at the last BN layer / at the first)."""
    wide = _xhat(at, spec).pivot(index="seed", columns="layer", values="offset")
    return at.exact(_ln(wide[wide.columns.max()] / wide[wide.columns.min()]))


def _xhat(at: Lookup, spec: Spec) -> pd.DataFrame:
    setting = at.setting(spec, spec["arms"][0])
    where = {"family": spec["family"], "severity": spec["severity"]}
    return at.measured("xhat", setting, "x-hat was not measured under this shift", **where)


def _level(at: Lookup) -> str:
    return f"loss{at.targets[0]}"


def _rms(rows: pd.DataFrame) -> pd.Series:
    return np.sqrt(rows["offset"].pow(2).groupby(rows["seed"]).mean())


def _ln(ratio: pd.Series) -> pd.Series:
    """ln of a ratio; 0/0, and values that overflowed, are unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(ratio).replace([np.inf, -np.inf], np.nan)


ENDPOINTS: dict[str, Callable[[Lookup, Spec], pd.DataFrame]] = {
    f.__name__: f
    for f in (
        steps_ratio, steps_interaction, steps_change, usable_rates, clean_difference, drop_difference, statistics_gain,
        affine_motion, drift_ratio, input_offset, variance_growth, xhat_offset, xhat_growth,
    )
}  # fmt: skip
