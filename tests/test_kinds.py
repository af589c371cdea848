"""Kinds of networks: named in the config, and tuned and trained as they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from bnstudy.claims.lookup import JudgedKind
from bnstudy.claims.records import JudgedWith, to_json
from bnstudy.config.study import StudyConfig, settings
from bnstudy.core import store
from bnstudy.pipeline.jobs import cells_of, choose, rates_of
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import Rate, SweepResult, Tuned
from bnstudy.training.tune import Choice
from helpers.synthetic import BASE
from test_kinds_judged import DEEP, SHALLOW, claims

STUDY: dict[str, Any] = {
    "kinds": {
        "plain": {},
        "small": {"gain": 0.41, "depths": {"shallow": 5}},
        "images": {
            "net": "cnn", "width": 16, "pool": 4, "steps": 500, "targets": [0.8, 0.6], "learning_rates": [0.03, 0.1],
            "seeds": 12, "depths": {"shallow": 4},
        },
    },
    "grids": [
        {"name": "main", "kinds": ["plain", "small"], "arms": ["none", "bn"], "depths": [5], "rates": ["best", "grid"]},
        {"name": "images", "kinds": ["images"], "arms": ["none", "bn"], "depths": [4], "rates": ["best", "grid"]},
        {"name": "start", "kinds": ["images"], "arms": ["bn"], "depths": [4], "gains": [0.41], "measures": []},
        {"name": "deep", "arms": ["none", "bn"], "depths": [20], "measures": []},
        {"name": "batches", "kinds": ["plain"], "arms": ["none", "bn"], "depths": [5], "batches": [32], "measures": []},
    ],
    "claims": {"depths": {"shallow": 5, "deep": 20}},
}  # fmt: skip


def study(**changes: Any) -> StudyConfig:
    return StudyConfig.model_validate_json(json.dumps(STUDY | changes))


def test_a_grid_takes_from_its_kind_what_it_does_not_say() -> None:
    found = settings(study())
    nets = {(s.net, s.width, s.pool, s.gain, s.depth): asked.recipe for s, asked in found.items() if s.batch == 64}
    plain, images = nets["mlp", 64, 2, 1.0, 5], nets["cnn", 16, 4, 1.0, 4]
    assert set(nets) == {
        ("mlp", 64, 2, 1.0, 5), ("mlp", 64, 2, 0.41, 5), ("mlp", 64, 2, 1.0, 20), ("cnn", 16, 4, 1.0, 4),
        ("cnn", 16, 4, 0.41, 4),
    }  # fmt: skip
    assert (plain.steps, plain.targets, len(plain.rates), plain.seeds) == (400, (0.25, 0.1), 8, 18)
    assert (images.steps, images.targets, images.rates, images.seeds) == (500, (0.8, 0.6), (0.03, 0.1), 12)
    assert nets["cnn", 16, 4, 0.41, 4] == images and nets["mlp", 64, 2, 1.0, 20].steps == 800


def test_jobs_train_each_setting_as_its_kind_says() -> None:
    plan = Plan(study())
    [tuned] = [s for s in plan.sweep("bn_cnn_d4").settings if s.setting.gain == 1.0]
    [asked] = [s for s in plan.evaluate("bn_cnn_d4").settings if s.setting.gain == 1.0]
    assert tuned.seeds == (10_000, 10_001, 10_002) and asked.seeds == tuple(range(100, 112))
    roles = [Rate(asked.setting, f"best@{target}", rate, True, "") for target, rate in ((0.8, 0.1), (0.6, 0.3))]
    roles.append(Rate(asked.setting, "grid", 0.03, True, ""))
    assert rates_of(roles, asked) == {0.03: "curve", 0.1: "levels", 0.3: "curve"}
    cells = cells_of(plan.evaluate("bn_cnn_d4"), asked, 500, {0.1: "levels"}, Path("images.npz"))
    assert [cell.seeds for cell in cells] == [(seed,) for seed in asked.seeds]
    assert {cell.targets for cell in cells} == {(0.8, 0.6)} and {cell.setting for cell in cells} == {asked.setting}
    assert {grid.setting.net: grid.rates for grid in plan.choose().grid}["cnn"] == (0.03, 0.1)


def test_each_setting_has_the_main_target_of_its_kind(tmp_path: Path) -> None:
    tuned = []
    for asked in (
        Plan(study()).sweep(f"{arm}_{net}").settings for arm in ("none", "bn") for net in ("mlp_d5to20", "cnn_d4")
    ):
        for row in asked:
            best = (0.1, 0.2) if row.setting.arm == "none" else (0.3, 0.4)
            tuned += [Tuned(row.setting, Choice(t, r, True, "")) for t, r in zip(row.recipe.targets, best)]
    store.write_json(tmp_path / "sweep.json", SweepResult((), 0, {}, (), tuple(tuned)))
    choose(Plan(study()).choose(), [tmp_path / "sweep.json"], tmp_path / "rates.json")
    gathered = store.read_json(list[Rate], tmp_path / "rates.json")
    shared = [row for row in gathered if row.role == "shared"]
    assert {row.rate for row in shared} == {0.1}  # none's best rate for the first of its targets, in every kind
    assert {row.setting for row in shared} == {row.setting for row in tuned}


def test_kinds_are_no_networks_beside_themselves() -> None:
    judged = Plan(study()).judge()
    assert judged.networks == ({"batch": 32},)
    assert judged.base == {**BASE} and judged.gain == 1.0 and judged.depths == {"shallow": 5, "deep": 20}
    assert list(judged.kinds) == ["plain", "small", "images"]
    assert judged.kinds["small"] == JudgedKind(
        base={**BASE}, gain=0.41, depths={"shallow": 5}, targets=(0.25, 0.1), seeds=18
    )
    assert judged.kinds["images"] == JudgedKind(
        base={**BASE, "net": "cnn", "width": 16, "pool": 4}, depths={"shallow": 4}, targets=(0.8, 0.6), seeds=12
    )


def test_readers_meet_plain_networks_first_whatever_order_the_keys_came_in() -> None:
    one = JudgedKind(depths={}, base={}, targets=(0.5,), seeds=18)
    made = JudgedWith(depths={}, base={}, targets=(0.5,), seeds=18, kinds=dict.fromkeys(["cnn", "mine", "mlp"], one))
    assert [*store.parse(JudgedWith, store.canonical(to_json(made))).kinds] == ["mlp", "cnn", "mine"]


def test_a_kind_that_no_grid_names_is_not_studied() -> None:
    grids = [{"name": "a", "arms": ["none", "bn"], "depths": [5, 20]}]
    plan = Plan(study(grids=grids))
    assert plan.judge().kinds == {} and {s.net for job in plan.jobs.values() for s in job} == {"mlp"}


def test_the_settings_that_grids_contain_count_by_the_fewest_seeds(tmp_path: Path) -> None:
    gains = [1 + i / 100 for i in range(1, 61)]
    many = [f'{{name: "{gain}", depth: shallow, gain: {gain}}}' for gain in gains]
    told = {"file": str(claims(tmp_path, SHALLOW, DEEP, *many)), "depths": {"shallow": 5, "deep": 20}}
    assert Plan(study(claims=told)).primary == {"Q1": 4}  # shallow on each kind, and plain has a deep network
    grid = {"arms": ["none", "bn"], "gains": gains, "measures": []}
    more = [{**grid, "name": k, "kinds": [k], "depths": [depth]} for k, depth in (("plain", 5), ("images", 4))]
    with pytest.raises(SystemExit, match="Q1 has 124 primary settings, but 12 evaluation seeds allow at most 102"):
        Plan(study(claims=told, grids=[*STUDY["grids"], *more]))
    kinds = {**STUDY["kinds"], "images": {**STUDY["kinds"]["images"], "seeds": 16}}
    assert Plan(study(claims=told, grids=[*STUDY["grids"], *more], kinds=kinds)).primary == {"Q1": 124}
