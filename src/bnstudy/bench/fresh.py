"""What only new processes show: the price of starting them, and how much memory a job takes at most."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bnstudy.bench.figures import Metric, metric
from bnstudy.bench.machine import Used, fresh, used
from bnstudy.bench.shapes import JOBS, MODELS, WIDTH, Effort
from bnstudy.config.models import Claims, Grid, Network, Seeds, StudyConfig, Training
from bnstudy.core import seals, store
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import Rate

ARM = "bn"
CELL = 8
"""Networks of a cell: what a measuring job holds at a time."""


def process_per_run(data: str, effort: Effort, say: Callable[[str], None]) -> Metric:
    """One process a run, two at a time, against two stacked jobs; start-up included on both sides."""
    depth, steps, runs = effort.depths[0], effort.fresh_steps, effort.fresh_runs
    stacked = [(data, ARM, depth, steps, job * MODELS) for job in range(JOBS)]
    plain = [(data, ARM, depth, steps, seed) for seed in range(runs)]
    work = {"all_stacked": stacked, "one_plain": plain}
    ratios = []
    for pair in range(effort.passes):
        t = {name: fresh(name, work[name]) / len(work[name]) for name in (reversed(work) if pair % 2 else work)}
        ratios.append(MODELS * t["one_plain"] / t["all_stacked"])
        say(f"{ARM:5}{depth:4}{ratios[-1]:7.1f} x one process a run")
    what = (
        f"speed-up of {JOBS} stacked jobs of {MODELS} networks over one plain torch process of 1 thread a run, {JOBS} at a"
        f" time: {steps} steps of arm {ARM} at depth {depth}, starting Python and torch and reading the images included"
        f" on both sides, wall time a run, {runs} single runs a pair; median, least and greatest of the pairs"
    )
    return metric("process_per_run", what, ratios)


def train(study: StudyConfig, data: str, folder: Path) -> Used:
    """The job that trains the evaluation seeds of the only setting of ``study``, keeping checkpoints."""
    plan = Plan(study)
    [job] = plan.jobs
    [setting] = plan.jobs[job]
    best = Rate(setting, f"best@{plan.config.targets[0]:g}", 0.1, evaluable=True, reason="")
    store.write_json(folder / "rates.json", [best])
    store.write_json(folder / "job.json", plan.evaluate(job))
    seals.seal(folder / "rates.json")
    given = [*"--spec job.json --rates rates.json --out index.json --data".split(), data]
    given += ["--code", plan.code("evaluate", job)]
    return used([sys.executable, "-m", "bnstudy", "evaluate", *given], folder)


def measure(study: StudyConfig, data: str, folder: Path) -> Used:
    """The job that measures what :func:`train` left in ``folder``."""
    plan = Plan(study)
    [job] = plan.jobs
    store.write_json(folder / "job.json", plan.measure(job))
    given = [*"--spec job.json --index index.json --out measure.json --data".split(), data]
    given += ["--code", plan.code("measure", job)]
    return used([sys.executable, "-m", "bnstudy", "measure", *given], folder)


def one_setting(
    depth: int, steps: int, seeds: int = MODELS, width: int = WIDTH, measures: tuple[str, ...] | None = None
) -> StudyConfig:
    """Return a study of one setting with batch normalization; without ``measures`` it takes all of them."""
    return StudyConfig(
        study="one",
        network=Network(width=width),
        training=Training(steps=steps, deep_steps=steps),
        seeds=Seeds(evaluation=seeds),
        grids=(Grid(name="one", arms=(ARM,), depths=(depth,), measures=measures),),
        claims=Claims(depths={"deep": depth}),
    )


def job_peak(data: str, folder: Path, effort: Effort) -> list[Metric]:
    """Memory of the job that trains 16 networks with batch normalization and keeps their checkpoints, and of the job
    that measures such a cell (it holds one, eight networks, at a time). ``folder`` is for what they write."""
    depth, steps = effort.peak_depth, effort.peak_steps

    def training() -> float:
        return train(one_setting(depth, steps), data, folder / "training").gib

    def measuring() -> float:
        study = one_setting(depth, steps, CELL, measures=effort.measures or None)
        train(study, data, folder / "measures")
        return measure(study, data, folder / "measures").gib

    for name in ("training", "measures"):
        (folder / name).mkdir()
    with ThreadPoolExecutor() as pool:  # both at once: memory does not depend on who else is at work
        gib = [job.result() for job in (pool.submit(training), pool.submit(measuring))]
    what = f"largest resident memory, GiB, of a fresh process, arm {ARM}, depth {depth}, {steps} steps:"
    parts = (f"training of {MODELS} networks, checkpoints kept", f"measures of a cell of {CELL} networks")
    return [
        metric("job_peak_gib", f"{what} the larger of {parts[0]}; and {parts[1]}", [max(gib)]),
        metric("job_peak_training", f"{what} {parts[0]}", gib[:1]),
        metric("job_peak_measures", f"{what} {parts[1]}", gib[1:]),
    ]
