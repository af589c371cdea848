"""A study from its images to its verdicts without Snakemake: for a card's machine, and for notebooks.

The stages, the files and what is in them are those of the workflow; only the page is left out, for which notebooks must
run. What is there already is not made again, so that a study can be run in parts.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bnstudy.core import store
from bnstudy.pipeline import alive, jobs, provenance
from bnstudy.pipeline.external import check
from bnstudy.pipeline.mend import mend
from bnstudy.pipeline.perform import perform
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.tables import summarize
from bnstudy.pipeline.verdicts import judge


class Task(NamedTuple):
    """A file to make.

    Attributes:
        stage: The rule of the workflow that makes it.
        code: The stamp of the code that it depends on.
        out: The file or folder.
        told: All that can influence it, beside the inputs.
        inputs: Files of earlier tasks.
        work: Called with ``given`` and ``out``, it makes the file.
        given: Further arguments.
    """

    stage: str
    code: str
    out: Path
    told: Any
    inputs: Sequence[Path]
    work: Callable[..., None]
    given: Sequence[Any]


class Maker:
    """Makes the files of a study, and knows from what each was made: a digest of all that can influence it.

    Args:
        folder: The folder of the study.
        until: The time, on the monotonic clock, after which no further task begins.
        cores: How many tasks run at once. One runs in this process, several run in processes of their own.

    Attributes:
        seconds: How long the tasks of each stage took, all together.
    """

    def __init__(self, folder: Path, until: float, cores: int) -> None:
        self.file, self.until, self.cores = folder / "made.json", until, cores
        self.of: dict[str, str] = json.loads(self.file.read_text()) if self.file.is_file() else {}
        self.seconds: dict[str, float] = {}
        fresh = multiprocessing.get_context("spawn")  # a fork would share a card's state, which none survives
        self.workers = Here() if cores == 1 else ProcessPoolExecutor(cores, fresh, _share_card, (cores,))

    def make(self, *tasks: Task) -> None:
        """Make the files that are missing or were made from something else; the tasks need nothing of each other."""
        keys = [store.key([t.stage, t.told, [self.of[str(path)] for path in t.inputs]]) for t in tasks]
        missing = [(t, key) for t, key in zip(tasks, keys) if self.of.get(str(t.out)) != key or not t.out.exists()]
        running: dict[Future[float], tuple[Task, str]] = {}
        full: list[Task] = []
        while missing or running:
            while missing and len(running) < self.cores and time.monotonic() <= self.until:
                task, key = missing.pop(0)
                running[self.workers.submit(_timed, task)] = task, key
            if not running:
                raise SystemExit(f"The time is over. Run again to go on with {missing[0][0].out}.")
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                task, key = running.pop(done)
                if type(done.exception()).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
                    full.append(task)
                    continue
                self.seconds[task.stage] = self.seconds.get(task.stage, 0.0) + done.result()
                self.of[str(task.out)] = key
                store.write_json(self.file, self.of)
        if full:
            names = ", ".join(f"{task.stage} {task.out.stem}" for task in full)
            raise SystemExit(
                f"The card's memory was full with {self.cores} jobs at once: {names} did not end; all else is kept.\n"
                f"what to do: run again with --cores {max(self.cores // 2, 1)}, which goes on from here"
            )


class Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """Return what ``work`` returned or raised, as if it had been waited for."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **named))
        except RuntimeError as error:
            done.set_exception(error)
        return done


def run(plan: Plan, until: float = float("inf"), cores: int = 1) -> dict[str, float]:
    """Make what is missing of a study, to its verdicts and provenance.json; return the seconds of the tasks of each stage.

    Args:
        plan: The study.
        until: Seconds after which no further task begins; what is missing then is made by the next call.
        cores: How many tasks run at once. On a card they share it.
    """
    folder, started = Path(plan.folder), time.monotonic()
    alive.hold(folder)
    mend(plan)
    provenance.begin(cores)
    try:
        seconds = _make(plan, Maker(folder, started + until, cores))
        made = provenance.provenance(folder, plan.effective())
        store.write_json(folder / "provenance.json", made | {"device": plan.torch, "stages": seconds})
    finally:
        provenance.end(folder)
    spent = ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items())
    print(f"[run] {time.monotonic() - started:.1f} s; seconds of all tasks: {spent}", file=sys.stderr)
    return seconds


def _make(plan: Plan, maker: Maker) -> dict[str, float]:
    folder, data = Path(plan.folder), Path(plan.data)
    names = sorted(plan.jobs, key=plan.work, reverse=True)
    rates, claims = folder / "rates.json", plan.claims

    def measured(name: str) -> int:
        return len({measure for asked in plan.jobs[name].values() for measure in asked.measures})

    def each(stage: str, told: Callable[[str], Any], work: Callable[..., None], *inputs: Path) -> Iterable[Task]:
        for name in sorted(names, key=measured, reverse=True) if stage == "measure" else names:
            index = [folder / "evaluate" / f"{name}.json"] if stage == "measure" else []
            out, job, files = folder / stage / f"{name}.json", told(name), [*inputs, *index]
            yield Task(stage, plan.code(stage, name), out, job, files, work, [job, *files])

    with maker.workers:
        for out in map(Path, plan.rehearsed):
            rehearse = plan.rehearse()
            maker.make(Task("rehearse", plan.code("rehearse"), out, rehearse, [], jobs.rehearse, [rehearse]))
        code = plan.code("data")
        maker.make(Task("data", code, data, plan.data, [], jobs.images, [plan.images, code]))
        code, checks = plan.code("checks"), folder / "checks.json"
        checking = Task("checks", code, checks, code, [], check, [code])  # as long as a sweep, and it needs nothing
        maker.make(checking, *each("sweep", plan.sweep, jobs.sweep, data))
        sweeps, evaluations, measures = (list(map(Path, plan.files(s))) for s in ("sweep", "evaluate", "measure"))
        choose = plan.choose()
        maker.make(Task("choose", plan.code("choose"), rates, choose, sweeps, jobs.choose, [choose, sweeps]))
        maker.make(*each("evaluate", plan.evaluate, jobs.evaluate, data, rates))
        maker.make(*each("measure", plan.measure, jobs.measure, data))
    tables, told = folder / "tables", plan.summarize()
    every = [*sweeps, *evaluations, *measures, rates, data]
    given = [told, sweeps, evaluations, measures, rates, data]
    maker.workers, maker.cores = Here(), 1
    maker.make(Task("summarize", plan.code("summarize"), tables, told, every, summarize, given))
    spec, code = plan.judge(), plan.code("claims")
    beside = [Path(study) for study in plan.beside]
    judging = [spec, code, *plan.judged_by, *(store.sha256(study / "claims.json") for study in beside)]
    work, given = partial(judge, beside=beside), [spec, tables, claims, checks]
    maker.make(Task("claims", code, folder / "claims.json", judging, [tables, checks], work, given))
    return maker.seconds


def _timed(task: Task) -> float:
    started = time.monotonic()
    try:
        perform(task.stage, task.code, task.inputs, partial(task.work, *task.given, task.out), task.out)
    finally:
        if "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized():
            sys.modules["torch"].cuda.empty_cache()  # a process keeps what it freed, and others share the card
    return time.monotonic() - started


def _share_card(processes: int) -> None:
    """Leave room on a card for as many processes."""
    from bnstudy.training import device

    device.SHARE /= processes
