"""Turns one claim of synthetic tables: `dial(tables, "Q1b", ["supported", "opposite", ...])`, a shade a setting."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from synthetic import Tables

LN = {name: float(np.log(value)) for name, value in (("1.25", 1.25), ("1.5", 1.5), ("2", 2.0), ("10", 10.0))}
SESOI = {
    "Q1a": [0, 0], "Q1b": [LN["2"]] * 4, "Q1d": [1, 1, LN["1.25"], LN["1.25"]], "Q1f": [LN["1.25"]] * 2, "Q1g": [0, 0],
    "Q2a": [2] * 6, "Q2b": [0] * 3, "Q2c": [5] * 3, "Q2d": [LN["1.5"]] * 2, "Q2f": [1, 1], "Q3a": [LN["1.25"]] * 6,
    "Q3b": [0.25] * 2, "Q3c": [LN["1.25"]] * 2, "Q3d": [0, 0], "Q3h": [LN["1.5"]] * 2 + [LN["1.25"]] * 2,
    "Q4d": [LN["10"]] * 3, "Q4g": [LN["1.25"]] * 2,
}  # fmt: skip
"""The ledger's smallest effects, written here again: the claims file must agree."""
WITHIN = {("Q3h", 2), ("Q3h", 3)}
AFFINE = ("contrast", "brightness", "noise", "blur", "rotation", "translation")


def theta(outcome: str, sesoi: float, within: bool, seeds: int, scale: float = 1.0) -> np.ndarray:
    """Values a seed, evenly spread, whose interval gives the outcome; around a sesoi of 0 of size `scale`."""
    size = sesoi or 0.04 * scale
    spans = {
        "supported": (1.6, 2.4), "opposite": (-2.4, -1.6), "negligible": (-0.3, 0.3), "not enough": (-2.2, 0.4), "open": (0.2, 1.8)
    }  # fmt: skip
    if not sesoi:
        spans["open"] = (-0.8, 0.8)
    if within:
        spans = {"supported": (-0.4, 0.4), "higher": (1.6, 2.4), "lower": (-2.4, -1.6), "open": (0.2, 1.8)}
    low, high = spans[outcome]
    values = np.linspace(low, high, seeds) * size
    return np.random.default_rng(1).permutation(values)


def shades(claim: str, setting: int) -> list[str]:
    """The outcomes that a setting can have."""
    if (claim, setting) in WITHIN:
        return ["supported", "higher", "lower", "open"]
    if claim == "Q4d":  # an absolute value
        return ["supported", "negligible", "open"]
    return ["supported", "opposite", "open"] + (["negligible", "not enough"] if SESOI[claim][setting] else [])


def dial(tables: Tables, claim: str, outcomes: str | Sequence[str], spread: float = 1.0) -> Tables:
    """A copy of the tables in which the claim's settings come out as asked; one word does for all of them."""
    sesoi, seeds = SESOI[claim], tables["convergence"]["seed"].nunique()
    words = [outcomes] * len(sesoi) if isinstance(outcomes, str) else list(outcomes)
    out = {name: table.copy() for name, table in tables.items()}
    values = [theta(w, s, (claim, i) in WITHIN, seeds) for i, (w, s) in enumerate(zip(words, sesoi, strict=True))]
    DIALS[claim](out, values)
    return out


def rate_of(tables: Tables, arm: str, depth: int, role: str, gain: float = 1.0, inputs: str = "standardized") -> float:
    t = tables["rates"]
    found = t[
        (t["arm"] == arm) & (t["depth"] == depth) & (t["gain"] == gain) & (t["inputs"] == inputs) & (t["role"] == role)
    ]
    return float(found["rate"].iloc[0])


def put(tables: Tables, name: str, column: str, values: np.ndarray, where: dict, role: str = "best@0.5") -> None:
    """Write values[seed] into the rows of a setting at its rate."""
    setting = {"gain": 1.0, "inputs": "standardized", **where}
    rate = rate_of(tables, setting["arm"], setting["depth"], role, setting["gain"], setting["inputs"])
    table = tables[name]
    rows = np.logical_and.reduce([table[k].to_numpy() == v for k, v in {**setting, "rate": rate}.items()])
    assert rows.any(), (name, where)
    table.loc[rows, column] = values[table.loc[rows, "seed"].to_numpy()]


def steps(tables: Tables, ln: np.ndarray, role: str = "best@0.5", target: float = 0.5, **where: object) -> None:
    """Every run of the setting reaches the target, after exp(ln) steps; at the shared rate no other role is touched."""
    where = {**where, "target": target}
    put(tables, "convergence", "steps", np.round(np.exp(ln)), where, role)
    put(tables, "convergence", "reached", np.ones(len(ln), bool), where, role)
    put(tables, "convergence", "diverged_at", np.full(len(ln), np.nan), where, role)


BASE = np.log(200.0)


def _pair(tables: Tables, value: np.ndarray, a: str, b: str, target: float = 0.5, **where: object) -> None:
    for arm, ln in ((a, BASE + value / 2), (b, BASE - value / 2)):
        steps(tables, ln, f"best@{target}", target, arm=arm, **where)


def _complete(tables: Tables, name: str, where: dict, keys: list[str]) -> None:
    """Give every seed the rows that seed 0 has, so that no seed of the setting is missing."""
    table = tables[name]
    rows = np.logical_and.reduce([table[k] == v for k, v in where.items()])
    seeds = sorted(tables["convergence"]["seed"].unique())
    first = table[rows & (table["seed"] == table.loc[rows, "seed"].min())]
    full = pd.concat([first.assign(seed=s) for s in seeds])
    tables[name] = pd.concat([table[~rows], full], ignore_index=True)


def _accuracy(
    tables: Tables, values: np.ndarray, arm: str, family: str, statistics: str = "running", depth: int = 5
) -> None:
    where = {"arm": arm, "depth": depth, "family": family, "statistics": statistics}
    _complete(tables, "shift", {**where, "gain": 1.0, "inputs": "standardized"}, ["severity"])
    put(tables, "shift", "accuracy", values, where)


def _q1a(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        _complete(t, "affine", {"arm": "bn", "depth": depth, "gain": 1.0, "inputs": "standardized"}, [])
        put(
            t,
            "affine",
            "change_rms",
            0.1 + x,
            {"arm": "bn", "depth": depth, "start": "init", "end": "loss0.5"},
        )


def _q1b(t: Tables, v: list[np.ndarray]) -> None:
    for i, x in enumerate(v):
        depth, column = (5, 20)[i // 2], ("moments", "shape")[i % 2]
        for arm, sign in (("none", 0.5), ("bn", -0.5)):
            if i % 2 == 0:
                _complete(t, "drift", {"arm": arm, "depth": depth, "gain": 1.0, "inputs": "standardized"}, [])
            where = {"arm": arm, "depth": depth, "site": "next", "start": "loss1.0", "end": "loss0.5"}
            put(t, "drift", column, 0.3 * np.exp(sign * x), where)


def _q1d(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x, y in zip((5, 20), v[:2], v[2:]):
        _accuracy(t, 90 + x / 2, "bn", "clean", depth=depth)
        _accuracy(t, 90 - x / 2, "bn_frozen", "clean", depth=depth)
        _pair(t, y, "bn_frozen", "bn", depth=depth)


def _q1f(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        _pair(t, x, "bn", "bn_frozen", depth=depth)


def _q1g(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        _complete(t, "moments", {"arm": "bn", "depth": depth, "gain": 1.0, "inputs": "standardized"}, [])
        put(
            t,
            "moments",
            "offset",
            0.25 - x,
            {"arm": "bn", "depth": depth, "site": "next", "checkpoint": "loss0.5"},
        )


def _q2a(t: Tables, v: list[np.ndarray]) -> None:
    for arm, sign in (("none", -0.5), ("bn", 0.5)):
        _accuracy(t, np.full(len(v[0]), 90.0), arm, "clean")
        for family, x in zip(AFFINE, v):
            _accuracy(t, 60 + sign * x, arm, family)


def _q2b(t: Tables, v: list[np.ndarray]) -> None:
    for family, x in zip(AFFINE, v):
        put(t, "xhat", "offset", 0.1 - x, {"arm": "bn", "depth": 5, "family": family, "severity": 3})


def _q2c(t: Tables, v: list[np.ndarray]) -> None:
    for family, sign, x in zip(("contrast", "brightness", "inversion"), (1, 1, -1), v):
        _accuracy(t, np.full(len(x), 50.0), "bn", family)
        _accuracy(t, 50 + sign * x, "bn", family, "batch32")


def _q2d(t: Tables, v: list[np.ndarray]) -> None:
    for family, x in zip(("contrast", "noise"), v):
        where = {"arm": "bn", "depth": 20, "family": family, "severity": 2}
        put(t, "xhat", "offset", np.full(len(x), 0.2), {**where, "layer": 1})
        put(t, "xhat", "offset", 0.2 * np.exp(x), {**where, "layer": 20})


def _q2f(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        _accuracy(t, 90 + x / 2, "bn", "clean", depth=depth)
        _accuracy(t, 90 - x / 2, "none", "clean", depth=depth)


def _q3a(t: Tables, v: list[np.ndarray]) -> None:
    """Arm none at the shared rate is arm none at its best one."""
    for i, depth in enumerate((5, 20)):
        for target in (0.5, 0.25):
            steps(t, np.full(len(v[0]), BASE), f"best@{target}", target, arm="none", depth=depth)
        for role, target, x in (
            ("best@0.5", 0.5, v[i]),
            ("best@0.25", 0.25, v[2 + i]),
            ("shared", 0.5, v[4 + i]),
        ):
            steps(t, BASE - x, role, target, arm="bn", depth=depth)


def _q3b(t: Tables, v: list[np.ndarray]) -> None:
    """Half decades, so the count of usable rates takes the nearest even spread: theta is rounded to the grid."""
    c = t["convergence"]
    grid = sorted(t["rates"].loc[t["rates"]["role"] == "grid", "rate"].unique())
    for depth, x in zip((5, 20), v):
        more = np.round(x / 0.5).astype(int)
        for arm, count in (("bn", 4 + np.maximum(more, 0)), ("none", 4 + np.maximum(-more, 0))):
            for i, rate in enumerate(grid):
                rows = (c["arm"] == arm) & (c["depth"] == depth) & (c["rate"] == rate) & (c["target"] == 0.5)
                rows &= (c["gain"] == 1.0) & (c["inputs"] == "standardized")
                c.loc[rows, "reached"] = i < count[c.loc[rows, "seed"]]


def _q3c(t: Tables, v: list[np.ndarray]) -> None:
    _pair(t, np.zeros(len(v[0])), "none", "bn", depth=5)
    for inputs, x in zip(("raw", "mixed"), v):
        _pair(t, x, "none", "bn", depth=5, inputs=inputs)


def _q3d(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        _pair(t, LN["1.25"] - x, "once", "bn", depth=depth)


def _q3h(t: Tables, v: list[np.ndarray]) -> None:
    for arm in ("none", "bn"):
        steps(t, np.full(len(v[0]), BASE), arm=arm, depth=10)
    for gain, spared, own in zip((0.71, 1.41), v[:2], v[2:]):
        steps(t, BASE + own, arm="bn", depth=10, gain=gain)
        steps(t, BASE + own + spared, arm="none", depth=10, gain=gain)


def _q4d(t: Tables, v: list[np.ndarray]) -> None:
    for i, (gain, x) in enumerate(zip((0.71, 1.0, 1.41), v)):
        where = {"arm": "none", "depth": 10, "gain": gain, "site": "linear", "checkpoint": "step100"}
        put(t, "moments", "variance", np.ones(len(x)), {**where, "layer": 1})
        put(t, "moments", "variance", np.exp(np.abs(x) * (-1) ** i), {**where, "layer": 10})


def _q4g(t: Tables, v: list[np.ndarray]) -> None:
    for target, x in zip((0.5, 0.25), v):
        _pair(t, np.zeros(len(x)), "none", "bn", target, depth=5)
        _pair(t, x, "none", "bn", target, depth=20)


DIALS: dict[str, Callable[[Tables, list[np.ndarray]], None]] = {
    "Q1a": _q1a, "Q1b": _q1b, "Q1d": _q1d, "Q1f": _q1f, "Q1g": _q1g, "Q2a": _q2a, "Q2b": _q2b, "Q2c": _q2c, "Q2d": _q2d,
    "Q2f": _q2f, "Q3a": _q3a, "Q3b": _q3b, "Q3c": _q3c, "Q3d": _q3d, "Q3h": _q3h, "Q4d": _q4d, "Q4g": _q4g,
}  # fmt: skip
