"""The claims file: what is wrong with one is said, with its place, before any work."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnstudy.claims.file import check_seeds, merged
from bnstudy.claims.judge import ClaimsError, load
from bnstudy.claims.ledger import Answer
from bnstudy.core import yaml_file
from helpers.judging import FILE, FILED, LEDGER
from helpers.project import ROOT, python


@cache
def _whole() -> str:
    raw = yaml_file.load(FILE)
    return json.dumps(merged(raw, yaml_file.load(FILE.with_name(raw.pop("text_file")))))


def whole_file() -> Any:
    """Return the claims file with all its words in it, as a file of one's own may be."""
    return json.loads(_whole())


def write(raw: Any, folder: Path) -> Path:
    """Write a claims file; Python's own writer takes six times as long as libyaml's."""
    path = folder / "claims.yaml"
    path.write_text(yaml.dump(raw, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False))
    return path


def refused(raw: Any, folder: Path, message: str) -> None:
    """Check what is said of a claims file that cannot be used."""
    with pytest.raises(ClaimsError, match=message):
        load(write(raw, folder))


def test_what_is_tested_and_what_is_said_stand_apart() -> None:
    raw = yaml_file.load(FILE)
    said = yaml_file.load(FILE.with_name(raw["text_file"]))
    assert "findings" not in raw and not {"parts"} & {k for c in raw["claims"] for k in c}
    assert list(said["claims"]) == [c["id"] for c in raw["claims"]]
    assert all(isinstance(claim, list) or set(claim) == {"heard", "parts"} for claim in said["claims"].values())
    for claim in FILED.claims:
        listed = [name for part in claim.parts for name in part.settings]
        assert sorted(listed) == sorted(s.name for s in claim.settings), claim.id
        assert all(len(set(part.settings.values())) == len(part.settings) for part in claim.parts), claim.id


def test_what_is_written_out_is_read_as_well(tmp_path: Path) -> None:
    """A claim's question, what its settings share, their places, texts as answers, and the steps of a story as a list."""
    raw = whole_file()
    for claim, filed in zip(raw["claims"], FILED.claims, strict=True):
        claim |= {"question": filed.question, **claim.pop("each", {})}
        for part, placed in zip(claim["parts"], filed.parts, strict=True):
            part["settings"] = placed.settings
    for question in raw["questions"]:
        for ask in question.get("asks", []):
            ask["sentences"] = [[{"text": s}] if isinstance(s, str) else s for s in ask["sentences"]]
        if story := question.get("story"):
            story["argument"] = [{"claim": claim, "text": text} for claim, text in story["argument"].items()]
            for told in story["unclear"]:
                told["answer"] = [[{"text": told["answer"]}]] if isinstance(told["answer"], str) else told["answer"]
    assert load(write(raw, tmp_path)) == FILED.model_copy(update={"text_file": None})


def test_what_is_said_once_reaches_each_setting() -> None:
    """Of a setting's own arms and its claim's, its own hold; a premise under an anchor is the same in both claims."""
    q4b, q1e, q1i = map(FILED.claim, ("Q4b", "Q1e", "Q1i"))
    assert [s.arms for s in q4b.settings] == [["none"], ["none", "bn"]] * 2
    assert {s.depth for s in q4b.settings} == {"deep"} and q1i.settings[0].premises == q1e.settings[0].premises[1:]
    assert (q4b.question, FILED.claim("U1").question) == ("Q4", "U")


def test_where_a_setting_is_taken_goes_without_saying_at_a_depth_of_its_own(tmp_path: Path) -> None:
    def places(change: Callable[[Any], object], claim: str) -> list[dict[str, str]]:
        raw = whole_file()
        change(next(c for c in raw["claims"] if c["id"] == claim))
        return [part.settings for part in load(write(raw, tmp_path)).claim(claim).parts]

    def gone(claim: Any) -> None:
        del claim["parts"][0]["settings"]

    assert places(lambda c: None, "Q3a")[0]["{deep}, {main}, best rates"] == "at {deep}; to {main}"
    assert places(gone, "Q3a") == [{"{shallow}, {main}, best rates": "at {shallow}", "{deep}, {main}, best rates": "at {deep}"}]  # fmt: skip
    assert places(gone, "Q2b") == [{}]  # three settings at one depth: their names tell them apart
    for claim, name in (("Q3k", "all settings with and without batch norm"), ("Q3i", "a batch of 8; a batch of 64")):
        with pytest.raises(
            ClaimsError, match=f"{claim}: {name}: a place that begins with `;` stands behind the setting's"
        ):
            places(lambda c: c["parts"][0].update(settings={s["name"]: "; there" for s in c["settings"]}), claim)


def test_a_text_alone_and_steps_by_their_claims() -> None:
    story = FILED.questions[1].story
    assert story and [step.claim for step in story.argument] == ["Q2b", "Q2a", "Q2c", "Q2h", "Q2g"]
    alone = Answer(text="In use, batch norm takes mean and spread from averages stored in training.")
    assert story.argument[0].text[0] == [alone] and len(story.argument[0].text) == 2
    assert story.lecture[0].right == [[Answer(text="That is what the word means, and normalized values shift too.")]]


def test_words_come_from_either_file(tmp_path: Path) -> None:
    assert load(write(whole_file(), tmp_path)) == FILED.model_copy(update={"text_file": None})
    raw = yaml_file.load(FILE)
    raw["claims"][0]["parts"] = [{"what": "a / b", "says": {"supported": "x", "opposite": "y"}, "fact": "{effect}"}]
    refused(raw, tmp_path, "claims_text.yaml cannot be read")
    shutil.copy(FILE.with_name("claims_text.yaml"), tmp_path)
    mine = load(tmp_path / "claims.yaml")
    assert mine.claim("Q1a").parts[0].what == "a / b" and mine.claim("Q1b").parts == FILED.claim("Q1b").parts
    raw["claims"].append({**raw["claims"][1], "id": "Q1z"})
    refused(raw, tmp_path, "no words for Q1z: write `parts`")
    text = tmp_path / "claims_text.yaml"
    whole = text.read_text()
    for line, place in (("  Q1d:\n    ", "Q1d.sesoi"), ("  Q1a:\n    - ", "Q1a.parts.0.sesoi")):
        text.write_text(whole.replace(line, f"{line}sesoi: 9.0\n{' ' * len(line.splitlines()[1])}"))
        refused(raw, tmp_path, rf"claims_text.yaml cannot be used:\n  - claims.{place}: Extra inputs")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(colour="red"), "Q3a.colour: Extra inputs are not permitted"),
        (lambda c: c["each"].update(colour="red"), "Q3a.settings.*best rates.colour: Extra inputs are not permitted"),
        (lambda c: c.update(each=["bn"]), "Q3a: `each` holds keys of settings, as in each: {unit: times"),
        (lambda c: c.update(id="B1"), "B1.id: String should match pattern"),
        (lambda c: c.update(sesoi="1,25"), "Q3a.*sesoi.*1,25"),
        (lambda c: c.update(sesoi=True), "Q3a.*sesoi"),
        (lambda c: c.update(arms=["none"]), "takes 2 arms"),
        (lambda c: c.update(family="contrast"), "no use for family"),
        (lambda c: c.update(endpoint="column_ratio"), "endpoint"),
        (lambda c: c["parts"][0]["says"].pop("opposite"), "lacks words for opposite"),
        (lambda c: c["parts"][0]["says"].update(higher="x"), "higher can never be said"),
        (lambda c: c["parts"][0]["says"].update(contradicted="x"), "Q3a.parts.*says.contradicted"),
        (lambda c: c["parts"][0].update(fact="{efect}"), "must name {effect}, and may name {sesoi} besides"),
        (
            lambda c: c["parts"].append({**c["parts"][0], "settings": {}}) or c["parts"][0]["settings"].popitem(),
            "which of its parts {deep}, {main}, best rates belongs to is not said",
        ),
        (lambda c: c.update(question="Q9"), "question Q9 is not this claim's"),
        (lambda c: c.update(shares="Q3d"), "not those of Q3d, judged as well, with the arms exchanged"),
        (lambda c: c.update(settings=[]), "at least 1 item"),
    ],
)
def test_a_bad_file_says_where_and_what(change: Any, message: str, tmp_path: Path) -> None:
    raw = whole_file()
    change(next(c for c in raw["claims"] if c["id"] == "Q3a"))
    refused(raw, tmp_path, message)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(FILE.read_text().replace("unit: sd,", "unit: sd, unit: points,", 1))
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
        "import sys; from pathlib import Path; from bnstudy.claims.judge import load; load(Path(sys.argv[1]));"
        "print([m for m in ('pandas', 'torch', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = python(ROOT, "-c", code, str(FILE))
    assert done.stdout.strip() == "[]", done.stderr


def test_more_settings_than_seeds_allow_are_refused(tmp_path: Path) -> None:
    raw = whole_file()
    q2a = next(c for c in raw["claims"] if c["id"] == "Q2a")
    q2a["settings"] = [
        {"name": "blur", "family": "blur"},
        *({"name": f"contrast {i}", "family": "contrast"} for i in range(15)),
    ]
    path = write(raw, tmp_path)
    assert load(path).primary("Q2") == 36
    with pytest.raises(
        ClaimsError, match="Q2 has 103 primary settings, but 12 evaluation seeds allow at most 102.*13 or more"
    ):
        check_seeds(path, {"Q1": 102, "Q2": 103}, 12)
    for seeds in (13, 3):
        check_seeds(path, {"Q1": 102, "Q2": 103}, seeds)


def test_shared_intervals_count_once() -> None:
    (shared,) = (c for c in LEDGER.claims if c.shares)
    for change, more in (({"shares": None}, len(shared.settings)), ({"judged": False}, 0)):
        claims = [c.model_copy(update=change) if c is shared else c for c in LEDGER.claims]
        counted = LEDGER.model_copy(update={"claims": claims}).primary(shared.question)
        assert counted == LEDGER.primary(shared.question) + more > 20


def test_a_judged_claim_shares_no_interval_with_one_that_is_not(tmp_path: Path) -> None:
    raw = whole_file()
    next(c for c in raw["claims"] if c["id"] == "Q1d")["judged"] = False
    refused(raw, tmp_path, "Q1f: its settings are not those of Q1d, judged as well")


def test_answers_refuse_what_does_not_exist(tmp_path: Path) -> None:
    for answer, message in (
        ({"when": ["Q1b is confirmed"], "text": "x"}, "confirmed: no outcome; there are supported, opposite"),
        ({"when": ["Q1b mostly supported"], "text": "x"}, '"Q1b mostly supported" is no condition; write it as in'),
        ({"when": ["Q1z has open"], "text": "x"}, "Q1z: the claims file has no such claim or setting"),
        ({"when": ["Q1b[sound] has open"], "text": "x"}, r"Q1b\[sound\]: the claims file has no such claim or setting"),
        ({"when": ["Q1b has open"], "text": "{Q1b.open.mood}"}, "{Q1b.open.mood}: no such field; write it as in"),
        (
            {"when": ["Q3e has open"], "text": "{Q3e.open.effect}"},
            r"{Q3e ... effect} is of settings that compare different things \(largest gradient .* without batch norm / with it\)",
        ),
        ({"text": "x"}, "the last answer alone may have no `when`: those after it are never said"),
    ):
        raw = whole_file()
        raw["questions"][0]["card"]["finding"][0].insert(0, answer)
        refused(raw, tmp_path, message)


def test_what_theory_says_of_untrained_networks_enters_no_verdict() -> None:
    """An identity that says so keeps its claims off the start; what follows from the ReLU alone is shown and not judged."""
    told = [claim for i in LEDGER.identities if "only trained networks are judged" in i.text for claim in i.claims]
    assert {"Q3e", "Q4a"} <= set(told)
    settings = [s for claim in told for s in LEDGER.claim(claim).settings if s.endpoint != "check"]
    assert [s.name for s in settings if s.checkpoint == "init"] == []
    assert not FILED.claim("Q1g").judged
