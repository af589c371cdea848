"""From a study's config to the study: checked at once and completely. Imports pydantic and yaml only."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from bnstudy.config.checks import cross_checks, factors
from bnstudy.config.errors import Problem, fail, report, translate
from bnstudy.config.files import ConfigFile, TooLarge, place, plain
from bnstudy.config.models import GRIDS, Grid, StudyConfig, schema
from bnstudy.core.plugins import names
from bnstudy.core.setting import Setting

__all__ = [
    "Setting",
    "StudyConfig",
    "evaluation_seeds",
    "load_study",
    "read_study",
    "schema",
    "settings",
    "steps",
    "tuning_seeds",
]


class Asked(NamedTuple):
    """What the grids that hold a setting ask of it, together: kinds of rates, and measures; both sorted."""

    rates: tuple[str, ...]
    measures: tuple[str, ...]


def settings(study: StudyConfig) -> dict[Setting, Asked]:
    """Each distinct setting of the grids, sorted, and what is asked of it."""
    rates: dict[Setting, set[str]] = {}
    measures: dict[Setting, set[str]] = {}
    every = names("measures", "measure")
    for grid in study.grids:
        for values in product(*factors(study, grid).values()):
            setting = Setting(*values)
            rates.setdefault(setting, set()).update(grid.rates)
            measures.setdefault(setting, set()).update(every if grid.measures is None else grid.measures)
    return {s: Asked(tuple(sorted(rates[s])), tuple(sorted(measures[s]))) for s in sorted(rates)}


def steps(study: StudyConfig, depth: int) -> int:
    """Training budget, in steps, of a network of ``depth`` hidden layers."""
    return study.training.deep_steps if depth >= study.training.deep_from else study.training.steps


def evaluation_seeds(study: StudyConfig) -> list[int]:
    """0, 1, ...: the seeds that the verdicts rest on."""
    return list(range(study.seeds.evaluation))


def tuning_seeds(study: StudyConfig) -> list[int]:
    """10000, 10001, ...: never an evaluation seed."""
    return [10_000 + i for i in range(study.seeds.tuning)]


def load_study(config: Mapping[str, Any], files: Sequence[str | Path] = ()) -> StudyConfig:
    """The study that ``config`` describes; ``files``: where it was read from, for lines and repeated keys.

    Ends the program (SystemExit with a text, no traceback) if anything is wrong, naming every error at once.
    """
    return _validated(config, [ConfigFile(file) for file in files])


def read_study(file: str | Path) -> StudyConfig:
    """The study of one config file, as :func:`load_study`, without Snakemake."""
    source = ConfigFile(file)
    return _validated(source.data, [source])


def _validated(config: Any, sources: Sequence[ConfigFile]) -> StudyConfig:
    problems = [problem for source in sources for problem in source.problems]
    where = partial(place, sources, config)
    if any(source.data is None for source in sources):  # unreadable: what was read of it means nothing
        fail(report(problems, {}, where))
    try:
        data, unfit = plain(config)
    except TooLarge as error:
        fail(report([*problems, Problem((), str(error), "", "write fewer values")], {}, where))
    study, found = _study(data, unfit)
    problems += found
    if problems:
        fail(report(problems, config, where))
    assert study is not None
    return study


def _study(data: Any, unfit: list[Problem]) -> tuple[StudyConfig | None, list[Problem]]:
    """The study, and every error: of single values, and of how the sections without errors fit together."""
    errors = []
    study = None
    try:
        study = StudyConfig.model_validate_json(json.dumps(data))
    except ValidationError as error:
        errors = [e for e in error.errors() if not any(e["loc"][: len(p.path)] == p.path for p in unfit)]
    problems = [*unfit, *translate(errors, data, schema())]
    places = {problem.path[:2] for problem in problems}
    if not isinstance(data, dict):
        return None, problems
    broken = {section: any(place[:1] == (section,) for place in places) for section in StudyConfig.model_fields}
    index = list(range(len(GRIDS)))
    if study is not None:
        index = list(range(len(study.grids)))
    else:
        sound = {key: data[key] for key in data if not broken.get(key, True) and key != "grids"}
        study = StudyConfig.model_validate_json(json.dumps(sound))
        if "grids" in data:
            written = data["grids"] if isinstance(data["grids"], list) else []
            index = [i for i in range(len(written)) if ("grids", i) not in places]
            grids = tuple(Grid.model_validate_json(json.dumps(written[i])) for i in index)
            study = study.model_copy(update={"grids": grids})
    return study, [*problems, *cross_checks(study, broken, index)]
