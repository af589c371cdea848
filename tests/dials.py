"""Turns one claim of synthetic tables: `dial(tables, "Q1b", ["supported", "opposite", ...])`, a shade a setting."""

from collections.abc import Sequence

import numpy as np

import dials_q12
import dials_q34
import dials_u
from helpers.synthetic import Tables
from turning import LN

DIALS = {k: f for part in (dials_q12, dials_q34, dials_u) for k, f in sorted(part.DIALS.items())}
"""Every claim that rests on intervals."""
SESOI = {
    "Q1a": [0, 0], "Q1b": [LN["2"]] * 4, "Q1c": [LN["1.25"]] * 6, "Q1d": [1, 1, LN["1.25"], LN["1.25"]], "Q1e": [0, 0],
    "Q1f": [LN["1.25"]] * 2, "Q1g": [0, 0], "Q2a": [2] * 6, "Q2b": [0] * 3, "Q2c": [5] * 3, "Q2d": [LN["1.5"]] * 2,
    "Q2e": [3] * 6, "Q2f": [1, 1], "Q3a": [LN["1.25"]] * 6, "Q3b": [0.25] * 2, "Q3c": [LN["1.25"]] * 2, "Q3d": [0, 0],
    "Q3e": [0, 0] + [LN["2"]] * 3, "Q3f": [LN["1.25"]] * 2, "Q3g": [LN["1.25"]] * 2,
    "Q3h": [LN["1.5"]] * 2 + [LN["1.25"]] * 2, "Q4a": [LN["1.25"]] * 4, "Q4b": [LN["2"]] * 4,
    "Q4c": [LN["2"]] * 2 + [LN["1.25"]] * 2, "Q4d": [LN["10"]] * 3, "Q4e": [LN["1.25"]] * 2, "Q4f": [0] * 4,
    "Q4g": [LN["1.25"]] * 2, "U1": [1, 1], "U2": [LN["1.25"]] * 2, "U3": [LN["1.25"]] * 3, "U4": [LN["1.05"]] * 3,
    "U5": [LN["1.25"]] * 2 + [1, 1], "U6": [0.5, 0.5], "U7": [LN["1.25"]] * 2,
}  # fmt: skip
"""The ledger's smallest effects, written here again: the claims file must agree."""
WITHIN = {("Q3h", 2), ("Q3h", 3), ("U2", 0), ("U2", 1)}
SCALE = {"Q1e": 5.0, "Q3e": 5.0, "Q4f": 100.0}
"""Size of what is dialled around a smallest effect of 0, against 0.04."""


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


def dial(tables: Tables, claim: str, outcomes: str | Sequence[str]) -> Tables:
    """A copy of the tables in which the claim's settings come out as asked; one word does for all of them. Tables that
    aren't turned are the very ones given."""
    sesoi, seeds = SESOI[claim], tables["convergence"]["seed"].nunique()
    words = [outcomes] * len(sesoi) if isinstance(outcomes, str) else list(outcomes)
    scale = SCALE.get(claim, 1.0)
    values = [
        theta(w, s, (claim, i) in WITHIN, seeds, scale) for i, (w, s) in enumerate(zip(words, sesoi, strict=True))
    ]
    out = dict(tables)
    DIALS[claim](out, values)
    return out
