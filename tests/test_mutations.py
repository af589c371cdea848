"""What must turn a verdict does, with every word that rests on it; what must not, does not."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.endpoints import table as endpoints
from bnstudy.claims.judge import answers, findings, judge, load
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.lookup import Lookup
from bnstudy.claims.needs import STEPS
from dials import DIALS, SESOI, dial
from helpers.synthetic import BASE, Tables, swap, tables, whole
from turning import complete

LEDGER = load(Path(__file__).parents[1] / "config" / "claims.yaml")
DEPTHS = {"shallow": 5, "middle": 10, "deep": 20}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def base() -> Tables:
    return whole()


def rows(found: Tables, *claims: str) -> dict[str, Row]:
    """Rows of some claims (default: all), at the K of the whole file."""

    class Part(Ledger):
        def primary(self, question: str) -> int:
            return LEDGER.primary(question)

    part = Part.model_construct(
        **{**dict(LEDGER), "claims": [c for c in LEDGER.claims if not claims or c.id in claims]}
    )
    return {r["id"]: r for r in judge(part, found, DEPTHS, base=BASE)[0]}


@pytest.fixture(scope="module")
def others(base: Tables) -> dict[str, Row]:
    """Every claim as it stands before anything is turned."""
    return rows(base)


def against_none(claim: str) -> list[int]:
    """Settings that contrast bn and none. The lecture split needs batches that arm none can't have; at the shared rate
    none runs at its best one, bn doesn't."""
    settings = enumerate(LEDGER.claim(claim).settings)
    return [
        i
        for i, s in settings
        if set(s.arms) == {"none", "bn"} and s.rate != "shared" and (s.statistics or "running") == "running"
    ]


SWAPPED = [c for c in DIALS if against_none(c)]


def test_which_claims_the_swap_must_turn() -> None:
    assert SWAPPED == "Q1b Q1c Q2a Q2e Q2f Q3a Q3b Q3c Q3e Q3g Q3h Q4a Q4b Q4c Q4e Q4g U4 U6 U7".split()


@pytest.mark.parametrize("claim", SWAPPED)
@pytest.mark.parametrize("before, after", [("supported", "opposite"), ("opposite", "supported")])
def test_bn_and_none_exchanged_turn_every_setting_between_them(
    base: Tables, claim: str, before: str, after: str
) -> None:
    words = [before if i in against_none(claim) else "supported" for i in range(len(SESOI[claim]))]
    made = dial(base, claim, words)
    one, other = (rows(t, claim)[claim]["settings"] for t in (made, swap(made)))
    for i in against_none(claim):
        assert (one[i]["detail"] or one[i]["verdict"], other[i]["detail"] or other[i]["verdict"]) == (before, after)
        assert other[i]["estimate"] == pytest.approx(-one[i]["estimate"])


FIGURES = {
    "Q1b": "drift", "Q1c": "ics", "Q2a": "severity", "Q3a": "depths", "Q3b": "window", "Q3g": "landscape", "Q4a": "reach",
    "Q4e": "adaptation", "Q4g": "saved", "U6": "kurtosis",
}  # fmt: skip
SAID = {"Q1b": ("Q1", 1), "Q2a": ("Q2", 0), "Q3a": ("Q3", 0), "Q4a": ("Q4", 0)}


@pytest.mark.parametrize("claim", FIGURES)
def test_the_swap_turns_every_word_that_rests_on_the_claim(base: Tables, others: dict[str, Row], claim: str) -> None:
    made = dial(base, claim, "supported")
    row = [rows(t, claim)[claim] for t in (made, swap(made))]
    whole = [list({**others, claim: r}.values()) for r in row]
    assert row[0]["sentence"].split(",")[0] != row[1]["sentence"].split(",")[0]
    assert row[0]["sentence"].split(". For")[0] != row[1]["sentence"].split(". For")[0]
    figure = [findings(LEDGER, found)[FIGURES[claim]] for found in whole]
    assert figure[0]["title"] != figure[1]["title"]
    assert all(f["title"] in f["alt"] for f in figure)
    answer = [{a["id"]: a for a in answers(LEDGER, found)} for found in whole]
    group, short = row[0]["question"], LEDGER.claim(claim).short
    right, stops = ([" ".join(a[group][part]) for a in answer] for part in ("right", "stops"))
    assert [short in text for text in right] == [True, False] and [short in text for text in stops] == [False, True]
    if claim in SAID:
        question, place = SAID[claim]
        said = [a[question]["sentences"][place] for a in answer]
        assert said[0].split(" (")[0] != said[1].split(" (")[0] and said[0][:40] != said[1][:40]
        assert answer[0][question]["believe"][0] != answer[1][question]["believe"][0]


def test_early_and_late_exchanged_turn_q4c(base: Tables, others: dict[str, Row]) -> None:
    made = dial(base, "Q4c", "supported")
    turned = swap(made, "bn_early", "bn_late")
    ics = turned["ics"]
    middle = ics["depth"] == 10
    turned["ics"] = ics.assign(layer=np.where(middle, 12 - ics["layer"], ics["layer"]))
    before, after = (rows(t, "Q4c")["Q4c"] for t in (made, turned))
    assert before["verdict"] == "supported" and (after["verdict"], after["detail"]) == ("contradicted", "opposite")
    assert [s["estimate"] for s in after["settings"][:2]] != pytest.approx(
        [s["estimate"] for s in before["settings"][:2]]
    )
    titles = [findings(LEDGER, list({**others, "Q4c": r}.values()))["halves"]["title"] for r in (before, after)]
    assert "later half alone trains faster" in titles[0] and "early half alone trains faster" in titles[1]


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
        for column in wild.select_dtypes("number").columns.difference(
            [*BASE, "seed", "depth", "gain", "rate", "layer", "target", "severity", "dose", "budget"]
        ):
            wild[column] = 1 if column == "steps" else -7.0
        out[name] = pd.concat([table, wild], ignore_index=True)
    return out


def test_leaked_tuning_seeds_change_no_verdict(base: Tables, others: dict[str, Row]) -> None:
    dirty = leak(base)
    assert (dirty["convergence"]["seed"] >= 10_000).any()
    assert rows(dirty) == others


def test_a_leak_into_an_endpoint_is_noticed(base: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tables read with the tuning seeds among the evaluated ones give other numbers; and an endpoint that lets
    them through is refused."""
    at = Lookup(leak(base), DEPTHS, (0.5, 0.25), 16, BASE)
    spec = {"arms": ["none", "bn"], "depth": "shallow"}
    theta = endpoints.ENDPOINTS["steps_ratio"](at, spec)
    at.seeds = pd.Index([*range(16), 10_000], name="seed")
    wild = endpoints.ENDPOINTS["steps_ratio"](at, spec)
    assert np.isfinite(theta.loc[0, "lower"]) and wild.loc[10_000, "lower"] == 0.0 and len(wild) == len(theta) + 1
    monkeypatch.setitem(endpoints.ENDPOINTS, "steps_ratio", lambda at, spec: wild)
    with pytest.raises(ValueError, match="endpoint steps_ratio speaks of other seeds than the 16 evaluated ones"):
        rows(base, "Q3a")


# Runs that fail


def steps_alone(claim: str) -> bool:
    return all(s.endpoint in STEPS for s in LEDGER.claim(claim).settings)


TIMED = [c for c in DIALS if steps_alone(c)]
MEASURED = [c for c in DIALS if c not in TIMED and c != "Q3b"]


@pytest.mark.parametrize("claim", TIMED)
def test_runs_that_diverge(base: Tables, claim: str) -> None:
    """n = 16 and K up to 25: one seed that diverges in every arm turns nothing; if all do, nothing is known."""
    assert {"Q1e", "Q1f", "Q3a", "Q3c", "Q3d", "Q3f", "Q3h", "Q4g", "U2", "U3", "U7"} == set(TIMED)
    made = dial(base, claim, "supported")
    c = made["convergence"]

    def diverge(seeds: list[int]) -> Row:
        made["convergence"] = c.copy()
        made["convergence"].loc[c["seed"].isin(seeds), ["steps", "reached", "diverged_at"]] = [pd.NA, False, 9]
        return rows(made, claim)[claim]

    assert diverge([3])["verdict"] == "supported"
    lost = diverge(list(range(16)))
    assert lost["verdict"] == "inconclusive" and all(
        s["ci_low"] is None and s["ci_high"] is None for s in lost["settings"]
    )
    assert all(
        word in lost["sentence"] for word in (["premise fails"] if claim == "Q1e" else ["16 of 16 seeds are censored"])
    )


@pytest.mark.parametrize("claim", MEASURED)
def test_runs_that_reach_no_checkpoint(base: Tables, claim: str) -> None:
    """A seed without a measurement may be anything: one turns nothing, thirteen leave all open, sixteen say why."""
    made = dial(base, claim, "supported")

    def lose(count: int) -> Row:
        keep = {
            k: t[~t["seed"].isin(range(count))] if "seed" in t and k not in ("convergence", "sweep") else t
            for k, t in made.items()
        }
        keep["convergence"] = made["convergence"].copy()
        gone = keep["convergence"]["seed"] < count
        keep["convergence"].loc[gone, ["steps", "reached"]] = [pd.NA, False]
        return rows(keep, claim)[claim]

    assert lose(1)["verdict"] == "supported"
    assert lose(13)["verdict"] == "inconclusive" and lose(13)["n_seeds"] == 16
    row = lose(16)
    if claim == "Q2e":  # that kind of image is nowhere
        assert row["verdict"] == "not tested"
    else:
        assert row["verdict"] == "inconclusive" and "not evaluable" in row["sentence"]


# Numbers that would mean nothing


def test_ics_below_its_noise_floor(base: Tables) -> None:
    made = dial(base, "Q1c", "supported")
    ics = made["ics"] = made["ics"].copy()
    low = (ics["arm"] == "bn") & (ics["checkpoint"] == "init") & (ics["matching"] == "rate")
    ics.loc[low, "floor"] = 10.0
    row = rows(made, "Q1c")["Q1c"]
    assert [s["verdict"] for s in row["settings"]] == ["open"] + ["supported"] * 5
    assert row["settings"][0]["reason"] == "not evaluable: bn at depth 10: ICS is below its noise floor"


def test_premises_of_q1e(base: Tables) -> None:
    """Without a gain there is nothing to lose, and a noise that moves nothing tests nothing."""
    made = dial(base, "Q1e", "supported")
    c = made["convergence"] = made["convergence"].copy()
    c.loc[(c["arm"] == "none") & (c["depth"] == 5) & (c["gain"] == 0.41), "steps"] = 170
    drift = made["drift"] = made["drift"].copy()
    drift.loc[(drift["arm"] == "bn_noisy") & (drift["depth"] == 10), "moments"] = 0.1
    row = rows(made, "Q1e")["Q1e"]
    one, other = (s["reason"] for s in row["settings"])
    assert (
        "the premise fails, since without batch norm training takes 1.0 times" in one
        and "not clearly more than 1.25 times" in one
    )
    assert "the noise doesn't clearly make the next layer's input move more" in other
    assert row["verdict"] == "inconclusive" and one.removeprefix("not evaluable: ") in row["sentence"]


def test_variances_near_eps(base: Tables) -> None:
    made = dial(base, "Q3h", "supported")
    moments = made["moments"] = made["moments"].copy()
    flat = (moments["arm"] == "bn") & (moments["gain"] == 0.71) & (moments["layer"] == 10)
    moments.loc[flat, "variance"] = 9e-4
    row = rows(made, "Q3h")["Q3h"]
    assert [s["verdict"] for s in row["settings"]] == ["open", "supported", "open", "supported"]
    assert "variances below 100 eps" in row["settings"][0]["reason"]
    moments.loc[flat & (moments["seed"] < 7), "variance"] = 9e-3
    assert rows(made, "Q3h")["Q3h"]["settings"][0]["verdict"] == "open"
    moments.loc[flat & (moments["seed"] < 9), "variance"] = 9e-3
    assert rows(made, "Q3h")["Q3h"]["settings"][0]["verdict"] == "supported"


def test_the_check_behind_q3i(base: Tables) -> None:
    row = rows(base, "Q3i")["Q3i"]
    assert (row["verdict"], row["detail"], row["checks"], row["n_seeds"]) == ("contradicted", "higher", ["E15"], 0)
    assert (
        row["estimate"] == row["ci_low"] == row["ci_high"] == pytest.approx(7 / 6**0.5)
        and "2.9 times" in row["sentence"]
    )
    made = {**base, "checks": base["checks"].copy()}
    printed = made["checks"]["name"].str.contains("as printed")
    made["checks"].loc[printed, "measured"] = 1e-15
    row = rows(made, "Q3i")["Q3i"]
    assert row["verdict"] == "supported" and "1.0e−15" in row["sentence"]
    made["checks"].loc[printed & made["checks"]["name"].str.contains("m = 8"), "measured"] = 2.9
    assert rows(made, "Q3i")["Q3i"]["verdict"] == "mixed"
    made["checks"].loc[~printed, "passed"] = False
    row = rows(made, "Q3i")["Q3i"]
    assert row["verdict"] == "inconclusive" and "did not pass" in row["sentence"]
    assert rows({k: t for k, t in base.items() if k != "checks"}, "Q3i")["Q3i"]["verdict"] == "not tested"


def test_the_lecture_split_is_not_tested_until_it_is_there(base: Tables) -> None:
    without = {k: t[~t["inputs"].str.startswith("lecture")] if "inputs" in t else t for k, t in base.items()}
    row = rows(without, "Q2e")["Q2e"]
    assert row["verdict"] == "not tested" and "no arm none at depth 5, lecture_white inputs" in row["sentence"]
    made = dial(base, "Q2e", "supported")
    complete(made, "shift", {"arm": "bn", "depth": 5, "inputs": "lecture_white"})
    made["shift"] = made["shift"][~made["shift"]["family"].str.startswith("lecture")]
    assert "no test images of lecture_white" in rows(made, "Q2e")["Q2e"]["sentence"]


@pytest.mark.parametrize("outcome", ["oppose", "mixed", "missing"])
def test_every_world_has_its_words(outcome: str) -> None:
    found = judge(LEDGER, tables(outcome, thin=True), DEPTHS, base=BASE)[0]
    for answer in answers(LEDGER, found):
        said = [*answer["sentences"], *answer["believe"], *answer["right"], *answer["stops"], answer["open"]]
        said += [s for ask in answer["asks"] for s in ask["sentences"]]
        assert all(s and "{" not in s and "None" not in s and s.endswith((".", "?")) for s in said)
        for row in (r for r in found if r["question"] == answer["id"]):
            short = LEDGER.claim(row["id"]).short
            place = {"supported": "right", "mixed": "right", "not tested": "open"}.get(row["verdict"], "stops")
            texts = {k: " ".join(answer[k]) if k != "open" else answer[k] for k in ("right", "stops", "open")}
            assert [k for k, text in texts.items() if short in text] == [place], (row["id"], row["verdict"])
    assert all("{" not in t for f in findings(LEDGER, found).values() for t in f.values())
