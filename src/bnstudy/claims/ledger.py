"""The claims as strict models: what is tested (config/claims.yaml) and what is said of it (config/claims_text.yaml)."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bnstudy.claims.contrast import SHARED, Contrast, Strict

Key = Annotated[str, Field(pattern="^(Q[1-9][a-z]|U[1-9]|A[1-9][0-9]*)$")]
Group = Annotated[str, Field(pattern="^(Q[1-9]|U|A)$")]
FIELDS = frozenset({"effect", "sesoi"})
"""What a fact may name in braces: the effect with its interval, and the smallest effect that matters."""
Outcome = Literal["supported", "opposite", "negligible", "not enough", "higher", "lower"]
"""What a decided contrast can come out as: supported, or contradicted in one of these shades."""


class Part(Strict):
    """Contrasts of a claim that compare the same two things, and what each outcome of them says.

    A contrast has one sentence for its outcome, which ends with where it is taken ("Batch norm needs more steps" + "at 20
    layers"), and one for the fact, with its effect.
    """

    what: str
    """what over what, or minus what: the two sides of every effect of this part"""
    says: dict[Outcome, str]
    """a sentence per outcome, without where and without its full stop"""
    fact: str
    """the effect between its two sides, as in: without it training takes {effect} as many steps as with it"""
    turned: str | None = None
    """the fact with its sides exchanged, said of ratios below 1"""
    sides: tuple[str, str] | None = Field(None, strict=False)
    """words for a difference above 0 and below 0"""
    settings: dict[str, str] = {}
    """name of a setting to where it is taken, in words; `;` ends the network's name, and begins what stands behind its depth"""


class Heard(Strict):
    """What others say where a claim stands, what of that is right, where it stops, what holds instead: its verdict apart."""

    says: str
    right: str
    stops: str
    holds: str


class ClaimText(Strict):
    """What is said of a claim."""

    parts: list[Part] = Field(min_length=1)
    heard: Heard | None = None
    """told beside the claim where it is contradicted"""

    @model_validator(mode="before")
    @classmethod
    def _parts_alone(cls, data: Any) -> Any:
        """Take a list as the parts of a claim of which nothing is heard."""
        return {"parts": data} if isinstance(data, list) else data

    def weighed(self) -> dict[str, str]:
        """Return what is heard as a row of claims.json has it; nothing where the file says nothing."""
        return self.heard.model_dump() if self.heard else {}

    def part(self, setting: str) -> Part:
        """Return the part of a setting: the one that lists it, or else the last one."""
        return next((p for p in self.parts if setting in p.settings), self.parts[-1])


class Claim(ClaimText):
    """What is tested, with what is said of it."""

    id: Key
    question: Group
    by: list[Literal["L", "A", "O", "P", "S"]] = Field(min_length=1)
    statement: str
    lecture: str | None = Field(None, pattern=r"^\d+:\d\d( and \d+:\d\d)?$")
    """minute of the lecture that makes it"""
    sesoi_reason: str
    judged: bool = True
    """false: its numbers and intervals are shown, without a verdict, and count for nothing else"""
    shares: Key | None = None
    """the claim whose intervals these are: they are not counted twice"""
    settings: list[Contrast] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        """Give what stands once, in `each` or at the claim, to each contrast that lacks it, and the claim its id's question."""
        if not isinstance(data, dict) or not isinstance(data.get("settings"), list):
            return data
        each = data.get("each", {})
        if not isinstance(each, dict):
            raise ValueError("`each` holds keys of settings, as in each: {unit: times, sesoi: ln 1.25}")
        common = {**each, **{k: data[k] for k in SHARED & set(data)}}
        settings = [{**common, **s} if isinstance(s, dict) else s for s in data["settings"]]
        begins = re.match("Q[1-9]|[UA]", str(data.get("id")))
        question = {"question": begins[0]} if begins else {}
        own = {k: v for k, v in data.items() if k != "each" and k not in SHARED}
        return {**question, **own, "settings": settings}

    def placed(self) -> "Claim":
        """Return the claim with where each setting is taken spelt out in its parts.

        A place that begins with `;` stands behind the setting's depth. Of a claim with one part, a setting without a place is
        at its depth, unless others are at it too: then its name says more.
        """
        at = {s.name: f"at {{{s.depth}}}" for s in self.settings if s.depth}
        depths = [*at.values()]
        alone = {name: place for name, place in at.items() if len(self.parts) == 1 and depths.count(place) == 1}
        parts = []
        for part in self.parts:
            said = {name: at.get(name, "") * place.startswith(";") + place for name, place in part.settings.items()}
            parts.append(part.model_copy(update={"settings": {**alone, **said}}))
        return self.model_copy(update={"parts": parts})


class Answer(Strict):
    """A sentence and when it is said: every condition holds. Conditions and fields are as in bnstudy.claims.choices."""

    when: list[str] = []
    text: str


def _alone(wrap: Callable[[str], Any]) -> BeforeValidator:
    """Take a text alone as a list of it, wrapped."""
    return BeforeValidator(lambda given: [wrap(given)] if isinstance(given, str) else given)


Choice = Annotated[list[Answer], _alone(lambda text: {"text": text}), Field(min_length=1)]
"""The first answer whose `when` holds is said, and nothing where none holds; a text alone is always said."""
Saying = Annotated[list[Choice], _alone(str), Field(min_length=1)]
"""Sentences, each chosen by itself; where nothing is chosen, there is none. A text alone is one sentence."""


Said = TypeVar("Said")
"""What the models below say: in the text file a `Saying`, and in answers.json the text that was chosen."""


class Sourced(Strict):
    """What tells numbers; the study fills in which claims these are of, in the order in which they are told."""

    claims: list[Key] = []


class Ask(Sourced, Generic[Said]):
    """What learners ask besides, and the sentences that answer it."""

    asked: str
    sentences: Said


class Card(Strict, Generic[Said]):
    """What the first screen says of a question: its words, the finding, where it stops."""

    asked: str
    """the learner's words, in short"""
    finding: Said
    stops: Said


class Guess(Sourced, Generic[Said]):
    question: str
    options: list[str] = Field(min_length=2)
    answer: Said


class Step(Sourced, Generic[Said]):
    """A step of an argument, and the claim that it is about."""

    text: Said
    claim: Key


class Mechanism(Strict):
    """What holds by arithmetic, whatever is measured; the check measures it."""

    title: str
    text: str
    check: str = Field(pattern="^E[0-9]+$")


class Lecture(Sourced, Generic[Said]):
    """What was found, what the lecture says of it at a minute, what of that is right, where it stops, what holds instead."""

    minute: str = Field(pattern=r"^\d+:\d\d$")
    fact: Said
    says: str
    right: Said
    stops: Said
    instead: Said


class Unclear(Strict, Generic[Said]):
    asked: str
    answer: Said


class Story(Strict, Generic[Said]):
    """What a question's section says, in the order in which it is read."""

    asked: str
    guess: Guess[Said]
    argument: list[Step[Said]] = Field(min_length=1)
    mechanism: Mechanism
    lecture: list[Lecture[Said]]
    unclear: list[Unclear[Said]]

    @field_validator("argument", mode="before")
    @classmethod
    def _steps(cls, given: Any) -> Any:
        """Take the texts of steps by their claims, in the order in which they stand."""
        return [{"claim": claim, "text": text} for claim, text in given.items()] if isinstance(given, dict) else given


class QuestionText(Strict):
    """What is said of a question."""

    card: Card[Saying] | None = None
    story: Story[Saying] | None = None
    asks: list[Ask[Saying]] = []
    open: str
    """where the question's measurements end, whatever they find"""


class Question(QuestionText):
    id: Group
    title: str
    asked: str
    lead: Key
    pivot: Key


class Finding(Strict):
    """What is said of a figure: the title is a finding, so it is chosen by verdict; where none holds, it has its own."""

    figure: str
    title: Choice
    caption: str
    """what to see, how to read it, what it cannot show"""


class Identity(Strict):
    """What holds by arithmetic, and is no evidence for these claims."""

    claims: list[Key]
    text: str


class Text(Strict):
    """The text file: what is said, by the ids of the claims file."""

    questions: dict[Group, QuestionText] = {}
    claims: dict[Key, ClaimText] = {}
    findings: list[Finding] = []


class Rule(Strict):
    """What decides: batch norm is forecast to save steps unless a quantity of the untrained network lies in a band."""

    quantity: str
    """a column of untrained.csv, of the network without norm"""
    meaning: str = ""
    """what it is, in words"""
    low: float
    high: float
    saving: float = 1.25
    """steps without batch norm : steps with it, from which on a saving counts"""

    def distance(self, value: float) -> float:
        """Return how far a value lies outside the band without a saving; inside, minus the way out of it."""
        return max(self.low - value, value - self.high)


class Ledger(Strict):
    """The claims file, with what its text file says."""

    text_file: str | None = None
    """the file beside this one that gives the words that it lacks"""
    forecast: Rule | None = None
    """the rule by which forecasts are made, and judged"""
    questions: list[Question]
    claims: list[Claim]
    findings: list[Finding] = []
    identities: list[Identity] = []

    def claim(self, name: str) -> Claim:
        return next(c for c in self.claims if c.id == name)

    def primary(self, question: str, held: Callable[[Contrast], bool] = lambda contrast: True) -> int:
        """Return K, how many primary intervals share a question's 5%: of those that a study holds.

        A check has none, nor has a claim that is not judged.
        """
        counted = (c for c in self.claims if c.question == question and c.judged and not c.shares)
        return sum(s.endpoint != "check" and held(s) for c in counted for s in c.settings)
