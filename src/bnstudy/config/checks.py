"""Check what a config must satisfy beyond its single values: files that exist, parts that fit together."""

import re
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from bnstudy.config.data import data_checks, fits_pool
from bnstudy.config.errors import Problem
from bnstudy.config.models import Grid, StudyConfig
from bnstudy.core.yaml_file import KeyPath

PROJECT = Path(__file__).parents[3]
MOST_SETTINGS = 10_000
BASE_GAIN = 1.0
BASE_INPUTS = "standardized"


def cross_checks(study: StudyConfig, broken: Mapping[str, bool], positions: list[int]) -> Iterator[Problem]:
    """Yield the errors between values that are right by themselves.

    Args:
        study: The config; its broken sections hold the defaults.
        broken: Whether a section has errors of its own, so that nothing can be said about how it fits.
        positions: For each grid of ``study``, its position in the config's list of grids.
    """
    training = study.training
    if not broken["data"]:
        yield from data_checks(study.data)
    if not broken["data"] and not broken["training"]:
        remedy = "make training.batch smaller or data.train larger"
        yield from _batch_fits(study, training.batch, ("training", "batch"), remedy)
    if not broken["training"] and training.deep_steps < training.steps:
        fault = f"deep networks get fewer steps than shallow ones, training.steps = {training.steps}"
        allowed, remedy = f"at least {training.steps}", "set training.deep_steps to training.steps or more"
        yield Problem(("training", "deep_steps"), fault, allowed, remedy, value=training.deep_steps)
    yield from _grids(study, positions)
    if not broken["grids"]:
        yield from _shared_rates(study.grids)
        yield from _labels(study.grids)
    if not broken["claims"]:
        yield from _claims(study, not broken["grids"])


def _batch_fits(study: StudyConfig, batch: int, path: KeyPath, remedy: str) -> Iterator[Problem]:
    images = study.data.train
    if batch > images:
        fault = f"the batch is larger than the training set, data.train = {images}"
        yield Problem(path, fault, f"at most {images}", remedy, value=batch)


def crossed(study: StudyConfig, grid: Grid) -> list[tuple[Any, ...]]:
    """Return the lists that a grid crosses, in the order of a setting's values.

    A list that is left out has one entry, the study's own value.
    """
    varied = (grid.nets, grid.widths, grid.batches, grid.optimizers, grid.pools)
    filled = [values or (own,) for values, own in zip(varied, own_factors(study).values(), strict=True)]
    return [grid.arms, grid.depths, grid.gains, grid.inputs, *filled]


def own_factors(study: StudyConfig) -> dict[str, str | int]:
    """Return the study's own value of each factor that a grid may vary beside the arm, depth, gain and inputs."""
    network, training = study.network, study.training
    values: dict[str, str | int] = {"net": network.family, "width": network.width, "batch": training.batch}
    return {**values, "optimizer": training.optimizer, "pool": study.data.pool}


def _grids(study: StudyConfig, positions: list[int]) -> Iterator[Problem]:
    """Yield what is fault with single grids, and what two of them have alike."""
    first_name: dict[str, int] = {}
    first_same: dict[object, int] = {}
    total = 0
    for i, grid in zip(positions, study.grids):
        path: KeyPath = ("grids", i)
        if grid.name in first_name:
            fault = f"the name is taken by grids[{first_name[grid.name]}]"
            yield Problem((*path, "name"), fault, "each grid its own name", "rename one of the two")
        lists = crossed(study, grid)
        content = (*map(frozenset, lists), frozenset(grid.rates), grid.measures)
        if content in first_same:
            fault = f"the grid asks for exactly what grids[{first_same[content]}] asks for"
            yield Problem(path, fault, "", "delete one of the two, or change what was meant to differ")
        first_name.setdefault(grid.name, i)
        first_same.setdefault(content, i)
        total += prod(map(len, lists))
        yield from _fits(study, grid, path)
    if total > MOST_SETTINGS:
        fault = f"the grids make {total} settings"
        yield Problem(("grids",), fault, f"at most {MOST_SETTINGS}", "shorten the lists of the largest grid")


def _fits(study: StudyConfig, grid: Grid, path: KeyPath) -> Iterator[Problem]:
    """Check a grid's own batches and pools against the data."""
    for j, batch in enumerate(grid.batches or ()):
        yield from _batch_fits(study, batch, (*path, "batches", j), "make it smaller or data.train larger")
    for j, pool in enumerate(grid.pools or ()):
        yield from fits_pool(study.data, pool, (*path, "pools", j))


def _shared_rates(grids: tuple[Grid, ...]) -> Iterator[Problem]:
    """Check that each shared rate exists: it is the best rate of arm none at the same depth, base gain, standardized inputs."""
    base = [g for g in grids if "none" in g.arms and BASE_GAIN in g.gains and BASE_INPUTS in g.inputs]
    tuned = {depth for grid in base for depth in grid.depths}
    for i, grid in enumerate(grids):
        missing = [depth for depth in grid.depths if depth not in tuned]
        if "shared" in grid.rates and missing:
            depths = ", ".join(map(str, missing))
            fault = f"no grid has arm none at depth {depths} with gain 1.0 and standardized inputs"
            remedy = f"the shared rate is none's best: add arms: [none], depths: [{depths}], or take shared out"
            yield Problem(("grids", i, "rates"), fault, "best, grid; shared where arm none is studied too", remedy)


def _labels(grids: tuple[Grid, ...]) -> Iterator[Problem]:
    """Check that no two arms have one label: the names of jobs hold it."""
    first: dict[str, str] = {}
    for i, grid in enumerate(grids):
        for j, arm in enumerate(grid.arms):
            if first.setdefault(label(arm), arm) != arm:
                fault = f"its jobs would have the same names as those of {first[label(arm)]}"
                allowed = "names that differ in more than capitals and punctuation"
                yield Problem(("grids", i, "arms", j), fault, allowed, "rename one of the two")


def label(arm: str) -> str:
    """Return what stands for an arm in the name of a job: mypkg_mod_fancy for mypkg.mod:Fancy."""
    return re.sub("[^a-z0-9]+", "_", arm.lower())


def _claims(study: StudyConfig, grids_known: bool) -> Iterator[Problem]:
    depths, path = study.claims.depths, ("claims", "depths")
    order = [depths[key] for key in ("shallow", "middle", "deep") if key in depths]
    if not order:
        yield Problem(path, "the mapping is empty", "at least one of shallow, middle, deep", "add shallow: ...")
    if order != sorted(set(order)):
        fault = "the depths do not ascend from shallow over middle to deep"
        yield Problem(path, fault, "shallow < middle < deep", "reorder them; leave out the ones you do not study")
    studied = sorted({depth for grid in study.grids for depth in grid.depths})
    for key, depth in depths.items() if grids_known else ():
        if depth not in studied:
            remedy = f"change it; or delete {key}: its claims are then not tested; or add the depth to a grid"
            allowed = "one of " + ", ".join(map(str, studied))
            yield Problem((*path, key), "no grid studies this depth", allowed, remedy, value=depth)
    if not any((folder / study.claims.file).is_file() for folder in (Path.cwd(), PROJECT)):
        fault, remedy = "there is no such file", "check the path; it is relative to the project's folder"
        yield Problem(("claims", "file"), fault, "a claims file", remedy, value=study.claims.file)
