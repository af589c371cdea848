"""What the Snakemake jobs do: each reads a complete specification and files, and knows nothing of the config."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bnstudy.core import seals, store
from bnstudy.core.cell import CellSpec, Keep, TrainingSpec, by_cell
from bnstudy.data.local import ImagesSpec
from bnstudy.pipeline import records
from bnstudy.pipeline.perform import unedited
from bnstudy.pipeline.provenance import processor
from bnstudy.training import tune
from bnstudy.training.progress import Progress
from bnstudy.training.stacks import CELLS, Trainer, trained_by

if TYPE_CHECKING:
    from bnstudy.measures.cell import StudyImages


SHARED = Path("results/data")
"""What all studies share: prepared images, and the external checks."""


def images(spec: ImagesSpec, code: str, out: Path) -> None:
    """Prepare the images of a data source.

    Those that another study prepared are taken from there.
    """
    shared = SHARED / out.name
    if not seals.sound(shared):
        from bnstudy.data.images import save
        from bnstudy.data.prepare import other, prepare

        try:
            found = prepare(spec)
            beside = other(spec, found)
            unedited(code, "job")
            with seals.sealing(shared) as unfinished:
                save(found, unfinished, beside)
        except (ValueError, OSError, MemoryError) as error:  # what a user's or publisher's files can cause
            raise SystemExit(f"no images from data source {spec.source}:\n{error or 'memory is full'}") from None
    take(shared, out)


def take(shared: Path, out: Path) -> None:
    """Put what all studies share into the folder of one: no two runs of Snakemake then delete or wait for the same file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    try:
        os.link(shared, out)
    except OSError:  # not every file system has links
        shutil.copyfile(shared, out)


def rehearse(job: records.RehearseJob, out: Path) -> None:
    """Let arms and networks from outside do in small what they will do; end the job, without a traceback, where one fails."""
    from bnstudy.pipeline.rehearsal import rehearsed

    store.write_json(out, rehearsed(job))


def sweep(job: records.SweepJob, data: Path, out: Path) -> None:
    """Train the tuning seeds of one arm on one kind of network over the rates; write every run and the best rates."""
    check = _settle(job)
    progress, spent = Progress(out.stem + " sweep"), {"training": 0.0}
    names: list[str] = []
    rows: list[tune.Outcome] = []
    best: list[records.Tuned] = []

    def run(swept: records.Swept, trainer: Trainer, grid: list[float], steps: int) -> list[tune.Outcome]:
        cells = cells_of(job, swept, steps, {rate: "steps" for rate in grid}, data)
        spent["training"] += trainer.train(cells)
        names.extend(map(store.key, cells))
        return _outcomes(cells)

    for swept in job.settings:
        recipe = swept.recipe
        trainer = Trainer(data, job.stack, tune.budgets(recipe.steps), progress, check, job.device)
        outcomes, choices = tune.search(recipe.rates, recipe.targets, recipe.steps, partial(run, swept, trainer))
        rows += outcomes
        best += [records.Tuned(setting=swept.setting, choice=choice) for choice in choices]
    reused = len(names) - progress.trained
    progress.report(f"trained {progress.trained} cells in {spent['training']:.0f} s, reused {reused}")
    found = records.SweepResult(tuple(names), progress.trained, spent, tuple(rows), tuple(best), processor())
    store.write_json(out, found)


def choose(job: records.ChooseJob, sweeps: list[Path], out: Path) -> None:
    """Gather the rates and their roles.

    The roles are best@TARGET and its quarter-decade neighbours lower@TARGET and upper@TARGET; shared, the best rate of
    `none` at the base gain and inputs, all else equal; and grid, for each rate of the grid as it is.
    """
    tuned = [row for path in sweeps for row in store.read_json(records.SweepResult, path).best]
    main = {row.setting: row.choice for row in reversed(tuned)}  # a setting's first choice is that for its main target
    rates = []
    for setting, choice in ((row.setting, row.choice) for row in tuned):
        for name, decades in (("lower", -0.25), ("best", 0.0), ("upper", 0.25)):
            rate = tune.nearby(choice.rate, decades) if decades else choice.rate
            rates.append(records.Rate(setting, f"{name}@{choice.target:g}", rate, choice.evaluable, choice.reason))
        base = main.get(replace(setting, **vars(job.base)))
        if base and choice is main[setting]:
            rates.append(records.Rate(setting, "shared", base.rate, base.evaluable, base.reason))
    for grid in job.grid:
        rates += [records.Rate(grid.setting, "grid", rate, evaluable=True, reason="") for rate in grid.rates]
    store.write_json(out, sorted(rates, key=store.canonical))


def evaluate(job: records.EvaluateJob, data: Path, rates: Path, out: Path) -> None:
    """Train the evaluation seeds at the rates of the roles asked for.

    The roles are those of :func:`choose`.
    """
    check = _settle(job)
    progress, spent = Progress(out.stem + " evaluate"), {"training": 0.0}
    index: list[records.IndexEntry] = []
    rows: list[tune.Outcome] = []
    table = store.read_json(list[records.Rate], rates)
    for evaluated in job.settings:
        setting = evaluated.setting
        roles = [row for row in table if row.setting == setting]
        shared = next((row.rate for row in roles if row.role == "shared" and row.evaluable), None)
        asked, steps = rates_of(roles, evaluated), evaluated.recipe.steps
        cells = cells_of(job, evaluated, steps, dict(sorted(asked.items())), data)
        cells.sort(key=lambda cell: cell.keep)  # cells that share a stack stand together
        spent["training"] += Trainer(data, job.stack, [steps], progress, check, job.device).train(cells)
        best = next((row.rate for row in roles if row.role == f"best@{evaluated.recipe.targets[0]:g}"), None)
        index += [records.IndexEntry(store.key(c), setting, c.rate, c.keep, shared, c.rate == best) for c in cells]
        rows += _outcomes(cells)
    reused = len(index) - progress.trained
    progress.report(f"trained {progress.trained} cells in {spent['training']:.0f} s, reused {reused}")
    store.write_json(out, records.EvaluateResult(tuple(index), progress.trained, spent, tuple(rows), processor()))


def rates_of(roles: Sequence[records.Rate], evaluated: records.Evaluated) -> dict[float, Keep]:
    """Return the rates to run a setting at, and what is kept there (see :func:`bnstudy.training.train.train_on`).

    That is what the setting keeps at its best rate for the main target and at the neighbours of that, and the curve at
    the others, which are there for their steps alone.
    """
    asked, target = set(evaluated.rates), f"{evaluated.recipe.targets[0]:g}"
    found: dict[float, Keep] = {row.rate: "curve" for row in roles if row.role.partition("@")[0] in asked}
    if "neighbours" in asked:
        found |= {row.rate: evaluated.beside for row in roles if row.role in (f"lower@{target}", f"upper@{target}")}
    if "best" in asked:
        found |= {row.rate: evaluated.keep for row in roles if row.role == f"best@{target}"}
    return found


def measure(job: records.MeasureJob, data: Path, index: Path, out: Path) -> None:
    """Measure the cells with checkpoints; a measure's table is kept in its cell under the measure's code digest."""
    from bnstudy.measures.cell import TrainedCell

    _settle_torch(job.device, job.torch)
    demand([index])
    progress, images, seconds = Progress(out.stem + " measure"), _study_images(data, job.device), 0.0
    tables: dict[str, list[str]] = {}
    cells = store.read_json(records.EvaluateResult, index).cells
    entries = [entry for entry in cells if entry.keep != "curve" or entry.best]
    wanted = {measured.setting: measured for measured in job.settings}
    for i, entry in enumerate(entries):
        cell, setting = None, entry.setting
        for name in wanted[setting].measures if entry.best else wanted[setting].beside:
            path = CELLS / entry.cell / "measures" / f"{name}-{store.key([job.code[name], entry.shared])}.parquet"
            if not seals.sound(path):
                started = time.monotonic()
                cell = cell or TrainedCell(CELLS, entry.cell, images, entry.shared)
                table = import_module(f"bnstudy.measures.{name}").measure(cell).assign(**vars(setting), rate=entry.rate)
                unedited(_stamp(job.code[name], f"bnstudy.measures.{name}"), "measure")
                unedited(_stamp(cell.spec.code, *trained_by(setting.arm, setting.net, job.device)), "measure")
                with seals.sealing(path) as unfinished:
                    table.to_parquet(unfinished)
                seconds += time.monotonic() - started
            tables.setdefault(name, []).append(str(path))
        progress.tick((i + 1) / len(entries))
    progress.report(f"measured {len(entries)} cells in {seconds:.0f} s")
    store.write_json(out, records.MeasureResult(tables=tables, seconds={"measures": seconds}))


def demand(indexes: Iterable[Path], measured: Iterable[Path] = ()) -> None:
    """Raise SystemExit where what evaluating or measuring jobs name is missing or differs: they then make it again."""
    if lost := [f for f in indexes if not whole_cells(f)] + [f for f in measured if not whole_tables(f)]:
        raise SystemExit(f"Run the same command again, which makes {', '.join(map(str, lost))} again.")


def whole_cells(index: Path) -> bool:
    """Return whether all cells of an index are as they were written; if not, set aside those that differ, and the index."""
    names = [entry.cell for entry in store.read_json(records.EvaluateResult, index).cells]
    return _whole(index, "cells", [name for name in names if not seals.sound(CELLS / name, cell=True)])


def whole_tables(measured: Path) -> bool:
    """Return whether all tables that a measuring job names are as they were written, as :func:`whole_cells` does."""
    tables = store.read_json(records.MeasureResult, measured).tables
    every = [file for files in tables.values() for file in files]
    return _whole(measured, "tables", [file for file in every if not seals.sound(Path(file))])


def _whole(file: Path, what: str, lost: list[str]) -> bool:
    if lost:
        seals.set_aside(file, f"names {what} that are damaged or missing ({', '.join(lost)})")
    return not lost


def cells_of(
    job: records.TrainingJob, swept: records.Swept, steps: int, rates: Mapping[float, Keep], data: Path
) -> list[CellSpec]:
    """Return the cells of a setting: one for each rate and block of seeds.

    Args:
        job: What is the same for all settings.
        swept: The network design, its seeds and its targets.
        steps: The training budget, or the part of it that tuning gives.
        rates: What is kept at each rate.
        data: The prepared images.
    """
    targets = swept.recipe.targets
    training = TrainingSpec(swept.setting, steps, momentum=job.momentum, targets=targets, splits=job.splits)
    return [
        CellSpec(**vars(training), rate=rate, seeds=seeds, keep=keep, data=data.stem, code=job.code, torch=job.torch)
        for rate, keep in rates.items()
        for seeds in by_cell(swept.seeds, job.stack)
    ]


def _outcomes(cells: Iterable[CellSpec]) -> list[tune.Outcome]:
    curves = ((cell, store.arrays(CELLS, store.key(cell), "curve")) for cell in cells)
    return [row for cell, curve in curves for row in tune.outcomes(cell, **curve)]


def _stamp(code: str, *modules: str) -> str:
    return f"{','.join(modules)}={code}"


def _settle(job: records.SweepJob | records.EvaluateJob) -> Callable[[], None]:
    """Set torch up and import all that trains; return what ends the job where that code was edited since it was planned."""
    _settle_torch(job.device, job.torch)
    from bnstudy.arms.find import find
    from bnstudy.nets.find import family
    from bnstudy.training import train  # noqa: F401

    setting = job.settings[0].setting
    find(setting.arm), family(setting.net)
    check = partial(unedited, _stamp(job.code, *trained_by(setting.arm, setting.net, job.device)), "batch")
    check()
    return check


def _settle_torch(device: str, torch: str) -> None:
    """Set torch up; end the job, without a traceback of ours, where the card is not the one it was planned for."""
    from bnstudy.training.device import settle

    try:
        settle(device, torch)
    except RuntimeError as error:
        raise SystemExit(f"{error}\nNothing was trained or measured.") from None


@lru_cache(maxsize=1)
def _study_images(data: Path, device: str) -> "StudyImages":
    """Return the images of a study for its measures: whoever runs several jobs keeps them."""
    from bnstudy.measures.cell import StudyImages

    return StudyImages(data, device)
