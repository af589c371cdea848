"""The decision rule and its words: every claim brought to every verdict and shade by thetas given to it."""

import json
import re
from dataclasses import replace
from itertools import product
from math import inf, log
from pathlib import Path

import pandas as pd
import pytest

from bnstudy.claims.answers import Speaker
from bnstudy.claims.judge import answers, combine, decide, findings, judge
from bnstudy.claims.ledger import Answer, Claim
from bnstudy.claims.lookup import Missing, NotEvaluable
from bnstudy.claims.numbers import effect, figures
from bnstudy.claims.records import ClaimRow, to_json
from bnstudy.claims.sensitivity import run
from bnstudy.pipeline.verdicts import judge as judge_study
from bnstudy.report.results import Results
from helpers.judging import FILE, FILED, GIVEN, INTERVALS, LEDGER, check_words, decided, keys, part, said, why, word
from helpers.synthetic import Tables, drop, tables, write
from helpers.thetas import SEEDS, exact, shades, theta

BANNED = "wrong myth debunk actually obviously simply just proves course significant tends seems may".split()
SESOI: dict[str, list[float]] = {
    "Q1a": [0] * 2, "Q1b": [log(2)] * 4, "Q1c": [log(1.25)] * 6, "Q1d": [1, 1, log(1.25), log(1.25)], "Q1e": [0],
    "Q1f": [log(1.25)] * 2, "Q1g": [0] * 2, "Q1h": [log(1.25)] * 3, "Q1i": [log(1.25)],
    "Q2a": [2] * 6, "Q2b": [0] * 3, "Q2c": [5] * 3, "Q2d": [log(1.5)] * 2,
    "Q2e": [3] * 6, "Q2f": [1, 1], "Q2g": [2, 2], "Q2h": [2] * 4, "Q3a": [log(1.25)] * 2, "Q3b": [0.25] * 2,
    "Q3c": [log(1.25)] * 3, "Q3d": [0] * 2, "Q3e": [0, log(2), log(2)], "Q3f": [log(1.25)] * 2, "Q3g": [log(1.25)] * 2,
    "Q3h": [log(1.5), log(1.5), log(1.25), log(1.25)], "Q3j": [log(1.25)], "Q4a": [log(1.25)] * 2, "Q4b": [log(2)] * 4,
    "Q4c": [log(2), log(2), log(1.25), log(1.25)], "Q4d": [log(10)] * 3, "Q4e": [log(1.25)] * 2, "Q4f": [0] * 4,
    "Q4g": [log(1.25)] * 2, "U1": [1, 1], "U2": [log(1.25)] * 2, "U3": [log(1.25)], "U4": [log(1.05)] * 3,
    "U5": [log(1.25), log(1.25), 1, 1], "U6": [0.5, 0.5], "U7": [log(1.25)] * 2,
    "U8": [0.25] * 3, "U9": [0.25] * 2,
}  # fmt: skip
"""The smallest effects, written here again: the claims file must agree."""


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


# Every claim, every verdict and shade


def words(claim: Claim, key: str) -> list[str | Exception]:
    """Return what a claim's contrasts come out as where its verdict is the one of ``key``."""
    bad = [[w for w in shades(c) if w not in ("supported", "open")] for c in claim.settings]
    shade = key.removeprefix("contradicted.")
    if shade == "mixed":
        return ["supported", *(each[0] for each in bad[1:])]
    if shade == "not tested":
        return [Missing("no arm once at depth 3")] * len(bad)
    if ", " in shade:
        two = shade.split(", ")
        return [two[i % 2] if two[i % 2] in each else "open" for i, each in enumerate(bad)]
    return [shade if shade in shades(c) else "open" for c in claim.settings]


def test_the_smallest_effects_and_what_must_lie_within_them() -> None:
    assert {c: [s.sesoi for s in LEDGER.claim(c).settings] for c in INTERVALS} == {
        claim: pytest.approx(sesoi) for claim, sesoi in SESOI.items()
    }
    within = {c.id: [s.region for s in c.settings].count("within") for c in LEDGER.claims if c.id in INTERVALS}
    assert {claim: count for claim, count in within.items() if count} == {"Q3h": 2, "U2": 2, "U9": 2}


@pytest.mark.parametrize("claim", INTERVALS)
def test_every_verdict_and_shade_comes_out_as_given_and_has_its_own_words(
    claim: str, held: dict[str, ClaimRow]
) -> None:
    said, spec = set(), LEDGER.claim(claim)
    for key in keys(spec):
        made = words(spec, key)
        row = decided(claim, made)
        found = [word(s) for s in row.settings]
        assert found == ["open" if isinstance(w, Exception) else w for w in made]
        verdict, _, shade = key.partition(".")
        assert (row.verdict, row.detail) == (verdict, shade or None)
        assert row.n_seeds == SEEDS * (key != "not tested") and row.sesoi == pytest.approx(SESOI[claim][0])
        text = row.sentence
        assert "{" not in text and "None" not in text and text[-1] == "."
        assert not set(BANNED) & set(text.lower().replace(".", " ").split()), text
        said.add(text)
        check_words(row, list({**held, claim: row}.values()))
    assert len(said) == len(keys(spec))


FIGURES = {
    "Q1b": "drift", "Q1c": "ics", "Q2a": "severity", "Q3a": "depths", "Q3b": "window", "Q3g": "landscape", "Q4a": "reach",
    "Q4c": "halves", "Q4e": "adaptation", "Q4g": "saved", "U6": "kurtosis",
}  # fmt: skip
CARDS = {"Q1b": "Q1", "Q1e": "Q1", "Q2a": "Q2", "Q2e": "Q2", "Q3a": "Q3", "U7": "Q3", "Q4a": "Q4"}
"""Claims that choose the finding of a card."""


@pytest.mark.parametrize("claim", INTERVALS)
def test_the_other_sign_turns_every_word_that_rests_on_the_claim(claim: str, held: dict[str, ClaimRow]) -> None:
    opposite = ["opposite" if "opposite" in shades(c) else "higher" for c in LEDGER.claim(claim).settings]
    pair = [decided(claim, made) for made in ("supported", opposite)]
    assert [row.verdict for row in pair] == ["supported", "contradicted"]
    for one, other in zip(*(row.settings for row in pair)):
        if one.region != "within":
            assert other.estimate == pytest.approx(-one.estimate)
            assert (other.ci_low, other.ci_high) == pytest.approx((-one.ci_high, -one.ci_low))
    before, after = (set(row.sentence.split(". ")) for row in pair)
    assert not {text for text in before & after if not text.startswith("The same ")}
    rest = {**held, **({"Q3a": decided("Q3a", "opposite")} if claim == "U7" else {})}
    rows = [list({**rest, claim: row}.values()) for row in pair]
    if claim in FIGURES:
        titles = [findings(LEDGER, r)[FIGURES[claim]].title for r in rows]
        assert titles[0] != titles[1]
    if claim in CARDS:
        told = [next(a for a in answers(LEDGER, r) if a.id == CARDS[claim]) for r in rows]
        cards = [a.card.finding for a in told if a.card]
        assert cards[0] != cards[1] and said(told[0]) != said(told[1])


def test_words_of_both_directions(held: dict[str, ClaimRow]) -> None:
    turned = ({c: decided(c, w) for c in ("Q1b", "Q3a", "Q4c")} for w in ("supported", "opposite"))
    rows = [[*{**held, **made}.values()] for made in turned]
    cards = [a.card.finding for r in rows for a in answers(LEDGER, r) if a.card and a.id in ("Q1", "Q3")]
    starts = "Mean and spread move, only less", "It takes fewer", "Mean and spread move more", "Fewer steps with skips"
    assert all(map(str.startswith, cards, starts)), cards
    titles = [[findings(LEDGER, r)[figure].title for figure in ("drift", "halves")] for r in rows]
    for text, title in zip(("moves less", "later half alone", "moves more", "early half alone"), sum(titles, [])):
        assert text in title


# What is lacking, and what is censored


def test_partly_missing_counts_as_open() -> None:
    """Two of four contrasts missing: half supported is enough; two more open ones are too many."""
    missing = [Missing("no arm none at depth 20")] * 2
    row = decided("Q1b", ["supported", "supported", *missing])
    assert row.verdict == "supported" and [s.verdict for s in row.settings] == ["supported"] * 2 + ["open"] * 2
    assert row.settings[2].reason == "no arm none at depth 20"
    assert "No result at 20 layers" in row.sentence and "The reason: no arm none at depth 20." in row.sentence
    row = decided("Q1b", ["supported", "open", *missing])
    assert row.verdict == "inconclusive" and row.reason == "no arm none at depth 20"
    assert why(row) in row.sentence


def test_not_evaluable_says_why() -> None:
    row = decided("Q4g", [NotEvaluable("none at depth 20: rate on the grid's edge")] * 2)
    assert row.verdict == "inconclusive"
    assert row.sentence == "There is no result: none at depth 20: rate on the grid's edge."


def test_disagreeing_shades_are_both_said() -> None:
    row = decided("Q4g", ["opposite", "negligible"])
    assert (row.verdict, row.detail) == ("contradicted", "opposite, negligible")
    assert "saves fewer steps" in row.sentence and "saves about as many steps" in row.sentence


def censored(outcome: str, seeds: list[int], low: float | None = None) -> list[pd.DataFrame]:
    """Return thetas of the contrasts of Q3a of which nothing above is known for some seeds (nor below, given ``low``)."""
    out = []
    for contrast in LEDGER.claim("Q3a").settings:
        found = theta(contrast, outcome)
        found.loc[seeds, "upper"] = inf
        if low is not None:
            found.loc[seeds, "lower"] = low
        out.append(found)
    return out


def test_one_aberrant_seed_changes_no_verdict() -> None:
    """n = 16, K up to 38: k = 2. One run of arm none that diverged where bn is slower leaves it so; two do not."""
    assert [s.detail for s in decided("Q3a", censored("opposite", [3])).settings] == ["opposite"] * 2
    after = decided("Q3a", censored("opposite", [3, 9])).settings
    assert [s.verdict for s in after] == ["open"] * 2
    assert all(s.ci_high is None and s.ci_high_open for s in after)


def test_arm_that_never_arrives_is_an_outcome() -> None:
    every = list(range(SEEDS))
    row = decided("Q3a", censored("supported", every))
    assert row.verdict == "supported" and row.estimate is None and row.ci_high is None
    assert "takes at least 1.44 times as many steps" in row.sentence
    row = decided("Q3a", censored("supported", every, -inf))
    assert row.verdict == "inconclusive" and "in 16 of 16 seeds a network never arrived" in row.sentence


def test_premises_of_q1e() -> None:
    """Without a gain there is nothing to lose, and a noise that moves nothing tests nothing."""
    [contrast] = LEDGER.claim("Q1e").settings
    fails = {"steps_ratio": exact([0.01] * SEEDS), "drift_ratio": exact([-0.4] * SEEDS)}
    rows = [decided("Q1e", "supported", {(contrast.name, premise): theta}) for premise, theta in fails.items()]
    one, other = (why(row.settings[0]) for row in rows)
    assert "the premise fails, since without batch norm training takes 1.0 times" in one
    assert "not clearly more than 1.25 times" in one
    moved = "the noise doesn't clearly make the next layer's input move as far as without batch norm (0.8 times), but 0.67 times"
    assert moved in other
    assert {row.verdict for row in rows} == {"inconclusive"}
    assert one.removeprefix("not evaluable: ") in rows[0].sentence


@pytest.mark.parametrize("claim", INTERVALS)
def test_a_claim_that_is_not_judged_is_shown_with_its_numbers(claim: str) -> None:
    """Whatever its settings are: no verdict, no shade, no word of an outcome, and both sides of every effect."""
    spec = LEDGER.claim(claim)
    claims = [c.model_copy(update={"judged": c.id != claim}) for c in LEDGER.claims]
    bare = LEDGER.model_copy(update={"claims": claims})
    for key in ("supported", "mixed", "inconclusive", "not tested"):
        made = words(spec, key)
        kept, shown = decided(claim, made), decided(claim, made, ledger=bare)
        assert (shown.verdict, shown.detail, shown.stability, shown.joint_error) == ("not judged", None, None, None)
        assert {s.verdict for s in shown.settings} == {"not judged"} and {s.detail for s in shown.settings} == {None}
        assert [s.effect for s in shown.settings] == [s.effect for s in kept.settings]
        assert not [text for p in spec.parts for text in p.says.values() if text in shown.sentence]
        for setting, contrast in zip(shown.settings, spec.settings):
            if setting.n_seeds:
                own = spec.part(contrast.name)
                pieces = [re.split(r"\{\w+\}", text[1:]) for text in (own.fact, own.turned or own.fact)]
                assert any(all(p in shown.sentence for p in some) for some in pieces), shown.sentence
                assert "hown without a verdict" in shown.sentence
    assert run(part(claim, ledger=bare), {}, GIVEN) == []
    counted = len(spec.settings) * (not spec.shares)
    assert bare.primary(spec.question) == LEDGER.primary(spec.question) - counted


def test_three_seeds_decide_nothing_and_say_why() -> None:
    rows, contrasts = judge(FILED, tables(seeds=3, grids=True, thin=True), replace(GIVEN, seeds=3))
    rows = [r for r in rows if not r.checks and r.verdict != "not judged"]
    assert {r.verdict for r in rows} == {"inconclusive"} and contrasts and len(rows) > 20
    assert all("too few seeds: 3 seeds allow no interval for" in why(r) for r in rows)
    assert all("too few seeds: 3 seeds allow no interval for" in r.sentence for r in rows)


# Words


def test_choose_takes_the_first_that_holds(held: dict[str, ClaimRow]) -> None:
    made = ["opposite", "open", "negligible", "open", "open", NotEvaluable("a reason")]
    speaker = Speaker(LEDGER, list({**held, "Q2a": decided("Q2a", made)}.values()))
    for condition, holds in {
        "Q2a has opposite": True, "Q2a has supported or opposite": True, "Q2a has supported": False, "Q2a lacks open": False,
        "Q2a lacks supported or against": True, "Q2a is opposite or negligible": True, "Q2a is opposite": False,
        "Q2a[blur] is opposite": True, "Q2a[brightness] is opposite": False, "Q2a[brightness] has measured": True,
        "Q2a[translation] has measured": False, "Q2a[translation] has unmeasured": True, "Q2a has decided": True,
    }.items():  # fmt: skip
        chosen = speaker.text([Answer(when=[condition], text="yes"), Answer(text="no")])
        assert chosen == ("yes" if holds else "no"), condition
    told = speaker.text([Answer(text="{Q2a.opposite or negligible}: {Q2a.opposite.effect}")])
    assert told == "under blur and changed contrast: 4.0 points more"
    assert speaker.text([Answer(when=["Q2a is supported"], text="x")]) == ""  # none holds, and nothing is said
    with pytest.raises(ValueError, match="no setting of Q2a is supported"):
        speaker.text([Answer(text="{Q2a.supported}")])


def test_numbers_as_readers_see_them() -> None:
    assert " ".join(map(figures, (2.44, 2.0, 99.6, 0, -0.046))) == "2.4 2.0 100 0 −0.046"
    assert effect(None, None, None, "sd") == "not measurable"
    estimate, low, high = log(2.4), log(1.8), log(3.1)
    assert effect(None, low, None, "ln times") == "at least 1.8 times"
    assert effect(None, None, 2.0, "kurtosis") == "at most 2.0"
    assert effect(estimate, low, None, "ln times") == "2.4 times (at least 1.8)"
    assert effect(None, low, high, "ln times") == "1.8 to 3.1 times"
    assert effect(estimate, None, None, "ln times") == "2.4 times (no interval)"


def test_margins_do_not_reach_the_reader() -> None:
    """Q3d judges ln 1.25 - ln r, and speaks of r; its interval turns round with the sign."""
    row = decided("Q3d", "opposite")
    s = row.settings[0]
    assert s.ci_high and s.shown_low and s.shown_high and s.ci_high < 0 and s.shown_low < s.shown_high
    assert s.shown_low == pytest.approx(log(1.25) - s.ci_high)
    assert s.shown_sesoi == pytest.approx(log(1.25)) and "1.25 times was allowed" in row.sentence


# What is written


def test_rows_are_json_and_survive_csv(base: Tables, tmp_path: Path) -> None:
    rows, contrasts = judge(LEDGER, base, GIVEN)
    json.dumps(to_json(rows), allow_nan=False)
    assert [r.id for r in rows if not r.checks] == INTERVALS == list(SESOI)
    frame = pd.DataFrame(contrasts)
    assert list(frame) == ["claim", "setting", "seed", "lower", "upper"] and (frame["lower"] <= frame["upper"]).all()
    assert (frame.groupby(["claim", "setting"])["seed"].nunique() == 16).all()
    write(base, tmp_path)
    again = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in tmp_path.glob("*.csv")}
    assert [r.sentence for r in judge(LEDGER, again, GIVEN)[0]] == [r.sentence for r in rows]


def test_a_study_that_compares_nothing_is_written_and_read(tmp_path: Path) -> None:
    """One arm, or the measure `shift` alone where it decides nothing: no claim has a contrast, and the page still reads all."""
    made = tables("support", thin=True)
    write({k: made[k][made[k]["arm"] == "none"] for k in ("rates", "convergence")}, tmp_path / "tables")
    (tmp_path / "checks.json").write_text("[]")
    judge_study(GIVEN, tmp_path / "tables", FILE, tmp_path / "checks.json", tmp_path / "claims.json")
    results = Results(tmp_path)
    assert results.thetas == {} and {row.verdict for row in results.claims.values()} <= {"not tested", "not judged"}
    assert list(results.table("contrasts")) == ["claim", "setting", "seed", "lower", "upper"]


def test_other_depths_and_targets_are_named() -> None:
    """A study with two depths of its own: the claims follow, and its middle depth is not there."""
    found = drop(drop(tables(depths=(2, 3, 6), seeds=8, thin=True), depth=3), target=0.25)
    given = replace(GIVEN, depths={"shallow": 2, "deep": 6}, targets=(0.5,), seeds=8)
    rows = {r.id: r for r in judge(LEDGER, found, given)[0]}
    assert rows["Q1b"].settings[0].name == "depth 2, mean and spread"
    assert rows["Q1b"].settings[0].label == "at 2 layers; in mean and spread"
    assert rows["Q3h"].verdict == "not tested" and "the study has no middle depth" in why(rows["Q3h"])
    assert "the study has no second target loss" in why(rows["Q4g"].settings[1])
