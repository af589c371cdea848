"""A study from its images to its verdicts in one process, without Snakemake: for a card's machine, and for notebooks.

The stages, the files and what is in them are those of the workflow; only the page is left out, for which notebooks must
run. What is there already is not made again, so that a study can be run in parts.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bnstudy.core import store
from bnstudy.pipeline import jobs
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.tables import summarize
from bnstudy.pipeline.verdicts import check, judge


class Made:
    """Which files of a study were made, and from what: each has a digest of all that can influence it.

    Attributes:
        seconds: How long each stage has taken in this process.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "made.json"
        self.of: dict[str, str] = json.loads(self.file.read_text()) if self.file.is_file() else {}
        self.seconds: dict[str, float] = {}

    def make(self, stage: str, out: Path, told: Any, inputs: Iterable[Path], work: Callable[[], None]) -> None:
        """Do the ``work`` that writes ``out``, unless it was done from the same specification and inputs before."""
        wanted = store.key([stage, told, [self.of[str(path)] for path in inputs]])
        if self.of.get(str(out)) == wanted and out.exists():
            return
        started = time.monotonic()
        out.parent.mkdir(parents=True, exist_ok=True)
        work()
        self.of[str(out)] = wanted
        store.write_json(self.file, self.of)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started


def run(plan: Plan, until: float = float("inf")) -> dict[str, float]:
    """Make what is missing of a study, to its verdicts; return the seconds that each stage took.

    Args:
        plan: The study.
        until: Seconds after which no further job begins; what is missing then is made by the next call.
    """
    folder, data, started = Path(plan.folder), Path(plan.data), time.monotonic()
    made = Made(folder)

    def make(stage: str, out: Path, told: Any, inputs: Iterable[Path], work: Callable[..., None], *given: Any) -> Path:
        if time.monotonic() - started > until:
            raise SystemExit(f"{until:.0f} s are over. Run again to go on with {out}.")
        made.make(stage, out, told, inputs, lambda: work(*given, out))
        return out

    def each(
        stage: str, job: Callable[[str], Any], inputs: Callable[[str], list[Path]], work: Callable[..., None]
    ) -> None:
        for name in sorted(plan.jobs, key=plan.work, reverse=True):
            told = job(name)
            make(stage, folder / stage / f"{name}.json", told, inputs(name), work, told, *inputs(name))

    make("data", data, plan.data, [], jobs.images, plan.images)
    each("sweep", plan.sweep, lambda name: [data], jobs.sweep)
    sweeps = [Path(path) for path in plan.files("sweep")]
    choose = plan.choose()
    rates = make("choose", folder / "rates.json", choose, sweeps, jobs.choose, choose, sweeps)
    each("evaluate", plan.evaluate, lambda name: [data, rates], jobs.evaluate)
    each("measure", plan.measure, lambda name: [data, folder / f"evaluate/{name}.json"], jobs.measure)
    evaluations, measures = ([Path(path) for path in plan.files(stage)] for stage in ("evaluate", "measure"))
    told, inputs = plan.summarize(), [*sweeps, *evaluations, *measures, rates, data]
    tables = make(
        "summarize", folder / "tables", told, inputs, summarize, sweeps, evaluations, measures, rates, data, told.pool
    )
    common = make("checks", Path(f"{plan.checks()}.json"), plan.checks(), [], check)
    checks = make("checks", folder / "checks.json", plan.checks(), [common], shutil.copyfile, common)
    spec, claims = plan.judge(), Path(plan.config.claims.file)
    judging = [spec, plan.judging(), *map(store.sha256, [claims, *map(Path, plan.claims_text)])]
    make("claims", folder / "claims.json", judging, [tables, checks], judge, spec, tables, claims, checks)
    print("[run] " + ", ".join(f"{stage} {spent:.1f} s" for stage, spent in made.seconds.items()), file=sys.stderr)
    return made.seconds
