"""The claims as strict models: what is tested (config/claims.yaml) and what is said of it (config/claims_text.yaml)."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bnstudy.claims.contrast import SHARED, Contrast, Strict

Key = Annotated[str, Field(pattern="^(Q[1-9][a-z]|U[1-9]|A[1-9][0-9]*)$")]
Group = Annotated[str, Field(pattern="^(Q[1-9]|U|A)$")]
Figure = Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$")]
FIELDS = frozenset({"effect", "sesoi"})
"""What a fact may name in braces: the effect with its interval, and the smallest effect that matters."""
Outcome = Literal["supported", "opposite", "negligible", "not enough", "higher", "lower"]
"""What a decided contrast can come out as: supported, or contradicted in one of these shades."""


class Part(Strict):
    """Contrasts of a claim that compare the same two things, and what each outcome of them says.

    A contrast has one sentence for its outcome, which ends with where it is taken ("Batch norm needs more steps" + "at 20
    layers"), and one for the fact, with its effect.
    """

    what: str = Field(description="what over what, or minus what: the two sides of every effect of this part")
    says: dict[Outcome, str] = Field(description="a sentence per outcome, without where and without its full stop")
    fact: str = Field(
        description="the effect between its two sides, as in: without it training takes {effect} as many steps as with it"
    )
    turned: str | None = Field(None, description="the fact with its sides exchanged, said of ratios below 1")
    sides: tuple[str, str] | None = Field(None, strict=False, description="words for a difference above 0 and below 0")
    settings: dict[str, str] = Field(
        {}, description="name of a setting to where it is taken, in words; `;` ends the network's name"
    )


class ClaimText(Strict):
    """What is said of a claim."""

    parts: list[Part] = Field(min_length=1)

    def part(self, setting: str) -> Part:
        """Return the part of a setting: the one that lists it, or else the last one."""
        return next((p for p in self.parts if setting in p.settings), self.parts[-1])


class Claim(ClaimText):
    """What is tested, with what is said of it."""

    id: Key
    question: Group
    by: list[Literal["L", "A", "O", "P", "S"]] = Field(min_length=1)
    statement: str
    lecture: str | None = Field(
        None, description="minute of the lecture that makes it", pattern=r"^\d+:\d\d( and \d+:\d\d)?$"
    )
    sesoi_reason: str
    judged: bool = Field(
        True, description="false: its numbers and intervals are shown, without a verdict, and count for nothing else"
    )
    shares: Key | None = Field(None, description="the claim whose intervals these are: they are not counted twice")
    settings: list[Contrast] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        """Give the keys that stand once at the claim to each of its contrasts that lacks them."""
        if not isinstance(data, dict) or not isinstance(data.get("settings"), list):
            return data
        common = {k: data[k] for k in SHARED & set(data)}
        settings = [{**common, **s} if isinstance(s, dict) else s for s in data["settings"]]
        return {k: v for k, v in data.items() if k not in SHARED} | {"settings": settings}


class Answer(Strict):
    """A sentence and when it is said: every condition holds. Conditions and fields are as in bnstudy.claims.choices."""

    when: list[str] = []
    text: str


Choice = Annotated[list[Answer], Field(min_length=1)]
"""The first answer whose `when` holds is said."""
Saying = Annotated[list[Choice], Field(min_length=1)]
"""Sentences, each chosen by itself; one that is chosen to be empty is left out."""


class Ask(Strict):
    """What learners ask besides, and the sentences that answer it."""

    asked: str
    sentences: Saying


class CardText(Strict):
    """What the first screen says of a question."""

    asked: str = Field(description="the learner's words, in short")
    finding: Saying
    stops: Saying
    figure: Figure


class GuessText(Strict):
    question: str
    options: list[str] = Field(min_length=2)
    answer: Saying


class StepText(Strict):
    text: Saying
    claim: Key


class Mechanism(Strict):
    """What holds by arithmetic, whatever is measured; the check measures it."""

    title: str
    text: str
    check: str = Field(pattern="^E[0-9]+$")


class LectureText(Strict):
    minute: str = Field(pattern=r"^\d+:\d\d$")
    says: str
    right: Saying
    stops: Saying


class UnclearText(Strict):
    asked: str
    answer: Saying


class StoryText(Strict):
    """What a question's section says, in the order in which it is read."""

    asked: str
    guess: GuessText
    argument: list[StepText] = Field(min_length=1)
    mechanism: Mechanism
    lecture: list[LectureText]
    unclear: list[UnclearText]


class QuestionText(Strict):
    """What is said of a question."""

    card: CardText | None = None
    story: StoryText | None = None
    asks: list[Ask] = []
    open: str = Field(description="where the question's measurements end, whatever they find")


class Question(QuestionText):
    id: Group
    title: str
    asked: str
    lead: Key
    pivot: Key


class Finding(Strict):
    """What is said of a figure: the title is a finding, so it is chosen by verdict; alt and caption repeat it."""

    figure: str
    title: Choice
    alt: str = Field(description="kind of chart and data; {title} is the finding")
    caption: str = Field(description="what to see, how to read it, what it cannot show")


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

    quantity: str = Field(description="a column of untrained.csv, of the network without norm")
    meaning: str = Field(default="", description="what it is, in words")
    low: float
    high: float
    saving: float = Field(
        default=1.25, description="steps without batch norm : steps with it, from which on a saving counts"
    )

    def distance(self, value: float) -> float:
        """Return how far a value lies outside the band without a saving; inside, minus the way out of it."""
        return max(self.low - value, value - self.high)


class Ledger(Strict):
    """The claims file, with what its text file says."""

    text_file: str | None = Field(None, description="the file beside this one that gives the words that it lacks")
    forecast: Rule | None = Field(None, description="the rule by which forecasts are made, and judged")
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
