"""The claims of the first two questions, turned."""

import numpy as np

from helpers.synthetic import Tables
from turning import AFFINE, MIDDLE, accuracy, complete, pair, put, steps


def _q1a(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        complete(t, "affine", {"arm": "bn", "depth": depth})
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
                complete(t, "drift", {"arm": arm, "depth": depth})
            where = {"arm": arm, "depth": depth, "site": "next", "start": "loss1.0", "end": "loss0.5"}
            put(t, "drift", column, 0.3 * np.exp(sign * x), where)


def _q1d(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x, y in zip((5, 20), v[:2], v[2:]):
        accuracy(t, 90 + x / 2, "bn", "clean", depth=depth)
        accuracy(t, 90 - x / 2, "bn_frozen", "clean", depth=depth)
        pair(t, y, "bn_frozen", "bn", depth=depth)


def _q1f(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        pair(t, x, "bn", "bn_frozen", depth=depth)


def _q1g(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        complete(t, "moments", {"arm": "bn", "depth": depth})
        put(
            t,
            "moments",
            "offset",
            0.25 - x,
            {"arm": "bn", "depth": depth, "site": "next", "checkpoint": "loss0.5"},
        )


def _q2a(t: Tables, v: list[np.ndarray]) -> None:
    for arm, sign in (("none", -0.5), ("bn", 0.5)):
        accuracy(t, np.full(len(v[0]), 90.0), arm, "clean")
        for family, x in zip(AFFINE, v):
            accuracy(t, 60 + sign * x, arm, family)


def _q2b(t: Tables, v: list[np.ndarray]) -> None:
    for family, x in zip(AFFINE, v):
        put(t, "xhat", "offset", 0.1 - x, {"arm": "bn", "depth": 5, "family": family, "severity": 3})


def _q2c(t: Tables, v: list[np.ndarray]) -> None:
    for family, sign, x in zip(("contrast", "brightness", "inversion"), (1, 1, -1), v):
        accuracy(t, np.full(len(x), 50.0), "bn", family)
        accuracy(t, 50 + sign * x, "bn", family, "batch32")


def _q2d(t: Tables, v: list[np.ndarray]) -> None:
    for family, x in zip(("contrast", "noise"), v):
        where = {"arm": "bn", "depth": 20, "family": family, "severity": 2}
        put(t, "xhat", "offset", np.full(len(x), 0.2), {**where, "layer": 1})
        put(t, "xhat", "offset", 0.2 * np.exp(x), {**where, "layer": 20})


def _q2f(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        accuracy(t, 90 + x / 2, "bn", "clean", depth=depth)
        accuracy(t, 90 - x / 2, "none", "clean", depth=depth)


def _q1c(t: Tables, v: list[np.ndarray]) -> None:
    for i, x in enumerate(v):
        for arm, sign in (("none", 0.5), ("bn", -0.5)):
            if i == 0:
                complete(t, "ics", {"arm": arm, "depth": 10})
            where = {"arm": arm, "depth": 10, "matching": ("rate", "decrease", "step")[i // 2]}
            put(t, "ics", "relative", 0.4 * np.exp(sign * x), {**where, "checkpoint": ("init", "loss0.5")[i % 2]})


def _q1e(t: Tables, v: list[np.ndarray]) -> None:
    """Batch norm saves a factor of e, and the noise more than doubles the drift: both premises hold."""
    for (depth, gain), x in zip(((5, 0.41), (10, 0.71)), v):
        place = {"depth": depth, "gain": gain}
        for arm, ln in (("bn", 0 * x), ("none", 0 * x + 1), ("bn_noisy", 0.5 + x)):
            steps(t, MIDDLE - 0.2 + ln, arm=arm, **place)
        for arm, size in (("bn", 0.2), ("bn_noisy", 0.5)):
            complete(t, "drift", {"arm": arm, **place})
            where = {"arm": arm, **place, "site": "next", "start": "loss1.0", "end": "loss0.5"}
            put(t, "drift", "moments", size * np.exp(0.01 * x), where)


def _q2e(t: Tables, v: list[np.ndarray]) -> None:
    kinds = [(g, s) for g in ("lecture_white", "lecture_gray") for s in ("running", "hue32", "mixed32")]
    for (ground, statistics), x in zip(kinds, v):
        for arm, words, drop in (("none", "running", 0 * x + 30), ("bn", statistics, 30 - x)):
            where = {"arm": arm, "depth": 5, "inputs": ground, "family": ground, "statistics": words}
            complete(t, "shift", where)
            put(t, "shift", "accuracy", 0 * x + 90, {**where, "severity": 0})
            put(t, "shift", "accuracy", 90 - drop, {**where, "severity": 5})


DIALS = {"Q1a": _q1a, "Q1b": _q1b, "Q1c": _q1c, "Q1d": _q1d, "Q1e": _q1e, "Q1f": _q1f, "Q1g": _q1g, "Q2a": _q2a, "Q2b": _q2b, "Q2c": _q2c, "Q2d": _q2d, "Q2e": _q2e, "Q2f": _q2f}  # fmt: skip
