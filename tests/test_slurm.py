"""A study through a real Slurm, of this one machine, with profiles/slurm: the same bytes, and what fails is named and mended."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers import project, slurm

pytestmark = pytest.mark.skipif(bool(slurm.lacks()), reason=slurm.lacks())

CLAIMS = "results/nano/claims.json"
STUDY = [
    *("--workflow-profile", "profiles/slurm", "--configfile", "tests/nano.yaml"),
    *("--slurm-status-command", "squeue"),  # this Slurm has no accounting, and sacct would be asked for ever
    *("--slurm-init-seconds-before-status-checks", "1"),
]
"""The smallest study through Slurm."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project, its profile filled in as a user would, while a Slurm runs."""
    folder = tmp_path_factory.mktemp("cluster")
    project.copy(folder, "tests")
    profile = folder / "profiles/slurm/config.yaml"
    text = profile.read_text().replace("# slurm_partition: yours", "slurm_partition: main")
    profile.write_text(text.replace("# constraint: yours", f"constraint: {slurm.KIND}"))
    with slurm.started(tmp_path_factory.mktemp("slurm")):
        yield folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the study has on two cores, without a cluster."""
    folder = tmp_path_factory.mktemp("cores")
    project.copy(folder, "tests")
    project.snakemake(folder, CLAIMS, "--cores", "2", "--configfile", "tests/nano.yaml")
    return results(folder)


def results(folder: Path) -> dict[str, bytes]:
    """Return the bytes that must be the same wherever a study runs."""
    files = [folder / CLAIMS, *folder.glob("results/nano/tables/*"), *folder.glob("results/cells/**/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.is_file()}


def jobs() -> dict[str, tuple[str, str]]:
    """Return the number and the state of the last job of each rule and its wildcards that Slurm was given."""
    said = slurm.call("squeue", "--states=all", "--sort=i", "-h", "-o", "%k|%i|%T").splitlines()
    return {name: (number, state) for name, number, state in (line.split("|") for line in said)}


def test_the_same_bytes_as_on_two_cores(folder: Path, expected: dict[str, bytes]) -> None:
    project.snakemake(folder, *STUDY)
    assert (folder / "results/nano/report.html").is_file()
    names = {
        f"rule_{rule}_wildcards_{arm}_mlp_d2to3" for rule in ("sweep", "evaluate", "measure") for arm in ("none", "bn")
    }
    assert {name: state for name, (_, state) in jobs().items()} == dict.fromkeys({"rule_checks", *names}, "COMPLETED")
    assert results(folder) == expected and len(expected) > 20


def test_a_killed_job_and_a_failed_one_are_named_and_the_same_command_mends_them(
    folder: Path, expected: dict[str, bytes]
) -> None:
    def killed() -> tuple[str, str]:
        return jobs().get("rule_sweep_wildcards_none_mlp_d2to3", ("", ""))

    shutil.rmtree(folder / "results", ignore_errors=True)
    arm, (before, _) = folder / "src/bnstudy/arms/bn.py", killed()
    code = arm.read_text()
    arm.write_text(code + "\nraise RuntimeError('broken on purpose')\n")
    with ThreadPoolExecutor() as pool:
        run = pool.submit(project.python, folder, "-m", "snakemake", CLAIMS, *STUDY)
        slurm.until(lambda: killed()[0] != before and killed()[1] == "RUNNING", "the job to kill runs", 120)
        slurm.call("scancel", killed()[0])
        done = run.result()
    last = done.stderr[done.stderr.rindex("Complete log") :]
    assert done.returncode
    assert "The job sweep_none_mlp_d2to3 failed (all it said is in results/nano/logs/sweep_none_mlp_d2to3.log" in last
    assert "SLURM status is: 'CANCELLED'" in last
    assert "The job sweep_bn_mlp_d2to3 failed (all it said is in results/nano/logs/sweep_bn_mlp_d2to3.log" in last
    assert "RuntimeError: broken on purpose" in last
    logs = re.findall(r"\S+/slurm_logs/\S+\.log", last)
    assert len(logs) >= 2 and all(Path(log).is_file() for log in logs), last
    arm.write_text(code)
    project.snakemake(folder, CLAIMS, *STUDY)
    assert results(folder) == expected
