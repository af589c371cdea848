"""Rows of judging with what a test says of them, and plain values for the rest."""

from typing import Any

from bnstudy.claims.records import ClaimRow, ContrastRow

NUMBERS: dict[str, Any] = {
    "region": "more", "sesoi": 0.7, "unit": "ln times", "estimate": None, "ci_low": None, "ci_high": None,
    "ci_low_open": True, "ci_high_open": True, "shown_estimate": None, "shown_low": None, "shown_high": None,
    "shown_sesoi": 0.7, "n_seeds": 16, "effect": "not measurable", "verdict": "open", "detail": None, "reason": None,
    "threshold": "2 times",
}  # fmt: skip


def contrast_row(**values: Any) -> ContrastRow:
    return ContrastRow(**{"name": "s", **NUMBERS, **values})


def claim_row(**values: Any) -> ClaimRow:
    words = dict.fromkeys(("id", "question", "statement", "by", "lecture", "sesoi_reason", "sentence"), "x")
    numbers = {k: v for k, v in NUMBERS.items() if k != "threshold"}
    return ClaimRow(**{**words, **numbers, "checks": (), "settings": (), **values})
