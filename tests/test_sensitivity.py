"""What a change of thresholds, targets, rates or networks does to a verdict, and what is said of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims import sensitivity
from bnstudy.claims.judge import judge, load
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.sensitivity import attach, changes, kind, run, sentence
from dials import dial
from helpers.synthetic import BASE, Tables, drop, whole
from turning import MIDDLE, PLAIN, steps

LEDGER = load(Path(__file__).parents[1] / "config" / "claims.yaml")
DEPTHS, TARGETS = {"shallow": 5, "middle": 10, "deep": 20}, (0.5, 0.25)


@pytest.fixture(scope="module")
def base() -> Tables:
    return whole()


def again(found: Tables, claim: str) -> dict[str, dict[str, Any]]:
    """Rows of one claim by change, at the K of the whole file."""

    class Part(Ledger):
        def primary(self, question: str) -> int:
            return LEDGER.primary(question)

    part = Part.model_construct(**{**dict(LEDGER), "claims": [LEDGER.claim(claim)]})
    return {r["change"]: r for r in run(part, found, DEPTHS, TARGETS, 16, BASE)}


def test_smallest_effect_halved_and_doubled(base: Tables) -> None:
    """Intervals of 1.6 to 2.4 smallest effects: half leaves them, twice straddles; 0.2 to 1.8 is the other way round."""
    found = again(dial(base, "Q3f", "supported"), "Q3f")
    assert found["half the smallest effect"]["kind"] == "same"
    assert found["twice the smallest effect"] == {
        "id": "Q3f", "change": "twice the smallest effect", "verdict": "inconclusive", "base_verdict": "supported",
        "flipped": False, "kind": "weakened", "settings": "2 of 2",
    }  # fmt: skip
    found = again(dial(base, "Q3f", "negligible"), "Q3f")
    assert [found[f"{x} the smallest effect"]["kind"] for x in ("half", "twice")] == ["same", "same"]


def test_where_the_sesoi_is_0_the_margin_is_scaled(base: Tables) -> None:
    """Q1a counts from .10 sd: at .17 twice that flips it, half doesn't. A share of 56 to 60% isn't above 75%."""
    found = again(dial(base, "Q1a", "supported"), "Q1a")
    assert (found["twice the smallest effect"]["verdict"], found["twice the smallest effect"]["flipped"]) == (
        "contradicted",
        True,
    )
    assert found["half the smallest effect"]["kind"] == "same"
    found = again(dial(base, "Q4f", "supported"), "Q4f")
    assert [found[f"{x} the smallest effect"]["verdict"] for x in ("half", "twice")] == ["supported", "contradicted"]
    share = LEDGER.claim("Q4f").settings[0]
    assert [sensitivity.rescaled(share, f).margin for f in (0.5, 2.0)] == [-25.0, -75.0]
    halved = sensitivity.rescaled(LEDGER.claim("Q1e").settings[0], 0.5)
    assert halved is not None and halved.premises[0].sesoi == pytest.approx(np.log(1.25) / 2)


def test_targets_are_exchanged(base: Tables) -> None:
    made = dial(base, "Q3d", "supported")
    for depth in (5, 20):
        steps(made, np.full(16, MIDDLE + 1), "best@0.25", 0.25, arm="once", depth=depth)
        steps(made, np.full(16, MIDDLE), "best@0.25", 0.25, arm="bn", depth=depth)
    row = again(made, "Q3d")["targets swapped"]
    assert (row["base_verdict"], row["verdict"], row["flipped"]) == ("supported", "contradicted", True)
    assert again(base, "Q2a")["targets swapped"]["kind"] == "not recomputed"


def neighbour(found: Tables, role: str, shift: float, **where: Any) -> None:
    """Runs of a network at the rate beside its best one, exp(shift) times as long."""
    c, rates = found["convergence"], found["rates"]
    mine = np.logical_and.reduce([rates[k] == v for k, v in {**PLAIN, **where}.items()])
    rate = {r: rates.loc[mine & (rates["role"] == r), "rate"].iloc[0] for r in (f"{role}@0.5", "best@0.5")}
    rows = np.logical_and.reduce([c[k] == v for k, v in {**PLAIN, **where}.items()])
    near = c[rows & (c["rate"] == rate["best@0.5"]) & (c["target"] == 0.5)].assign(rate=rate[f"{role}@0.5"])
    near["steps"] = (near["steps"].astype(float) * np.exp(shift)).round().astype("Int64")
    found["convergence"] = pd.concat([c[~((c["rate"] == rate[f"{role}@0.5"]) & rows)], near], ignore_index=True)


def test_rates_beside_the_best_ones(base: Tables) -> None:
    """bn alone at its lower rate takes e times the steps: the claim that it is faster than bn_detached flips."""
    made = dial(base, "Q3f", "supported")
    for depth in (5, 20):
        for arm in ("bn", "bn_detached"):
            neighbour(made, "lower", 1.0, arm=arm, depth=depth)
            neighbour(made, "upper", 0.0, arm=arm, depth=depth)
    found = again(made, "Q3f")
    assert found["lower rate for bn"]["verdict"] == "contradicted" and found["lower rate for bn"]["flipped"]
    assert {k: found[k]["kind"] for k in ("lower rates", "higher rates", "lower rate for bn_detached", "higher rate for bn")} == {
        "lower rates": "same", "higher rates": "same", "lower rate for bn_detached": "same", "higher rate for bn": "same",
    }  # fmt: skip


def test_rates_that_are_listed_and_were_not_run_are_not_recomputed(base: Tables) -> None:
    made = dial(base, "Q3f", "supported")
    beside = made["rates"].loc[made["rates"]["role"].str.startswith(("lower", "upper")), "rate"].unique()
    made["convergence"] = made["convergence"][~made["convergence"]["rate"].isin(beside)]
    found = again(made, "Q3f")
    assert {found[k]["kind"] for k in found if "rate" in k} == {"not recomputed"}


def test_other_networks_are_set_beside_the_same_settings(base: Tables) -> None:
    """The grids hold depth 5 alone. There Q2f fails, at depth 20 it holds: mixed, and no flip by what fails as well."""
    made = dial(base, "Q2f", ["negligible", "supported"])
    assert next(r for r in judge(LEDGER, made, DEPTHS, base=BASE)[0] if r["id"] == "Q2f")["verdict"] == "mixed"
    made["shift"] = made["shift"].copy()
    clean = made["shift"]["family"] == "clean"
    made["shift"].loc[clean & (made["shift"]["batch"] == 128), "accuracy"] = 90.0
    made["shift"].loc[clean & (made["shift"]["batch"] == 32) & (made["shift"]["arm"] == "bn"), "accuracy"] = 95.0
    made["shift"].loc[clean & (made["shift"]["batch"] == 32) & (made["shift"]["arm"] == "none"), "accuracy"] = 90.0
    found = again(made, "Q2f")
    assert (found["batch 128"]["base_verdict"], found["batch 128"]["kind"]) == ("contradicted", "same")
    assert (found["batch 32"]["verdict"], found["batch 32"]["flipped"], found["batch 32"]["settings"]) == (
        "supported",
        True,
        "1 of 2",
    )
    assert {again(drop(made, width=128), "Q2f")["width 128"]["kind"]} == {"not recomputed"}


def test_settings_that_name_a_factor_themselves_are_left_out(base: Tables) -> None:
    found = again(base, "U3")
    assert {found[k]["settings"] for k in ("batch 32", "batch 128")} == {"0 of 3"}


def test_a_table_without_a_column_holds_the_study_s_own_value_alone(base: Tables) -> None:
    made = {k: t[t["pool"] == 2].drop(columns="pool") if "pool" in t else t for k, t in base.items()}
    found = again(made, "Q2f")
    assert found["pool 1"]["kind"] == "not recomputed" and found["batch 32"]["kind"] == "same"


def test_the_study_s_own_network_is_no_change() -> None:
    names = [c.name for c in changes(LEDGER.claim("Q3a"), {**BASE, "batch": 128, "pool": 1})]
    assert "batch 128" not in names and "pool 1" not in names and "batch 32" in names and len(names) == 3 + 6 + 5
    for net, change in (("mlp", {"net resmlp"}), ("cnn", {"net resnet"}), ("resnet", set())):
        found = {c.name for c in changes(LEDGER.claim("Q3a"), {**BASE, "net": net})}
        assert {name for name in found if name.startswith("net ")} == change


@pytest.mark.parametrize(
    "before, after, expected",
    [
        ("supported", "supported", "same"), ("supported", "contradicted", "flipped"), ("supported", "mixed", "flipped"),
        ("mixed", "contradicted", "flipped"), ("mixed", "inconclusive", "weakened"), ("inconclusive", "mixed", "decided"),
        ("inconclusive", "inconclusive", "same"),
    ],
)  # fmt: skip
def test_kinds(before: str, after: str, expected: str) -> None:
    assert kind(before, after) == expected


def test_what_is_said(base: Tables) -> None:
    def row(change: str, before: str, after: str) -> dict[str, Any]:
        return {"id": "Q3a", "change": change, "base_verdict": before, "verdict": after, "kind": kind(before, after)}

    kept = [row("a", "supported", "supported"), row("b", "supported", "supported")]
    none = {"id": "Q3a", "change": "c", "base_verdict": "", "verdict": "not recomputed", "kind": "not recomputed"}
    assert sentence("supported", [*kept, none]) == "Holds under all 2 changes tried."
    assert (
        sentence("inconclusive", [row("a", "inconclusive", "inconclusive")]) == "Stays open under the one change tried."
    )
    assert sentence("supported", [none]) == "Not recomputed under any change."
    moved = [*kept, row("batch 32", "supported", "contradicted"), row("width 32", "supported", "inconclusive")]
    assert sentence("supported", moved) == (
        "Changes from supported to contradicted with batch 32. Changes from supported to inconclusive with width 32. "
        "The same under 2 of 4 changes tried."
    )
    rows: list[dict[str, Any]] = [{"id": "Q3a", "verdict": "supported"}, {"id": "Q9z", "verdict": "not tested"}]
    attach(rows, moved)
    assert rows[0]["robustness"] == ["batch 32"] and rows[0]["weakened"] == ["width 32"]
    assert rows[1]["robustness"] == [] and rows[1]["robustness_sentence"] == "Not recomputed under any change."


def test_every_claim_is_tried(base: Tables) -> None:
    """One claim of each kind of endpoint, at the K that eight claims have."""
    some = LEDGER.model_copy(
        update={"claims": [LEDGER.claim(c) for c in ("Q1e", "Q2a", "Q3a", "Q3e", "Q3i", "Q4c", "U1", "U3")]}
    )
    found = run(some, base, DEPTHS, TARGETS, 16, BASE)
    assert {r["id"] for r in found} == {c.id for c in some.claims}
    rows = judge(some, base, DEPTHS, base=BASE)[0]
    verdicts = {r["id"]: r["verdict"] for r in rows}
    for r in found:
        full = r["settings"].split(" of ")
        if full[0] == full[1]:
            assert r["base_verdict"] == verdicts[r["id"]], r
        assert (r["verdict"] == "not recomputed") == (full[0] == "0") and r["flipped"] == (r["kind"] == "flipped")
    attach(rows, found)
    assert all(r["robustness_sentence"].endswith(".") for r in rows)
