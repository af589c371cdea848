"""What made a report: config, versions, platform, commit, and how many networks were trained."""

import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from bnstudy.core import store
from bnstudy.pipeline.records import EvaluateResult, MeasureResult, SweepResult

Result = TypeVar("Result")

PACKAGES = ("torch", "snakemake", "numpy", "pandas", "scipy", "seaborn", "matplotlib", "papermill", "pydantic")


STARTED, CORES = "BNSTUDY_STARTED", "BNSTUDY_CORES"
"""Environment variables by which a run of the workflow tells its jobs when it began (seconds since 1970) and on how many
cores: not part of any job's command, so that they make nothing run again."""
RUNS = "runs.json"


def begin(cores: int) -> None:
    """Note when a run of the workflow began: called once, by the process that schedules the jobs."""
    os.environ.setdefault(STARTED, str(time.time()))
    os.environ.setdefault(CORES, str(cores))


def end(folder: Path) -> None:
    """Note how long this run of the workflow took: a study may take several, and its cost is their sum."""
    store.write_json(folder / RUNS, cost(folder))
    del os.environ[STARTED]


def cost(folder: Path) -> dict[str, float]:
    """Return {wall_seconds, cores} of all runs of the workflow so far, this one included; cores: the most of any."""
    try:
        before: dict[str, float] = json.loads((folder / RUNS).read_text())
        seconds, cores = before["wall_seconds"], before["cores"]
    except (OSError, ValueError, LookupError, TypeError):
        before, seconds, cores = {}, 0, 0
    if STARTED not in os.environ:
        return before
    spent = time.time() - float(os.environ[STARTED])
    return {"wall_seconds": round(seconds + spent, 1), "cores": max(cores, int(os.environ[CORES]))}


def provenance(folder: Path, config: dict[str, Any]) -> dict[str, Any]:  # documents, written and shown as they are
    """Return what made the report: config and its hash, versions, platform, commit, and how many cells were trained."""
    sweeps, evaluations = _results(folder, "sweep", SweepResult), _results(folder, "evaluate", EvaluateResult)
    trained: list[SweepResult | EvaluateResult] = [*sweeps.values(), *evaluations.values()]
    rows = [row for result in trained for row in result.rows]
    targets = {row.target for row in rows}
    return {
        "config": config,
        "config_sha256": store.key(config),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        # of different ones, other bits
        "processors": "; ".join(sorted({result.processor for result in trained} - {""})),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "runs": len(rows) // max(len(targets), 1),
        "diverged": sum(row.diverged_at is not None for row in rows) // max(len(targets), 1),
        "cells_trained": sum(result.trained for result in trained),
        "cells_reused": sum(len(result.cells) - result.trained for result in trained),
        **cost(folder),
        "slowest": slowest({**sweeps, **evaluations, **_results(folder, "measure", MeasureResult)}),
    }


def processor() -> str:
    """Return the kind of this machine's processor, as the system names it: another kind rounds otherwise."""
    cores = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.+)", cores.read_text(), re.MULTILINE) if cores.is_file() else None
    return named[1] if named else platform.processor() or platform.machine()


def slowest(results: Mapping[str, SweepResult | EvaluateResult | MeasureResult]) -> list[dict[str, str | float]]:
    """Return the five jobs that computed longest, {job, seconds}; what a job found stored cost it nothing."""
    seconds = {job: round(sum(result.seconds.values()), 1) for job, result in results.items()}
    return [{"job": job, "seconds": seconds[job]} for job in sorted(seconds, key=lambda job: -seconds[job])[:5]]


def _results(folder: Path, stage: str, kind: type[Result]) -> dict[str, Result]:
    """Return what each job of a stage wrote, by stage and name."""
    return {f"{stage} {path.stem}": store.read_json(kind, path) for path in sorted((folder / stage).glob("*.json"))}


def _version(package: str) -> str | None:
    with suppress(PackageNotFoundError):  # a card's machine may do without Snakemake
        return version(package)
    return None


def _git(*arguments: str) -> str | None:
    with suppress(OSError, subprocess.CalledProcessError):  # no git: the report says so by an empty commit
        if Path(".git").exists():  # else unpacked, perhaps inside another repository, whose commit says nothing
            return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
    return None
