"""Verdicts and sentences from tables made to support, contradict, censor and miss the claims."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.judge import answers, judge, load
from bnstudy.claims.records import to_json
from bnstudy.claims.sentences import effect, sentence
from bnstudy.config.checks import own_factors
from bnstudy.config.study import StudyConfig, settings
from bnstudy.report.results import COLUMNS
from rows import claim_row, contrast_row

LEDGER = load(Path(__file__).parents[1] / "config/claims.yaml")
DEPTHS = {"shallow": 5, "middle": 10, "deep": 20}
SEEDS = range(16)


def tables(bn: int = 100, none: int = 200, drift: float = 4.0, drop: float = -10.0, budget: int = 600) -> dict:
    """A study in which BN takes ``bn`` steps and none ``none``, drift is ``drift`` times larger without BN, and BN
    loses ``drop`` points less under every shift."""
    base = {"gain": 1.0, "inputs": "standardized", "net": "mlp", "width": 64, "batch": 64, "optimizer": "sgd"}
    out: dict[str, list[dict[str, Any]]] = {k: [] for k in ("rates", "convergence", "drift", "affine", "shift")}
    for arm in ("none", "bn", "bn_frozen", "once"):
        for depth in (5, 20):
            setting = {"arm": arm, "depth": depth, **base}
            for role in ("best@0.5", "best@0.25", "shared"):
                out["rates"].append({**setting, "role": role, "rate": 0.1, "evaluable": True, "reason": ""})
            for seed in SEEDS:
                run = {**setting, "rate": 0.1, "seed": seed}
                wobble = 1 + seed / 1000
                steps = (none if arm == "none" else bn) * wobble
                for target in (0.5, 0.25):
                    reached = steps < budget
                    row = {"target": target, "steps": steps if reached else np.nan, "reached": reached}
                    out["convergence"].append({**run, **row, "budget": budget, "diverged_at": np.nan})
                moved = drift if arm == "none" else 1.0
                for layer in (1, 2, 3):
                    row = {"layer": layer, "site": "next", "start": "loss1.0", "end": "loss0.5"}
                    out["drift"].append({**run, **row, "moments": moved * wobble, "shape": moved * wobble})
                    row = {"layer": layer, "start": "init", "end": "loss0.5"}
                    out["affine"].append({**run, **row, "change_rms": 0.3 * wobble, "gamma_rms": 1.0})
                for family in (
                    "clean",
                    "contrast",
                    "brightness",
                    "inversion",
                    "noise",
                    "blur",
                    "rotation",
                    "translation",
                ):
                    for severity in [0] if family == "clean" else range(1, 6):
                        accuracy = 95.0 if family == "clean" else 70.0 + (drop if arm != "none" else 0)
                        for statistics in ("running", "batch32"):
                            row = {"family": family, "severity": severity, "statistics": statistics}
                            out["shift"].append({**run, **row, "accuracy": accuracy * wobble})
    return {k: pd.DataFrame(v) for k, v in out.items()}


def verdicts(t: dict) -> dict[str, Any]:
    return {r.id: to_json(r) for r in judge(LEDGER, t, DEPTHS)[0]}


def swap(t: dict) -> dict:
    names = {"none": "bn", "bn": "none"}
    return {k: v.assign(arm=v["arm"].replace(names)) for k, v in t.items()}


def test_support_and_the_swap_flips_every_claim_between_bn_and_none() -> None:
    made = verdicts(tables(drop=10.0))
    turned = verdicts(swap(tables(drop=10.0)))
    for claim in ("Q1b", "Q2a", "Q3a"):
        assert made[claim]["verdict"] == "supported", claim
        assert (turned[claim]["verdict"], turned[claim]["detail"]) == ("contradicted", "opposite"), claim
        assert made[claim]["sentence"] != turned[claim]["sentence"]
    assert made["Q3a"]["settings"][0]["name"] == "depth 5, loss 0.5, best rates"
    assert made["Q3a"]["estimate"] == pytest.approx(np.log(2), abs=1e-6)


def test_negligible() -> None:
    made = verdicts(tables(none=101, drift=1.0, drop=0.0))
    for claim in ("Q1b", "Q2a", "Q3a", "Q1f"):
        assert (made[claim]["verdict"], made[claim]["detail"]) == ("contradicted", "negligible"), claim


def test_censored_runs_still_decide() -> None:
    """None never arrives within 600 steps, BN at 100: the ratio is at least 6, without an estimate."""
    made = verdicts(tables(none=1000))["Q3a"]
    assert made["verdict"] == "supported" and made["estimate"] is None and made["ci_high"] is None
    assert made["ci_low"] == pytest.approx(np.log(6), abs=0.05)


def test_both_censored_is_open() -> None:
    assert verdicts(tables(none=1000, bn=1000))["Q3a"]["verdict"] == "inconclusive"


def test_mixed() -> None:
    t = tables()
    deep = (t["convergence"]["depth"] == 20) & (t["convergence"]["arm"] == "none")
    t["convergence"].loc[deep, "steps"] = 20.0
    made = verdicts(t)["Q3a"]
    assert made["verdict"] == "mixed" and "depth 5" in made["sentence"] and "depth 20" in made["sentence"]


def test_missing_arms_and_depths_are_not_tested() -> None:
    t = {k: v[v["arm"] != "once"] for k, v in tables().items()}
    assert verdicts(t)["Q3d"]["verdict"] == "not tested" and "once" in verdicts(t)["Q3d"]["sentence"]
    assert {r.verdict for r in judge(LEDGER, tables(), {})[0] if r.id == "Q1b"} == {"not tested"}


def test_a_rate_on_the_edge_is_open() -> None:
    t = tables()
    t["rates"] = t["rates"].assign(evaluable=False, reason="rate on the grid's edge")
    made = verdicts(t)["Q3a"]
    assert made["verdict"] == "inconclusive" and "edge" in made["sentence"]


def test_few_seeds_decide_nothing() -> None:
    t = {k: v[v["seed"] < 4] if "seed" in v else v for k, v in tables().items()}
    made = verdicts(t)
    assert {r["verdict"] for r in made.values()} <= {"inconclusive", "not tested"}
    assert "too few seeds" in made["Q3a"]["sentence"]


def test_every_question_has_an_answer() -> None:
    for t in (tables(), tables(none=1000), swap(tables()), tables(drift=1.0, drop=0.0)):
        found = to_json(answers(LEDGER, judge(LEDGER, t, DEPTHS)[0]))
        assert [q["id"] for q in found] == ["Q1", "Q2", "Q3", "Q4", "U"]
        assert all(s and "{" not in s for q in found for s in q["sentences"])


def test_a_sentence_takes_its_numbers_from_a_setting_with_the_claims_verdict() -> None:
    """At depth 5 nothing is known of batch norm's rate: what is said of a supported claim is about depth 20."""
    made = tables()
    rates = made["rates"]
    rates.loc[(rates["arm"] == "bn") & (rates["depth"] == 5), ["evaluable", "reason"]] = [
        False,
        "rate on the grid's edge",
    ]
    row = verdicts(made)["Q1a"]
    assert [s["verdict"] for s in row["settings"]] == ["open", "supported"] and row["verdict"] == "supported"
    assert "by 0.30 sd" in row["sentence"] and "for depth 20" in row["sentence"]
    assert row["sentence"].endswith("Left open: depth 5.") and row["estimate"] is None


def planned(study: StudyConfig) -> set[str]:
    """Claims that a study has a network for, judged on the rates that it plans and on nothing else. Q3i rests on a check."""
    rows = []
    for setting, asked in settings(study).items():
        roles = {
            "best": [f"best@{target:g}" for target in study.targets],
            "neighbours": [f"{role}@{study.targets[0]:g}" for role in ("lower", "upper")],
        }
        for role in (role for kind in asked.rates for role in roles.get(kind, [kind])):
            rows.append({**vars(setting), "role": role, "rate": 0.1, "evaluable": False, "reason": "planned"})
    every = {name: pd.DataFrame(columns=columns) for name, columns in COLUMNS.items()} | {"rates": pd.DataFrame(rows)}
    claims = study.claims
    found = judge(LEDGER, every, claims.depths, study.targets, study.seeds.evaluation, own_factors(study))[0]
    return {row.id for row in found if row.verdict != "not tested"}


def test_the_default_study_leaves_no_claim_untested() -> None:
    study, every = StudyConfig(), {claim.id for claim in LEDGER.claims}
    assert planned(study) == every - {"Q3i"}
    fewer = [grid for grid in study.grids if not grid.name.startswith(("lecture", "window", "skips"))]
    assert planned(study.model_copy(update={"grids": tuple(fewer)})) == every - {"Q3i", "Q2e", "Q3b", "U7"}


def test_an_open_claim_says_what_is_decided_and_no_number_that_is_none() -> None:
    claim = next(c for c in LEDGER.claims if c.id == "Q4c")
    settings = [contrast_row(name=f"s{i}") for i in range(4)]

    def said() -> str:
        row = claim_row(verdict="inconclusive", reason="why", settings=tuple(settings))
        return sentence(row, claim, LEDGER)

    start = "The study can't say whether later layers gain more from batch norm than early ones: why."
    assert said() == start
    ends = {"shown_estimate": np.log(0.5), "shown_low": np.log(0.25), "shown_high": np.log(0.75)}
    halved = {**ends, "effect": effect(*ends.values(), "ln times")}
    settings[1] = contrast_row(name="s1", **halved)
    example = " For s1: 0.50 times (0.25 to 0.75), n = 16."
    assert said() == start + example
    settings[3] = contrast_row(name="s3", verdict="contradicted", **halved)
    found = " Fewer than half of its settings are decided: s3: contradicted, 0.50 times (0.25 to 0.75)."
    assert said() == start + example + found
    settings[1] = contrast_row(name="s1")
    assert said() == start + found
