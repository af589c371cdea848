"""Records of judging and the JSON that they come from."""

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from bnstudy.claims.records import ClaimRow, from_json, to_json


@pytest.fixture(scope="module")
def rows(held: dict[str, ClaimRow]) -> list[Any]:
    some = [held[claim] for claim in ("Q1a", "Q3a", "Q3i", "U3")]
    return list(to_json([replace(row, robustness=("batch 32",), robustness_sentence="One.") for row in some]))


def test_a_row_of_claims_keeps_keys_order_and_bytes(rows: list[Any]) -> None:
    assert list(rows[0])[:6] == ["id", "question", "statement", "by", "lecture", "region"]
    keys = list(rows[0]["settings"][0])
    assert keys[keys.index("reason") :][:5] == ["reason", "effect", "threshold", "label", "what"]
    again = to_json(from_json(list[ClaimRow], json.loads(json.dumps(rows))))
    assert json.dumps(again, indent=1) == json.dumps(rows, indent=1)


def test_a_record_cannot_be_changed_and_says_which_key_is_missing(rows: list[Any]) -> None:
    row = from_json(ClaimRow, rows[0])
    with pytest.raises(FrozenInstanceError):
        row.verdict = "supported"  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"settings\.1\.n_seeds\n.*required"):
        broken = {**rows[0]["settings"][1]}
        del broken["n_seeds"]
        from_json(ClaimRow, {**rows[0], "settings": [rows[0]["settings"][0], broken]})
