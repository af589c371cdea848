"""The claims as strict models: what is tested (config/claims.yaml) and what is said of it (config/claims_text.yaml)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bnstudy.claims.contrast import SHARED, Contrast, Strict, shades

Key = Annotated[str, Field(pattern="^(Q[1-9][a-z]|U[1-9]|A[1-9][0-9]*)$")]
Condition = Annotated[str, Field(pattern=r"^(Q[1-9][a-z]|U[1-9])(\.[1-9])?$")]
Group = Annotated[str, Field(pattern="^(Q[1-9]|U|A)$")]
FIELDS = frozenset(
    "effect turned outcome estimate low high n first sesoi supported_settings contradicted_settings open_settings reason short example".split()
)
"""What a text may name in braces."""


class ClaimText(Strict):
    """What is said of a claim."""

    short: str = Field(description="the claim in a few words, for sentences that go on after it")
    texts: dict[str, str] = Field(description="verdict, or contradicted.SHADE, to the sentence said then")


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
    """A sentence and when it is said: each claim named has one of the verdicts listed ("contradicted" is any shade).

    Q4c.3 is the third setting of claim Q4c.
    """

    when: dict[Condition, list[str]] = {}
    text: str


class Ask(Strict):
    """What learners ask besides, and the sentences that answer it."""

    asked: str
    sentences: list[list[Answer]] = Field(min_length=1)


class QuestionText(Strict):
    """What is said of a question."""

    sentences: list[list[Answer]] = Field([], description="each: the first answer whose `when` holds")
    believe: list[list[Answer]] = Field([], description="what a learner should take away, chosen in the same way")
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
    title: list[Answer] = Field(min_length=1)
    alt: str = Field(description="kind of chart and data; {title} is the finding")
    caption: str = Field(description="what to see, how to read it, what it cannot show")


class Identity(Strict):
    """What holds by arithmetic, and is no evidence for these claims."""

    claims: list[Key]
    text: str


class Text(Strict):
    """The text file: what is said, by the ids of the claims file."""

    texts: dict[str, str] = {}
    questions: dict[Group, QuestionText] = {}
    claims: dict[Key, ClaimText] = {}
    findings: list[Finding] = []


class Ledger(Strict):
    """The claims file, with what its text file says."""

    text_file: str | None = Field(None, description="the file beside this one that gives the words that it lacks")
    texts: dict[str, str] = Field(description="sentences for every claim that has none of its own for a verdict")
    questions: list[Question]
    claims: list[Claim]
    findings: list[Finding] = []
    identities: list[Identity] = []

    def claim(self, name: str) -> Claim:
        return next(c for c in self.claims if c.id == name)

    def text(self, claim: Claim, key: str) -> str:
        """Return the template of a claim for a verdict or contradicted.SHADE: its own, else the shared one."""
        return claim.texts.get(key) or self.texts[key]

    def primary(self, question: str) -> int:
        """Return K, how many primary intervals share a question's 5%. A check has none."""
        counted = (c for c in self.claims if c.question == question and not c.shares)
        return sum(s.endpoint != "check" for c in counted for s in c.settings)


def keys(claim: Claim) -> list[str]:
    """Return every verdict and shade that a claim can have."""
    every = dict.fromkeys(shade for s in claim.settings for shade in shades(s))
    several = {"not enough": None} if len(every) > 1 else {}
    return ["supported", *(f"contradicted.{s}" for s in every | several), "mixed", "inconclusive", "not tested"]
