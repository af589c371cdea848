"""One row of the external checks: what a correct study must find, and what this one finds."""

from math import exp
from typing import NamedTuple

import torch
from torch import Tensor

from bnstudy.core.rng import rng


class Check(NamedTuple):
    """A row of checks.json, but for the id of its check, such as E5.

    Attributes:
        key: The row, by a short stable name that is unique within its check; claims and figures look rows up by it.
        name: What is compared, in words.
        tolerance: Absolute, in the unit of ``expected`` and ``measured``.
    """

    key: str
    name: str
    expected: float
    measured: float
    tolerance: float
    passed: bool


def equal(key: str, name: str, expected: float, measured: float, tolerance: float) -> Check:
    """Return a row that passes where measured is within the tolerance of expected (never where it is NaN)."""
    passed = abs(measured - expected) <= tolerance
    return Check(key, name, float(expected), float(measured), float(tolerance), passed)


def at_least(key: str, name: str, bound: float, measured: float) -> Check:
    """Return a row that passes where measured reaches the bound."""
    return Check(key, f"{name}, at least", bound, measured, 0.0, measured >= bound)


def at_most(key: str, name: str, bound: float, measured: float) -> Check:
    """Return a row that passes where measured stays within the bound."""
    return Check(key, f"{name}, at most", bound, measured, 0.0, measured <= bound)


def normal(purpose: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return independent standard normal numbers, the same at every call with the same purpose."""
    return torch.randn(shape, generator=rng(0, f"check {purpose}"), dtype=dtype)


def largest(value: Tensor) -> float:
    """Return the largest absolute value."""
    return float(value.detach().abs().max())


def growth(squares: Tensor) -> float:
    """Return the average factor by which squared norms [layers, networks] grow per layer, going towards the input
    (geometric mean).

    The mean over networks is taken before the logarithm, since mean-field rates are rates of expectations. The last
    layer is left out, since the gradient that enters there is not yet of the kind that many layers make of it.
    """
    mean = squares[:-1].detach().double().mean(1)
    return exp(float(mean[0].log() - mean[-1].log()) / (len(mean) - 1))
