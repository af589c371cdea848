"""The claims file: what is wrong with one is said, with its place, before any work."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bnstudy.claims.judge import ClaimsError, load
from helpers.judging import FILE, LEDGER


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


def test_shared_intervals_count_once() -> None:
    assert {q.id: LEDGER.primary(q.id) for q in LEDGER.questions} == {"Q1": 20, "Q2": 22, "Q3": 25, "Q4": 23, "U": 18}


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
