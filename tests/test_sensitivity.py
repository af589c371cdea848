"""What a change of thresholds, targets, rates or networks does to a verdict, and what is said of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims import sensitivity
from bnstudy.claims.records import ClaimRow, SensitivityRow
from bnstudy.claims.sensitivity import attach, changes, kind, run, sentence
from bnstudy.config.models import Claims, Grid, StudyConfig
from bnstudy.pipeline.plan import Plan
from helpers.judging import GIVEN, LEDGER, judged, part
from helpers.rows import claim_row
from helpers.synthetic import BASE, GRIDS, Tables, drop
from helpers.thetas import feed, given


def again(tables: Tables, claim: str) -> dict[str, SensitivityRow]:
    """Return the rows of one claim by change, at the K of the whole file."""
    return {r.change: r for r in run(part(claim), tables, GIVEN)}


def rescaled(claim: str, outcome: str) -> list[str]:
    """Return the verdicts under half and twice the smallest effect, where all contrasts come out as given."""
    contrasts = LEDGER.claim(claim).settings
    with pytest.MonkeyPatch.context() as patch:
        feed(patch, given(contrasts, [outcome] * len(contrasts)))
        found = again({}, claim)
    return [found[f"{x} the smallest effect"].verdict for x in ("half", "twice")]


def test_smallest_effect_halved_and_doubled() -> None:
    """Intervals of 1.6 to 2.4 smallest effects: half leaves them, twice straddles; -0.3 to 0.3 stays within both."""
    assert rescaled("Q3f", "supported") == ["supported", "inconclusive"]
    assert rescaled("Q3f", "negligible") == ["contradicted"] * 2
    assert rescaled("Q1a", "supported") == ["supported", "contradicted"]
    assert rescaled("Q4f", "supported") == ["supported", "contradicted"]


def test_where_the_sesoi_is_0_the_margin_is_scaled() -> None:
    """Q1a counts from .10 sd, Q4f from half of the change: a share of 58 to 62% isn't above 75%."""
    share = LEDGER.claim("Q4f").settings[0]
    scaled = [sensitivity.rescaled(share, factor) for factor in (0.5, 2.0)]
    assert [s and s.margin for s in scaled] == [-25.0, -75.0]
    halved = sensitivity.rescaled(LEDGER.claim("Q1e").settings[0], 0.5)
    assert halved is not None and halved.premises[0].sesoi == pytest.approx(np.log(1.25) / 2)


def slower(tables: Tables, factor: float, **where: Any) -> Tables:
    """Return the tables with some runs' steps multiplied."""
    runs = tables["convergence"].copy()
    rows = np.logical_and.reduce([runs[k] == v for k, v in where.items()])
    runs.loc[rows, "steps"] = (runs.loc[rows, "steps"] * factor).round().astype("Int64")
    return {**tables, "convergence": runs}


def test_steps_counted_on_batches_are_a_change(base: Tables) -> None:
    """Batch norm alone is charged for the noise of its batches: four times the steps there, on its own steps none."""
    runs = base["convergence"]
    noisy = runs.assign(batch_steps=runs["batch_steps"].where(runs["arm"] != "bn", 4 * runs["batch_steps"]))
    noisy.loc[noisy["batch_steps"] > noisy["budget"], "batch_steps"] = pd.NA
    for tables, became in ((base, "same"), ({**base, "convergence": noisy}, "flipped")):
        row = again(tables, "Q3a")["steps counted on batches"]
        assert (row.base_verdict, row.kind) == ("supported", became), row
    assert "steps counted on batches" not in {
        r.change for r in run(part("Q1b"), base, GIVEN) if r.kind != "not recomputed"
    }


def test_targets_are_exchanged(base: Tables) -> None:
    """An arm that is slower on its way to the second target alone."""
    row = again(slower(base, 3.0, arm="once", target=0.25), "Q3d")["targets swapped"]
    assert (row.base_verdict, row.verdict, row.flipped) == ("supported", "contradicted", True)
    assert again(base, "Q2a")["targets swapped"].kind == "not recomputed"


def test_rates_beside_the_best_ones(base: Tables) -> None:
    """bn alone at its lower rate takes 3 times the steps: the claim that it is faster than bn_detached flips."""
    rates = base["rates"].query("role == 'lower@0.5'").groupby("arm")["rate"].first()
    slow = slower(base, 3.0, arm="bn", rate=rates["bn"])
    found = again(slow, "Q3f")
    turned = {"verdict": "contradicted", "base_verdict": "supported", "flipped": True, "kind": "flipped"}
    change = "lower rate for batch norm"
    assert found.pop(change) == SensitivityRow(id="Q3f", change=change, settings="2 of 2", **turned)  # type: ignore[arg-type]
    kinds = {name: row.kind for name, row in found.items() if "rate" in name}
    assert kinds.pop("lower rates") == "flipped"
    others = ("higher rates", *(f"{way} for batch norm, detached" for way in ("lower rate", "higher rate")))
    assert kinds == dict.fromkeys(("higher rate for batch norm", *others), "same")
    lower = base["rates"].query("role == 'lower@0.5' and arm == 'bn_detached'")["rate"].unique()
    both = slow
    for rate in lower:  # another one at each depth
        both = slower(both, 3.0, arm="bn_detached", rate=rate)
    assert again(both, "Q3f")["lower rates"].kind == "same"


def test_rates_that_are_listed_and_were_not_run_are_not_recomputed(base: Tables) -> None:
    rates, runs = base["rates"], base["convergence"]
    beside = rates.loc[rates["role"].str.startswith(("lower", "upper")), "rate"].unique()
    found = again({**base, "convergence": runs[~runs["rate"].isin(beside)]}, "Q3f")
    assert {found[k].kind for k in found if "rate" in k} == {"not recomputed"}


def test_the_inside_of_networks_is_judged_at_neighbouring_rates_where_it_was_measured(base: Tables) -> None:
    """Gamma and beta move by a fifth of that at the lower rates, and were not measured at the higher ones."""
    best = base["affine"].query("arm == 'bn'")
    lower = best.assign(rate=best["rate"] * 0.5623, change_rms=best["change_rms"] / 5)
    found = again({**base, "affine": pd.concat([base["affine"], lower])}, "Q1a")
    row = found["lower rates"]
    assert (row.base_verdict, row.verdict, row.settings) == ("supported", "contradicted", "2 of 2")
    assert found["higher rates"].kind == "not recomputed"
    assert again(base, "Q1a")["lower rates"].kind == "not recomputed"


def test_other_networks_are_set_beside_the_same_settings(base: Tables) -> None:
    """The grids hold depth 5 alone. There Q2f fails, at depth 20 it holds: mixed, and no flip by what fails as well."""
    shift = base["shift"].copy()
    clean = (shift["family"] == "clean") & (shift["depth"] == 5)
    shift.loc[clean & shift["batch"].isin([64, 128]), "accuracy"] = 90.0
    for arm, accuracy in (("none", 90.0), ("bn", 95.0)):
        shift.loc[clean & (shift["batch"] == 32) & (shift["arm"] == arm), "accuracy"] = accuracy
    made = {**base, "shift": shift}
    assert judged(made, "Q2f")["Q2f"].verdict == "mixed"
    found = again(made, "Q2f")
    assert (found["batches of 128"].base_verdict, found["batches of 128"].kind) == ("contradicted", "same")
    row = found["batches of 32"]
    assert (row.verdict, row.flipped, row.settings) == ("supported", True, "1 of 2")
    assert again(drop(made, width=128), "Q2f")["128 units a layer"].kind == "not recomputed"


def test_settings_that_name_a_factor_themselves_are_left_out(base: Tables) -> None:
    found = again(base, "U3")
    assert {found[k].settings for k in ("batches of 32", "batches of 128")} == {"0 of 1"}


def test_a_table_without_a_column_holds_the_study_s_own_value_alone(base: Tables) -> None:
    made = {k: t[t["pool"] == 2].drop(columns="pool") if "pool" in t else t for k, t in base.items()}
    found = again(made, "Q2f")
    assert found["images at full size"].kind == "not recomputed" and found["batches of 32"].kind == "same"


def test_the_study_s_own_network_is_no_change() -> None:
    names = [c.name for c in changes(LEDGER.claim("Q3a"), {**BASE, "batch": 128, "pool": 1}, GRIDS)]
    assert not {"batches of 128", "images at full size"} & set(names) and len(names) == 4 + 6 + 5
    assert {"batches of 32", "skip connections"} <= set(names)
    names = [c.name for c in changes(LEDGER.claim("Q3a"), {**BASE, "net": "resmlp"}, GRIDS)]
    assert "skip connections" not in names


def test_the_networks_tried_are_those_of_the_study_s_own_grids() -> None:
    grids = (
        Grid(name="main", arms=("none", "bn"), depths=(5,)),
        Grid(name="wide", arms=("none", "bn"), depths=(5,), widths=(64, 256), optimizers=("adam",)),
        Grid(name="alone", arms=("bn",), depths=(5,), batches=(8,)),
        Grid(name="starts", arms=("none", "bn"), depths=(5,), gains=(1.0, 0.5), inputs=("standardized", "raw")),
    )
    asked = Plan(StudyConfig(grids=grids, claims=Claims(depths={"shallow": 5}))).judge().networks
    assert asked == (
        {"optimizer": "adam"}, {"width": 256, "optimizer": "adam"}, {"inputs": "raw"}, {"gain": 0.5},
        {"gain": 0.5, "inputs": "raw"},
    )  # fmt: skip
    names = [c.name for c in changes(LEDGER.claim("Q3a"), BASE, asked)]
    assert names[-5:-1] == ["Adam", "256 units a layer, Adam", "raw pixels", "first weights 0.5 times as large"]


def test_other_starts_and_inputs_are_tried_where_a_claim_names_none(base: Tables) -> None:
    """Steps at gain 0.41 are judged in place of gain 1; what names its gain, or its test images, is left as it is."""
    slow = slower(base, 40.0, arm="bn", gain=0.41)
    found = {r.id: r for r in run(part("Q3a", "Q3h", "Q2a"), slow, replace(GIVEN, networks=({"gain": 0.41},)))
             if r.change == "first weights 0.41 times as large"}  # fmt: skip
    assert (found["Q3a"].kind, found["Q3a"].base_verdict) == ("flipped", "supported")
    assert found["Q3h"].settings == "0 of 4" and found["Q2a"].kind == "not recomputed"
    raw = {r.id: r for r in run(part("Q3a", "Q2a"), base, replace(GIVEN, networks=({"inputs": "raw"},)))
           if r.change == "raw pixels"}  # fmt: skip
    assert raw["Q3a"].kind == "same" and raw["Q2a"].settings == "0 of 6"


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


def test_what_is_said() -> None:
    def row(change: str, before: str, after: str, became: str = "") -> SensitivityRow:
        became = became or kind(before, after)
        verdicts = {"verdict": after, "base_verdict": before}
        return SensitivityRow(id="Q3a", change=change, flipped=False, kind=became, settings="", **verdicts)

    kept = [row("a", "supported", "supported"), row("b", "supported", "supported")]
    none = row("c", "", "not recomputed", "not recomputed")
    assert sentence("supported", [*kept, none]) == "Holds under all 2 changes tried."
    still = [row("a", "inconclusive", "inconclusive")]
    assert sentence("inconclusive", still) == "Stays open under the one change tried."
    assert sentence("supported", [none]) == "Not recomputed under any change."
    moved = [*kept, row("batch 32", "supported", "contradicted"), row("width 32", "supported", "inconclusive")]
    assert sentence("supported", moved) == (
        "Changes from supported to contradicted with batch 32. Changes from supported to inconclusive with width 32. "
        "The same under 2 of 4 changes tried."
    )
    rows = attach([claim_row(id="Q3a", verdict="supported"), claim_row(id="Q9z", verdict="not tested")], moved)
    assert rows[0].robustness == ("batch 32",) and rows[0].weakened == ("width 32",)
    assert rows[1].robustness == () and rows[1].robustness_sentence == ""


def test_every_claim_is_tried(base: Tables, held: dict[str, ClaimRow]) -> None:
    """One claim of each kind of endpoint."""
    some = part("Q1e", "Q2a", "Q3a", "Q3e", "Q3i", "Q4c", "U1", "U3")
    found = run(some, base, GIVEN)
    assert {r.id for r in found} == {c.id for c in some.claims}
    for r in found:
        tried, every = r.settings.split(" of ")
        if tried == every:
            assert r.base_verdict == held[r.id].verdict, r
        assert (r.verdict == "not recomputed") == (tried == "0") and r.flipped == (r.kind == "flipped")
    assert all(r.robustness_sentence.endswith(".") for r in attach([held[c.id] for c in some.claims], found))
