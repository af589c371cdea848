"""What of a study is stored, what it would still train and for how long; and what of the store no study uses."""

import os
import shutil
import time
from pathlib import Path

from bnstudy.core import store
from bnstudy.core.cell import Keep, by_cell
from bnstudy.core.seals import fault
from bnstudy.core.stats import max_intervals
from bnstudy.pipeline.alive import working
from bnstudy.pipeline.cost import CARD, MEASURED, PYTHON, evaluated, gib, seconds
from bnstudy.pipeline.jobs import CELLS, cells_of, rates_of
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import Rate, Swept, TrainingJob, named
from bnstudy.training.tune import budgets

NETWORKS: tuple[Keep, ...] = ("end", "levels")
"""What is kept of runs whose networks are measured."""


def outlook(plan: Plan) -> str:
    """Say how many cells are stored, how many will be trained, about how many minutes that and measuring take, and where.

    The rates that tuning will add or choose, and how long their runs last, are not known beforehand: while rates.json lacks
    a setting, its tuning is counted with two rates more than the grid and the whole budget, which is about the sum of the
    budgets that it grows through; its evaluation with as many rates as are asked for.
    """
    file = Path(plan.folder) / "rates.json"
    rates = store.read_json(list[Rate], file) if file.is_file() else []
    have, wanted, spent = 0, 0, 0.0

    def add(job: TrainingJob, swept: Swept, known: dict[float, Keep], steps: int, unknown: int) -> None:
        """Add the cells of a setting at known rates, and as many as ``unknown`` rates will have.

        ``steps`` are those that name the cells: of tuning's budgets the first. A run is counted with the whole budget.
        """
        nonlocal have, wanted, spent
        cells = cells_of(job, swept, steps, known, Path(plan.data))
        lacking = [len(cell.seeds) for cell in cells if not store.stored(CELLS, store.key(cell))]
        have += len(cells) - len(lacking)
        wanted += len(cells) + unknown * len(by_cell(swept.seeds, job.stack))
        spent += seconds(swept.recipe.steps, swept.setting, sum(lacking) + unknown * len(swept.seeds))

    for name in plan.jobs:
        sweep = plan.sweep(name)
        for swept in sweep.settings:
            known = any(row.setting == swept.setting for row in rates)
            grid: dict[float, Keep] = {rate: "steps" for rate in swept.recipe.rates}
            add(sweep, swept, grid, budgets(swept.recipe.steps)[0], 0 if known else 2)
        job = plan.evaluate(name)
        measured = (Path(plan.folder) / "measure" / f"{name}.json").is_file()
        for asked in job.settings:
            roles = [row for row in rates if row.setting == asked.setting]
            recipe = asked.recipe
            unknown = 0 if roles else evaluated(asked.rates, len(recipe.targets), len(recipe.rates))
            add(job, asked, rates_of(roles, asked), recipe.steps, unknown)
            if not measured:
                places = (asked.keep in NETWORKS) + 2 * (asked.beside in NETWORKS and "neighbours" in asked.rates)
                spent += places * seconds(MEASURED, asked.setting, len(asked.seeds))
    held = ", ".join(f"{question} {count}" for question, count in plan.primary.items())
    room = max_intervals(plan.fewest)
    intervals = f"Intervals that hold together: {held}; {plan.fewest} seeds allow {room:,} a question."
    if outside := ", ".join(sorted({s.arm for settings in plan.jobs.values() for s in settings if ":" in s.arm})):
        counted = f"A layer from outside is counted like batch norm; a slower one takes longer: {outside}."
        intervals = f"{counted}\n{intervals}"
    stored = f"{have} of about {wanted} cells are stored; training and measuring the rest takes about"
    if not plan.gpu:
        return f"{stored} {spent / 120:.1f} min on 2 cores.\n{intervals}\n{fits(plan)}"
    owned = f"{intervals}\nJobs that train or measure ask for gpu={plan.gpu}, so that one at a time has the card."
    return f"{stored} {spent / 60 / CARD:.1f} min with torch {plan.torch}.\n{owned}"


def fits(plan: Plan) -> str:
    """Say how much memory a job takes, and how many of them this machine holds at once.

    Raises:
        SystemExit: It holds none.
    """
    most, job = max((PYTHON + gib(plan.sweep(name)), name) for name in plan.jobs)
    has = memory() / 2**30
    said = f"A job takes up to about {most:.1f} GiB ({job}), this machine has {has:.1f}"
    if plan.device == "cpu" and most > has:
        raise SystemExit(f"{said}.\nNothing was run. Make network.width, the depths or stack smaller.")
    return said + (f": run with --cores {int(has / most)} at most." if has < most * (os.cpu_count() or 1) else ".")


def memory() -> int:
    """Return the bytes of memory that this machine, or the container that it is, may use."""
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.is_file() else "max"
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(physical, int(said)) if said.isdigit() else physical


LONG = 30
"""Minutes of training from which on Snakemake says beforehand how many they are."""


def warning(plan: Plan, cores: int) -> str:
    """Return what a person should know before a study begins; "" where it trains little."""
    fits(plan)
    minutes = sum(plan.work(job) for job in plan.jobs) / 60 / (cores if plan.device == "cpu" else CARD)
    if minutes < LONG:
        return ""
    return (
        f"[plan] Study {plan.name}: training takes up to about {minutes:,.0f} min on {cores} cores, less what is stored.\n"
        "[plan] Ctrl+C stops it; the same command goes on with what is left."
    )


YOUNG = 24 * 3600
"""Seconds for which `prune` spares what no study refers to: a run that goes on may."""


def prune(results: Path = Path("results")) -> int:
    """Delete stored cells that no study's index refers to, and what broken runs left; return how many.

    Raises:
        SystemExit: A study is being made, or what one refers to cannot be told.
    """
    if other := working(results):
        raise SystemExit(f"A study is being made, by {other}.\nNothing was deleted; prune when it has ended.")
    for index in (*results.glob("*/sweep/*.json"), *results.glob("*/evaluate/*.json")):
        if why := fault(index):
            remedy = f"make that study again, or delete {index.parents[1]}"
            raise SystemExit(f"{index} {why}.\nNothing was deleted; {remedy}.")
    wanted = {name for study in results.glob("*") for name in named(study)}
    old = time.time() - YOUNG
    unused = [path for path in (results / "cells").glob("*") if path.name not in wanted and path.stat().st_mtime < old]
    for path in unused:  # under another name first: what is deleted in part never counts as stored
        shutil.rmtree(path.rename(path.with_name(f".old-{path.name}")))
    return len(unused)
