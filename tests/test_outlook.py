"""What is said of a study before it begins, and what is kept of how long it took."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnstudy.config.study import StudyConfig
from bnstudy.pipeline import outlook, provenance
from bnstudy.pipeline.plan import Plan
from helpers.project import ROOT


def plan(**more: object) -> Plan:
    grid = {"name": "a", "arms": ["bn"], "depths": [200]}
    study = {"grids": [grid], "claims": {"depths": {"deep": 200}}, **more}
    return Plan(StudyConfig.model_validate_json(json.dumps(study)))


def test_what_this_machine_cannot_hold_is_refused_before_any_work() -> None:
    for ask in (outlook.outlook, lambda huge: outlook.warning(huge, 2)):
        with pytest.raises(SystemExit, match="GiB .*bn_mlp_d200.*\nNothing was run. Make network.width"):
            ask(plan(network={"width": 4096}))
    assert "A job takes up to about" in outlook.outlook(plan())


def test_the_time_of_layers_from_outside_is_said_to_be_a_guess() -> None:
    grid = {"name": "a", "arms": ["bn", "torch.nn:BatchNorm1d"], "depths": [200]}
    told = outlook.outlook(plan(grids=[grid]))
    assert "counted like batch norm; a slower one takes longer: torch.nn:BatchNorm1d." in told
    assert "from outside" not in outlook.outlook(plan())


def test_a_long_study_is_announced() -> None:
    assert outlook.warning(plan(training={"steps": 40, "deep_steps": 40}, seeds={"tuning": 1}), 2) == ""
    two, four = (
        float(outlook.warning(plan(network={"width": 512}), cores).split("about ")[1].split()[0]) for cores in (2, 4)
    )
    assert two > outlook.LONG and two == pytest.approx(2 * four, abs=2)


def test_few_cores_are_advised_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "memory", lambda: 2**30)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert "run with --cores" in outlook.fits(plan())


def test_the_time_of_all_runs_is_one_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(provenance.STARTED, raising=False)
    for _ in range(3):
        provenance.begin(2)
        monkeypatch.setenv(provenance.STARTED, str(float(provenance.os.environ[provenance.STARTED]) - 10))
        provenance.end(tmp_path)
    assert provenance.cost(tmp_path) == {"wall_seconds": pytest.approx(30, abs=1), "cores": 2}
    assert (tmp_path / provenance.RUNS).stat().st_size < 100


def test_the_commit_is_that_of_this_project_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q"], check=True)
    (tmp_path / "a").touch()
    subprocess.run(["git", "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    (tmp_path / "untracked").touch()
    own = provenance.provenance(tmp_path, {})
    assert len(own["commit"]) == 40 and not own["dirty"]
    (tmp_path / "unpacked").mkdir()
    monkeypatch.chdir(tmp_path / "unpacked")
    assert provenance.provenance(tmp_path, {})["commit"] is None


@pytest.mark.parametrize(("home", "own"), [("none", True), ("", False)])
def test_make_needs_no_home(home: str, own: bool, tmp_path: Path) -> None:
    """As in a container whose user has a number alone."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / home)}
    show = "show: ; @echo $$XDG_CACHE_HOME,$$MPLCONFIGDIR,$$USER"
    done = subprocess.run(["make", f"--eval={show}", "show"], cwd=ROOT, env=environment, capture_output=True, text=True)
    if "unrecognized option" in done.stderr:
        pytest.skip("this make has no --eval")
    cache = str(ROOT / ".snakemake/cache") if own else ""
    assert done.stdout.strip() == f"{cache},{cache + '/matplotlib' if own else ''},nobody", done.stderr


def test_who_reads_only_the_first_line_sees_no_traceback() -> None:
    """As with `bnstudy plan | head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "bnstudy", "plan", "--config", "tests/nano.yaml"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_make_alone_starts_no_work() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "make quick" in done.stdout and "pip" not in done.stdout
