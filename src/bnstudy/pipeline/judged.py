"""What a study's claims are judged with, as far as its config says it."""

import json
from itertools import product

from bnstudy.claims import counting
from bnstudy.claims.kinds import on_kinds
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.lookup import JudgedKind, Lookup
from bnstudy.config.checks import BASE_INPUTS
from bnstudy.config.kinds import OWN, crossed, depths, of_grid, own_factors
from bnstudy.config.kinds import kinds as of_grids
from bnstudy.config.models import Kind
from bnstudy.config.study import StudyConfig, settings
from bnstudy.core.setting import FACTORS


def primary(study: StudyConfig, ledger: Ledger) -> dict[str, int]:
    """Return how many primary intervals each question has on the networks that the study's grids contain."""
    of_kinds = kinds(study)
    names = Lookup({}, kind(study, OWN), of_kinds)
    rates = {setting: asked.rates for setting, asked in settings(study).items()}
    return counting.primary(on_kinds(ledger, of_kinds), names, rates)


def other_networks(study: StudyConfig) -> tuple[dict[str, str | int | float], ...]:
    """Return the networks that the study sets beside its own and beside its kinds', each by the factors that differ.

    They are those of which the grids hold two arms or more, since most claims contrast two; in the order of the grids.
    """
    arms = dict[str, set[str]]()
    for grid in study.grids:
        for named in of_grid(study, grid).values():
            start: dict[str, str | int | float] = {"gain": named.gain, "inputs": BASE_INPUTS}
            own, lists = {**own_factors(study, named), **start}, dict(zip(FACTORS, crossed(study, grid, named)))
            for values in product(*(lists[name] for name in own)):
                differs = {name: value for name, value in zip(own, values) if value != own[name]}
                arms.setdefault(json.dumps(differs), set()).update(grid.arms)
    return tuple(json.loads(differs) for differs, have in arms.items() if differs != "{}" and len(have) > 1)


def kind(study: StudyConfig, named: Kind) -> JudgedKind:
    """Return what the claims' own names stand for in the networks of a kind."""
    base, names = own_factors(study, named), depths(study, named)
    seeds, targets = named.seeds or study.seeds.evaluation, named.targets or study.targets
    return JudgedKind(base=base, depths=names, gain=named.gain, seeds=seeds, targets=targets)


def kinds(study: StudyConfig) -> dict[str, JudgedKind]:
    """Return that of each kind that the study has."""
    return {name: kind(study, named) for name, named in of_grids(study).items()}
