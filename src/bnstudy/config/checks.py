"""What a config must satisfy beyond the types of its values: names that exist, parts that fit together."""

import re
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path as File
from typing import Any

from bnstudy.config.data import data_checks, fits_pool
from bnstudy.config.errors import Path, Problem
from bnstudy.config.models import Grid, StudyConfig

HERE = File(__file__).parents[1]
MOST_SETTINGS = 10_000
BASE_GAIN = 1.0
BASE_INPUTS = "standardized"


def cross_checks(study: StudyConfig, broken: Mapping[str, bool], index: list[int]) -> list[Problem]:
    """Errors between values that are right by themselves.

    ``broken[section]``: the section has errors of its own, so that nothing can be said about how it fits (in
    ``study`` it has the defaults). ``index``: the place in the config of each grid of ``study``.
    """
    problems: list[Problem] = []
    if not broken["data"]:
        problems += data_checks(study.data)
    if not broken["data"] and not broken["training"] and study.training.batch > study.data.train:
        wrong = f"the batch is larger than the training set, data.train = {study.data.train}"
        allowed = f"at most {study.data.train}"
        todo = "make training.batch smaller or data.train larger"
        problems.append(Problem(("training", "batch"), wrong, allowed, todo, value=study.training.batch))
    if not broken["training"] and study.training.deep_steps < study.training.steps:
        wrong = f"deep networks get fewer steps than shallow ones, training.steps = {study.training.steps}"
        allowed, todo = (
            f"at least {study.training.steps}",
            "set training.deep_steps to training.steps or more",
        )
        problems.append(Problem(("training", "deep_steps"), wrong, allowed, todo, value=study.training.deep_steps))
    problems += _each_grid(study, index)
    if not broken["grids"]:
        problems += _shared(study.grids)
        problems += _labels(study.grids)
    if not broken["claims"]:
        problems += _claims(study, not broken["grids"])
    return problems


def factors(study: StudyConfig, grid: Grid) -> dict[str, tuple]:
    """The lists that a grid crosses, in the order of a setting's values; those left out have the study's own value."""
    lists = {key: getattr(grid, key) for key in ("arms", "depths", "gains", "inputs")}
    own = own_factors(study)
    named = {"nets": "net", "widths": "width", "batches": "batch", "optimizers": "optimizer", "pools": "pool"}
    for key, factor in named.items():
        lists[key] = getattr(grid, key) or (own[factor],)
    return lists


def own_factors(study: StudyConfig) -> dict[str, Any]:
    """The study's own value of each factor that a grid may vary beside the arm, depth, gain and inputs."""
    network, training = study.network, study.training
    own = {"net": network.family, "width": network.width, "batch": training.batch}
    return {**own, "optimizer": training.optimizer, "pool": study.data.pool}


def _each_grid(study: StudyConfig, index: list[int]) -> Iterator[Problem]:
    first_name: dict[str, int] = {}
    first_same: dict[object, int] = {}
    total = 0
    for i, grid in zip(index, study.grids):
        path: Path = ("grids", i)
        if grid.name in first_name:
            wrong = f"the name is taken by grids[{first_name[grid.name]}]"
            yield Problem((*path, "name"), wrong, "each grid its own name", "rename one of the two")
        crossed = factors(study, grid)
        content = (*map(frozenset, crossed.values()), frozenset(grid.rates), grid.measures)
        if content in first_same:
            wrong = f"the grid asks for exactly what grids[{first_same[content]}] asks for"
            yield Problem(path, wrong, "", "delete one of the two, or change what was meant to differ")
        first_name.setdefault(grid.name, i)
        first_same.setdefault(content, i)
        total += prod(map(len, crossed.values()))
        yield from _fits(study, grid, path)
    if total > MOST_SETTINGS:
        wrong = f"the grids make {total} settings"
        yield Problem(("grids",), wrong, f"at most {MOST_SETTINGS}", "shorten the lists of the largest grid")


def _fits(study: StudyConfig, grid: Grid, path: Path) -> Iterator[Problem]:
    """A grid's own batches and pools against the data."""
    for j, batch in enumerate(grid.batches or ()):
        if batch > study.data.train:
            wrong = f"the batch is larger than the training set, data.train = {study.data.train}"
            todo = "make it smaller or data.train larger"
            yield Problem((*path, "batches", j), wrong, f"at most {study.data.train}", todo, value=batch)
    for j, pool in enumerate(grid.pools or ()):
        yield from fits_pool(study.data, pool, (*path, "pools", j))


def _shared(grids: tuple[Grid, ...]) -> Iterator[Problem]:
    """The shared rate is the best rate of arm none at the same depth, base gain, standardized inputs."""
    base = {
        depth
        for grid in grids
        for depth in grid.depths
        if "none" in grid.arms and BASE_GAIN in grid.gains and BASE_INPUTS in grid.inputs
    }
    for i, grid in enumerate(grids):
        missing = [depth for depth in grid.depths if depth not in base]
        if "shared" in grid.rates and missing:
            depths = ", ".join(map(str, missing))
            wrong = f"no grid has arm none at depth {depths} with gain 1.0 and standardized inputs"
            todo = f"the shared rate is none's best: add arms: [none], depths: [{depths}], or take shared out"
            yield Problem(("grids", i, "rates"), wrong, "best, grid; shared where arm none is studied too", todo)


def _labels(grids: tuple[Grid, ...]) -> Iterator[Problem]:
    """The names of jobs hold an arm's label."""
    first: dict[str, str] = {}
    for i, grid in enumerate(grids):
        for j, arm in enumerate(grid.arms):
            if first.setdefault(label(arm), arm) != arm:
                wrong = f"its jobs would have the same names as those of {first[label(arm)]}"
                allowed = "names that differ in more than capitals and punctuation"
                yield Problem(("grids", i, "arms", j), wrong, allowed, "rename one of the two")


def label(arm: str) -> str:
    """An arm in the name of a job: mypkg.mod:Fancy is mypkg_mod_fancy."""
    return re.sub("[^a-z0-9]+", "_", arm.lower())


def _claims(study: StudyConfig, grids_known: bool) -> Iterator[Problem]:
    depths, path = study.claims.depths, ("claims", "depths")
    order = [depths[key] for key in ("shallow", "middle", "deep") if key in depths]
    if not order:
        yield Problem(path, "the mapping is empty", "at least one of shallow, middle, deep", "add shallow: ...")
    if order != sorted(set(order)):
        wrong = "the depths do not ascend from shallow over middle to deep"
        yield Problem(path, wrong, "shallow < middle < deep", "reorder them; leave out the ones you do not study")
    have = sorted({depth for grid in study.grids for depth in grid.depths})
    for key, depth in depths.items() if grids_known else ():
        if depth not in have:
            todo = f"change it; or delete {key}: its claims are then not tested; or add the depth to a grid"
            allowed = "one of " + ", ".join(map(str, have))
            yield Problem((*path, key), "no grid studies this depth", allowed, todo, value=depth)
    if not any((folder / study.claims.file).is_file() for folder in (File.cwd(), HERE.parents[1])):
        wrong, todo = "there is no such file", "check the path; it is relative to the project's folder"
        yield Problem(("claims", "file"), wrong, "a claims file", todo, value=study.claims.file)
