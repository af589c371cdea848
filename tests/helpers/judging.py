"""Claims judged in tests: all of them or some, on tables or on thetas given by hand."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from bnstudy.claims.contrast import Contrast, shades
from bnstudy.claims.judge import answers, findings, judge, load
from bnstudy.claims.ledger import Claim, Ledger, Story
from bnstudy.claims.records import AnswerRow, ClaimRow, ContrastRow, JudgedWith
from helpers.synthetic import BASE, GRIDS
from helpers.thetas import SEEDS, Given, feed, given

FILE = Path(__file__).parents[2] / "config" / "claims.yaml"
FILED = load(FILE)
LEDGER = FILED.model_copy(update={"claims": [c.model_copy(update={"judged": True}) for c in FILED.claims]})
"""The claims file with every claim judged, so that each verdict and each word that it has is tried."""
DEPTHS = {"shallow": 5, "middle": 10, "deep": 20}
TARGETS = (0.5, 0.25)
GIVEN = JudgedWith(base=BASE, depths=DEPTHS, networks=tuple(GRIDS), seeds=SEEDS, targets=TARGETS)
"""What a made study is judged with."""
INTERVALS = [claim.id for claim in LEDGER.claims if claim.settings[0].endpoint != "check"]
"""Claims that rest on intervals: all but the one about a formula."""


def part(*claims: str, ledger: Ledger = LEDGER) -> Ledger:
    """Return the claims file with some claims alone (default: all), judged at the K that they have in the whole."""

    class Part(Ledger):
        def primary(self, question: str, held: Callable[[Contrast], bool] = lambda contrast: True) -> int:
            return ledger.primary(question, held)

    some = [c for c in ledger.claims if not claims or c.id in claims]
    return Part.model_construct(**{**dict(ledger), "claims": some})


def judged(tables: Mapping[str, pd.DataFrame], *claims: str, ledger: Ledger = LEDGER) -> dict[str, ClaimRow]:
    """Return the rows of some claims (default: all) of a study's tables, by id."""
    rows = judge(part(*claims, ledger=ledger), tables, GIVEN)[0]
    return {row.id: row for row in rows}


def one(tables: Mapping[str, pd.DataFrame], claim: str) -> ClaimRow:
    """Return the row of one claim of a study's tables."""
    return judged(tables, claim)[claim]


def decided(
    claim: str,
    wanted: str | Sequence[str | pd.DataFrame | Exception],
    more: Given | None = None,
    ledger: Ledger = LEDGER,
) -> ClaimRow:
    """Return the row of a claim whose contrasts come out as wanted, without any table.

    Args:
        claim: its id.
        wanted: for each contrast the word it comes out as, its theta per seed, or the error of its endpoint; one word
            does for all of them.
        more: what the endpoints say of premises.
        ledger: the claims, all of them judged or as filed.
    """
    contrasts = LEDGER.claim(claim).settings
    each = [wanted] * len(contrasts) if isinstance(wanted, str) else wanted
    with pytest.MonkeyPatch.context() as patch:
        feed(patch, {**given(contrasts, each), **(more or {})})
        return judged({}, claim, ledger=ledger)[claim]


def word(row: ClaimRow | ContrastRow) -> str:
    """Return the shade of a row of a claim or of a contrast, or its verdict where it has none."""
    return str(row.detail or row.verdict)


def why(row: ClaimRow | ContrastRow) -> str:
    """Return the reason that a row gives, or nothing."""
    return row.reason or ""


def keys(claim: Claim) -> list[str]:
    """Return every verdict and shade that a claim can have."""
    every = dict.fromkeys(shade for s in claim.settings for shade in shades(s))
    several = [", ".join([*every][:2])] if len(every) > 1 and len(claim.settings) > 1 else []
    mixed = ["mixed"] if len(claim.settings) > 1 else []
    return ["supported", *(f"contradicted.{s}" for s in [*every, *several]), *mixed, "inconclusive", "not tested"]


def check_words(row: ClaimRow, rows: list[ClaimRow]) -> None:
    """Check that all that is said of a study are whole sentences, and that a question says what the study lacks."""
    answer = next(a for a in answers(LEDGER, rows) if a.id == row.question)
    assert (row.statement.rstrip(".") in answer.open) == (row.verdict == "not tested")
    for text in said(answer):
        assert text and "{" not in text and "None" not in text and text.endswith((".", "?")) and "  " not in text, text
    for finding in findings(LEDGER, rows).values():
        assert "{" not in finding.title + finding.caption


def said(answer: AnswerRow) -> list[str]:
    """Return every text of an answer that readers see, but the options of its guess and the title of its mechanism."""
    texts = [answer.open, *(s for ask in answer.asks for s in ask.sentences)]
    if answer.card:
        texts += [answer.card.asked, answer.card.finding, answer.card.stops]
    if answer.story:
        texts += story(answer.story)
    return texts


def story(told: Story[str]) -> list[str]:
    """Return the texts of a story that stand open, in the order in which they are read."""
    return [
        told.asked, told.guess.question, told.guess.answer, *(step.text for step in told.argument), told.mechanism.text,
        *(lecture.says for lecture in told.lecture),
        *(text for unclear in told.unclear for text in (unclear.asked, unclear.answer)),
    ]  # fmt: skip
