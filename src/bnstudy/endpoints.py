"""From tables to one number a seed: the contrasts that the claims are about.

Each endpoint takes (tables, base, args) and returns [seed -> (lower, upper)], signed so that the claim predicts a
value above the smallest effect that matters. Lower and upper differ where a run never reached its target: its steps
are then only known to exceed the budget. Missing arms raise Missing, a rate that could not be chosen NotEvaluable.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]


class Missing(Exception):
    """The study holds nothing that this setting speaks of; the text says what."""


class NotEvaluable(Exception):
    """The setting exists but its number would mean nothing; the text says why."""


def _at(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    for column, value in where.items():
        table = table[table[column] == value]
    return table


def rate(tables: Tables, role: str, **where: Any) -> float:
    """The rate of a role ("best@0.5", "shared") for one setting."""
    found = _at(tables["rates"], role=role, **where)
    if found.empty:
        raise Missing(f"no runs of {where['arm']} with {where['depth']} layers, gain {where['gain']:g}")
    row = found.iloc[0]
    if not row["evaluable"]:
        raise NotEvaluable(f"{where['arm']}, {where['depth']} layers: {row['reason']}")
    return float(row["rate"])


def _rows(tables: Tables, name: str, role: str, setting: dict[str, Any], **where: Any) -> pd.DataFrame:
    chosen = rate(tables, role, **setting)
    found = _at(tables.get(name, pd.DataFrame(columns=[*setting, "rate", *where])), rate=chosen, **setting, **where)
    if found.empty:
        raise Missing(f"no {name} of {setting['arm']} with {setting['depth']} layers")
    return found.set_index("seed")


def _steps(tables: Tables, role: str, setting: dict[str, Any], target: float) -> pd.DataFrame:
    """ln steps to the target, a seed: equal ends where reached, (ln budget, inf) where not."""
    rows = _rows(tables, "convergence", role, setting, target=target)
    known = np.log(rows["steps"].astype(float).where(rows["reached"], rows["budget"].astype(float)))
    return pd.DataFrame({"lower": known, "upper": known.where(rows["reached"], math.inf)})


def _minus(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """a - b on the seeds of both; two unknown ends leave the whole line."""
    both = a.join(b, how="inner", lsuffix="_a", rsuffix="_b")
    with np.errstate(invalid="ignore"):
        lower, upper = both["lower_a"] - both["upper_b"], both["upper_a"] - both["lower_b"]
    return pd.DataFrame({"lower": lower.fillna(-math.inf), "upper": upper.fillna(math.inf)})


def _exact(values: pd.Series) -> pd.DataFrame:
    """Values without censoring; a seed without a number (a checkpoint never reached) may be anything."""
    return pd.DataFrame({"lower": values.fillna(-math.inf), "upper": values.fillna(math.inf)})


def _setting(base: dict[str, Any], arm: str) -> dict[str, Any]:
    return {
        "arm": arm,
        "depth": base["depth"],
        "gain": base.get("gain", 1.0),
        "inputs": base.get("inputs", "standardized"),
    }


def steps_ratio(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """offset + sign * ln(T_slow / T_fast) at each arm's own best rate, or at the shared one."""
    target = args.get("target", 0.5)
    role = "shared" if args.get("rate") == "shared" else f"best@{target}"
    slow = _steps(tables, role, _setting(args, args["slow"]), target)
    fast = _steps(tables, role, _setting(args, args["fast"]), target)
    if args.get("margin"):
        return math.log(args["margin"]) - _minus(slow, fast)[["upper", "lower"]].set_axis(["lower", "upper"], axis=1)
    return _minus(slow, fast)


def depth_gain(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """[ln T_none - ln T_bn](deep) - [same](shallow)."""
    gain = [steps_ratio(tables, {**args, "depth": d, "slow": "none", "fast": "bn"}) for d in args["depths"]]
    return _minus(gain[1], gain[0])


def affine_motion(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """RMS change of (beta, |gamma|) over all units, over RMS |gamma|, from init to loss .5, minus .10."""
    rows = _rows(tables, "affine", "best@0.5", _setting(args, "bn"), start="init", end="loss0.5")
    square = rows[["change_rms", "gamma_rms"]].pow(2).groupby("seed").mean()
    return _exact(np.sqrt(square["change_rms"] / square["gamma_rms"]) - 0.10)


def drift_ratio(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """ln(D_none / D_bn), D = mean over layers 2..L of the drift at the next layer's input, loss 1.0 to .5."""
    drift = []
    for arm in ("none", "bn"):
        rows = _rows(tables, "drift", "best@0.5", _setting(args, arm), site="next", start="loss1.0", end="loss0.5")
        drift.append(rows[rows["layer"] >= 2].groupby("seed")[args["kind"]].mean())
    return _exact(np.log(drift[0] / drift[1]))


def _accuracy(
    tables: Tables, setting: dict[str, Any], statistics: str, family: str, severities: list[int]
) -> pd.Series:
    rows = _rows(tables, "shift", "best@0.5", setting, statistics=statistics, family=family)
    return rows[rows["severity"].isin(severities)].groupby("seed")["accuracy"].mean()


def drop_difference(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """drop_none - drop_bn, accuracy points, running statistics, mean of severities 1 to 5."""
    drop = []
    for arm in ("none", "bn"):
        setting = _setting(args, arm)
        clean = _accuracy(tables, setting, "running", "clean", [0])
        drop.append(clean - _accuracy(tables, setting, "running", args["family"], [1, 2, 3, 4, 5]))
    return _exact(drop[0] - drop[1])


def batch_gain(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """sign * (accuracy on statistics of 32 test images - accuracy on the stored ones), mean of severities."""
    setting = _setting(args, "bn")
    fresh = _accuracy(tables, setting, "batch32", args["family"], [1, 2, 3, 4, 5])
    return _exact(
        args.get("sign", 1) * (fresh - _accuracy(tables, setting, "running", args["family"], [1, 2, 3, 4, 5]))
    )


def clean_difference(tables: Tables, args: dict[str, Any]) -> pd.DataFrame:
    """Clean accuracy of one arm minus another's, points, running statistics."""
    a, b = (_accuracy(tables, _setting(args, arm), "running", "clean", [0]) for arm in (args["arm"], args["other"]))
    return _exact(a - b)


ENDPOINTS = {
    f.__name__: f
    for f in (
        steps_ratio,
        depth_gain,
        affine_motion,
        drift_ratio,
        drop_difference,
        batch_gain,
        clean_difference,
    )  # fmt: skip
}
