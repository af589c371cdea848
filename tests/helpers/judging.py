"""Claims judged in tests: all of them or some, on tables or on thetas given by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from bnstudy.claims.judge import answers, findings, judge, load
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.records import ClaimRow, ContrastRow
from helpers.synthetic import BASE
from helpers.thetas import SEEDS, Given, feed, given

FILE = Path(__file__).parents[2] / "config" / "claims.yaml"
LEDGER = load(FILE, SEEDS)
DEPTHS = {"shallow": 5, "middle": 10, "deep": 20}
TARGETS = (0.5, 0.25)
INTERVALS = [claim.id for claim in LEDGER.claims if claim.settings[0].endpoint != "check"]
"""Claims that rest on intervals: all but the one about a formula."""


def part(*claims: str) -> Ledger:
    """Return the claims file with some claims alone (default: all), judged at the K that they have in the whole."""

    class Part(Ledger):
        def primary(self, question: str) -> int:
            return LEDGER.primary(question)

    return Part.model_construct(
        **{**dict(LEDGER), "claims": [c for c in LEDGER.claims if not claims or c.id in claims]}
    )


def judged(tables: Mapping[str, pd.DataFrame], *claims: str) -> dict[str, ClaimRow]:
    """Return the rows of some claims (default: all) of a study's tables, by id."""
    rows = judge(part(*claims), tables, DEPTHS, TARGETS, SEEDS, BASE)[0]
    return {row.id: row for row in rows}


def one(tables: Mapping[str, pd.DataFrame], claim: str) -> ClaimRow:
    """Return the row of one claim of a study's tables."""
    return judged(tables, claim)[claim]


def decided(claim: str, wanted: str | Sequence[str | pd.DataFrame | Exception], more: Given | None = None) -> ClaimRow:
    """Return the row of a claim whose contrasts come out as wanted, without any table.

    Args:
        claim: its id.
        wanted: for each contrast the word it comes out as, its theta per seed, or the error of its endpoint; one word
            does for all of them.
        more: what the endpoints say of premises.
    """
    contrasts = LEDGER.claim(claim).settings
    with pytest.MonkeyPatch.context() as patch:
        feed(
            patch,
            {**given(contrasts, [wanted] * len(contrasts) if isinstance(wanted, str) else wanted), **(more or {})},
        )
        return one({}, claim)


def word(row: ClaimRow | ContrastRow) -> str:
    """Return the shade of a row of a claim or of a contrast, or its verdict where it has none."""
    return str(row.detail or row.verdict)


def why(row: ClaimRow | ContrastRow) -> str:
    """Return the reason that a row gives, or nothing."""
    return row.reason or ""


def check_words(row: ClaimRow, rows: list[ClaimRow]) -> None:
    """Check that a question's answer says of a claim what its verdict is, and all of it in whole sentences."""
    answer = next(a for a in answers(LEDGER, rows) if a.id == row.question)
    said = [
        *answer.sentences,
        *answer.believe,
        *answer.right,
        *answer.stops,
        *answer.brief,
        answer.open,
    ]
    said += [s for ask in answer.asks for s in ask.sentences]
    assert all(s and "{" not in s and "None" not in s and s.endswith((".", "?")) for s in said)
    place = {"supported": "right", "mixed": "right", "not tested": "open"}.get(row.verdict, "stops")
    texts = {"right": " ".join(answer.right), "stops": " ".join(answer.stops), "open": answer.open}
    assert [k for k, text in texts.items() if LEDGER.claim(row.id).short in text] == [place]
    for finding in findings(LEDGER, rows).values():
        assert finding.title in finding.alt and "{" not in finding.title + finding.alt + finding.caption
