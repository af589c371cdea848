"""What made a report: config, versions, platform, commit, and how many networks were trained."""

import json
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bnstudy.core import store

PACKAGES = (
    "torch",
    "snakemake",
    "numpy",
    "pandas",
    "scipy",
    "seaborn",
    "matplotlib",
    "papermill",
    "pydantic",
)


STARTED, CORES = "BNSTUDY_STARTED", "BNSTUDY_CORES"
"""Environment variables by which a run of the workflow tells its jobs when it began (seconds since 1970) and on how many
cores: not part of any job's command, so that they make nothing run again."""
RUNS = "runs.jsonl"


def begin(cores: int) -> None:
    """Called once, by the process that schedules the jobs."""
    os.environ.setdefault(STARTED, str(time.time()))
    os.environ.setdefault(CORES, str(cores))


def end(folder: Path) -> None:
    """Notes how long this run of the workflow took: a study may take several, and its cost is their sum."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / RUNS, "a") as file:
        file.write(json.dumps({"seconds": _since_start(), "cores": int(os.environ[CORES])}) + "\n")


def _since_start() -> float:
    return round(time.time() - float(os.environ[STARTED]), 1)


def cost(folder: Path) -> dict[str, Any]:
    """{wall_seconds, cores} of all runs of the workflow so far, this one included; cores: the most of any."""
    file = folder / RUNS
    runs = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    if STARTED in os.environ:
        runs.append({"seconds": _since_start(), "cores": int(os.environ[CORES])})
    if not runs:
        return {}
    return {"wall_seconds": round(sum(r["seconds"] for r in runs), 1), "cores": max(r["cores"] for r in runs)}


def provenance(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """What made the report: config and its hash, versions, platform, commit, and how many cells were trained."""
    jobs = _jobs(folder)
    stages = [job for job in jobs.values() if "rows" in job]
    rows = [r for s in stages for r in s["rows"]]
    targets = {r["target"] for r in rows}
    return {
        "config": config,
        "config_sha256": store.key(config),
        "versions": {name: version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain")),
        "runs": len(rows) // max(len(targets), 1),
        "diverged": sum(r["diverged_at"] is not None for r in rows) // max(len(targets), 1),
        "cells_trained": sum(s["trained"] for s in stages),
        "cells_reused": sum(len(s["cells"]) - s["trained"] for s in stages),
        **cost(folder),
        "slowest": slowest(jobs),
    }


def slowest(jobs: dict[str, dict[str, Any]], count: int = 5) -> list[dict[str, Any]]:
    """The jobs that computed longest, {job, seconds}; what a job found stored cost it nothing."""
    each = [{"job": name, "seconds": round(sum(job.get("seconds", {}).values()), 1)} for name, job in jobs.items()]
    return sorted(each, key=lambda job: -job["seconds"])[:count]


def _jobs(folder: Path) -> dict[str, dict[str, Any]]:
    """What each job wrote, by stage and name."""
    paths = [path for stage in ("sweep", "evaluate", "measure") for path in sorted((folder / stage).glob("*.json"))]
    return {f"{path.parent.name} {path.stem}": json.loads(path.read_text()) for path in paths}


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # not a checkout, or no git: the report says so by an empty commit
