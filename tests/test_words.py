"""What readers are told: the rules of words, over every combination of outcomes and on those of the default study."""

import json
import re
from collections.abc import Sequence
from functools import cache
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bnstudy.claims.choices import Condition
from bnstudy.claims.judge import answers, findings
from bnstudy.claims.ledger import Claim
from bnstudy.claims.lookup import Missing, NotEvaluable
from bnstudy.claims.numbers import effect
from bnstudy.claims.records import AnswerRow, ClaimRow, from_json
from bnstudy.claims.sentences import ORDER, listing, outcome
from bnstudy.core import words
from helpers.judging import FILED, INTERVALS, LEDGER, decided, said, story
from helpers.project import ROOT
from helpers.thetas import SEEDS, exact, shades

BANNED = "wrong myth debunk actually obviously simply just proves course significant tends seems may bn_ resmlp".split()
DEFAULT: dict[str, str] = {
    "Q1a": "s s", "Q1b": "s o s n", "Q1c": "u u u u u u", "Q1d": "e n n n", "Q1e": "p", "Q1f": "n n", "Q1g": "p p",
    "Q2a": "p e o o o o", "Q2b": "p p p", "Q2c": "s s o", "Q2d": "p o", "Q2e": "o s o e s o", "Q2f": "o o",
    "Q3a": "o a", "Q3b": "s s", "Q3c": "o s s", "Q3d": "o o", "Q3e": "s o n", "Q3f": "o s", "Q3g": "s s",
    "Q3h": "o s s o", "Q4a": "s s", "Q4b": "n n s u", "Q4c": "u u p o", "Q4d": "n n n", "Q4e": "o p", "Q4f": "o s s s",
    "Q4g": "p p", "U1": "e e", "U2": "s s", "U3": "s", "U4": "o s s", "U5": "n s o o", "U6": "n a", "U7": "s s",
}  # fmt: skip
"""What the settings of the default study came out as, by first letters: opPosite, nEgative ... as in NAMES. Claims that are
younger than that study are unmeasured in it."""
OUTCOMES = ("supported", "open", "opposite", "negligible", "not enough", "against", "unmeasured")
NAMES = dict(zip("sopneau", OUTCOMES))
REASON = "no run reached the loss"


@cache
def row(claim: str, made: tuple[str, ...], filed: bool = False) -> ClaimRow:
    """Return a claim whose settings come out as named: a way of `shades`, against, unmeasured or absent.

    It is judged, unless it is to be taken as filed and the claims file shows it without a verdict.
    """
    given_ = []
    for contrast, name in zip(LEDGER.claim(claim).settings, made, strict=True):
        if name == "against":
            given_.append(exact(np.linspace(-1.8, -0.4, SEEDS) * contrast.sesoi))
        else:
            given_.append({"unmeasured": NotEvaluable(REASON), "absent": Missing("the study has none")}.get(name, name))
    return decided(claim, given_, ledger=FILED if filed else LEDGER)


def ways(claim: str) -> list[list[str]]:
    """Return what each setting of a claim can come out as."""
    return [
        [*shades(c), "unmeasured", "absent", *(["against"] if "not enough" in shades(c) else [])]
        for c in LEDGER.claim(claim).settings
    ]


def study(**made: Sequence[str] | str) -> list[ClaimRow]:
    """Return all claims of a study: those named as given, the others as in the default study."""
    rows = []
    for claim in LEDGER.claims:
        if claim.id in INTERVALS:
            wanted = made.get(claim.id) or [NAMES[letter] for letter in DEFAULT.get(claim.id, "").split()]
            wanted = wanted or "unmeasured"
            each = [wanted] * len(claim.settings) if isinstance(wanted, str) else wanted
            rows.append(row(claim.id, tuple(each), filed=True))
    return [*rows, row("Q3i", ("absent", "absent")), row("Q3k", ("absent",))]


def everywhere(name: str) -> list[ClaimRow]:
    """Return a study in which every setting came out so, or as the next best that it can."""
    made = {}
    for claim in INTERVALS:
        second = {"opposite": "higher", "negligible": "supported"}.get(name, "open")
        made[claim] = [name if name in way else second if second in way else "opposite" for way in ways(claim)]
    return study(**made)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z“])", text)


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text; a number counts as one syllable."""
    tokens = re.findall(r"[A-Za-z']+|[\d.]+", text)
    return 0.39 * len(tokens) / len(sentences(text)) + 11.8 * sum(map(_syllables, tokens)) / len(tokens) - 15.59


def _syllables(word: str) -> int:
    word = word.lower().removesuffix("'s")
    if not word.isalpha():
        return 1
    count = len(re.findall(r"[aeiouy]+", word))
    silent = re.search(r"([^aeiouylt]e|[^aeiouyt]es|[^aeiouytd]ed)$", word) is not None
    return max(1, count - silent)


@settings(max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_a_sentence_says_every_outcome_and_names_both_sides(data: st.DataObject) -> None:
    claim = LEDGER.claim(data.draw(st.sampled_from(INTERVALS)))
    made = tuple(data.draw(st.tuples(*map(st.sampled_from, ways(claim.id)))))
    found = row(claim.id, made)
    check_sentence(claim, found)
    wanted = ["unmeasured" if name == "absent" else name for name in made]
    assert [outcome(s) for s in found.settings] == wanted


def check_sentence(claim: Claim, found: ClaimRow) -> None:
    text = found.sentence
    assert text.endswith(".") and not re.search(r"[{}]|None|nan|  |,\.|\b(bn|net|pool|gain)\b", text), text
    assert not set(BANNED) & set(re.findall(r"[a-z_]+", text.lower())), text
    assert max(len(s.split()) for s in sentences(text)) <= 30, text
    order = []
    for contrast, setting in zip(claim.settings, found.settings):
        part, name = claim.part(contrast.name), outcome(setting)
        says = part.says.get(name) or part.says["opposite" if name == "against" else "supported"]  # type: ignore[call-overload]
        if name == "unmeasured":
            assert (setting.reason or "").removeprefix("not evaluable: ") in text
            continue
        if name == "open":
            assert "open" in text
        else:
            assert says in text
            order.append((ORDER.index(name), text.index(says)))
        facts = [template for template in (part.fact, part.turned) if template]
        pieces = [[p for p in re.split(r"\{\w+\}", fact[1:]) if p] for fact in facts]
        assert any(all(piece in text for piece in some) for some in pieces), (setting.name, text)
    assert [place for _, place in sorted(set(order))] == sorted(place for _, place in set(order))


@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_whatever_comes_out_everything_said_is_whole(data: st.DataObject) -> None:
    picks = ["s", "o", "p", "n", "u"]
    made = {}
    for claim in ("Q1b", "Q1e", "Q2a", "Q2c", "Q2e", "Q3a", "Q3h", "U7", "Q4a", "Q4c", "Q4e", "Q4f"):
        chosen = data.draw(st.lists(st.sampled_from(picks), min_size=1, max_size=3))
        all_ways = ways(claim)
        names = [NAMES[chosen[i % len(chosen)]] for i in range(len(all_ways))]
        made[claim] = [name if name in way else "supported" for name, way in zip(names, all_ways)]
    check_study(study(**made))


@pytest.mark.parametrize("name", ["supported", "opposite", "negligible", "open", "unmeasured", "absent"])
def test_a_study_of_one_outcome_is_whole(name: str) -> None:
    check_study(everywhere(name))


def test_what_could_not_be_evaluated_is_not_said_to_be_missing() -> None:
    """A study whose networks all ran, and whose contrasts gave no number, says nowhere that it has no such networks."""
    wrong = re.compile(r"\b(?:not run|shakes no|is run in)\b|study has no (?!number)")
    told = [text for answer in answers(LEDGER, everywhere("unmeasured")) for text in said(answer)]
    assert not [text for text in told if wrong.search(text)]


def check_study(rows: list[ClaimRow]) -> None:
    """Check the words of a whole study: whole sentences, short cards, titles that are titles."""
    told = answers(LEDGER, rows)
    cards = [a.card for a in told if a.card]
    for answer in told:
        for text in said(answer):
            assert text.endswith((".", "?")) and not re.search(r"[{}]|None|  | \.|,\.|\b(bn|net|pool)\b", text), text
            assert max(len(s.split()) for s in sentences(text)) <= 36, text
    by_id = {row.id: [outcome(s) for s in row.settings] for row in rows}
    for step in (step for a in told if a.story for step in a.story.argument):
        found = set(by_id[step.claim])
        assert "open" not in found or found <= {"open", "unmeasured"} or "open" in step.text, step
        numbers = step.claim in step.claims and "open" in found
        assert not numbers or re.search(r"\b(open|clear)\b", step.text), step
    for lecture in (lecture for a in told if a.story for lecture in a.story.lecture):
        alone = all({"open"} <= set(by_id[claim]) <= {"open", "unmeasured"} for claim in lecture.claims)
        assert not lecture.claims or not alone or re.search(r"\b(open|clear)\b", lecture.fact), lecture
    for card in cards:
        assert len(card.finding.split()) <= 14 and "(" not in card.finding, card.finding
        assert "not tested" not in card.finding + card.stops and "can't say" not in card.finding + card.stops
        assert max(len(s.split()) for s in sentences(f"{card.finding} {card.stops}")) <= 20
    first = " ".join(f"{card.asked} {card.finding} {card.stops}" for card in cards)
    assert len(first.split()) <= 135  # the scope line has the rest of 160
    for filed, finding in zip(LEDGER.findings, findings(LEDGER, rows).values()):
        claim = Condition.read(filed.title[0].when[0]).place.claim
        assert finding.title or "unmeasured" in by_id[claim], filed.figure
        assert not re.search(r"[{}]|  |\.$", finding.title), finding


def test_the_words_of_the_default_study_are_plain() -> None:
    told = answers(LEDGER, study())
    first = " ".join(f"{a.card.asked} {a.card.finding} {a.card.stops}" for a in told if a.card)
    assert grade(first) <= 8
    for answer in told:
        if answer.story:
            text = " ".join(story(answer.story))
            assert grade(text) <= 10 and 280 <= len(text.split()) <= 430, (answer.id, grade(text), len(text.split()))
            assert np.mean([len(s.split()) for s in sentences(text)]) <= 16
    everything = [s for a in told for text in said(a) for s in sentences(text) if len(s.split()) > 7]
    assert not {s for s in everything if everything.count(s) > 1}
    captions = [f.caption for f in LEDGER.findings]
    assert len(set(captions)) == len(captions)


@pytest.mark.parametrize(
    "told", sorted((ROOT / "results/reference").glob("*/answers.json")), ids=lambda path: path.parent.name
)
def test_a_real_story_is_read_in_three_minutes(told: Path) -> None:
    """At some 170 words a minute, with the learner's question and the guess, which are its first three texts."""
    for answer in from_json(list[AnswerRow], json.loads(told.read_text())):
        if answer.story:
            text, apart = " ".join(story(answer.story)), " ".join(story(answer.story)[3:]).split()
            assert grade(text) <= 10 and len(apart) <= 405, (answer.id, grade(text), len(apart))
            assert np.mean([len(s.split()) for s in sentences(text)]) <= 16


def test_no_emphatic_do_and_no_claim_without_the_claim() -> None:
    texts = [text for c in LEDGER.claims for p in c.parts for text in (*p.says.values(), p.fact, p.turned or "")]
    texts += [a.text for f in LEDGER.findings for a in f.title]
    assert not [t for t in texts if re.search(r"\bdo(es)?\b(?! not| better)|as claimed", t)]


# The cases that an audit of the first page found, each false or unreadable then


def one(claim: str) -> ClaimRow:
    return next(r for r in study() if r.id == claim)


def test_shades_that_differ_are_each_said() -> None:
    """Q2a said "doesn't lose less by as much as would matter" where batch norm loses more under blur."""
    text = one("Q2a").sentence
    assert "batch norm loses more accuracy under blur" in text and "points more" in text
    assert "spares no accuracy that matters under noise" in text
    assert "left open under changed contrast, changed brightness, rotation and translation" in text


@pytest.mark.parametrize(
    "claim, opposite, supported",
    [
        ("Q3a", "with batch norm training takes 1.6 times", "without batch norm training takes 1.6 times"),
        ("Q4e", "with batch norm they take 1.6 times", "without batch norm they take 1.6 times"),
        ("Q4g", "in the shallow network is 1.6 times", "in the deep network is 1.6 times"),
        ("Q3h", "the change of scale multiplies the steps 2.2 times", "as much without batch norm as with it"),
    ],
)
def test_the_direction_is_in_the_sentence(claim: str, opposite: str, supported: str) -> None:
    for name, text in (("opposite", opposite), ("supported", supported)):
        made = tuple(name if name in way else "supported" for way in ways(claim))
        assert text in row(claim, made).sentence.lower()


def test_an_open_claim_gives_its_effects_and_both_sides() -> None:
    text = one("Q3d").sentence
    assert text.startswith("Whether normalizing once, with constants, is as fast as batch norm stays open")
    assert "as many steps as with batch norm; 1.25 times was allowed" in text


def test_a_headline_is_about_the_networks_that_it_names() -> None:
    """It spoke of the one start, of fourteen, in which the network without batch norm was ahead."""

    def finding(question: str, rows: list[ClaimRow]) -> str:
        return next(a.card.finding for a in answers(LEDGER, rows) if a.id == question and a.card)

    assert finding("Q3", study()) == "Fewer steps with skips or badly scaled weights, more at 20 layers."
    mixed = ["supported", "opposite"]
    assert finding("Q3", study(Q3a=mixed)) == "Fewer steps at 5 layers, more at 20 layers."
    assert finding("Q1", study()).endswith("elsewhere at 5 layers.")


def test_a_title_over_an_open_claim_says_what_is_seen() -> None:
    """fig-halves said "trains faster" over a claim left open."""
    titles = {k: f.title for k, f in findings(LEDGER, everywhere("open")).items()}
    assert "faster" not in titles["halves"] and "times as many steps" in titles["halves"]
    vague = [k for k, t in titles.items() if not re.search(r"\d", t)]
    assert not vague, vague


def test_places_share_only_whole_words_of_where() -> None:
    places = ("5 layers in networks", "5 layers in networks started small", "20 layers in networks")
    plain, small, deep = (f"at {place}; to loss 0.5" for place in places)
    assert listing([plain, small]) == "at 5 layers in networks and networks started small to loss 0.5"
    gradients = listing(["at 20 layers in networks", "for gradients at 20 layers in networks"])
    assert gradients == "at 20 layers in networks and for gradients at 20 layers in networks"
    assert listing([plain, deep]) == "at 5 and 20 layers in networks to loss 0.5"


def test_rounding_never_makes_a_contradiction() -> None:
    edges = (0.0, log(1.25), -log(1.25))
    assert effect(log(1.1), log(1.002), log(1.2503), "ln times", edges) == "1.1 times (1.002 to 1.3)"
    assert effect(log(0.9), log(0.79996), log(0.9), "ln times", edges) == "0.90 times (0.79996 to 0.90)"
    assert effect(0.11, 0.1012, 0.12, "sd", (0.0, 0.1, -0.1)) == "0.11 sd (0.101 to 0.12)"
    assert effect(-29, -37, -23, "points", sides=("less", "more")) == "29 points more (23 to 37)"
    assert effect(-2.1, -4.1, 0.61, "points", sides=("less", "more")) == "2.1 points more (0.61 less to 4.1 more)"
    assert effect(None, -4.1, None, "points", sides=("less", "more")) == "at most 4.1 points more"


def test_a_verdict_that_hangs_on_a_thousandth_says_so() -> None:
    near = exact(np.linspace(-0.0005, 0.018, SEEDS))
    text = decided("Q1a", [near, "supported"]).sentence
    assert "That hangs on a thousandth of an sd at 5 layers." in text and "an sd at 20 layers" not in text


def test_names_of_what_is_varied_are_words() -> None:
    assert words.arm("bn_noisy_mild") == "mildly shaken batch norm" and words.arm("my_arm") == "my arm"
    told = words.factors({"net": "resmlp", "pool": 1, "gain": 0.41})
    assert told == "skip connections, images at full size, first weights 0.41 times as large"


def test_mechanisms_rest_on_checks_that_there_are() -> None:
    ids = {f"E{i}" for i in range(1, 16)}
    assert {a.story.mechanism.check for a in answers(LEDGER, study()) if a.story} <= ids


def test_readers_are_told_once_whose_networks_the_intervals_speak_of() -> None:
    """Seeds redraw splits, weights and batches, never the pool: no interval speaks of images that the study does not hold."""
    told = [answer.open for answer in answers(LEDGER, study())]
    assert ["own pictures, not of other pictures" in text for text in told] == [True, False, False, False, False]
    methods = (Path(__file__).parents[1] / "report/methods.ipynb").read_text()
    assert "An interval speaks of networks on this study's own pool of images" in methods
