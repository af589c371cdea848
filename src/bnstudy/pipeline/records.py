"""What passes between planning, the jobs and the tables: the specification of each kind of job, and what jobs write.

A job's specification is complete: what is not in it cannot influence the job. It travels as a JSON file, which
:func:`bnstudy.core.store.read_json` reads. A digest of code among its fields is there to make the job run again.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnstudy.core.cell import Keep, Splits
from bnstudy.core.recipe import Recipe
from bnstudy.core.setting import Setting
from bnstudy.training.tune import Choice, Outcome


@dataclass(frozen=True)
class Rehearsed:
    """An arm on a family of networks, and the measures that a study takes of it."""

    arm: str
    net: str
    width: int
    batch: int
    measures: tuple[str, ...]

    @property
    def outside(self) -> bool:
        """Whether the arm or the family comes from outside."""
        return ":" in self.arm or ":" in self.net


@dataclass(frozen=True)
class Traits:
    """What an arm is: whether it mixes samples of a batch, stores averages, draws random numbers, and its parameters per unit."""

    mixes_samples: bool
    stores_averages: bool
    draws: bool
    parameters_per_unit: float


@dataclass(frozen=True)
class RehearseJob:
    """Rehearse what a study has from outside, and describe what stands beside it; ``code`` is the digest of each."""

    parts: tuple[Rehearsed, ...]
    code: dict[str, str]
    torch: str


@dataclass(frozen=True)
class TrainingJob:
    """What the settings of a job that trains have in common."""

    momentum: float
    stack: int
    splits: Splits
    code: str
    torch: str
    device: str
    """Where networks train: "cpu" or "cuda"."""
    tune: str
    """The digest of what becomes of trained runs: no part of a cell's key."""


@dataclass(frozen=True)
class Swept:
    """A setting to tune on these seeds."""

    setting: Setting
    recipe: Recipe
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class SweepJob(TrainingJob):
    """Train the tuning seeds of one arm on one kind of network over the rates."""

    settings: tuple[Swept, ...]


@dataclass(frozen=True)
class Evaluated(Swept):
    """A setting to evaluate: at which kinds of rates, and what is kept at the best one and at its neighbours."""

    rates: tuple[str, ...]
    keep: Keep
    beside: Keep


@dataclass(frozen=True)
class EvaluateJob(TrainingJob):
    """Train the evaluation seeds at the rates that tuning chose."""

    settings: tuple[Evaluated, ...]


@dataclass(frozen=True)
class Base:
    """The factors of the setting whose best rate all arms share."""

    arm: str
    gain: float
    inputs: str


@dataclass(frozen=True)
class Grid:
    """A setting that is evaluated at all of its recipe's rates."""

    setting: Setting
    rates: tuple[float, ...]


@dataclass(frozen=True)
class ChooseJob:
    """Gather the rates and their roles; ``grid``: the settings that are evaluated at all of these rates."""

    code: str
    base: Base
    grid: tuple[Grid, ...]


@dataclass(frozen=True)
class Measured:
    """A setting and what is measured of its cells at the best rate, and at the neighbours of that."""

    setting: Setting
    measures: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True)
class MeasureJob:
    """Measure cells; ``code`` is the digest of each measure."""

    code: dict[str, str]
    torch: str
    device: str
    settings: tuple[Measured, ...]


@dataclass(frozen=True)
class SummarizeJob:
    """Write the tables; ``pool`` is the study's own pooling of images."""

    pool: int
    code: str


@dataclass(frozen=True)
class Tuned:
    """What tuning chose for a setting and one target."""

    setting: Setting
    choice: Choice


@dataclass(frozen=True)
class Rate:
    """A row of rates: a setting's rate in one role, and why it cannot be evaluated where it cannot."""

    setting: Setting
    role: str
    rate: float
    evaluable: bool
    reason: str


@dataclass(frozen=True)
class SweepResult:
    """What a sweep leaves: the keys of its cells, how many it trained, seconds by kind of work, runs and choices, and on
    which kind of processor it ran."""

    cells: tuple[str, ...]
    trained: int
    seconds: dict[str, float]
    rows: tuple[Outcome, ...]
    best: tuple[Tuned, ...]
    processor: str = ""


@dataclass(frozen=True)
class IndexEntry:
    """A trained evaluation cell; ``shared`` is the rate that all arms share in its setting, if there is one.

    ``best`` says whether its rate is the best one for the main target.
    """

    cell: str
    setting: Setting
    rate: float
    keep: Keep
    shared: float | None
    best: bool


@dataclass(frozen=True)
class EvaluateResult:
    """What an evaluation leaves: an index of its cells, how many it trained, seconds by kind of work, runs, and on which
    kind of processor it ran."""

    cells: tuple[IndexEntry, ...]
    trained: int
    seconds: dict[str, float]
    rows: tuple[Outcome, ...]
    processor: str = ""


@dataclass(frozen=True)
class MeasureResult:
    """What measuring leaves: the files of each measure's tables, and seconds by kind of work."""

    tables: dict[str, list[str]]
    seconds: dict[str, float]


def named(study: Path) -> set[str]:
    """Return the names of the cells to which the results of a study refer, as far as any are written."""
    found: set[str] = set()
    for path in (*study.glob("sweep/*.json"), *study.glob("evaluate/*.json")):
        found |= {c if isinstance(c, str) else c["cell"] for c in json.loads(path.read_text())["cells"]}
    return found


def flat(rows: Iterable[Rate | Outcome]) -> list[dict[str, Any]]:  # a row of a data frame: columns of every type
    """Return records as rows of a table: the factors of the setting first, then the other fields."""
    return [vars(row.setting) | {name: value for name, value in vars(row).items() if name != "setting"} for row in rows]
