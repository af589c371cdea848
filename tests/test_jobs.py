"""What jobs are told and do: the rates of a setting, the seeds of a cell, and files that appear whole."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnstudy.__main__ import main
from bnstudy.config.models import Grid
from bnstudy.config.study import StudyConfig, settings
from bnstudy.core import seals, store
from bnstudy.core.cell import CellSpec, Keep, by_cell
from bnstudy.core.recipe import Recipe
from bnstudy.data import digits
from bnstudy.data.images import save
from bnstudy.pipeline import jobs
from bnstudy.pipeline.jobs import rates_of
from bnstudy.pipeline.plan import SHARED_SECONDS, Plan
from bnstudy.pipeline.records import Evaluated, EvaluateResult, MeasureJob, MeasureResult, Rate, SweepJob
from bnstudy.training import stacks
from bnstudy.training.progress import Progress
from bnstudy.training.stacks import Stack, Trainer
from helpers.project import ROOT
from helpers.trained import cell_spec, training_spec

FACTORS = training_spec("bn", depth=2, width=32, batch=32, steps=1).setting


def row(role: str, rate: float) -> Rate:
    return Rate(setting=FACTORS, role=role, rate=rate, evaluable=True, reason="")


def evaluated(rates: list[str], target: float, keep: Keep, beside: Keep = "curve") -> Evaluated:
    recipe = Recipe(steps=40, targets=(target, 0.25), rates=(0.01, 0.1), seeds=8)
    return Evaluated(
        setting=FACTORS, recipe=recipe, seeds=tuple(range(8)), rates=tuple(rates), keep=keep, beside=beside
    )


ROLES = [
    row(role, rate)
    for role, rate in {
        "lower@0.5": 0.056, "best@0.5": 0.1, "upper@0.5": 0.18, "lower@0.25": 0.1, "best@0.25": 0.18, "upper@0.25": 0.32,
        "shared": 0.03,
    }.items()
] + [row("grid", rate) for rate in (0.01, 0.1, 1.0)]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "rates"),
    [
        (["best"], {0.1: "levels", 0.18: "curve"}),
        (["best", "shared"], {0.1: "levels", 0.18: "curve", 0.03: "curve"}),
        # 0.18 is both the other's best and a neighbour
        (["best", "neighbours"], {0.1: "levels", 0.18: "curve", 0.056: "curve"}),
        (["neighbours"], {0.056: "curve", 0.18: "curve"}),
        (["grid"], {0.01: "curve", 0.1: "curve", 1.0: "curve"}),
        (["best", "grid"], {0.1: "levels", 0.18: "curve", 0.01: "curve", 1.0: "curve"}),
    ],
)
def test_networks_at_the_best_rate_of_the_main_target_are_kept(asked: list[str], rates: dict[float, Keep]) -> None:
    assert rates_of(ROLES, evaluated(asked, 0.5, "levels")) == rates


def test_networks_at_neighbours_are_kept_where_a_grid_measures_them_there() -> None:
    """A grid that asks for neighbours alone has its measures taken there, and no others are."""
    every = rates_of(ROLES, evaluated(["best", "neighbours"], 0.5, "end", "levels"))
    assert every == {0.1: "end", 0.18: "levels", 0.056: "levels"}
    at_best = Grid(name="best", arms=("bn",), depths=(5,), rates=("best", "neighbours"), measures=("drift",))
    around = Grid(name="around", arms=("bn",), depths=(5, 20), rates=("neighbours",), measures=("affine",))
    asked = {setting.depth: of for setting, of in settings(StudyConfig(grids=(at_best, around))).items()}
    assert (asked[5].measures, asked[5].beside) == (("drift",), ("affine",))
    assert (asked[20].measures, asked[20].beside) == ((), ("affine",))


def test_a_target_of_one_has_its_roles() -> None:
    assert rates_of([row("best@1", 0.1)], evaluated(["best"], 1.0, "end")) == {0.1: "end"}


@pytest.mark.parametrize(
    ("measures", "kept"),
    [([], "curve"), (["shift"], "end"), (["shift", "xhat", "colour"], "end"), (["shift", "drift"], "levels")],
)
def test_what_is_kept_follows_from_what_is_measured(measures: list[str], kept: str) -> None:
    grid = {"name": "a", "arms": ("none",), "depths": (5, 10, 20), "measures": tuple(measures)}
    study = StudyConfig.model_validate({"grids": (grid,)})
    asked = Plan(study).evaluate("none_mlp_d5to20").settings
    assert [setting.keep for setting in asked] == [kept] * 3


def test_cells_hold_up_to_eight_seeds() -> None:
    assert by_cell([*range(19)], 16) == [(*range(8),), (*range(8, 16),), (16, 17, 18)]
    assert by_cell([1, 2, 3], 1) == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("steps", "jobs"),
    [(100, ["none_mlp_d2to20"]), (6000, ["none_mlp_d2to4", "none_mlp_d20"])],
    ids=["little work", "much work"],
)
def test_depths_share_a_job_while_they_are_little_work(steps: int, jobs: list[str]) -> None:
    training = {"steps": steps, "deep_steps": steps}
    grid = {"name": "a", "arms": ["none"], "depths": [20, 2, 4, 3]}
    study = {"training": training, "grids": [grid], "claims": {"depths": {"shallow": 2}}}
    plan = Plan(StudyConfig.model_validate_json(json.dumps(study)))
    assert list(plan.jobs) == jobs
    assert [s.depth for job in plan.jobs.values() for s in job] == [2, 3, 4, 20]
    assert all(plan.work(job) <= SHARED_SECONDS or len(plan.jobs[job]) == 1 for job in jobs)
    if len(jobs) > 1:
        assert plan.work(jobs[0]) < plan.work(jobs[-1])  # the long one starts first


def cells(steps: int, rates: Sequence[float], seeds: Sequence[int] = (1, 2)) -> list[CellSpec]:
    training = training_spec("bn", depth=2, width=32, batch=32, steps=steps, targets=(1.2, 0.9))
    return [cell_spec(training, rate, seeds, "curve") for rate in rates]


def test_what_was_trained_for_fewer_steps_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what stands in the store as if every budget had been trained from the start."""
    save(digits.load(), tmp_path / "digits.npz")
    budgets = [30, 60, 90]
    begun: list[int] = []

    def trainer(folder: str, budgets: list[int]) -> Trainer:
        monkeypatch.setattr(stacks, "CELLS", tmp_path / folder)
        made = Trainer(tmp_path / "digits.npz", 4, budgets, Progress("test"), lambda: None)
        begin = made._begin

        def counting(cells: list[CellSpec]) -> list[Stack]:
            begun.extend([len(cells)] * bool(cells))
            return begin(cells)

        monkeypatch.setattr(made, "_begin", counting)
        return made

    on = trainer("on", budgets)
    rates = {30: (1e-4, 0.1, 1e6), 60: (1e-4, 1e6, 1e-5), 90: (1e-4, 1e-5)}  # one is done, one is new
    for steps in budgets:
        on.train(cells(steps, rates[steps]))
    assert begun == [3, 1] and not on.paused
    for steps in budgets:
        for cell in cells(steps, rates[steps]):
            trainer("anew", [steps]).train([cell])
            name = store.key(cell)
            paused, anew = (store.arrays(tmp_path / folder, name, "curve") for folder in ("on", "anew"))
            assert all(np.array_equal(paused[k], anew[k], equal_nan=True) for k in anew), (steps, cell)
    assert {p.name for p in (tmp_path / "on").iterdir()} == {p.name for p in (tmp_path / "anew").iterdir()}


def test_what_is_stored_already_is_passed_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an interrupted job: the middle budget of a cell is there, and its stack goes on past it."""
    save(digits.load(), tmp_path / "digits.npz")
    at = {steps: cells(steps, [1e-4], [1]) for steps in (25, 50, 75)}
    monkeypatch.setattr(stacks, "CELLS", tmp_path / "cells")
    progress = Progress("test")
    Trainer(tmp_path / "digits.npz", 4, [50], progress, lambda: None).train(at[50])
    trainer = Trainer(tmp_path / "digits.npz", 4, [25, 50, 75], progress, lambda: None)
    assert trainer.train(at[25]) > 0 and trainer.train(at[50]) == 0 and trainer.train(at[75]) > 0
    assert progress.trained == 3
    assert len(store.arrays(tmp_path / "cells", store.key(at[75][0]), "curve")["loss"]) == 75


def test_what_edited_code_trained_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole job: the code is edited while its first batch trains, and back again, or before it begins."""
    save(digits.load(), tmp_path / "digits.npz")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "mine.py").write_text("from bnstudy.arms.bn import build\n")
    grid = {"name": "a", "arms": ["mine:build"], "depths": [2]}
    study: dict[str, object] = {"network": {"width": 32}, "grids": [grid]}
    study |= {"training": {"batch": 32, "steps": 30, "deep_steps": 30}}
    study |= {"data": {"source": "digits", "pool": 1, "train": 960, "test": 256, "heldout": 256}}
    study |= {"claims": {"depths": {"shallow": 2}}, "seeds": {"tuning": 1, "evaluation": 8}, "targets": [1.0, 0.5]}
    plan = Plan(StudyConfig.model_validate_json(json.dumps(study)))
    [name] = plan.jobs
    job = plan.sweep(name)
    text = (tmp_path / "mine.py").read_text()

    begin = Progress.begin

    def edit(progress: Progress, total: int) -> None:
        (tmp_path / "mine.py").write_text(text + "EDITED = 1\n")
        begin(progress, total)

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "begin", edit)
        with pytest.raises(SystemExit, match="mine, .* was edited .*\nNothing of this batch is stored"):
            jobs.sweep(job, Path("digits.npz"), Path("sweep.json"))
    assert not (tmp_path / "results").exists() and not (tmp_path / "sweep.json").exists()
    with pytest.raises(SystemExit, match="Nothing of this batch is stored"):
        jobs.sweep(job, Path("digits.npz"), Path("sweep.json"))
    assert not (tmp_path / "results").exists()
    (tmp_path / "mine.py").write_text(text)
    jobs.sweep(job, Path("digits.npz"), Path("sweep.json"))
    assert (tmp_path / "results/cells").stat().st_mode == next((tmp_path / "results/cells").iterdir()).stat().st_mode


def test_a_specification_of_any_size_reaches_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a command line cannot hold (128 KiB on Linux)."""
    grid = {"name": "a", "arms": ["bn"], "depths": [2], "gains": [1 + i / 1000 for i in range(1500)]}
    study = {"grids": [grid], "claims": {"depths": {"shallow": 2}}}
    plan = Plan(StudyConfig.model_validate_json(json.dumps(study)))
    [job] = plan.jobs
    monkeypatch.chdir(tmp_path)
    path = Path(plan.spec("measure", plan.measure(job)))
    assert path.stat().st_size > 200 * 1024
    assert store.read_json(MeasureJob, path) == plan.measure(job)
    store.write_json(Path("index.json"), EvaluateResult(cells=(), trained=0, seconds={}, rows=()))
    store.write_text(Path("none.npz"), "")
    for file in ("index.json", "none.npz"):
        seals.seal(Path(file))
    command = f"bnstudy measure --spec {path} --data none.npz --index index.json --code {plan.code('measure', job)} --out o.json"
    monkeypatch.setattr("sys.argv", command.split())
    main()
    assert store.read_json(MeasureResult, Path("o.json")).tables == {} and seals.sound(Path("o.json"))


def test_a_specification_has_a_file_of_its_own_and_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {"name": "a", "arms": ["bn"], "depths": [5, 10, 20]}
    plan = Plan(StudyConfig.model_validate_json(json.dumps({"grids": [grid]})))
    monkeypatch.chdir(tmp_path)
    [job] = plan.jobs
    first = Path(plan.spec("sweep", plan.sweep(job)))
    written = first.stat().st_mtime_ns
    assert Path(plan.spec("sweep", plan.sweep(job))) == first and first.stat().st_mtime_ns == written
    changed = replace(plan.sweep(job), momentum=0.5)
    assert Path(plan.spec("sweep", changed)) != first  # which makes Snakemake run the job again
    assert store.read_json(SweepJob, first) == plan.sweep(job)


@pytest.mark.parametrize("fault", ["{}", '{"seeds": [1.5]}', "not JSON"])
def test_a_specification_that_is_none_is_refused(fault: str) -> None:
    with pytest.raises(ValueError, match="SweepJob|JSON"):
        store.parse(SweepJob, fault)


def test_a_missing_flag_is_a_message_on_how_to_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    required = {
        "measure": "--spec, --data, --index, --code, --out",
        "claims": "--spec, --tables, --claims, --checks, --code, --out",
    }
    for command, flags in required.items():
        monkeypatch.setattr("sys.argv", ["bnstudy", command])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr().err
        assert stopped.value.code == 2 and f"bnstudy {command}" in said and f"required: {flags}" in said


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder/a.txt"
    store.write_text(path, "before")
    with store.writing(path) as first, store.writing(path) as second:
        assert first != second  # two processes that write the same file never meet
        first.write_text("first")
        second.write_text("second")
        assert path.read_text() == "before"
    assert path.read_text() == "first"
    with pytest.raises(OSError, match="full"), store.writing(path) as unfinished:
        unfinished.write_text("half")
        raise OSError("the disk is full")
    assert path.read_text() == "first" and [p.name for p in path.parent.iterdir()] == ["a.txt"]
