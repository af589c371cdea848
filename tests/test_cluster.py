"""What is needed to run elsewhere is true: what jobs ask of a cluster, the drawn workflow, the container, hosted CI."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnstudy.config.study import load_study
from bnstudy.pipeline import cost
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import SweepJob
from helpers import project
from helpers.project import ROOT


def read(path: str) -> Any:  # YAML of others' schemas
    return yaml.safe_load((ROOT / path).read_text())


def test_the_drawing_of_the_workflow_is_what_its_command_prints(tmp_path: Path) -> None:
    """If this fails: these are the lines that belong between the first and the dotted arrows of docs/cells.md."""
    project.copy(tmp_path)
    page = (ROOT / "docs/cells.md").read_text()
    command = next(line for line in page.splitlines() if line.startswith("    snakemake --rulegraph"))
    drawn = project.shell(tmp_path, command)
    assert drawn.count("-->") > 10 and f"flowchart TB\n{drawn}    sweep <-.->" in page, drawn


@pytest.fixture(scope="module")
def job() -> SweepJob:
    plan = Plan(load_study({}))
    return plan.sweep("bn_mlp_d5to20")


def measured() -> list[tuple[str, int, float]]:
    """Return what docs/growth.md has of a job whose networks grow: what grows, to which size, GiB."""
    rows = re.findall(
        r"^\| (hidden layers|units a layer) \| (\d+) \| \S+ \| (\S+) \|$", (ROOT / "docs/growth.md").read_text(), re.M
    )
    return [(what, int(size), float(gib)) for what, size, gib in rows]


def test_memory_is_asked_for_as_it_was_measured(job: SweepJob) -> None:
    """What networks took beyond the smallest job's Python, at least, and not five times as much."""
    least = min(gib for *_, gib in measured())
    grown = [(what, size, (gib - least) * 2**30 / 1e6) for what, size, gib in measured() if gib > least + 0.05]
    assert len(grown) >= 4
    for what, size, taken in grown:
        depth, width = (size, 64) if what == "hidden layers" else (5, size)
        setting = replace(job.settings[0].setting, batch=64, depth=depth, width=width)
        swept = replace(job.settings[0], setting=setting)
        asked = cost.megabytes(replace(job, stack=16, settings=(swept,))) - cost.PROGRAMS
        assert taken <= asked <= 5 * taken, (what, size, taken, asked)


def test_a_convolution_asks_for_more_and_a_card_holds_what_passes_through(job: SweepJob) -> None:
    def asked(net: str, device: str) -> int:
        swept = replace(job.settings[0], setting=replace(job.settings[0].setting, net=net))
        return cost.megabytes(replace(job, settings=(swept,), device=device))

    assert asked("cnn", "cpu") > asked("mlp", "cpu") > asked("mlp", "cuda") > cost.PROGRAMS


def test_minutes_are_twice_the_estimate_and_some() -> None:
    assert cost.minutes(3600, on_card=False) == 130
    assert cost.minutes(3600, on_card=True) == 12


def test_the_profile_differs_from_the_default_in_where_jobs_run_alone() -> None:
    here, there = read("profiles/default/config.yaml"), read("profiles/slurm/config.yaml")
    assert {name: there.get(name) for name in here if name != "resources"} == {
        name: value for name, value in here.items() if name != "resources"
    }
    assert there["executor"] == "slurm" and there["default-storage-provider"] == "none"


@pytest.mark.parametrize("shares", ["input-output", "persistence"])
def test_machines_that_share_no_folder_are_refused(tmp_path: Path, shares: str) -> None:
    project.copy(tmp_path, "tests", checks=False)
    asked = ["--configfile", "tests/nano.yaml", "--shared-fs-usage", shares, "-n"]
    done = project.python(tmp_path, "-m", "snakemake", *asked)
    assert done.returncode and "all machines must share this folder" in done.stderr, done.stderr
    assert not (tmp_path / "results").exists()


def test_the_container_file_names_what_is_there() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    makefile = (ROOT / "Makefile").read_text()
    assert 'CMD ["make", "quick"]' in lines and re.search("^quick: .venv/ready", makefile, re.MULTILINE)
    assert re.search(r"^BIN := \.venv/bin$", makefile, re.MULTILINE) and "/bnstudy/.venv/bin" in "".join(lines)


def test_hosted_ci_runs_the_same_on_linux_and_macos() -> None:
    jobs = read(".github/workflows/ci.yml")["jobs"]
    assert {job["runs-on"].split("-")[0] for job in jobs.values()} == {"ubuntu", "macos"}
    assert all(job["steps"][-1] == {"run": ".ci/run"} for job in jobs.values())


def test_the_catalogue_finds_the_workflow() -> None:
    assert read(".snakemake-workflow-catalog.yml")["usage"]["report"] is True
    assert (ROOT / "workflow/Snakefile").is_file() and 'report: "' in (ROOT / "workflow/Snakefile").read_text()
