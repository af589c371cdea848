"""The rows beside the ledger (U), turned."""

import numpy as np

from helpers.synthetic import Tables
from turning import MIDDLE, accuracy, complete, pair, put, steps


def _u1(t: Tables, v: list[np.ndarray]) -> None:
    """The cost in the shallow network, and what the deep one pays beyond it."""
    for depth, cost in ((5, v[0]), (20, v[0] + v[1])):
        accuracy(t, 90 - cost / 2, "bn", "clean", depth=depth)
        accuracy(t, 90 + cost / 2, "bn", "clean", "batch128", depth=depth)


def _u2(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        pair(t, x, "none", "affine", depth=depth)


def _u3(t: Tables, v: list[np.ndarray]) -> None:
    steps(t, MIDDLE + 0 * v[0], arm="bn", depth=5)
    for batch, ln in ((8, v[0]), (16, v[1]), (256, -v[2])):
        steps(t, MIDDLE + ln, arm="bn", depth=5, batch=batch)


def _u4(t: Tables, v: list[np.ndarray]) -> None:
    networks = [({"arm": "none", "depth": d}, {"arm": "bn", "depth": d}) for d in (5, 20)]
    networks.append(({"arm": "bn", "depth": 5, "batch": 256}, {"arm": "bn", "depth": 5, "batch": 16}))
    for two, x in zip(networks, v):
        for where, sign in zip(two, (0.5, -0.5)):
            complete(t, "levels", where)
            put(t, "levels", "nll", 0.4 * np.exp(sign * x), {**where, "checkpoint": "loss0.5"})


def _u5(t: Tables, v: list[np.ndarray]) -> None:
    for depth, ln, points in zip((5, 20), v[:2], v[2:]):
        pair(t, ln, "bn_post", "bn", depth=depth)
        accuracy(t, 90 + points / 2, "bn", "clean", depth=depth)
        accuracy(t, 90 - points / 2, "bn_post", "clean", depth=depth)


def _u6(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((5, 20), v):
        for arm, off in (("none", 3 + x / 2), ("bn", 3 - x / 2)):
            complete(t, "moments", {"arm": arm, "depth": depth})
            where = {"arm": arm, "depth": depth, "site": "linear", "checkpoint": "loss0.5"}
            put(t, "moments", "excess_kurtosis", off, where)


def _u7(t: Tables, v: list[np.ndarray]) -> None:
    for depth, x in zip((10, 20), v):
        pair(t, x, "none", "bn", depth=depth, net="resmlp")


DIALS = {"U1": _u1, "U2": _u2, "U3": _u3, "U4": _u4, "U5": _u5, "U6": _u6, "U7": _u7}
