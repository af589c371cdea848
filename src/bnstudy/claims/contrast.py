"""One primary interval of the claims file as a strict model: which contrast, of which networks, and what matters.

The file calls it a setting of its claim. ``sesoi`` is the smallest effect size of interest.
"""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bnstudy.claims.endpoints.table import ENDPOINTS


def _number(value: Any) -> Any:
    """Return "ln 1.25" and "-ln 2" as the numbers that they are."""
    logarithm = re.fullmatch(r"(-?)\s*ln\s+(\d+(?:\.\d+)?)", value) if isinstance(value, str) else None
    return (-1 if logarithm[1] else 1) * math.log(float(logarithm[2])) if logarithm else value


Number = Annotated[float, BeforeValidator(_number)]
Depth = Literal["shallow", "middle", "deep"]


def _endpoint(name: str) -> str:
    if name not in ENDPOINTS:
        raise ValueError(f"no such endpoint; there are {', '.join(ENDPOINTS)}")
    return name


Endpoint = Annotated[str, AfterValidator(_endpoint)]
Column = Literal["moments", "shape", "change_absolute", "change_relative"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class NetworkFactors(Strict):
    """What a contrast can say of its network besides the arm; left out, the study's own value holds."""

    depth: Depth | None = None
    gain: float | None = None
    inputs: str | None = None
    net: str | None = None
    """skip: the study's own network with skip connections"""
    width: int | None = None
    batch: int | None = None
    optimizer: str | None = None
    pool: int | None = None


class Premise(Strict):
    """A contrast that must exceed its sesoi, which may be negative, for another to say anything; keys left out are the other's."""

    endpoint: Endpoint
    arms: list[str]
    column: Column | None = None
    sesoi: Number
    unit: Literal["times", "points", "sd"] = "times"
    otherwise: str
    """the reason given then; may name {effect} and {sesoi} of the premise"""


class Contrast(NetworkFactors):
    """One primary interval of a claim.

    theta = margin + value, or margin - value where ``reverse``; the claim says that theta exceeds ``sesoi``, the smallest
    effect size of interest.
    """

    name: str
    """as shown; {shallow}, {middle}, {deep}, {main}, {second} give the study's numbers"""
    endpoint: Endpoint
    arms: list[str] = []
    region: Literal["more", "less", "within"] = "more"
    sesoi: Annotated[Number, Field(ge=0)]
    unit: Literal["times", "points", "percent", "sd", "decades", "kurtosis", "relative error"]
    """times: theta is the natural logarithm"""
    margin: Number = 0.0
    reverse: bool = False
    target: Literal["main", "second"] | None = None
    rate: Literal["best", "shared", "same"] | None = None
    against: NetworkFactors | None = None
    """the other network of a contrast: the keys that differ"""
    family: str | None = None
    severity: int | None = None
    statistics: str | None = None
    column: Column | None = None
    checkpoint: Literal["init", "step100", "main"] | None = None
    """main: when the main target was reached"""
    matching: Literal["rate", "decrease", "step"] | None = None
    kind: Literal["gradient", "random"] | None = None
    dose: float | None = None
    match: Literal["dose", "damage"] | None = None
    check: str | None = None
    """id of an external check, as E15"""
    row: str | None = None
    """the row, by name, whose measured error is judged"""
    sound: str | None = None
    """a row of the same check that must have passed for that to say anything"""
    premises: list[Premise] = []
    kinds: Literal["all"] | None = None
    """all: judged on each of the study's kinds of networks, if it has any, in place of its own"""
    on: str = Field("", exclude=True)
    """set by the study: the kind of networks that this is judged on"""

    @model_validator(mode="after")
    def _fits_endpoint(self) -> "Contrast":
        if self.on:
            raise ValueError("the study sets `on` itself; a claims file says `kinds: all`")
        parts: list[Contrast | Premise] = [self, *self.premises]
        for part in parts:
            needs, given = ENDPOINTS[part.endpoint], self.given() | ({"column"} if part.column else set())
            if len(part.arms) not in needs.arms:
                counts = f"{' or '.join(map(str, needs.arms))} arm{'s' * (needs.arms != (1,))}"
                raise ValueError(f"endpoint {part.endpoint} takes {counts}, not {part.arms}")
            if needs.must - given:
                raise ValueError(f"endpoint {part.endpoint} also needs {', '.join(sorted(needs.must - given))}")
        if extra := self.given() - ENDPOINTS[self.endpoint].must - ENDPOINTS[self.endpoint].may:
            raise ValueError(f"endpoint {self.endpoint} has no use for {', '.join(sorted(extra))}")
        if self.region == "within" and self.sesoi == 0:
            raise ValueError("a claim that says `within` needs a sesoi above 0")
        return self

    def given(self) -> set[str]:
        """Return the keys that say where the contrast is taken."""
        return {k for k in PLACE if getattr(self, k) is not None}


JUDGED = ("name", "endpoint", "arms", "region", "sesoi", "unit", "margin", "reverse", "premises", "kinds", "on")
"""Keys that say what is made of a contrast, not where it is taken."""
PLACE = tuple(k for k in Contrast.model_fields if k not in JUDGED)
SHARED = frozenset(Contrast.model_fields) - {"name", "on"}
"""Keys that a claim may give once for all of its contrasts."""


def shades(contrast: Contrast) -> tuple[str, ...]:
    """Return how a contrast can be contradicted.

    Where its smallest effect size of interest is 0, all that contradicts is the opposite; the error that a check measures
    is never below 0.

    >>> shades(Contrast(name="deep", endpoint="steps_ratio", arms=["none", "bn"], depth="deep", target="main", sesoi=0.2, unit="times"))
    ('opposite', 'negligible', 'not enough')
    """
    if contrast.endpoint == "check":
        return ("higher",)
    if contrast.region == "within":
        return ("higher", "lower")
    return ("opposite", "negligible", "not enough") if contrast.sesoi else ("opposite",)
