"""Studies made up to be large: a config with many cells, and the tables of many rows that its jobs would leave.

``python -m bnstudy.bench.generated ROWS FOLDER`` writes such tables and prints the arguments for summarizing them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bnstudy.bench.shapes import spec
from bnstudy.config.models import Claims, Grid, StudyConfig
from bnstudy.core import seals, store
from bnstudy.core.cell import CellSpec, by_cell
from bnstudy.core.fingerprints import stamp
from bnstudy.core.store import Arrays
from bnstudy.pipeline import stamps
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import EvaluateResult, IndexEntry, MeasureResult, Rate, SummarizeJob, SweepResult, Tuned
from bnstudy.training.clock import looks
from bnstudy.training.tune import Choice, Outcome

ARMS = ("none", "bn", "bn_frozen", "once", "affine")
ROWS_A_CELL = 8000
"""About what the richest measure writes for eight networks of twenty layers."""


def config(settings: int) -> StudyConfig:
    """Return a study of ``settings`` settings, each at the default's eight rates."""
    depths = tuple(range(2, 2 + -(-settings // len(ARMS))))
    grid = Grid(name="many", arms=ARMS, depths=depths, rates=("best", "grid"))
    return StudyConfig(study="growth", grids=(grid,), claims=Claims(depths={"shallow": depths[0]}))


def cells(study: StudyConfig) -> int:
    """How many cells its tuning and its evaluation have at the least: a setting x rate x block of seeds each."""
    plan = Plan(study)
    every = [told for job in plan.jobs for told in (plan.sweep(job), plan.evaluate(job))]
    return sum(len(s.recipe.rates) * len(by_cell(s.seeds, told.stack)) for told in every for s in told.settings)


def tables(rows: int, folder: Path) -> list[str]:
    """Write what ``python -m bnstudy summarize``, run in ``folder``, reads of a study whose measures found ``rows``
    rows; returns its arguments."""
    from bnstudy.data.images import Images, save  # torch: whoever asks for a config need not pay for it

    noise = np.random.default_rng(0)
    training = spec("none", 2, 40)
    design = training.setting
    paths: list[str] = []
    for number, size in enumerate(np.diff([*range(0, rows, ROWS_A_CELL), rows])):
        place = {**vars(design), "arm": ARMS[number % len(ARMS)], "depth": 2 + number // len(ARMS), "rate": 0.1}
        index = np.arange(size)
        table = pd.DataFrame({**place, "seed": index // 1000, "start": "init", "end": "final", "layer": index % 20 + 1})
        table["site"] = np.array(["linear", "xhat", "affine", "next"])[index % 4]
        for column in ("moments", "shape", "cka"):
            table[column] = noise.random(size)
        path = folder / f"results/cells/{number:05}/measures/drift.parquet"
        path.parent.mkdir(parents=True)
        table.to_parquet(path)
        seals.seal(path)
        paths.append(str(path.relative_to(folder)))
    run = Outcome(design, 0.1, 0, 0.5, 20.0, True, batch_steps=25, diverged_at=None, budget=40, final_loss=1.0)
    choice = Choice(target=0.5, rate=0.1, evaluable=True, reason="")
    cell = CellSpec(**vars(training), rate=0.1, seeds=(0,), keep="levels", data="images", code="", torch="")
    loss: Arrays = {"loss": np.ones((40, 1), np.float32), "diverged": np.zeros(1, np.int64)}
    loss["looks"] = np.ones((len(looks(40)), 1), np.float32)
    store.put(folder / "results/cells", cell, {"curve": loss})
    entry = IndexEntry(cell=store.key(cell), setting=design, rate=0.1, keep="levels", shared=None, best=True)
    left = {
        "sweep": SweepResult(cells=(), trained=0, seconds={}, rows=(run,), best=(Tuned(design, choice),)),
        "evaluate": EvaluateResult(cells=(entry,), trained=0, seconds={}, rows=(run,)),
        "measure": MeasureResult(tables={"drift": paths}, seconds={}),
        "rates": [Rate(setting=design, role="best@0.5", rate=0.1, evaluable=True, reason="")],
        "job": SummarizeJob(pool=1, code=""),
    }
    for name, content in left.items():
        store.write_json(folder / f"{name}.json", content)
        seals.seal(folder / f"{name}.json")
    pixels = noise.random((10, 1, 14, 14), dtype=np.float32)
    save(Images(pixels, np.arange(10), tuple("0123456789")), folder / "images.npz")
    seals.seal(folder / "images.npz")
    files = {"sweeps": "sweep", "evaluations": "evaluate", "measures": "measure", "rates": "rates"}
    arguments = [part for key, name in files.items() for part in (f"--{key}", f"{name}.json")]
    told = f"--spec job.json --data images.npz --code {stamp(*stamps.FIXED['summarize'])} --out tables"
    return ["summarize", *told.split(), *arguments]


if __name__ == "__main__":
    print(json.dumps(tables(int(sys.argv[1]), Path(sys.argv[2]))))
