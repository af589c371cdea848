"""From the verdicts of a study to what is said of its questions and figures: every sentence is chosen by verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bnstudy.claims.choices import GROUPS, Condition, Place, fields, fill
from bnstudy.claims.ledger import Answer, Ask, Ledger, Part, Question, Sourced, Step, Strict
from bnstudy.claims.records import AnswerRow, ClaimRow, ContrastRow, FindingRow, from_json
from bnstudy.claims.sentences import ROOM, effects, lead, outcome, places
from bnstudy.core.words import study

NUMBERS = {"text", "fact", "answer"}
"""What may tell numbers of a claim that decides nothing."""


class Speaker:
    """Chooses and fills texts by the outcomes of a study's claims. Claims that the file lacks words for are never named."""

    def __init__(self, ledger: Ledger, rows: Sequence[ClaimRow]) -> None:
        self.claims = {claim.id: claim for claim in ledger.claims}
        self.rows = {row.id: row for row in rows}

    def settings(self, place: Place, outcomes: Sequence[str] = GROUPS["listed"]) -> list[ContrastRow]:
        """Return the settings of a place that came out as one of ``outcomes``, of those that count."""
        pairs = zip(self.claims[place.claim].settings, self.rows[place.claim].settings, strict=True)
        listed = [row for contrast, row in pairs if place.takes(contrast.name) and row.counts]
        return [row for row in listed if outcome(row) in outcomes]

    def holds(self, condition: Condition) -> bool:
        """Return whether a condition holds."""
        found = self.settings(condition.place, condition.outcomes)
        if condition.verb == "is":
            return bool(found) and len(found) == len(self.settings(condition.place, GROUPS["decided"]))
        return bool(found) == (condition.verb == "has")

    def text(self, answers: Sequence[Answer]) -> str:
        """Return the first answer that holds, with its fields filled; nothing where none does.

        Raises:
            ValueError: where a field has no setting to speak of.
        """
        return fill(self.chosen(answers).text, self._field)

    def chosen(self, answers: Sequence[Answer]) -> Answer:
        """Return the first answer that holds, and one that says nothing where none does."""
        for answer in answers:
            if all(self.holds(Condition.read(condition)) for condition in answer.when):
                return answer
        return Answer(text="")

    def undecided(self, answer: Answer) -> str:
        """Return " (open)" or " (not judged)" where an answer tells a number of settings of which none is decided; else ""."""
        for condition in map(Condition.read, answer.when):
            if condition.outcomes == GROUPS["measured"] and not self.settings(condition.place, GROUPS["decided"]):
                return " (open)" if self.settings(condition.place, ("open",)) else " (not judged)"
        return ""

    def _field(self, place: Place, outcomes: Sequence[str], how: str) -> str:
        if how == "sentence":
            return self.rows[place.claim].sentence
        if not (found := self.settings(place, outcomes)):
            raise ValueError(f"no setting of {place} is {' or '.join(outcomes)}; a `when` must say so")
        if how in ROOM:
            return places(found, self.settings(place, GROUPS["measured"]), ROOM[how])
        claim = self.claims[place.claim]
        names = {row.name: contrast.name for contrast, row in zip(claim.settings, self.rows[place.claim].settings)}
        return effects(claim.part(names[found[0].name]), found, how == "turned", interval=False)

    def said(self, text: Any) -> Any:
        """Return a model of the text file as plain data: what is said of each list of answers, sentences as one text."""
        if isinstance(text, Strict):
            told = {name: self.said(getattr(text, name)) for name in type(text).model_fields}
            if isinstance(text, Ask):
                told["sentences"] = list(filter(None, map(self.text, text.sentences)))
            if isinstance(text, Step):
                told["text"] = self._with_open(told["text"], text.claim)
            if isinstance(text, Sourced):
                told["claims"] = self._sources(text)
                own = [text.claim] if isinstance(text, Step) and text.claim in told["claims"] else told["claims"]
                told |= {key: told[key] + self._undecided(told[key], own) for key in NUMBERS & told.keys()}
            return told
        if isinstance(text, list) and text and isinstance(text[0], list):
            return " ".join(filter(None, map(self.text, text)))
        return [self.said(item) for item in text] if isinstance(text, list) else text

    def _sources(self, text: Sourced) -> list[str]:
        """Return the claims whose networks or numbers the chosen answers name."""
        choices = [choice for _, one in text if isinstance(one, list) for choice in one if isinstance(choice, list)]
        told = (fields(self.chosen(choice).text) for choice in choices)
        return list(dict.fromkeys(place.claim for places_ in told for place, *_ in places_))

    def _undecided(self, text: str, claims: Sequence[str]) -> str:
        """Return a sentence, with a space before it, where the claims whose numbers a text tells decide nothing; else ""."""
        left = all(self.settings(Place(claim), ("open",)) for claim in claims)
        decided = any(self.settings(Place(claim), GROUPS["decided"]) for claim in claims)
        said = not claims or re.search(r"\b(?:open|clear|depends)\b", text)
        return " That stays open." if left and not decided and not said else ""

    def _with_open(self, text: str, claim: str) -> str:
        """Return a step of an argument with what its claim leaves open beside what it decides, unless the text says so."""
        place = Place(claim)
        left, decided = self.settings(place, ("open",)), self.settings(place, GROUPS["decided"])
        none, listed = self.settings(place, ("unmeasured",)), self.settings(place, GROUPS["listed"])
        told = (
            f"No result {places(none, listed, ROOM['short'])}"
            if len(none) == 1
            else f"{len(none)} more cases gave no result"
        )
        numberless = f" {told}." if none and decided else ""
        if not left or not decided or re.search(r"\bopen\b", text):
            return text + numberless
        claimed, every = self.claims[claim], self.settings(place, GROUPS["measured"])
        parts = {row.what: claimed.part(c.name) for c, row in zip(claimed.settings, self.rows[claim].settings)}
        said = [text]
        for what, part in parts.items():
            of_part = [row for row in every if row.what == what]
            if undecided := [row for row in of_part if outcome(row) == "open"]:
                subject = _whether(part, undecided) if len(parts) > 1 else "It stays open"
                said.append(f"{subject} {places(undecided, of_part, ROOM['brief'])}.")
        return " ".join(said) + numberless


def _whether(part: Part, undecided: Sequence[ContrastRow]) -> str:
    """Return what is open of a part: what it claims, or where its direction shows in every setting, whether that matters."""
    shows = all((row.shown_low or 0) > 0 for row in undecided)
    text = lead(part, "open")
    return text.replace(" stays open", ", by enough to matter, stays open") if shows else text


def answers(ledger: Ledger, rows: Sequence[ClaimRow]) -> list[AnswerRow]:
    """Return what is said of each question, from the rows of claims.json."""
    speaker = Speaker(ledger, rows)
    return [from_json(AnswerRow, speaker.said(q) | {"open": _open(q, rows)}) for q in ledger.questions]


def _open(question: Question, rows: Sequence[ClaimRow]) -> str:
    lacking = [row for row in rows if row.question == question.id and row.verdict == "not tested"]
    told = [f"This study lacks the networks to tell: {row.statement.rstrip('.')}.{_judged(row)}" for row in lacking]
    return " ".join([*told, question.open])


def _judged(row: ClaimRow) -> str:
    """Return a sentence, with a space before it, on what other studies say of a claim that is not tested here."""
    told = [f"“{study(name)}” it is {verdict}" for name, verdict in row.beside.items() if verdict != "not tested"]
    return f" In the study {', in '.join(told)}." if told else ""


def findings(ledger: Ledger, rows: Sequence[ClaimRow]) -> dict[str, FindingRow]:
    """Return what is said of each figure, its title chosen by verdict: none where the claim has no number for it."""
    speaker, by_figure = Speaker(ledger, rows), {}
    for finding in ledger.findings:
        title = speaker.text(finding.title).rstrip(".") + speaker.undecided(speaker.chosen(finding.title))
        by_figure[finding.figure] = FindingRow(title=title, caption=finding.caption)
    return by_figure
