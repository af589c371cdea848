"""What a study says of the networks of its grids, their steps among it: its own values, or those of the kinds they name."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from bnstudy.config.models import Grid, Kind, StudyConfig
from bnstudy.core.recipe import Recipe
from bnstudy.core.setting import Setting

OWN = Kind()
"""The kind without a name: all of its values are the study's own."""


def kinds(study: StudyConfig) -> dict[str, Kind]:
    """Return the kinds that some grid names, in the order of the config."""
    named = {name for grid in study.grids for name in grid.kinds or ()}
    return {name: kind for name, kind in study.kinds.items() if name in named}


def of_grid(study: StudyConfig, grid: Grid) -> dict[str, Kind]:
    """Return the kinds of a grid by name, "" for the study's own; one that the study does not have is left out."""
    return {"": OWN} if grid.kinds is None else {n: study.kinds[n] for n in grid.kinds if n in study.kinds}


def own_factors(study: StudyConfig, kind: Kind = OWN) -> dict[str, str | int]:
    """Return a kind's value of each factor that a grid may vary beside the arm, depth, gain and inputs."""
    network, training = study.network, study.training
    values: dict[str, str | int] = {"net": kind.net or network.family, "width": kind.width or network.width}
    values |= {"batch": training.batch, "optimizer": training.optimizer}
    return {**values, "pool": kind.pool or study.data.pool}


def crossed(study: StudyConfig, grid: Grid, kind: Kind) -> list[tuple[Any, ...]]:
    """Return the lists that a grid crosses for one of its kinds, in the order of a setting's values.

    A list that is left out has one entry, the kind's value.
    """
    varied = (grid.nets, grid.widths, grid.batches, grid.optimizers, grid.pools)
    filled = [values or (own,) for values, own in zip(varied, own_factors(study, kind).values(), strict=True)]
    return [grid.arms, grid.depths, grid.gains or (kind.gain,), grid.inputs, *filled]


def networks(study: StudyConfig, grid: Grid) -> Iterator[tuple[str, Setting, Recipe]]:
    """Yield every setting of a grid, with the name of its kind and what that gives its networks."""
    for name, kind in of_grid(study, grid).items():
        for values in product(*crossed(study, grid, kind)):
            setting = Setting(*values)
            yield name, setting, recipe(study, setting.depth, kind)


def recipe(study: StudyConfig, depth: int, kind: Kind = OWN) -> Recipe:
    """Return how the networks of a kind and depth are tuned and trained."""
    own, deep = study.training, depth >= study.training.deep_from
    steps = (kind.deep_steps or own.deep_steps) if deep else (kind.steps or own.steps)
    targets, rates = kind.targets or study.targets, kind.learning_rates or study.learning_rates
    return Recipe(steps=steps, targets=targets, rates=rates, seeds=kind.seeds or study.seeds.evaluation)


def depths(study: StudyConfig, kind: Kind = OWN) -> dict[str, int]:
    """Return the depths that claims speak of in the networks of a kind, by name."""
    return {str(name): depth for name, depth in (kind.depths or study.claims.depths).items()}
