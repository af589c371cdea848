"""From tables to words: what must turn a verdict does, with all that rests on it; what must not, does not."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.endpoints.table import ENDPOINTS
from bnstudy.claims.judge import findings, judge
from bnstudy.claims.lookup import Lookup
from bnstudy.claims.records import ClaimRow
from bnstudy.core import words
from helpers.judging import GIVEN, INTERVALS, LEDGER, check_words, judged, one, why, word
from helpers.synthetic import BASE, Tables, drop, swap, tables
from helpers.thetas import SEEDS


def against_none(claim: str) -> list[int]:
    """Return the contrasts of bn and none.

    The lecture split needs batches that arm none can't have; at the shared rate none runs at its best one, bn doesn't.
    """
    pairs = [(i, s) for i, s in enumerate(LEDGER.claim(claim).settings) if set(s.arms) == {"none", "bn"}]
    return [i for i, s in pairs if s.rate in (None, "best") and (s.statistics or "running") == "running"]


SWAPPED = [c for c in INTERVALS if against_none(c)]


def test_which_claims_the_swap_must_turn() -> None:
    known = "Q1b Q1c Q2a Q2e Q2f Q2g Q3a Q3b Q3c Q3e Q3g Q3h Q4a Q4b Q4c Q4e Q4g U3 U4 U6 U7 U8"
    assert set(known.split()) <= set(SWAPPED)


def test_every_claim_holds_in_a_world_in_which_it_is_true(held: dict[str, ClaimRow]) -> None:
    """Beside Q1f, which contradicts Q1d, Q3i, a formula, Q3k, which no table here speaks of, Q1h, where noise without norm outlasts the budget, and Q1i, where shaken batch norm is as slow as none."""
    found = {claim: {word(s) for s in row.settings} for claim, row in held.items()}
    assert found.pop("Q1f") == {"opposite"} and found.pop("Q3i") == {"higher"} and found.pop("Q3k") and found.pop("Q1h")
    assert found.pop("Q1i") == {"negligible"}
    assert list(found) == [c for c in INTERVALS if c not in ("Q1f", "Q1h", "Q1i")]
    assert {claim: words for claim, words in found.items() if words != {"supported"}} == {}


def test_bn_and_none_exchanged_turn_every_contrast_between_them(base: Tables, held: dict[str, ClaimRow]) -> None:
    turned = judged(swap(base), *SWAPPED)
    for claim in SWAPPED:
        for i in against_none(claim):
            before, after = held[claim].settings[i], turned[claim].settings[i]
            assert word(after) == "opposite", (claim, i)
            assert after.estimate == (before.estimate and pytest.approx(-before.estimate))
            ends = [None if end is None else pytest.approx(-end) for end in (before.ci_high, before.ci_low)]
            assert [after.ci_low, after.ci_high] == ends
        if len(against_none(claim)) == len(held[claim].settings):
            assert turned[claim].sentence.split(". For")[0] != held[claim].sentence.split(". For")[0]


def test_early_and_late_exchanged_turn_q4c(base: Tables, held: dict[str, ClaimRow]) -> None:
    turned = swap(base, "bn_early", "bn_late")
    ics = turned["ics"]
    turned["ics"] = ics.assign(layer=np.where(ics["depth"] == 10, 12 - ics["layer"], ics["layer"]))
    row = one(turned, "Q4c")
    assert word(row) == "opposite" and [word(s) for s in row.settings] == ["opposite"] * 4
    titles = [findings(LEDGER, [*{**held, "Q4c": r}.values()])["halves"].title for r in (held["Q4c"], row)]
    assert "later half alone trains faster" in titles[0] and "early half alone trains faster" in titles[1]


def test_missing_arms_are_not_tested(base: Tables) -> None:
    last = {claim: frozenset(s.arms[-1] for s in LEDGER.claim(claim).settings) for claim in INTERVALS}
    for arms in dict.fromkeys(last.values()):
        found = base
        for arm in arms:
            found = drop(found, arm=arm)
        for row in judged(found, *(c for c in INTERVALS if last[c] == arms)).values():
            assert row.verdict == "not tested" and all(why(s) in row.sentence for s in row.settings)
            assert any(f"the study lacks {words.network(arm)} at" in why(row) for arm in arms)
            assert all(s.verdict == "open" and s.ci_low is None and s.n_seeds == 0 for s in row.settings)


# Seeds that chose the rates


def leak(found: Tables) -> Tables:
    """Three tuning seeds in every table, with values that no evaluation seed has."""
    out = dict(found)
    for name in set(found) - {"sweep"}:
        table = found[name]
        if "seed" not in table:
            continue
        wild = table[table["seed"].isin([0, 1, 2])].copy()
        wild["seed"] += 10_000
        places = [*BASE, "seed", "depth", "gain", "rate", "layer", "target", "severity", "dose", "budget"]
        for column in wild.select_dtypes("number").columns.difference(places):
            wild[column] = 1 if column == "steps" else -7.0
        out[name] = pd.concat([table, wild], ignore_index=True)
    return out


def test_leaked_tuning_seeds_change_no_verdict(base: Tables, held: dict[str, ClaimRow]) -> None:
    dirty = leak(base)
    assert (dirty["convergence"]["seed"] >= 10_000).any()
    assert judged(dirty) == held


def test_a_leak_into_an_endpoint_is_noticed(base: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tables read with the tuning seeds among the evaluated ones give other numbers; and an endpoint that lets
    them through is refused."""
    at = Lookup(leak(base), GIVEN)
    spec = {"arms": ["none", "bn"], "depth": "shallow"}
    steps_ratio = ENDPOINTS["steps_ratio"]
    assert steps_ratio.theta
    theta = steps_ratio.theta(at, spec)
    at.seeds = pd.Index([*range(SEEDS), 10_000], name="seed")
    wild = steps_ratio.theta(at, spec)
    assert np.isfinite(theta.loc[0, "lower"]) and wild.loc[10_000, "lower"] == 0.0 and len(wild) == len(theta) + 1
    monkeypatch.setitem(ENDPOINTS, "steps_ratio", steps_ratio._replace(theta=lambda lookup, spec: wild))
    with pytest.raises(ValueError, match="endpoint steps_ratio speaks of other seeds than the 16 evaluated ones"):
        one(base, "Q3a")


# Runs that fail


TIMED = [c for c in INTERVALS if all("rate" in ENDPOINTS[s.endpoint].may for s in LEDGER.claim(c).settings)]

MOVED = ("Q1e", "Q1i")
"""Claims whose premise is that inputs move."""


def fail(tables: Tables, seeds: list[int]) -> Tables:
    """Return the tables of a study in which some seeds' runs diverge in every arm: nothing is measured of them."""
    made = {k: t if k == "sweep" or "seed" not in t else t[~t["seed"].isin(seeds)] for k, t in tables.items()}
    runs = made["convergence"] = tables["convergence"].copy()
    runs.loc[runs["seed"].isin(seeds), ["steps", "reached", "diverged_at"]] = [pd.NA, False, 9]
    return made


def test_runs_that_diverge(base: Tables, held: dict[str, ClaimRow]) -> None:
    """n = 16 and K up to 25: one seed turns nothing, thirteen leave all open, sixteen say why."""
    assert set("Q1e Q1f Q1h Q3a Q3c Q3d Q3f Q3h Q3j Q4g U2 U3 U7".split()) <= set(TIMED)
    few = judged(fail(base, [2]))
    words = {claim: word(row) for claim, row in few.items()}
    assert words.pop("Q1i") == "not enough"  # its interval lay within the smallest effect, and is wider by a seed
    assert words == {claim: word(row) for claim, row in held.items() if claim != "Q1i"}
    most = judged(fail(base, list(range(13))), *INTERVALS)
    assert {row.verdict for row in most.values()} == {"inconclusive"}
    assert {row.n_seeds for claim, row in most.items() if claim not in MOVED} == {SEEDS}
    every = judged(fail(base, list(range(SEEDS))), *(c for c in INTERVALS if c not in ("Q3b", "U8")))
    assert every.pop("Q2e").verdict == "not tested"  # that kind of image is nowhere
    for claim, row in every.items():
        assert row.verdict == "inconclusive" and all(s.ci_low is s.ci_high is None for s in row.settings)
        timed = claim in TIMED and claim not in MOVED
        reason = "in 16 of 16 seeds a network never arrived" if timed else "not evaluable"
        assert any(reason in why(s) for s in row.settings)


# Numbers that would mean nothing


def test_ics_is_judged_down_to_rounding(base: Tables) -> None:
    """What another batch changes is a yardstick: in the made world it is above every change, and bars nothing."""
    ics = base["ics"].copy()
    ics.loc[(ics["arm"] == "bn") & (ics["checkpoint"] == "init") & (ics["matching"] == "rate"), "rounding"] = 10.0
    row = one({**base, "ics": ics}, "Q1c")
    assert [s.verdict for s in row.settings] == ["open"] + ["supported"] * 5
    reason = "not evaluable: batch norm at 10 layers: its gradients change no more than rounding makes them change"
    assert row.settings[0].reason == reason


def test_noise_that_moves_inputs_less_than_having_no_batch_norm_does_tells_nothing(base: Tables) -> None:
    """A tenth of its movement is still 2.5 times batch norm's own, and less than without batch norm."""
    drift = base["drift"].copy()
    drift.loc[drift["arm"] == "bn_noisy", "moments"] *= 0.1
    row = one({**base, "drift": drift}, "Q1e")
    assert row.verdict == "inconclusive"
    assert all("move as far as without batch norm" in why(s) and "but 0." in why(s) for s in row.settings), row.reason


def test_variances_near_eps(base: Tables) -> None:
    moments = base["moments"].copy()
    flat = (moments["arm"] == "bn") & (moments["gain"] == 0.71) & (moments["layer"] == 10)
    for seeds, verdict in ((0, "open"), (7, "open"), (9, "supported")):
        moments.loc[flat, "variance"] = np.where(moments.loc[flat, "seed"] < seeds, 9e-3, 9e-4)
        row = one({**base, "moments": moments}, "Q3h")
        assert [s.verdict for s in row.settings] == [verdict, "supported"] * 2
        assert ("variances below 100 eps" in why(row.settings[0])) == (verdict == "open")


def test_the_check_behind_q3i(base: Tables) -> None:
    row = one(base, "Q3i")
    assert (row.verdict, row.detail, row.checks, row.n_seeds) == ("contradicted", "higher", ("E15",), 0)
    assert row.estimate == row.ci_low == row.ci_high == pytest.approx(7 / 6**0.5)
    assert "2.9 and 8.0 times" in row.sentence
    made = {**base, "checks": base["checks"].copy()}
    printed = made["checks"].name.str.contains("as printed")
    made["checks"].loc[printed, "measured"] = 1e-15
    row = one(made, "Q3i")
    assert row.verdict == "supported" and "1.0e−15" in row.sentence
    made["checks"].loc[printed & made["checks"].name.str.contains("m = 8"), "measured"] = 2.9
    assert one(made, "Q3i").verdict == "mixed"
    made["checks"].loc[~printed, "passed"] = False
    row = one(made, "Q3i")
    assert row.verdict == "inconclusive" and "did not pass" in row.sentence
    assert one({k: t for k, t in base.items() if k != "checks"}, "Q3i").verdict == "not tested"


def test_the_lecture_split_is_not_tested_until_it_is_there(base: Tables) -> None:
    without = {k: t[~t["inputs"].str.startswith("lecture")] if "inputs" in t else t for k, t in base.items()}
    row = one(without, "Q2e")
    assert row.verdict == "not tested"
    assert "a network without normalization at 5 layers, dark ink on a white ground" in row.sentence
    shift = base["shift"]
    row = one({**base, "shift": shift[~shift["family"].str.startswith("lecture")]}, "Q2e")
    assert "no test images of dark ink on a white ground" in row.sentence


@cache
def world(outcome: str) -> list[ClaimRow]:
    """Return the claims of a made world as judged."""
    return judge(LEDGER, tables(outcome, thin=True, spread=0.05), GIVEN)[0]


@pytest.mark.parametrize("outcome", ["oppose", "mixed", "missing"])
def test_every_world_has_its_words(outcome: str) -> None:
    for row in world(outcome):
        check_words(row, world(outcome))


@pytest.mark.parametrize("claim", ["Q1a", "Q1g", "Q2b", "Q3d", "Q3e", "Q4f"])
def test_what_is_counted_from_a_margin_fails_in_the_opposite_world(claim: str) -> None:
    """No swap of arms turns these: they set one arm beside a number, or allow the other a lead."""
    row = next(row for row in world("oppose") if row.id == claim)
    assert {s.verdict for s in row.settings} == {"contradicted"} and "opposite" in map(word, row.settings)
