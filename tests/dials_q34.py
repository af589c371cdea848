"""The claims of the last two questions, turned."""

from itertools import product

import numpy as np

from helpers.synthetic import Tables
from turning import LN, MIDDLE, PLAIN, complete, pair, put, steps


def _q3a(t: Tables, v: list[np.ndarray]) -> None:
    """Arm none at the shared rate is arm none at its best one."""
    for i, depth in enumerate((5, 20)):
        for target in (0.5, 0.25):
            steps(t, np.full(len(v[0]), MIDDLE), f"best@{target}", target, arm="none", depth=depth)
        for role, target, x in (
            ("best@0.5", 0.5, v[i]),
            ("best@0.25", 0.25, v[2 + i]),
            ("shared", 0.5, v[4 + i]),
        ):
            steps(t, MIDDLE - x, role, target, arm="bn", depth=depth)


def _q3b(t: Tables, v: list[np.ndarray]) -> None:
    """Half decades, so the count of usable rates takes the nearest even spread: theta is rounded to the grid."""
    c = t["convergence"] = t["convergence"].copy()
    grid = sorted(t["rates"].loc[t["rates"]["role"] == "grid", "rate"].unique())
    for depth, x in zip((5, 20), v):
        more = np.round(x / 0.5).astype(int)
        for arm, count in (("bn", 4 + np.maximum(more, 0)), ("none", 4 + np.maximum(-more, 0))):
            for i, rate in enumerate(grid):
                rows = (c["arm"] == arm) & (c["depth"] == depth) & (c["rate"] == rate) & (c["target"] == 0.5)
                rows &= np.logical_and.reduce([c[k] == v for k, v in PLAIN.items()])
                c.loc[rows, "reached"] = i < count[c.loc[rows, "seed"]]


def _q3c(t: Tables, v: list[np.ndarray]) -> None:
    pair(t, np.zeros(len(v[0])), "none", "bn", depth=5)
    for inputs, x in zip(("raw", "mixed"), v):
        pair(t, x, "none", "bn", depth=5, inputs=inputs)


def _q3d(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        pair(t, LN["1.25"] - x, "once", "bn", depth=depth)


def _q3h(t: Tables, v: list[np.ndarray]) -> None:
    for arm in ("none", "bn"):
        steps(t, np.full(len(v[0]), MIDDLE), arm=arm, depth=10)
    for gain, spared, own in zip((0.71, 1.41), v[:2], v[2:]):
        steps(t, MIDDLE + own, arm="bn", depth=10, gain=gain)
        steps(t, MIDDLE + own + spared, arm="none", depth=10, gain=gain)


def _q4d(t: Tables, v: list[np.ndarray]) -> None:
    for i, (gain, x) in enumerate(zip((0.71, 1.0, 1.41), v)):
        where = {"arm": "none", "depth": 10, "gain": gain, "site": "linear", "checkpoint": "step100"}
        put(t, "moments", "variance", np.ones(len(x)), {**where, "layer": 1})
        put(t, "moments", "variance", np.exp(np.abs(x) * (-1) ** i), {**where, "layer": 10})


def _q4g(t: Tables, v: list[np.ndarray]) -> None:
    for target, x in zip((0.5, 0.25), v):
        pair(t, np.zeros(len(x)), "none", "bn", target, depth=5)
        pair(t, x, "none", "bn", target, depth=20)


def _q3e(t: Tables, v: list[np.ndarray]) -> None:
    def spread(ln: np.ndarray, **where: object) -> None:
        complete(t, "gradients", {k: where[k] for k in ("arm", "depth", "gain")})
        put(t, "gradients", "norm", np.ones(len(ln)), where)
        put(t, "gradients", "norm", np.exp(ln), {**where, "layer": 1})

    for checkpoint, x in zip(("init", "loss0.5"), v[:2]):
        spread(LN["10"] - x, arm="bn", depth=20, gain=1.0, checkpoint=checkpoint)
    for gain, x in zip((0.71, 1.0, 1.41), v[2:]):
        for arm, sign in (("none", 0.5), ("bn", -0.5)):
            spread(2 + sign * x, arm=arm, depth=10, gain=gain, checkpoint="step100")


def _q3f(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        pair(t, x, "bn_detached", "bn", depth=depth)


def _q3g(t: Tables, v: list[np.ndarray]) -> None:
    for column, x in zip(("change_absolute", "change_relative"), v):
        for arm, sign in (("none", 0.5), ("bn", -0.5)):
            complete(t, "landscape", {"arm": arm, "depth": 10})
            put(t, "landscape", column, np.exp(sign * x), {"arm": arm, "depth": 10, "checkpoint": "loss0.5"})


def _poke(t: Tables, i: int, layer: int, column: str, values: np.ndarray, arm: str) -> None:
    complete(t, "intervention", {"arm": arm, "depth": 10})
    where = {"kind": ("gradient", "random")[i // 2], "checkpoint": ("init", "loss0.5")[i % 2], "dose": 0.01}
    put(t, "intervention", column, values, {"arm": arm, "depth": 10, "layer": layer, **where})


def _q4a(t: Tables, v: list[np.ndarray]) -> None:
    for i, x in enumerate(v):
        _poke(t, i, 11, "values", 0.1 * np.exp(x / 2), "none")
        _poke(t, i, 11, "values", 0.1 * np.exp(-x / 2), "bn")


def _q4b(t: Tables, v: list[np.ndarray]) -> None:
    """The growth of none, and how much more it is than that of bn."""
    drift = {"depth": 20, "site": "next", "start": "loss1.0", "end": "loss0.5"}
    ics = {"depth": 20, "matching": "step", "checkpoint": "loss0.5"}
    for name, column, where, first, (own, excess) in (
        ("drift", "moments", drift, 1, v[:2]),
        ("ics", "relative", ics, 2, v[2:]),
    ):
        for arm, growth in (("none", own), ("bn", own - excess)):
            complete(t, name, {"arm": arm, "depth": 20})
            put(t, name, column, 0.3 + 0 * own, {"arm": arm, **where, "layer": first})
            put(t, name, column, 0.3 * np.exp(growth), {"arm": arm, **where, "layer": 20})


def _q4c(t: Tables, v: list[np.ndarray]) -> None:
    layers = sorted(t["ics"].loc[t["ics"]["depth"] == 10, "layer"].unique())
    for arm, share in (("none", 0.5), ("bn", -0.5)):
        complete(t, "ics", {"arm": arm, "depth": 10})
        for (checkpoint, x), layer in product(zip(("init", "loss0.5"), v), layers):
            where = {"arm": arm, "depth": 10, "matching": "step", "checkpoint": checkpoint, "layer": layer}
            put(t, "ics", "relative", 0.4 * np.exp(share * x * (layer - 6) / 8), where)
    pair(t, v[2], "bn_early", "bn_late", depth=20)
    pair(t, v[3], "bn_early", "bn_late", depth=10, gain=0.71)


def _q4e(t: Tables, v: list[np.ndarray]) -> None:
    for match, x in zip(("dose", "damage"), v):
        for arm, sign in (("none", 0.5), ("bn", -0.5)):
            complete(t, "adaptation", {"arm": arm, "depth": 10})
            where = {"arm": arm, "depth": 10, "match": match}
            put(t, "adaptation", "steps", 20 * np.exp(sign * x), where)
            put(t, "adaptation", "reached", np.ones(len(x), bool), where)


def _q4f(t: Tables, v: list[np.ndarray]) -> None:
    for i, x in enumerate(v):
        _poke(t, i, 10, "left", 0.5 + x / 100, "none")


DIALS = {"Q3a": _q3a, "Q3b": _q3b, "Q3c": _q3c, "Q3d": _q3d, "Q3e": _q3e, "Q3f": _q3f, "Q3g": _q3g, "Q3h": _q3h, "Q4a": _q4a, "Q4b": _q4b, "Q4c": _q4c, "Q4d": _q4d, "Q4e": _q4e, "Q4f": _q4f, "Q4g": _q4g}  # fmt: skip
