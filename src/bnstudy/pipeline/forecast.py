"""Forecasts, before any training, of where batch norm saves steps: `python -m bnstudy.pipeline.forecast config/NAME.yaml`.

The rule stands in the claims file; it was chosen on seeds that no verdict rests on (docs/what_decides.md). A forecast reads
one quantity of the untrained network without norm, and is written to config/forecasts/NAME.json.
"""

import argparse
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import median

import torch

from bnstudy.claims.file import load
from bnstudy.claims.ledger import Rule
from bnstudy.config.files import shipped
from bnstudy.config.study import StudyConfig, evaluation_seeds, read_study, settings
from bnstudy.core import store
from bnstudy.core.cell import Splits, TrainingSpec
from bnstudy.core.setting import Setting
from bnstudy.data.batches import parts
from bnstudy.data.images import pool
from bnstudy.data.prepare import prepare
from bnstudy.measures.cell import PROBE
from bnstudy.measures.untrained import quantities
from bnstudy.nets.find import family
from bnstudy.pipeline.plan import images_spec
from bnstudy.training.train import build

FOLDER = Path("config/forecasts")


@dataclass(frozen=True)
class Forecast:
    """What the rule says of one setting; ``value`` is the median over seeds, from ``least`` to ``most``."""

    setting: Setting
    value: float
    least: float
    most: float
    distance: float
    saves: bool


@dataclass(frozen=True)
class Forecasts:
    """All forecasts for a study, and the rule that they follow."""

    study: str
    rule: Rule
    forecasts: tuple[Forecast, ...]


def compared(study: StudyConfig) -> list[Setting]:
    """Return the settings without norm that the study trains with batch norm too."""
    known = settings(study)
    return [s for s in known if s.arm == "none" and replace(s, arm="bn") in known]


def untrained(study: StudyConfig, chosen: Collection[Setting]) -> dict[Setting, dict[str, list[float]]]:
    """Return each quantity of the settings' untrained networks on the probe images, a number per evaluation seed."""
    data = study.data
    whole = prepare(images_spec(study))
    splits = Splits(heldout=data.heldout, test=data.test, train=data.train)
    pooled = {factor: whole._replace(x=pool(whole.x, factor)) for factor in {setting.pool for setting in chosen}}
    found: dict[Setting, dict[str, list[float]]] = {}
    alike = sorted(chosen, key=_data)
    for seed in evaluation_seeds(study):
        for (factor, _, size), of_data in groupby(alike, _data):
            group = list(of_data)
            images, spec = pooled[factor], partial(TrainingSpec, steps=0, momentum=0.0, targets=(), splits=splits)
            x, labels = (part[:, :size] for part in parts(images, spec(group[0]), [seed], "train"))
            for setting in group:
                values = quantities(build(spec(setting), images, [seed]), x.mT.contiguous(), labels)
                for name, value in values.items():
                    found.setdefault(setting, {}).setdefault(name, []).append(value.item())
    return found


def _data(setting: Setting) -> tuple[int, str, int]:
    """Return on what the probe of a setting depends: pooling, inputs, and the number of its images."""
    return setting.pool, setting.inputs, getattr(family(setting.net), "PROBE", PROBE)


def forecast(study: StudyConfig, rule: Rule) -> Forecasts:
    """Return the forecast for each setting that a study compares."""
    rows = []
    for setting, values in untrained(study, compared(study)).items():
        of_seeds = values[rule.quantity]
        value = median(of_seeds)
        distance = rule.distance(value)
        rows.append(Forecast(setting, value, min(of_seeds), max(of_seeds), distance, distance > 0))
    return Forecasts(study.study, rule, tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bnstudy.pipeline.forecast", description=__doc__)
    parser.add_argument("config", type=Path, help="the study; it need not have run")
    study = read_study(parser.parse_args().config)
    torch.set_num_threads(1)
    if (rule := load(shipped(study.claims.file)).forecast) is None:
        parser.error(f"{study.claims.file} has no rule to forecast by (key forecast)")
    found = forecast(study, rule)
    path = FOLDER / f"{study.study}.json"
    store.write_json(path, found)
    saves = sum(row.saves for row in found.forecasts)
    print(f"{path}: batch norm is forecast to save steps in {saves} of {len(found.forecasts)} settings")


if __name__ == "__main__":
    main()
