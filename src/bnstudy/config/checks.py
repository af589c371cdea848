"""What a config must satisfy beyond the types of its values: names that exist, parts that fit together."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import prod
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from bnstudy.config.data import data_checks, fits_pool
from bnstudy.config.errors import Path, Problem, nearest, refuse
from bnstudy.core.fingerprints import path_of

if TYPE_CHECKING:
    from bnstudy.config.models import Grid, Study

HERE = File(__file__).parents[1]
OUTSIDE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
"""An arm that stands outside the package."""
RESERVED = ("bench", "cells", "data", "reference")
"""Folders of results/ that are no study's."""
MOST_SETTINGS = 10_000
BASE_GAIN = 1.0
BASE_INPUTS = "standardized"


@cache
def names(folder: str | File, function: str) -> tuple[str, ...]:
    """The modules of ``folder`` (a path, or one inside the package) that define ``function``.

    Read from the syntax tree: nothing is imported, so the Snakefile stays free of torch.
    """
    files = [f for f in (HERE / folder).glob("*.py") if re.fullmatch("[a-z][a-z0-9_]*", f.stem)]
    return tuple(sorted(f.stem for f in files if function in top_level(f)))


def top_level(file: File) -> Iterator[str]:
    """The names that a module defines, read from its syntax tree."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError):  # a broken file is no arm; importing it would say why
        return
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def known(folder: str, function: str, what: str, name: str) -> str:
    """``name`` if src/bnstudy/``folder``/``name``.py has ``function``; else refuses, naming those that do."""
    have = names(folder, function)
    if name not in have:
        todo = f"write one of them, or add src/bnstudy/{folder}/NAME.py with a function {function}"
        raise refuse(f"there is no {what} of this name", "one of " + ", ".join(have), todo, nearest(name, have))
    return name


def arm_name(name: str) -> str:
    """``name`` if there is such an arm; else refuses, saying what there is. Nothing is imported."""
    if ":" not in name:
        return known("arms", "build", "arm", name)
    if not OUTSIDE.fullmatch(name):
        raise refuse("it is not of the form package.module:Name", "letters, digits and _, as in mypkg.norms:Fancy")
    module, _, defined = name.partition(":")
    file = path_of(module)
    if module.startswith("bnstudy.") or file is None:
        todo = f"put {module.replace('.', '/')}.py into the folder you start from, or its folder into PYTHONPATH"
        raise refuse(f"there is no module {module}", "a module of your own, beside the project", todo)
    have = sorted(set(top_level(file)))
    if defined not in have:
        todo = f"define {defined}(models, channels, place), a function or a subclass of Norm"
        raise refuse(
            f"{file} defines no {defined}", "one of " + (", ".join(have) or "(nothing)"), todo, nearest(defined, have)
        )
    return name


def distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    """``values`` when no two are equal."""
    twice = sorted({str(v) for v in values if values.count(v) > 1})
    if twice:
        raise refuse(f"{', '.join(twice)} stands there more than once", "", "name each value once")
    return values


def ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    """``values`` when each is above the one before."""
    if list(values) != sorted(set(values)):
        right = ", ".join(f"{v:g}" for v in sorted(set(values)))
        raise refuse("the values do not ascend, or one stands there twice", "", f"write [{right}]")
    return values


def unreserved(name: str) -> str:
    if name in RESERVED:
        todo = f"choose another name; results/{name} is used otherwise"
        raise refuse("the name is reserved", f"any name but {', '.join(RESERVED)}", todo)
    return name


def cross_checks(study: "Study", broken: Mapping[str, bool], index: list[int]) -> list[Problem]:
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


def factors(study: "Study", grid: "Grid") -> dict[str, tuple]:
    """The lists that a grid crosses, in the order of a setting's values; those left out have the study's own value."""
    lists = {key: getattr(grid, key) for key in ("arms", "depths", "gains", "inputs")}
    own = own_factors(study)
    named = {"nets": "net", "widths": "width", "batches": "batch", "optimizers": "optimizer", "pools": "pool"}
    for key, factor in named.items():
        lists[key] = getattr(grid, key) or (own[factor],)
    return lists


def own_factors(study: "Study") -> dict[str, Any]:
    """The study's own value of each factor that a grid may vary beside the arm, depth, gain and inputs."""
    network, training = study.network, study.training
    own = {"net": network.family, "width": network.width, "batch": training.batch}
    return {**own, "optimizer": training.optimizer, "pool": study.data.pool}


def _each_grid(study: "Study", index: list[int]) -> Iterator[Problem]:
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


def _fits(study: "Study", grid: "Grid", path: Path) -> Iterator[Problem]:
    """A grid's own batches and pools against the data."""
    for j, batch in enumerate(grid.batches or ()):
        if batch > study.data.train:
            wrong = f"the batch is larger than the training set, data.train = {study.data.train}"
            todo = "make it smaller or data.train larger"
            yield Problem((*path, "batches", j), wrong, f"at most {study.data.train}", todo, value=batch)
    for j, pool in enumerate(grid.pools or ()):
        yield from fits_pool(study.data, pool, (*path, "pools", j))


def _shared(grids: "tuple[Grid, ...]") -> Iterator[Problem]:
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


def _labels(grids: "tuple[Grid, ...]") -> Iterator[Problem]:
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


def _claims(study: "Study", grids_known: bool) -> Iterator[Problem]:
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
