"""A first ranked answer: `python -m bnstudy try mynorm:RMSNorm` sets an arm beside none, bn and layernorm in a minute or two.

Small networks of five layers learn scikit-learn's digits, twelve seeds each. It is a first look, by medians with 95%
intervals that hold one at a time; its last line is a study that decides.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch

from bnstudy.core import store
from bnstudy.core.cell import CellSpec, Splits, TrainingSpec
from bnstudy.core.plugins import names
from bnstudy.core.setting import Setting
from bnstudy.data.digits import load
from bnstudy.data.shifts import shift
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import accuracy
from bnstudy.measures.view import SeedView
from bnstudy.pipeline.records import Rehearsed, RehearseJob
from bnstudy.pipeline.rehearsal import Prepared, rehearsed
from bnstudy.report.figures.summary import known
from bnstudy.training.clock import looks, steps_to
from bnstudy.training.train import Run, train

BASES = ("none", "bn", "layernorm")
SEEDS, DEPTH, WIDTH, BATCH, SMALL = 12, 5, 64, 64, 8
STEPS, TARGET, MOMENTUM = 300, 0.5, 0.9
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
GAINS = (0.25, 0.41, 0.71, 1.0, 1.41, 2.0)
"""Scales of the initial weights over He's."""
SHIFT = ("contrast", 3)
SPLITS = Splits(heldout=256, test=512, train=960)
COLUMNS = {
    "steps": f"steps to {TARGET:g} nats",
    "rates": f"rates, of {len(RATES)}",
    "starts": f"starts, of {len(GAINS)}",
    "accuracy": "clean, %",
    "shifted": "contrast, %",
    "small": f"steps, batches of {SMALL}",
}
"""What is measured of each seed, and the heads of the table."""
DIGITS = {"accuracy": 1, "shifted": 1}
"""Decimals of what is no whole number."""
NOTE = (
    f"Medians of {SEEDS} seeds with 95% intervals, in networks of {DEPTH} layers on scikit-learn's digits. Steps: at the best of",
    f"{len(RATES)} learning rates, half a decade apart, chosen on the same seeds; inf: not within {STEPS}. Rates, starts: at how many",
    f"of them, and of {len(GAINS)} scales of the initial weights from {GAINS[0]:g} to {GAINS[-1]:g} of He's, the target is reached.",
    f"Contrast: accuracy at severity {SHIFT[1]}, stored statistics. Neighbours whose intervals overlap may stand the other way round.",
    "",
    "The study that decides is the line below, to be saved as tried.yaml; then: snakemake --cores 2 --configfile tried.yaml",
)


class Found(NamedTuple):
    """What one arm did: each column's number per seed [SEEDS], infinite where the target was not reached."""

    arm: str
    rate: float
    columns: dict[str, np.ndarray]


def attempt(arms: Sequence[str]) -> str:
    """Rehearse the arms that come from outside, train all and those of BASES, and return the table, ranked by steps.

    Raises:
        SystemExit: An arm does not keep its promises; the reasons are the last lines.
    """
    parts = tuple(Rehearsed(arm, "mlp", WIDTH, BATCH, names("measures", "measure")) for arm in arms if ":" in arm)
    rehearsed(RehearseJob(parts, {}, ""))
    every = list(dict.fromkeys([*arms, *BASES]))
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), get_context("spawn")) as pool:
        found = list(pool.map(measured, every))
    return "\n".join([*table(found), "", *NOTE, study(every)])


def table(found: Iterable[Found]) -> list[str]:
    """Return the lines of the table: the arm with the fewest steps first; of equal ones, the widest range of rates."""
    ranked = sorted(found, key=lambda f: (np.median(f.columns["steps"]), -np.median(f.columns["rates"]), f.arm))
    rows = [["", "arm", "rate", *COLUMNS.values()]]
    for place, of_arm in enumerate(ranked, 1):
        numbers = [known(of_arm.columns[n], f"z.{DIGITS.get(n, 0)}f") for n in COLUMNS]
        rows.append([f"{place}.", of_arm.arm, f"{of_arm.rate:g}", *numbers])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def study(arms: Sequence[str]) -> str:
    """Return the config of a study that decides, as one line of YAML."""
    config = {
        "study": "tried",
        "data": {"source": "digits", "pool": 1, "train": SPLITS.train, "test": 416, "heldout": 384},
        "training": {"steps": STEPS},
        "grids": [{"name": "main", "arms": list(arms), "depths": [DEPTH], "rates": ["best", "neighbours"]}],
        "claims": {"depths": {"shallow": DEPTH}},
    }
    return json.dumps(config)


def measured(arm: str) -> Found:
    """Return what an arm does on the digits."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    images = _images()
    by_rate = {rate: _steps(arm, rate) for rate in RATES}
    best = min(RATES, key=lambda rate: (np.median(by_rate[rate]), np.isinf(by_rate[rate]).sum(), rate))
    by_gain = {gain: by_rate[best] if gain == 1 else _steps(arm, best, gain=gain) for gain in GAINS}
    small = [_steps(arm, rate, batch=SMALL) for rate in (best, best / 10**0.5, best / 10)]
    trained = train(_spec(arm), [Run(seed, best) for seed in range(SEEDS)], images, "end")
    spec = CellSpec(**vars(_spec(arm)), rate=best, seeds=tuple(range(SEEDS)), keep="end", data="", code="", torch="")
    with TemporaryDirectory() as folder, torch.no_grad():
        store.put(Path(folder), spec, trained.checkpoints)
        cell = TrainedCell(Path(folder), store.key(spec), Prepared(images))
        net, view = cell.net("final", "running"), SeedView(cell, "test")
        pools = cell.pixels, shift(cell.pixels, *SHIFT, 0)
        correct = [accuracy(net(view(pool)), view.labels).numpy() for pool in pools]
    print(f"[try] {arm}: done", file=sys.stderr, flush=True)
    columns = {
        "steps": by_rate[best],
        "rates": np.sum([np.isfinite(steps) for steps in by_rate.values()], 0).astype(float),
        "starts": np.sum([np.isfinite(steps) for steps in by_gain.values()], 0).astype(float),
        "accuracy": correct[0],
        "shifted": correct[1],
        "small": min(small, key=lambda steps: (np.median(steps), np.isinf(steps).sum())),
    }
    return Found(arm, best, columns)


def _steps(arm: str, rate: float, gain: float = 1.0, batch: int = BATCH) -> np.ndarray:
    """Return the steps to the target of each seed [SEEDS], infinite where it is not reached."""
    trained = train(_spec(arm, gain, batch), [Run(seed, rate) for seed in range(SEEDS)], _images(), "curve")
    return steps_to(trained.looks, looks(STEPS)[: len(trained.looks)], trained.diverged, TARGET)


def _spec(arm: str, gain: float = 1.0, batch: int = BATCH) -> TrainingSpec:
    setting = Setting(arm, DEPTH, gain, "standardized", "mlp", WIDTH, batch, "sgd", 1)
    return TrainingSpec(setting, STEPS, MOMENTUM, (TARGET,), SPLITS)


_images = cache(load)
