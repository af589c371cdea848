"""The page of findings that is committed, against the study that is committed."""

import json
from pathlib import Path

import pytest

from bnstudy.__main__ import main
from bnstudy.claims.answers import answers
from bnstudy.claims.file import load
from bnstudy.claims.records import ClaimRow, JudgedWith, from_json, to_json
from bnstudy.claims.sentences import sentence
from bnstudy.findings import page
from helpers.project import ROOT

REFERENCE = Path("results/reference/default")


@pytest.mark.parametrize(
    ("document", "command"),
    [
        ("findings.md", ["bnstudy", "findings", str(REFERENCE)]),
        ("fashion_mnist.md", ["bnstudy", "compare", str(REFERENCE), "results/reference/fashion_mnist_full"]),
    ],
)
def test_a_page_is_what_its_command_makes(
    document: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails: python -m COMMAND > docs/DOCUMENT"""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", command)
    main()
    assert (ROOT / "docs" / document).read_text() == capsys.readouterr().out


def test_the_committed_study_speaks_in_the_words_of_the_text_file() -> None:
    """If this fails: python -m bnstudy reference results/reference/default"""
    judged = from_json(JudgedWith, json.loads((ROOT / REFERENCE / "ledger.json").read_text()))
    ledger = load(ROOT / "config" / "claims.yaml", judged.kinds)
    rows = from_json(list[ClaimRow], json.loads((ROOT / REFERENCE / "claims.json").read_text()))
    later = {claim.id for claim in ledger.claims} - {row.id for row in rows}
    if later:  # its numbers are those of the claims it was judged by: other words would say of them what they are not
        pytest.skip(
            f"the committed study ran before there was {', '.join(sorted(later))}: run the default, and commit it"
        )
    own = {claim.id: claim for claim in ledger.claims}
    assert [row.id for row in rows if row.id in own and row.sentence != sentence(row, own[row.id])] == []
    committed = json.loads((ROOT / REFERENCE / "answers.json").read_text())
    said = json.loads(json.dumps(to_json(answers(ledger, rows))))
    assert said == [answer for answer in committed if answer["id"] != "A"]  # A: arms that the claims file does not name


def test_every_claim_of_every_question_is_there() -> None:
    claims = json.loads((ROOT / REFERENCE / "claims.json").read_text())
    text = page(ROOT / REFERENCE)
    assert [c["id"] for c in claims if f"**{c['id']}. {c['statement']}**" not in text] == []
    assert [c["id"] for c in claims if c["question"] != "A" and c["sentence"] not in text] == []


def test_a_folder_without_a_study_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is no finished study"):
        page(tmp_path)
