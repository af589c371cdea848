"""Check what a config must satisfy beyond its single values: files that exist, parts that fit together."""

import re
from collections.abc import Iterator, Mapping
from math import prod

from bnstudy.config.data import data_checks, fits_pool
from bnstudy.config.errors import Problem, nearest_name, show
from bnstudy.config.files import shipped
from bnstudy.config.kinds import OWN, crossed, depths, kinds, networks, of_grid
from bnstudy.config.models import Grid, StudyConfig
from bnstudy.core.plugins import defines
from bnstudy.core.recipe import Recipe
from bnstudy.core.setting import DEPTHS, Setting
from bnstudy.core.yaml_file import KeyPath

MOST_SETTINGS = 10_000
BASE_GAIN = 1.0
BASE_INPUTS = "standardized"
PLAIN = ("standardized", "raw", "mixed", "scaled")
"""Inputs that are not painted."""
TELL_APART = ("net", "depth", "gain", "width", "pool")
"""The factors by which kinds differ."""


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
    known = not broken["grids"] and not broken["kinds"]
    if not broken["kinds"]:
        yield from _kinds(study, broken, positions)
    if known:
        yield from _shared_rates(study)
        if not broken["training"] and not any(broken[key] for key in ("targets", "learning_rates", "seeds")):
            yield from _recipes(study)
    if not broken["grids"]:
        yield from _labels(study.grids)
    if not broken["claims"]:
        yield from _claims(study, known)


def _batch_fits(study: StudyConfig, batch: int, path: KeyPath, remedy: str) -> Iterator[Problem]:
    if batch > (images := study.data.train):
        fault = f"the batch is larger than the training set, data.train = {images}"
        yield Problem(path, fault, f"at most {images}", remedy, value=batch)


def _grids(study: StudyConfig, positions: list[int]) -> Iterator[Problem]:
    """Yield what is fault with single grids, and what two of them have alike."""
    first_name: dict[str, int] = {}
    first_same: dict[object, int] = {}
    total = 0
    for i, grid in zip(positions, study.grids):
        path: KeyPath = ("grids", i)
        if (first := first_name.setdefault(grid.name, i)) != i:
            fault = f"the name is taken by grids[{first}]"
            yield Problem((*path, "name"), fault, "each grid its own name", "rename one of the two")
        lists = [crossed(study, grid, kind) for kind in of_grid(study, grid).values()]
        content = (frozenset(tuple(map(frozenset, each)) for each in lists), frozenset(grid.rates), grid.measures)
        if (first := first_same.setdefault(content, i)) != i:
            fault = f"the grid asks for exactly what grids[{first}] asks for"
            yield Problem(path, fault, "", "delete one of the two, or change what was meant to differ")
        total += sum(prod(map(len, each)) for each in lists)
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
    if study.data.kind == "table":
        for j, inputs in enumerate(grid.inputs):
            if inputs not in PLAIN:
                remedy = "take it out: a table has nothing to paint"
                yield Problem((*path, "inputs", j), "it is for images", ", ".join(PLAIN), remedy, value=inputs)
        for where, net in _nets(study, grid, path):
            if defines("nets", net, "ALONE"):
                remedy = "write mlp or resmlp: a table has no pixels"
                yield Problem(where, "it is for images", "networks of linear maps", remedy, value=net)


def _nets(study: StudyConfig, grid: Grid, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield the families of networks of a grid, each with the key that names it."""
    for j, net in enumerate(grid.nets or ()):
        yield (*path, "nets", j), net
    for name in () if grid.nets else grid.kinds or ("",):
        kind = study.kinds.get(name)
        yield (("kinds", name, "net"), kind.net) if kind and kind.net else (("network", "family"), study.network.family)


def _kinds(study: StudyConfig, broken: Mapping[str, bool], positions: list[int]) -> Iterator[Problem]:
    """Check the kinds that grids name, each by itself, and that grids name no others."""
    for i, grid in zip(positions, study.grids):
        for j, name in enumerate(grid.kinds or ()):
            if name not in study.kinds:
                choices = "one of " + (", ".join(study.kinds) or "(the study has none)")
                remedy = f"write one of them, or add {name} to kinds"
                near = nearest_name(name, study.kinds)
                yield Problem(("grids", i, "kinds", j), "there is no kind of this name", choices, remedy, near)
    for name, kind in kinds(study).items():
        path: KeyPath = ("kinds", name)
        if kind.pool is not None and not broken["data"]:
            yield from fits_pool(study.data, kind.pool, (*path, "pool"))
        shallow, deep = (kind.steps or study.training.steps), (kind.deep_steps or study.training.deep_steps)
        if (kind.steps or kind.deep_steps) and deep < shallow and not broken["training"]:
            fault = f"its deep networks get {deep} steps, fewer than its shallow ones, {shallow}"
            yield Problem(path, fault, "deep_steps of at least steps", "give the kind both keys")
        if kind.depths is not None:
            studied = {d for grid in study.grids if name in (grid.kinds or ()) for d in grid.depths}
            yield from _depths(depths(study, kind), studied, (*path, "depths"), not broken["grids"], equal=True)


def _recipes(study: StudyConfig) -> Iterator[Problem]:
    """Check that what trains a setting is a function of the setting: two kinds that hold it must say the same of it."""
    first: dict[Setting, tuple[str, Recipe]] = {}
    told: set[tuple[str, str]] = set()
    for i, grid in enumerate(study.grids):
        for kind, setting, recipe in networks(study, grid):
            other, before = first.setdefault(setting, (kind, recipe))
            if recipe != before and (other, kind) not in told:
                told.add((other, kind))
                who, whose = (f"kind {name}" if name else "the study itself" for name in (other, kind))
                place = ", ".join(f"{key} {value}" for key, value in vars(setting).items() if key in TELL_APART)
                both = ((key, value, vars(recipe)[key]) for key, value in vars(before).items())
                apart = "; ".join(f"{key} {show(a)} and {show(b)}" for key, a, b in both if a != b)
                fault = f"{who} and {whose} both have the networks {place}, but give them different {apart}"
                remedy = "give both the same; or let them differ in net, width, gain or pool; or change a grid's depths"
                yield Problem(("grids", i), fault, "the same networks trained in one way alone", remedy)


def _shared_rates(study: StudyConfig) -> Iterator[Problem]:
    """Check that each shared rate exists: it is the best rate of arm none at the same depth, base gain, standardized inputs."""
    every = (setting for grid in study.grids for _, setting, _ in networks(study, grid))
    tuned = {s.depth for s in every if (s.arm, s.gain, s.inputs) == ("none", BASE_GAIN, BASE_INPUTS)}
    for i, grid in enumerate(study.grids):
        missing = [depth for depth in grid.depths if depth not in tuned]
        if "shared" in grid.rates and missing:
            depths = ", ".join(map(str, missing))
            fault = f"no grid has arm none at depth {depths} with gain 1.0 and standardized inputs"
            remedy = f"the shared rate is none's best: add arms: [none], depths: [{depths}], or take shared out"
            yield Problem(("grids", i, "rates"), fault, "best, grid; shared where arm none is studied too", remedy)


def _labels(grids: tuple[Grid, ...]) -> Iterator[Problem]:
    """Check that no two arms, and no two families of networks, have one label: the names of jobs hold it."""
    first: dict[tuple[str, str], str] = {}
    for i, grid in enumerate(grids):
        for key, names in (("arms", grid.arms), ("nets", grid.nets or ())):
            for j, name in enumerate(names):
                same = first.setdefault((key, label(name)), name)
                if same != name:
                    fault = f"its jobs would have the same names as those of {same}"
                    allowed = "names that differ in more than capitals and punctuation"
                    yield Problem(("grids", i, key, j), fault, allowed, "rename one of the two")


def label(arm: str) -> str:
    """Return what stands for an arm in the name of a job.

    >>> label("bn"), label("mypkg.mod:Fancy")
    ('bn', 'mypkg_mod_fancy')
    """
    return re.sub("[^a-z0-9]+", "_", arm.lower())


def _depths(
    named: Mapping[str, int], studied: set[int], path: KeyPath, grids_known: bool, equal: bool = False
) -> Iterator[Problem]:
    """Check the depths that claims speak of, by name, against those that grids study; ``equal`` ones may be allowed."""
    order = [named[key] for key in DEPTHS if key in named]
    if not order:
        yield Problem(path, "the mapping is empty", "at least one of shallow, middle, deep", "add shallow: ...")
    if order != sorted(order if equal else set(order)):
        fault = "the depths do not ascend from shallow over middle to deep"
        yield Problem(path, fault, "shallow < middle < deep", "reorder them; leave out the ones you do not study")
    for key, depth in named.items() if grids_known else ():
        if depth not in studied:
            remedy = f"change it; or delete {key}: its claims are then not tested; or add the depth to a grid"
            allowed = "one of " + ", ".join(map(str, sorted(studied)))
            yield Problem((*path, key), "no grid studies this depth", allowed, remedy, value=depth)


def _claims(study: StudyConfig, grids_known: bool) -> Iterator[Problem]:
    studied = {depth for grid in study.grids for depth in grid.depths}
    yield from _depths(depths(study, OWN), studied, ("claims", "depths"), grids_known)
    if not shipped(study.claims.file).is_file():
        fault, remedy = "there is no such file", "check the path; it is relative to the project's folder"
        yield Problem(("claims", "file"), fault, "a claims file", remedy, value=study.claims.file)
