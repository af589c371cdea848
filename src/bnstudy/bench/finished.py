"""Read what a finished study says of its own cost: shares of its time, the price of one more seed, its size on disk."""

import json
from pathlib import Path
from typing import Any

from bnstudy.bench.figures import Metric, metric
from bnstudy.bench.shapes import JOBS
from bnstudy.pipeline.records import named

WHAT = {
    "measures_share": "seconds spent on probes and measures over seconds spent on training the evaluation networks",
    "workflow_share": "share of the study's wall time x cores in which no job trained or measured: start-up, reading,"
    " choosing, summarizing, checks, verdicts, notebooks, page, Snakemake itself",
    "seconds_per_seed": f"wall seconds per evaluation seed, training and measures, {JOBS} jobs at a time: the seconds of"
    f" all evaluation and measuring jobs over the number of seeds and {JOBS}",
}


def costs(folder: Path) -> list[Metric]:
    """Return the metrics that rest on the seconds that the jobs of the study in ``folder`` recorded.

    They are without value, and say why, if there are none or the study took networks over from another one.
    """
    try:
        spent, seeds = _seconds(folder)
    except LookupError as error:
        return [metric(name, f"{what}; {_missing(error)}", []) for name, what in WHAT.items()]
    per_seed = (spent["evaluate"] + spent["measure"]) / seeds / JOBS
    values = {"measures_share": spent["measure"] / spent["evaluate"], "seconds_per_seed": per_seed}
    record = folder / "provenance.json"
    provenance = json.loads(record.read_text()) if record.is_file() else {}
    if "wall_seconds" in provenance and "cores" in provenance:
        values["workflow_share"] = 1 - sum(spent.values()) / (provenance["wall_seconds"] * provenance["cores"])
    lacks = _missing(f"{record} lacks wall_seconds or cores")
    found = {n: ("one run", [values[n]]) if n in values else (lacks, []) for n in WHAT}
    return [metric(n, f"{WHAT[n]}; {said}", value) for n, (said, value) in found.items()]


def _seconds(folder: Path) -> tuple[dict[str, float], int]:
    """Return the seconds of the jobs of each stage, and the number of evaluation seeds."""
    spent: dict[str, float] = {}
    seeds: set[int] = set()
    for stage, kind in (("sweep", "training"), ("evaluate", "training"), ("measure", "measures")):
        # whatever the version that ran the study wrote
        jobs: list[dict[str, Any]] = [json.loads(p.read_text()) for p in sorted((folder / stage).glob("*.json"))]
        if not jobs:
            raise LookupError(f"{folder / stage} holds no jobs")
        if any(kind not in job.get("seconds", {}) for job in jobs):
            raise LookupError(f"the jobs of {folder / stage} recorded no seconds")
        if any(job["trained"] < len(job["cells"]) for job in jobs if kind == "training"):
            raise LookupError(f"{folder} reused networks that were stored before")
        if stage == "evaluate":
            seeds = {r["seed"] for job in jobs for r in job["rows"]}
        spent[stage] = sum(job["seconds"][kind] for job in jobs)
    return spent, len(seeds)


def size(folder: Path, cells: Path, data: Path) -> Metric:
    """Return results_gib: the study's own folder, the networks it refers to, and the prepared images and checks."""
    what = "GiB on disk of the default study: its folder, the networks that it refers to, images and checks"
    if not (names := named(folder)):
        return metric("results_gib", f"{what}; {_missing(f'{folder} holds no networks')}", [])
    roots = [folder, data, *(cells / name for name in names)]
    found = (p.stat() for root in roots for p in root.rglob("*") if p.is_file())
    total = sum({file.st_ino: file.st_size for file in found}.values())  # images stand in two folders, and once on disk
    return metric("results_gib", what, [total / 2**30])


def _missing(reason: object) -> str:
    return f"no figure: {reason}; run `make report` first, in a folder without results/"
