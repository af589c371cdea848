"""What numbers in a user's file are black and white."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnstudy.data.local import Unusable

HAIR = 1e-5
"""How far, in units of the range, pixels may lie outside it: what rounding does. They are clipped."""
DARK = 4
"""Pixels whose largest is below this part of white are pictures of another range, divided twice, or nearly black."""


class Range(NamedTuple):
    """The least and the largest finite number of an array, and how many are not finite."""

    least: float
    most: float
    strange: int = 0


def scale(path: Path, dtype: np.dtype, found: Range, black: float | None, white: float | None) -> tuple[float, float]:
    """Return the numbers that become 0 and 1.

    Without ``black`` and ``white``, what the config says, black is 0, and white is True, the largest number of an unsigned
    type, or 1 of fractions.

    Raises:
        Unusable: Pixels lie outside, or so far inside that another white was meant; the remedy says which numbers to write.
    """
    if found.least == found.most:
        raise Unusable(path, f"every number of x is {found.least:.9g}", "store pictures that differ")
    likely = _likely(found, black)
    if dtype.kind == "b":
        return 0.0, 1.0
    if white is None and dtype.kind == "i":
        fault = f"x is an array of whole numbers with a sign, in {found.least:.9g}..{found.most:.9g}"
        raise Unusable(path, fault, f"say which number is white: add {likely} to data")
    largest = float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0
    low, high = black or 0.0, largest if white is None else white
    hair = HAIR * (high - low)
    if high <= low:
        raise Unusable(path, f"black {low:.9g} is not below white {high:.9g}", f"write {likely}")
    if found.least < low - hair or found.most > high + hair:
        what = "floats" if dtype.kind == "f" else "whole numbers"
        fault = f"x has {what} in {found.least:.9g}..{found.most:.9g}, not in {low:.9g}..{high:.9g}"
        raise Unusable(path, fault, f"say which numbers are black and white: add {likely} to data")
    if white is None and found.most < largest / DARK:
        fault = f"the largest pixel of x is {found.most:.9g} of {largest:.9g}: nearly black"
        remedy = f"if that is white, add {likely} to data; if the pictures are meant to be so dark"
        raise Unusable(path, fault, f"{remedy}, add white: {largest:.9g}")
    return low, high


def to_unit(x: np.ndarray, black: float, white: float) -> np.ndarray:
    """Return numbers from ``black`` to ``white`` as float32 in 0..1, computed in float64 and rounded once."""
    if x.dtype == np.uint8:
        every = (np.arange(256) - black) / (white - black)
        return every.clip(0, 1).astype(np.float32)[x]
    unit = np.empty(x.shape, np.float32)
    for part, out in zip(x, unit):
        out[...] = ((part.astype(np.float64) - black) / (white - black)).clip(0, 1)
    return unit


def _likely(found: Range, black: float | None) -> str:
    """Return the keys that would fit a range, in place of those that the config has."""
    if found.least >= 0:
        usual = (1, 15, 16, 31, 63, 127, 255, 1023, 4095, 16383, 65535)
        known = next((n for n in usual if n / DARK <= found.most <= n), None)
        return f"{'black: 0, ' * bool(black)}white: {known or format(found.most, '.9g')}"
    if -1 - HAIR <= found.least and found.most <= 1 + HAIR:
        return "black: -1, white: 1"
    return f"black: {found.least:.9g}, white: {found.most:.9g}"
