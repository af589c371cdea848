"""All external checks, as the rows of checks.json."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from bnstudy.checks import backward, forward, linear, meanfield
from bnstudy.checks.base import Check

CHECKS: dict[str, Callable[[], list[Check]]] = {
    "E1": backward.e1,
    "E2": forward.e2,
    "E3": backward.e3,
    "E4": backward.e4,
    "E5": meanfield.e5,
    "E6": meanfield.e6,
    "E7": meanfield.e7,
    "E8": meanfield.e8,
    "E9": linear.e9,
    "E10": meanfield.e10,
    "E11": forward.e11,
    "E12": linear.e12,
    "E13": linear.e13,
    "E14": forward.e14,
    "E15": backward.e15,
}
"""Check by id; each returns one row a case."""


def run(ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Rows {id, name, expected, measured, tolerance, passed} of the checks named (default: all).

    A measured value that is no finite number becomes None, which JSON can hold. Raises ValueError for unknown ids.
    """
    unknown = [i for i in ids or () if i not in CHECKS]
    if unknown:
        raise ValueError(f"unknown check {', '.join(unknown)}: checks are {', '.join(CHECKS)}")
    rows = [check._asdict() for i in (CHECKS if ids is None else ids) for check in CHECKS[i]()]
    return [row | {"measured": row["measured"] if isfinite(row["measured"]) else None} for row in rows]
