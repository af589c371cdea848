"""The decision rule, the claims file and its sentences, on tables made to give every outcome."""

import json
import subprocess
import sys
from itertools import product
from math import inf, log
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from bnstudy.claims.judge import (
    ClaimsError,
    Ledger,
    answers,
    choose,
    combine,
    decide,
    findings,
    judge,
    load,
    natural,
    sentence,
)
from bnstudy.claims.ledger import keys
from bnstudy.claims.sentences import effect, figures
from dials import DIALS, SESOI, dial, shades
from helpers.synthetic import BASE, Tables, drop, swap, tables, whole, write

FILE = Path(__file__).parents[1] / "config" / "claims.yaml"
DEPTHS = {"shallow": 5, "middle": 10, "deep": 20}
BANNED = "wrong myth debunk actually obviously simply just proves course significant tends seems may".split()


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return load(FILE, 16)


@pytest.fixture(scope="module")
def base() -> Tables:
    return whole()


def only(ledger: Ledger, *claims: str) -> Ledger:
    """The ledger with some claims alone, judged at the K that they have in the whole file."""

    class Part(Ledger):
        def primary(self, question: str) -> int:
            return ledger.primary(question)

    return Part.model_construct(**{**dict(ledger), "claims": [ledger.claim(c) for c in claims]})


def one(ledger: Ledger, claim: str, found: Tables) -> dict[str, Any]:
    return judge(only(ledger, claim), found, DEPTHS, base=BASE)[0][0]


# The rule


@pytest.mark.parametrize(
    "low, high, sesoi, region, expected",
    [
        (1.1, 2, 1, "more", ("supported", None)), (1.1, inf, 1, "more", ("supported", None)),
        (1.0, 2, 1, "more", ("open", None)), (-3, -1.1, 1, "more", ("contradicted", "opposite")),
        (-inf, -1.1, 1, "more", ("contradicted", "opposite")), (-0.9, 0.9, 1, "more", ("contradicted", "negligible")),
        (-1.1, 0.9, 1, "more", ("contradicted", "not enough")), (-inf, 0.9, 1, "more", ("contradicted", "not enough")),
        (-0.9, 1.0, 1, "more", ("open", None)), (-inf, inf, 1, "more", ("open", None)),
        (-2, -0.1, 0, "more", ("contradicted", "opposite")), (-0.1, 0.1, 0, "more", ("open", None)),
        (-2, -1.1, 1, "less", ("supported", None)), (1.1, 2, 1, "less", ("contradicted", "opposite")),
        (-0.9, 0.9, 1, "less", ("contradicted", "negligible")), (-0.9, 1.1, 1, "less", ("contradicted", "not enough")),
        (-0.9, 0.9, 1, "within", ("supported", None)), (1.1, 2, 1, "within", ("contradicted", "higher")),
        (-2, -1.1, 1, "within", ("contradicted", "lower")), (-0.9, 1.0, 1, "within", ("open", None)),
        (-1.1, 0.5, 1, "within", ("open", None)), (-inf, inf, 1, "within", ("open", None)),
    ],
)  # fmt: skip
def test_a_setting(low: float, high: float, sesoi: float, region: str, expected: tuple[str, str | None]) -> None:
    assert decide(low, high, sesoi, region) == expected


def test_a_claim_from_its_settings() -> None:
    """Every combination of up to four settings, against the rule spelt out."""
    for n in range(1, 5):
        for verdicts in product(("supported", "contradicted", "open"), repeat=n):
            yes, no = verdicts.count("supported"), verdicts.count("contradicted")
            expected = "inconclusive"
            if yes and no:
                expected = "mixed"
            elif yes >= n / 2:
                expected = "supported"
            elif no >= n / 2:
                expected = "contradicted"
            assert combine(verdicts) == expected, verdicts


# Every claim, every outcome


@pytest.mark.parametrize("claim", DIALS)
def test_each_setting_comes_out_as_made(claim: str, ledger: Ledger, base: Tables) -> None:
    n = len(SESOI[claim])
    assert [s.sesoi for s in ledger.claim(claim).settings] == pytest.approx(SESOI[claim])
    for word in dict.fromkeys(w for i in range(n) for w in shades(claim, i)):
        words = [word if word in shades(claim, i) else "open" for i in range(n)]
        row = one(ledger, claim, dial(base, claim, words))
        assert [s["detail"] or s["verdict"] for s in row["settings"]] == words
        decided = [s["verdict"] for s in row["settings"] if s["verdict"] != "open"]
        assert row["verdict"] == (decided[0] if 2 * len(decided) >= n else "inconclusive")
        expected = word if row["verdict"] == "contradicted" else None
        assert row["detail"] == expected and row["sentence"] and "{" not in row["sentence"]
        assert row["n_seeds"] == 16 and row["sesoi"] == pytest.approx(SESOI[claim][0])


@pytest.mark.parametrize("claim", DIALS)
def test_mixed_names_both_sides(claim: str, ledger: Ledger, base: Tables) -> None:
    bad = [next(w for w in shades(claim, i) if w not in ("supported", "open")) for i in range(len(SESOI[claim]))]
    row = one(ledger, claim, dial(base, claim, ["supported", *bad[1:]]))
    names = [s["name"] for s in row["settings"]]
    assert row["verdict"] == "mixed" and row["detail"] is None
    yes, no = row["sentence"].split(" Not for ")
    assert yes.endswith(f" for {names[0]}.") and all(n in no and n not in yes.removesuffix(names[0]) for n in names[1:])


@pytest.mark.parametrize("claim", DIALS)
def test_missing_arms_are_not_tested(claim: str, ledger: Ledger, base: Tables) -> None:
    found, arms = base, {s.arms[-1] for s in ledger.claim(claim).settings}
    for arm in arms:
        found = drop(found, arm=arm)
    row = one(ledger, claim, found)
    assert row["verdict"] == "not tested" and row["reason"] in row["sentence"]
    assert any(f"no arm {arm} at depth" in row["reason"] for arm in arms)
    assert all(s["verdict"] == "open" and s["ci_low"] is None and s["n_seeds"] == 0 for s in row["settings"])


def test_partly_missing_counts_as_open(ledger: Ledger, base: Tables) -> None:
    """Two settings at depth 20 missing of four: half supported is enough; two more open ones are too many."""
    made = dial(base, "Q1b", "supported")
    row = one(ledger, "Q1b", drop(made, depth=20))
    assert row["verdict"] == "supported" and [s["verdict"] for s in row["settings"]] == ["supported"] * 2 + ["open"] * 2
    assert "no arm none at depth 20" in row["settings"][2]["reason"] and "Left open: depth 20" in row["sentence"]
    row = one(ledger, "Q1b", drop(dial(base, "Q1b", ["supported", "open", "open", "open"]), depth=20))
    assert row["verdict"] == "inconclusive" and "depth 20" in row["reason"] and row["reason"] in row["sentence"]


def test_not_evaluable_says_why(ledger: Ledger, base: Tables) -> None:
    made = dial(base, "Q4g", "supported")
    made["rates"] = made["rates"].copy()
    at = (made["rates"]["arm"] == "none") & (made["rates"]["depth"] == 20)
    made["rates"].loc[at, ["evaluable", "reason"]] = [False, "rate on the grid's edge"]
    row = one(ledger, "Q4g", made)
    assert row["verdict"] == "inconclusive"
    assert "not evaluable: none at depth 20: rate on the grid's edge" in row["sentence"]


def test_disagreeing_shades_give_the_careful_sentence(ledger: Ledger, base: Tables) -> None:
    row = one(ledger, "Q4g", dial(base, "Q4g", ["opposite", "negligible"]))
    assert (row["verdict"], row["detail"]) == ("contradicted", "not enough")
    assert "shrinks" not in row["sentence"] and row["sentence"].startswith("It doesn't hold as said that ")


def test_one_aberrant_seed_changes_no_verdict(ledger: Ledger, base: Tables) -> None:
    """n = 16, K = 16: k = 2. One run of arm none that diverged in a setting where bn is slower leaves it so; two do not."""
    made = dial(base, "Q3a", "opposite")
    c = made["convergence"]

    def diverge(*seeds: int) -> list[dict[str, Any]]:
        c.loc[(c["arm"] == "none") & c["seed"].isin(seeds), ["steps", "reached", "diverged_at"]] = [
            pd.NA,
            False,
            30,
        ]
        return one(ledger, "Q3a", made)["settings"]

    assert [s["detail"] for s in diverge(3)] == ["opposite"] * 6
    after = diverge(3, 9)
    assert [s["verdict"] for s in after] == ["open"] * 6 and all(
        s["ci_high"] is None and s["ci_high_open"] for s in after
    )


def test_arm_that_never_arrives_is_an_outcome(ledger: Ledger, base: Tables) -> None:
    made = dial(base, "Q3a", "supported")
    c = made["convergence"]
    c.loc[c["arm"] == "none", ["steps", "reached"]] = [pd.NA, False]
    row = one(ledger, "Q3a", made)
    assert row["verdict"] == "supported" and row["estimate"] is None and row["ci_high"] is None
    assert "times or more" in row["sentence"]
    c.loc[c["arm"] == "bn", ["steps", "reached"]] = [pd.NA, False]
    row = one(ledger, "Q3a", made)
    assert row["verdict"] == "inconclusive" and "16 of 16 seeds are censored" in row["sentence"]


MIRROR = {"supported": "opposite", "opposite": "supported", "negligible": "negligible"}


@pytest.mark.parametrize("claim", ["Q1b", "Q1c", "Q2a", "Q2f", "Q3a", "Q3b", "Q3c", "Q3g", "Q4a", "Q4e", "Q4g", "U6"])
@pytest.mark.parametrize("word", MIRROR)
def test_swapping_the_arms_swaps_the_verdict_and_the_sentence(
    claim: str, word: str, ledger: Ledger, base: Tables
) -> None:
    """All settings; the shared rate is none's best, so after the swap bn's best is none's."""
    made = dial(base, claim, word)
    before, after = one(ledger, claim, made), one(ledger, claim, swap(made))
    assert (after["detail"] or after["verdict"]) == MIRROR[word]
    assert after["estimate"] == pytest.approx(-before["estimate"])
    assert (after["ci_low"], after["ci_high"]) == pytest.approx((-before["ci_high"], -before["ci_low"]))
    assert word == "negligible" or before["sentence"].split(",")[0] != after["sentence"].split(",")[0]


def test_swap_turns_answers_and_figure_titles(ledger: Ledger, base: Tables) -> None:
    made = dial(dial(base, "Q3a", "supported"), "Q1b", "supported")
    before, after = (judge(ledger, t, DEPTHS, base=BASE)[0] for t in (made, swap(made)))
    assert answers(ledger, before)[2]["sentences"][0].startswith("Yes: ")
    assert answers(ledger, after)[2]["sentences"][0].startswith("No: ")
    titles = [findings(ledger, rows)["drift"] for rows in (before, after)]
    assert "moves less" in titles[0]["title"] and "moves more" in titles[1]["title"]
    assert all(t["title"] in t["alt"] for t in titles)


# Few seeds, many settings


def test_three_seeds_decide_nothing_and_say_why(ledger: Ledger) -> None:
    rows, contrasts = judge(load(FILE, 3), tables(seeds=3, grids=True, thin=True), DEPTHS, base=BASE)
    rows = [r for r in rows if not r["checks"]]
    assert {r["verdict"] for r in rows} == {"inconclusive"} and contrasts
    assert all(
        "too few seeds: 3 seeds allow no interval for" in r["reason"] and r["reason"] in r["sentence"] for r in rows
    )


def test_more_settings_than_seeds_allow_are_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(FILE.read_text())
    q2a = next(c for c in raw["claims"] if c["id"] == "Q2a")
    q2a["settings"] = [{"name": f"contrast {i}", "family": "contrast"} for i in range(16)]
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(
        ClaimsError, match="Q2 has 32 primary settings, but 10 evaluation seeds allow at most 25.*11 or more"
    ):
        load(path, 10)
    assert load(path, 11).primary("Q2") == load(path, 3).primary("Q2") == load(path).primary("Q2") == 32


def test_shared_intervals_count_once(ledger: Ledger) -> None:
    assert {q.id: ledger.primary(q.id) for q in ledger.questions} == {"Q1": 20, "Q2": 22, "Q3": 25, "Q4": 23, "U": 18}


# The file


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(colour="red"), "Q3a.colour: Extra inputs are not permitted"),
        (lambda c: c.update(sesoi="1,25"), "Q3a.*sesoi.*1,25"),
        (lambda c: c.update(sesoi=True), "Q3a.*sesoi"),
        (lambda c: c.update(arms=["none"]), "takes 2 arms"),
        (lambda c: c.update(family="contrast"), "no use for family"),
        (lambda c: c.update(endpoint="column_ratio"), "endpoint"),
        (lambda c: c["texts"].pop("contradicted.opposite"), "texts lack contradicted.opposite"),
        (lambda c: c["texts"].update({"contradicted.higher": "x"}), "contradicted.higher can never be said"),
        (lambda c: c["texts"].update(supported="{efect}"), "efect: no such field"),
        (lambda c: c.update(question="Q9"), "question Q9 is not this claim's"),
        (lambda c: c.update(shares="Q3d"), "not those of Q3d with the arms exchanged"),
        (lambda c: c.update(settings=[]), "at least 1 item"),
    ],
)
def test_a_bad_file_says_where_and_what(change: Any, message: str, tmp_path: Path) -> None:
    raw = yaml.safe_load(FILE.read_text())
    change(next(c for c in raw["claims"] if c["id"] == "Q3a"))
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(ClaimsError, match=message):
        load(path)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(FILE.read_text().replace("    unit: sd\n", "    unit: sd\n    unit: points\n", 1))
    with pytest.raises(ClaimsError, match="key unit is written twice"):
        load(path)
    with pytest.raises(ClaimsError, match="cannot be read"):
        load(tmp_path / "absent.yaml")
    for text in (b"", b"\xff", b"!!int ", b"claims: [", b"- 1", b"{[1]: 2}"):
        path.write_bytes(text)
        with pytest.raises(ClaimsError, match="cannot be"):
            load(path)


def test_loading_is_light() -> None:
    code = (
        "import sys; from pathlib import Path; from bnstudy.claims.judge import load; load(Path(sys.argv[1]), 16);"
        "print([m for m in ('pandas', 'torch', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    src = str(FILE.parents[1] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code, str(FILE)], env={"PYTHONPATH": src}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


# Words


def test_every_verdict_and_shade_of_every_claim_has_a_sentence(ledger: Ledger, base: Tables) -> None:
    rows, _ = judge(ledger, base, DEPTHS, base=BASE)
    for row in rows:
        claim = ledger.claim(row["id"])
        said = set()
        for key in keys(claim):
            verdict, _, shade = key.partition(".")
            text = sentence({**row, "verdict": verdict, "detail": shade or None}, claim, ledger)
            assert "{" not in text and "None" not in text and text[-1] == "."
            said.add(text)
            words = text.lower().replace(".", " ").split()
            assert not set(BANNED) & set(words), text
        assert len(said) == len(keys(claim)) - (claim.id == "Q4d")  # an absolute value is never the opposite


def test_every_pair_of_lead_and_pivot_renders(ledger: Ledger, base: Tables) -> None:
    rows = {r["id"]: r for r in judge(ledger, base, DEPTHS, base=BASE)[0]}
    for q in ledger.questions[:4]:
        seen = set()
        for lead, pivot in product(keys(ledger.claim(q.lead)), keys(ledger.claim(q.pivot))):
            turned = {**rows, **{c: _as(rows[c], key) for c, key in ((q.lead, lead), (q.pivot, pivot))}}
            said = next(a for a in answers(ledger, list(turned.values())) if a["id"] == q.id)["sentences"]
            assert all(s and "{" not in s for s in said) and q.open
            seen.add(tuple(said))
            findings(ledger, list(turned.values()))
        assert len(seen) >= 25


def _as(row: dict[str, Any], key: str) -> dict[str, Any]:
    verdict, _, shade = key.partition(".")
    return {**row, "verdict": verdict, "detail": shade or None}


def test_choose_takes_the_first_that_holds(ledger: Ledger) -> None:
    q1 = next(q for q in ledger.questions if q.id == "Q1")
    found = {k: choose(q1.sentences[1], {"Q1b": k}) for k in keys(ledger.claim("Q1b"))}
    assert "moves less" in found["supported"] and "moves more" in found["contradicted.opposite"]
    assert found["mixed"] == found["contradicted.not enough"] == "{Q1b[sentence]}"
    plain = {k: choose(q1.sentences[0], {"Q1a": k}) for k in keys(ledger.claim("Q1a"))}
    assert plain["contradicted.opposite"] != plain["inconclusive"] == plain["not tested"]
    with pytest.raises(ValueError, match="no answer holds"):
        choose(q1.sentences[1][:1], {"Q1b": "mixed"})


def test_answers_refuse_what_does_not_exist(tmp_path: Path) -> None:
    for answer, message in (
        ({"when": {"Q1b": ["confirmed"]}, "text": "x"}, "when Q1b is confirmed: allowed are supported"),
        ({"when": {"Q1z": ["supported"]}, "text": "x"}, "when Q1z"),
        ({"when": {"Q1b": ["supported"]}, "text": "{Q1b[mood]}"}, "write {CLAIM"),
        ({"text": "x"}, "the last answer, and no other"),
    ):
        raw = yaml.safe_load(FILE.read_text())
        raw["questions"][0]["sentences"][0].insert(0, answer)
        (tmp_path / "claims.yaml").write_text(yaml.safe_dump(raw))
        with pytest.raises(ClaimsError, match=message):
            load(tmp_path / "claims.yaml")


def test_numbers_as_readers_see_them() -> None:
    assert [figures(x) for x in (0.312, 2.44, 2.0, 128, 99.6, 0, -0.046)] == [
        "0.31",
        "2.4",
        "2.0",
        "130",
        "100",
        "0",
        "−0.046",
    ]
    assert natural(log(2.4), "ln times") == "2.4 times" and natural(-1.26, "points") == "−1.3 points"
    assert natural(None, "sd") == "not measurable"
    row = {"shown_estimate": log(2.4), "shown_low": log(1.8), "shown_high": log(3.1), "unit": "ln times"}
    assert effect(row) == "2.4 times (1.8 to 3.1)"
    assert effect({**row, "shown_estimate": None, "shown_high": None}) == "1.8 times or more"
    assert effect({**row, "shown_high": None}) == "2.4 times (1.8 or more)"
    assert effect({**row, "shown_estimate": None}) == "1.8 to 3.1 times"
    assert effect({**row, "shown_low": None, "shown_high": None}) == "2.4 times (no interval)"


def test_margins_do_not_reach_the_reader(ledger: Ledger, base: Tables) -> None:
    """Q3d judges ln 1.25 - ln r, and speaks of r; its interval turns round with the sign."""
    row = one(ledger, "Q3d", dial(base, "Q3d", "opposite"))
    s = row["settings"][0]
    assert (
        s["ci_high"] < 0
        and s["shown_low"] == pytest.approx(log(1.25) - s["ci_high"])
        and s["shown_low"] < s["shown_high"]
    )
    assert s["shown_sesoi"] == pytest.approx(log(1.25)) and "1.25 times was allowed" in row["sentence"]


# What is written


def test_rows_are_json_and_survive_csv(ledger: Ledger, base: Tables, tmp_path: Path) -> None:
    rows, contrasts = judge(ledger, base, DEPTHS, base=BASE)
    json.dumps(rows, allow_nan=False)
    assert [r["id"] for r in rows if not r["checks"]] == list(DIALS)
    frame = pd.DataFrame(contrasts)
    assert list(frame) == ["claim", "setting", "seed", "lower", "upper"] and (frame["lower"] <= frame["upper"]).all()
    assert (frame.groupby(["claim", "setting"])["seed"].nunique() == 16).all()
    write(base, tmp_path)
    again = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in tmp_path.glob("*.csv")}
    assert [r["sentence"] for r in judge(ledger, again, DEPTHS, base=BASE)[0]] == [r["sentence"] for r in rows]


def test_other_depths_and_targets_are_named(ledger: Ledger) -> None:
    """A study with two depths of its own: the claims follow, and its middle depth is not there."""
    found = drop(drop(tables(depths=(2, 3, 6), seeds=8), depth=3), target=0.25)
    rows = {r["id"]: r for r in judge(ledger, found, {"shallow": 2, "deep": 6}, targets=(0.5,), seeds=8)[0]}
    assert rows["Q1b"]["settings"][0]["name"] == "depth 2, mean and spread"
    assert rows["Q3h"]["verdict"] == "not tested" and "no middle depth" in rows["Q3h"]["reason"]
    assert rows["Q3a"]["settings"][2]["reason"] == "no second target loss"
