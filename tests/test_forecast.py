"""Quantities of untrained networks against closed forms, and the rule that forecasts from one of them."""

import json
from dataclasses import fields
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from bnstudy.claims.forecast import ForecastRow, check, frame, outcomes
from bnstudy.claims.ledger import Rule
from bnstudy.claims.lookup import JudgedKind, Lookup
from bnstudy.claims.records import JudgedWith, to_json
from bnstudy.config.study import load_study
from bnstudy.core.fingerprints import closure
from bnstudy.core.setting import Setting
from bnstudy.core.stats import Interval
from bnstudy.data import digits
from bnstudy.measures.untrained import COLUMNS, quantities
from bnstudy.nets import mlp
from bnstudy.pipeline import stamps
from bnstudy.pipeline.forecast import compared, forecast
from bnstudy.pipeline.what_decides import Known, fit, page, savings, unseen
from helpers.synthetic import BASE, TARGETS, tables, write

SEEDS = range(8)
OUTCOMES = [(True, "wrong"), (False, "right"), *4 * [(True, "right")], (False, "wrong"), (False, "open")]
SETTING = Setting("none", 5, 1.0, "standardized", "mlp", 64, 64, "sgd", 2)


def of_wide_nets(depth: int, gain: float = 1.0) -> dict[str, torch.Tensor]:
    x = torch.randn(8, 512, 16, generator=torch.Generator().manual_seed(0))
    return quantities(mlp.build(512, 10, depth, 512, gain, "none", SEEDS), x, torch.zeros(8, 16, dtype=torch.long))


def test_a_relu_layer_multiplies_variance_by_the_squared_gain() -> None:
    plain, small = of_wide_nets(6), of_wide_nets(6, 0.5)
    for name in ("ln_variance_last", "ln_variance_head", "ln_square_head"):
        torch.testing.assert_close(small[name] - plain[name], torch.full((8,), 12 * log(0.5)))
    torch.testing.assert_close(small["cosine_head"], plain["cosine_head"])
    assert plain["ln_square_head"].mean().item() == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize("depth, cosine", [(1, 0.318), (2, 0.494), (3, 0.605), (10, 0.872)])
def test_images_grow_alike_as_the_arc_cosine_kernel_says(depth: int, cosine: float) -> None:
    assert of_wide_nets(depth)["cosine_head"].mean().item() == pytest.approx(cosine, abs=0.02)


def test_gradients_shrink_by_the_gain_per_layer() -> None:
    """The gradient in a layer's output holds the gain of all later ones; that in its weights, all but its own."""
    found = of_wide_nets(6, 0.5)
    assert found["gradient_spread"].mean().item() == pytest.approx(5 * log(2), abs=0.15)
    change = found["weight_gradient_spread"] - of_wide_nets(6)["weight_gradient_spread"]
    assert change.mean().item() == pytest.approx(0, abs=0.1)


def test_variance_is_that_over_images() -> None:
    x = torch.randn(1, 4, 1, generator=torch.Generator().manual_seed(0)).expand(1, 4, 16)
    same = quantities(mlp.build(4, 3, 2, 8, 1.0, "none", [0]), x, torch.zeros(1, 16, dtype=torch.long))
    assert same["ln_variance_last"].item() < -25 and same["ln_variance_head"].item() < -25
    assert same["cosine_head"].item() == pytest.approx(1, abs=1e-5)


def known(value: float, saving: float, **other: float) -> Known:
    interval = Interval(log(saving), log(saving) - 0.1, log(saving) + 0.1, "")
    return Known(SETTING, interval, dict.fromkeys(COLUMNS, value) | other, dict.fromkeys(COLUMNS, 0.1))


def test_the_band_keeps_farthest_from_all_settings() -> None:
    settings = [known(v, 3 if abs(v) > 1 else 1) for v in (-4, -2, -0.5, 0, 0.5, 1.5, 6)]
    found = fit("cosine_head", settings)
    assert (found.rule.low, found.rule.high, found.right) == (-1.25, 1.0, 7)
    assert found.margin == 0.5
    assert fit("cosine_head", settings, 1).right == 5  # all of 0.5 and below


def test_unseen_leaves_out_settings_with_the_same_networks() -> None:
    settings = [known(v, 3) for v in (-3, -2, 2, 3)] + [known(0.0, 1), known(0.0, 1)]
    assert fit("cosine_head", settings).right == 6
    assert unseen("cosine_head", settings) == 4


def test_distance_says_how_far_from_the_band() -> None:
    rule = Rule(quantity="cosine_head", low=-2, high=1)
    assert [rule.distance(v) for v in (-5, -2, 0, 1, 4)] == [3, 0, -1, 0, 3]


def test_the_best_candidate_is_chosen() -> None:
    settings = [known(i % 3, 3 if i > 4 else 1, cosine_head=i) for i in range(9)]
    text, rule = page(settings, "made", SEEDS)
    assert rule.quantity == "cosine_head" and (rule.low, rule.high) == (-2.0, 4.5)
    assert "| cosine_head | -2.00 to 4.50 | 9 |" in text and "Wrong: none." in text


def test_savings_are_medians_of_paired_ratios(tmp_path: Path) -> None:
    made = tables("support", thin=True)
    write(made, tmp_path / "tables")
    judged = JudgedWith(base=BASE, depths={"deep": 20}, seeds=16, targets=TARGETS)
    (tmp_path / "ledger.json").write_text(json.dumps(to_json(judged)))
    setting = Setting("none", 20, 1.0, "standardized", "mlp", 64, 64, "sgd", 2)
    rates = made["rates"][made["rates"]["role"].eq("best@0.5")].set_index(["arm", "depth", "gain", "inputs"])["rate"]
    ln = {}
    for arm in ("none", "bn"):
        rows = made["convergence"].query("arm == @arm and depth == 20 and gain == 1 and target == 0.5")
        rows = rows[rows["rate"].eq(rates[arm, 20, 1.0, "standardized"])].set_index("seed").sort_index()
        ln[arm] = np.log(rows["steps"].fillna(1e9).astype(float))
    found = savings(tmp_path, [setting])[setting]
    assert found.estimate == pytest.approx(np.median(ln["none"] - ln["bn"]))
    assert found.estimate is not None and found.low < found.estimate < found.high


def outcome(quantity: float, *ratios: float) -> tuple[bool, str]:
    """Judge the rule on a setting with this quantity in which no norm takes so many times the steps, seed by seed in turn."""
    seeds, found = range(100, 116), {"arm": "none", "depth": 5, "gain": 1.0, "inputs": "standardized", **BASE}
    runs = [
        {**found, "arm": arm, "rate": 0.1, "seed": seed, "target": 0.5, "steps": steps, "reached": True, "budget": 999}
        for seed in seeds
        for arm, steps in (("none", 40 * ratios[seed % len(ratios)]), ("bn", 40))
    ]
    rates = [
        {**found, "arm": arm, "role": "best@0.5", "rate": 0.1, "evaluable": True, "reason": ""}
        for arm in ("none", "bn")
    ]
    untrained = [{**found, "rate": 0.1, "seed": seed, "ln_square_head": quantity} for seed in seeds]
    made = {"convergence": runs, "rates": rates, "untrained": untrained}
    own = JudgedKind(base=BASE, depths={"shallow": 5}, targets=(0.5,), seeds=16)
    at = Lookup({name: pd.DataFrame(rows) for name, rows in made.items()}, own)
    [row] = outcomes(at, Rule(quantity="ln_square_head", low=-2, high=1))
    assert row.value == quantity and row.saving == pytest.approx(np.exp(np.mean(np.log(ratios))))
    return row.saves, row.outcome


def test_forecasts_are_judged_by_what_came_out() -> None:
    assert outcome(0.0, 1.0) == (False, "right") and outcome(0.0, 2.0) == (False, "wrong")
    assert outcome(3.0, 2.0) == (True, "right") and outcome(3.0, 1.0) == (True, "wrong")
    assert outcome(0.0, 1.0, 2.0) == (False, "open")


@pytest.mark.parametrize(
    "stage, job",
    [
        ("choose", "bnstudy.pipeline.jobs"),
        ("summarize", "bnstudy.pipeline.tables"),
        ("claims", "bnstudy.pipeline.verdicts"),
        ("claims", "bnstudy.claims.forecast"),
        ("report", "bnstudy.report.page.build"),
    ],
)
def test_an_edit_of_what_does_a_stage_does_it_anew(stage: str, job: str) -> None:
    assert job in closure(*stamps.FIXED[stage])


def test_only_decided_forecasts_count() -> None:
    none: dict[str, Any] = dict.fromkeys(f.name for f in fields(ForecastRow))
    rows = [ForecastRow(**{**none, "saves": saves, "outcome": outcome}) for saves, outcome in OUTCOMES]
    assert check(rows)["measured"] == 50.0  # of those that did not save one is wrong, of the others one in five
    assert check(rows[1:])["measured"] == 20.0
    assert str(check(rows[2:])["measured"]) == "nan" and list(frame([]))[-1] == "outcome"


@pytest.mark.parametrize("own", [False, True], ids=["images of the package", "images of one's own"])
def test_a_study_is_forecast_before_it_runs(own: bool, tmp_path: Path) -> None:
    grids = [{"name": "a", "arms": ["none", "bn"], "depths": [3], "gains": [0.1, 1.0]}]
    grids += [{"name": "b", "arms": ["none"], "depths": [4]}]
    data: dict[str, Any] = {"source": "digits", "pool": 1, "train": 512, "test": 128, "heldout": 128}
    if own:
        images = digits.load()
        np.savez(tmp_path / "mine.npz", x=images.x, y=images.y)
        data |= {"source": "npz", "path": str(tmp_path / "mine.npz")}
    config = {"study": "made", "data": data}
    study = load_study({**config, "grids": grids, "seeds": {"evaluation": 3}, "claims": {"depths": {"shallow": 3}}})
    found = forecast(study, Rule(quantity="ln_square_head", low=-3, high=3))
    assert [f.setting for f in found.forecasts] == compared(study)
    assert [(f.setting.gain, f.saves) for f in found.forecasts] == [(0.1, True), (1.0, False)]
    assert found.forecasts[0].distance == pytest.approx(-3 - found.forecasts[0].value)
    assert all(f.least < f.value < f.most for f in found.forecasts)
