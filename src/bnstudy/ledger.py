"""The claims file (config/claims.yaml) as strict models: what is measured, what matters, what is said."""

import math
import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SHADES = {
    "more": ("opposite", "negligible"),
    "less": ("opposite", "negligible"),
    "within": ("higher", "lower"),
}
"""How a setting can be contradicted, a region; "not enough" besides, also where a claim's settings differ in shade."""
FIELDS = frozenset(
    "effect turned outcome estimate low high n first sesoi supported_settings contradicted_settings open_settings reason short".split()
)
"""What a text may name in braces."""


def _number(value: Any) -> Any:
    """ "ln 1.25" and "-ln 2" are numbers as well."""
    found = re.fullmatch(r"(-?)\s*ln\s+(\d+(?:\.\d+)?)", value) if isinstance(value, str) else None
    return (-1 if found[1] else 1) * math.log(float(found[2])) if found else value


Number = Annotated[float, BeforeValidator(_number)]
Depth = Literal["shallow", "middle", "deep"]
Key = Annotated[str, Field(pattern="^Q[1-9][a-z]$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Needs(NamedTuple):
    """What a setting of an endpoint says: how many arms, which keys it must give and which it may."""

    arms: int
    must: frozenset[str]
    may: frozenset[str] = frozenset({"gain", "inputs"})


def _needs(arms: int, must: str, *may: str) -> Needs:
    return Needs(arms, frozenset(must.split()), frozenset({"gain", "inputs", *may}))


ENDPOINTS = {
    "steps_ratio": _needs(2, "depth", "target", "rate"),
    "steps_interaction": _needs(2, "depth against", "target", "rate"),
    "steps_change": _needs(1, "depth against", "target", "rate"),
    "usable_rates": _needs(2, "depth"),
    "clean_difference": _needs(2, "depth"),
    "drop_difference": _needs(2, "depth family"),
    "statistics_gain": _needs(1, "depth family statistics"),
    "affine_motion": _needs(1, "depth"),
    "drift_ratio": _needs(2, "depth column"),
    "input_offset": _needs(1, "depth"),
    "variance_growth": _needs(1, "depth"),
    "xhat_offset": _needs(1, "depth family severity"),
    "xhat_growth": _needs(1, "depth family severity"),
}
"""One function a name in bnstudy.endpoints, where each is defined."""


class Against(Strict):
    """The other network of a contrast of contrasts: the setting itself with one key changed."""

    depth: Depth | None = None
    gain: float | None = None
    inputs: str | None = None


class Setting(Strict):
    """One primary interval. theta = margin + value, or margin - value where ``reverse``; the claim says theta > sesoi."""

    name: str = Field(description="as shown; {shallow}, {middle}, {deep}, {main}, {second} give the study's numbers")
    endpoint: Literal[tuple(ENDPOINTS)]  # type: ignore[valid-type]
    arms: list[str] = Field(min_length=1, max_length=2)
    region: Literal["more", "less", "within"] = "more"
    sesoi: Annotated[Number, Field(ge=0)]
    unit: Literal["times", "points", "sd", "decades"] = Field(description="times: theta is the natural logarithm")
    margin: Number = 0.0
    reverse: bool = False
    depth: Depth
    target: Literal["main", "second"] | None = None
    rate: Literal["best", "shared"] | None = None
    gain: float | None = None
    inputs: str | None = None
    family: str | None = None
    severity: int | None = None
    column: Literal["moments", "shape"] | None = None
    statistics: str | None = None
    against: Against | None = None

    @model_validator(mode="after")
    def _fits_endpoint(self) -> "Setting":
        needs = ENDPOINTS[self.endpoint]
        keys = (
            "depth",
            "target",
            "rate",
            "gain",
            "inputs",
            "family",
            "severity",
            "column",
            "statistics",
            "against",
        )
        given = {k for k in keys if getattr(self, k) is not None}
        if len(self.arms) != needs.arms:
            raise ValueError(f"endpoint {self.endpoint} takes {needs.arms} arms, not {self.arms}")
        if needs.must - given:
            raise ValueError(f"endpoint {self.endpoint} also needs {', '.join(sorted(needs.must - given))}")
        if given - needs.must - needs.may:
            raise ValueError(
                f"endpoint {self.endpoint} has no use for {', '.join(sorted(given - needs.must - needs.may))}"
            )
        if self.region == "within" and self.sesoi == 0:
            raise ValueError("a claim that says `within` needs a sesoi above 0")
        return self


SHARED = frozenset(Setting.model_fields) - {"name"}
"""Keys of a setting that a claim may give once for all of them."""


class Claim(Strict):
    id: Key
    question: Annotated[str, Field(pattern="^Q[1-9]$")]
    by: list[Literal["L", "A", "O", "P"]] = Field(min_length=1)
    statement: str
    short: str = Field(description="the claim in a few words, for sentences that go on after it")
    sesoi_reason: str
    shares: Key | None = Field(None, description="the claim whose intervals these are: they are not counted twice")
    settings: list[Setting] = Field(min_length=1)
    texts: dict[str, str] = Field(description="verdict, or contradicted.SHADE, to the sentence said then")

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        """Keys given once, for the claim, go to each of its settings that lacks them."""
        if not isinstance(data, dict) or not isinstance(data.get("settings"), list):
            return data
        common = {k: data[k] for k in SHARED & set(data)}
        settings = [{**common, **s} if isinstance(s, dict) else s for s in data["settings"]]
        return {k: v for k, v in data.items() if k not in SHARED} | {"settings": settings}


class Answer(Strict):
    """A sentence and when it is said: each claim named has one of the verdicts listed ("contradicted" is any shade)."""

    when: dict[Key, list[str]] = {}
    text: str


class Question(Strict):
    id: Annotated[str, Field(pattern="^Q[1-9]$")]
    title: str
    asked: str
    lead: Key
    pivot: Key
    sentences: list[list[Answer]] = Field(min_length=1, description="each: the first answer whose `when` holds")
    open: str = Field(description="what of the question this study does not test")


class Finding(Strict):
    """What is said of a figure: the title is a finding, so it is chosen by verdict; alt and caption repeat it."""

    figure: str
    title: list[Answer] = Field(min_length=1)
    alt: str = Field(description="kind of chart and data; {title} is the finding")
    caption: str = Field(description="what to see, how to read it, what it cannot show")


class Identity(Strict):
    claims: list[Key]
    text: str


class Ledger(Strict):
    texts: dict[str, str] = Field(description="sentences for every claim that has none of its own for a verdict")
    questions: list[Question]
    claims: list[Claim]
    findings: list[Finding] = []
    identities: list[Identity] = []

    def claim(self, name: str) -> Claim:
        return next(c for c in self.claims if c.id == name)

    def text(self, claim: Claim, key: str) -> str:
        """The template of a claim for a verdict or contradicted.SHADE: its own, else the shared one."""
        return claim.texts.get(key) or self.texts[key]

    def primary(self, question: str) -> int:
        """K: how many primary intervals share a question's 5%."""
        return sum(len(c.settings) for c in self.claims if c.question == question and not c.shares)


def keys(claim: Claim) -> list[str]:
    """Every verdict and shade that a claim can have."""
    shades = dict.fromkeys(shade for s in claim.settings for shade in (*SHADES[s.region], "not enough"))
    return ["supported", *(f"contradicted.{s}" for s in shades), "mixed", "inconclusive", "not tested"]
