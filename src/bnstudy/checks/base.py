"""One line of the table of external checks: what a correct study must find, beside what this one found."""

from math import exp
from typing import NamedTuple

import torch
from torch import Tensor

from bnstudy.core.rng import rng


class Check(NamedTuple):
    """``id`` as E5; ``tolerance`` is absolute, in the unit of ``expected`` and ``measured``."""

    id: str
    name: str
    expected: float
    measured: float
    tolerance: float
    passed: bool


def equal(id: str, name: str, expected: float, measured: float, tolerance: float) -> Check:
    """Passes where measured is within the tolerance of expected (never where it is NaN)."""
    return Check(id, name, float(expected), float(measured), float(tolerance), abs(measured - expected) <= tolerance)


def at_least(id: str, name: str, bound: float, measured: float) -> Check:
    """Passes where measured reaches the bound."""
    return Check(id, f"{name}, at least", bound, measured, 0.0, measured >= bound)


def at_most(id: str, name: str, bound: float, measured: float) -> Check:
    """Passes where measured stays within the bound."""
    return Check(id, f"{name}, at most", bound, measured, 0.0, measured <= bound)


def normal(purpose: str, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Independent standard normal numbers, the same at every call with the same purpose."""
    return torch.randn(shape, generator=rng(0, f"check {purpose}"), dtype=dtype)


def largest(value: Tensor) -> float:
    """The largest absolute value."""
    return float(value.detach().abs().max())


def growth(squares: Tensor) -> float:
    """Factor a layer towards the input, geometric mean, of squared norms ``squares`` [layers, networks].

    Averaged over networks before the logarithm: mean-field rates are rates of expectations. The last layer is left
    out: the gradient that enters there is not yet of the kind that many layers make of it.
    """
    mean = squares[:-1].detach().double().mean(1)
    return exp(float(mean[0].log() - mean[-1].log()) / (len(mean) - 1))
