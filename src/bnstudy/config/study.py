"""Turn a config into a study, checked at once and completely. This imports pydantic and yaml alone."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from bnstudy.config.checks import cross_checks
from bnstudy.config.errors import Problem, report, translated
from bnstudy.config.files import ConfigFile, TooLarge, locate, plain
from bnstudy.config.kinds import networks
from bnstudy.config.models import Grid, StudyConfig, schema
from bnstudy.core.plugins import names
from bnstudy.core.recipe import Recipe
from bnstudy.core.setting import Setting


class Asked(NamedTuple):
    """What the grids that hold a setting ask of it, together: roles of rates, and measures, both sorted; and its recipe.

    ``beside`` are the measures at the neighbours of the best rate: those of grids that ask for neighbours alone.
    """

    recipe: Recipe
    rates: tuple[str, ...]
    measures: tuple[str, ...]
    beside: tuple[str, ...]


def settings(study: StudyConfig) -> dict[Setting, Asked]:
    """Return each distinct setting of the grids, sorted, and what is asked of it."""
    recipes: dict[Setting, Recipe] = {}
    asked: dict[Setting, tuple[set[str], ...]] = {}
    for grid in study.grids:
        measures = names("measures", "measure") if grid.measures is None else grid.measures
        at_best, beside = ((), measures) if grid.rates == ("neighbours",) else (measures, ())
        for _, setting, recipe in networks(study, grid):
            recipes[setting] = recipe  # all kinds that hold a setting have the same for it
            for known, more in zip(asked.setdefault(setting, (set(), set(), set())), (grid.rates, at_best, beside)):
                known.update(more)
    return {s: Asked(recipes[s], *(tuple(sorted(of)) for of in asked[s])) for s in sorted(recipes)}


def evaluation_seeds(study: StudyConfig, count: int | None = None) -> tuple[int, ...]:
    """Return the seeds that the verdicts rest on: ``count`` of them, as a kind of network may say, or the study's number."""
    first = study.seeds.first
    return tuple(range(first, first + (count or study.seeds.evaluation)))


def tuning_seeds(study: StudyConfig) -> list[int]:
    """Return 10000, 10001, ...: never an evaluation seed."""
    return [10_000 + i for i in range(study.seeds.tuning)]


def load_study(config: Mapping[str, Any], files: Sequence[str | Path] = ()) -> StudyConfig:
    """Return the study that ``config`` describes; ``files`` are those it was read from, for lines and repeated keys.

    Ends the program (SystemExit with a text, no traceback) if anything is wrong, naming every error at once.
    """
    return _validated(config, [ConfigFile(file) for file in files])


def read_study(file: str | Path) -> StudyConfig:
    """Return the study of one config file, as :func:`load_study` does, without Snakemake."""
    read = ConfigFile(file)
    return _validated(read.content, [read])


def _validated(config: Any, files: Sequence[ConfigFile]) -> StudyConfig:
    problems = [problem for file in files for problem in file.problems]
    where = partial(locate, files, config)
    if any(file.content is None for file in files):  # unreadable: what was read of it means nothing
        raise SystemExit(report(problems, {}, where))
    try:
        data, unfit = plain(config)
    except TooLarge as error:
        raise SystemExit(report([*problems, Problem((), str(error), "", "write fewer values")], {}, where)) from None
    study, more = _study(data, unfit)
    problems += more
    if problems or study is None:
        raise SystemExit(report(problems, config, where))
    return study


def _study(data: Any, unfit: list[Problem]) -> tuple[StudyConfig | None, list[Problem]]:
    """Return the study and every error: of single values, and of how the sections without errors fit together."""
    errors = []
    study = None
    try:
        study = StudyConfig.model_validate_json(json.dumps(data))
    except ValidationError as error:
        errors = [e for e in error.errors() if not any(e["loc"][: len(p.path)] == p.path for p in unfit)]
    problems = [*unfit, *filter(None, (translated(error, data, schema()) for error in errors))]
    if not isinstance(data, dict):
        return None, problems
    paths = {problem.path[:2] for problem in problems}
    broken = {section: any(path[:1] == (section,) for path in paths) for section in StudyConfig.model_fields}
    if study is None:
        sound = {key: data[key] for key in data if not broken.get(key, True) and key != "grids"}
        study = StudyConfig.model_validate_json(json.dumps(sound))
        if "grids" in data:
            written = data["grids"] if isinstance(data["grids"], list) else []
            positions = [i for i in range(len(written)) if ("grids", i) not in paths]
            grids = tuple(Grid.model_validate_json(json.dumps(written[i])) for i in positions)
            study = study.model_copy(update={"grids": grids})
            return study, [*problems, *cross_checks(study, broken, positions)]
    positions = list(range(len(study.grids)))
    return study, [*problems, *cross_checks(study, broken, positions)]
