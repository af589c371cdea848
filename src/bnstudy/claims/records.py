"""The rows that judging hands on, as frozen records: of claims.json, answers.json, contrasts.csv and robustness.csv.

The order of the fields is the order of the keys and columns of these files.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from bnstudy.claims.ledger import Ask, Card, Identity, Rule, Story
from bnstudy.claims.lookup import JudgedKind, ordered
from bnstudy.core.words import KINDS

Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True)
class ContrastRow:
    """One primary interval of a claim, as judged: an entry of `settings` in claims.json.

    ``estimate``, ``ci_low`` and ``ci_high`` are theta, which the claim predicts to lie beyond ``sesoi``, the smallest
    effect size of interest; ``shown_*`` are the same in the quantity's own direction and without its margin. Both are
    natural logarithms where ``unit`` is "ln times". A number is None where it is missing or infinite. ``label`` says where
    it is taken, in words, ``what`` what is set over (or against) what, ``threshold`` the smallest effect that matters,
    ``kind`` the kind of network that the claim is judged on there, where the study has kinds. ``counts`` is
    false where that kind lacks the network or the checkpoint: then it is neither for nor against the claim. ``networks``
    are those compared (:func:`bnstudy.core.setting.slug`). ``stability`` and
    ``seeds_to_decide`` are as in :class:`ClaimRow`, for this interval alone.
    """

    name: str
    region: str
    sesoi: float
    unit: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    ci_low_open: bool
    ci_high_open: bool
    shown_estimate: float | None
    shown_low: float | None
    shown_high: float | None
    shown_sesoi: float
    verdict: str
    detail: str | None
    n_seeds: int
    reason: str | None
    effect: str
    threshold: str
    label: str = ""
    what: str = ""
    kind: str = ""
    counts: bool = True
    rank: int = 0
    stability: float | None = None
    seeds_to_decide: int | None = None
    margin: float = 0.0
    reverse: bool = False
    networks: tuple[str, ...] = ()

    def shown(self, theta: float) -> float:
        """Return theta in the quantity's own direction and without its margin, as ``shown_estimate`` is."""
        return self.margin - theta if self.reverse else theta - self.margin


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    """One claim, as judged: an entry of claims.json. The numbers and ``effect`` are those of its first contrast.

    ``detail`` gives every shade of those contradicted, the strongest first, parted by commas.
    ``intervals`` is K, so many intervals of the question hold together, and ``joint_error`` is how often at most one of
    them misses its median.
    ``stability`` is the share of draws of the seeds, 0..1, in which the same verdict comes out, and ``seeds_to_decide``
    about how many seeds would decide an open one: see :func:`bnstudy.claims.stability.stability`.
    ``kinds`` holds the verdict on each kind of network by itself, by its name, and ``beside`` those of reference studies;
    ``beside_facts`` what these measured, of a claim with one setting.
    """

    id: str
    question: str
    statement: str
    by: str
    lecture: str | None
    region: str
    sesoi: float
    unit: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    ci_low_open: bool
    ci_high_open: bool
    shown_estimate: float | None
    shown_low: float | None
    shown_high: float | None
    shown_sesoi: float
    n_seeds: int
    effect: str
    verdict: str
    detail: str | None
    reason: str | None
    checks: tuple[str, ...]
    sesoi_reason: str
    settings: tuple[ContrastRow, ...]
    sentence: str
    what: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    beside_facts: dict[str, str] = field(default_factory=dict)
    intervals: int = 0
    joint_error: float | None = None
    stability: float | None = None
    seeds_to_decide: int | None = None
    robustness: tuple[str, ...] = ()
    weakened: tuple[str, ...] = ()
    robustness_sentence: str = ""
    heard: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ThetaRow:
    """What one seed says of one contrast: a row of contrasts.csv. The ends differ where a run is censored."""

    claim: str
    setting: str
    seed: int
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class SensitivityRow:
    """What one change does to one claim's verdict: a row of robustness.csv."""

    id: str
    change: str
    verdict: str
    base_verdict: str
    flipped: bool
    kind: str
    settings: str


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """What is said of a question: an entry of answers.json.

    ``open`` is what the study lacks, and where its measurements end. The questions U and A have no card and no story.
    """

    id: str
    title: str
    asked: str
    lead: str
    pivot: str
    card: Card[str] | None
    story: Story[str] | None
    asks: tuple[Ask[list[str]], ...]
    open: str


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """What is said of a figure: a value of findings.json. Without a title it has its own."""

    title: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class JudgedWith(JudgedKind):
    """What the claims of a study were judged with: ledger.json.

    Its first values are those of the study itself, and ``kinds`` those of its kinds of networks; ``networks`` says what
    differs in the networks that it sets beside them. ``primary`` is K by question: how many primary intervals its grids
    contain. ``forecast`` is the rule by which forecasts.csv was made. Kinds stand in the order in which readers meet them,
    plain networks first, whatever order of keys they came in.
    """

    networks: tuple[dict[str, str | int | float], ...] = ()
    primary: dict[str, int] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    forecast: Rule | None = None
    kinds: dict[str, JudgedKind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "kinds", ordered(self.kinds, [*KINDS]))

    @property
    def counts(self) -> str:
        """How many seeds its networks have: "12 or 18"."""
        return " or ".join(map(str, sorted({kind.seeds for kind in self.kinds.values()} or {self.seeds})))


def to_json(record: Any) -> Any:
    """Return a record, or a list of records, as JSON holds it: mappings with their keys in the order of the fields."""
    return to_jsonable_python(record)


def from_json(kind: type[Record], data: Any) -> Record:
    """Return the record of this kind that :func:`to_json` gave as ``data``; ``list[ClaimRow]`` is a kind as well.

    Raises:
        ValueError: where a key is missing or a value has another type; the text names each.
    """
    return TypeAdapter(kind).validate_python(data)
