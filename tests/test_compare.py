"""Two studies side by side."""

from dataclasses import replace
from pathlib import Path

import pytest

from bnstudy.claims.records import ClaimRow, JudgedWith
from bnstudy.compare import Study, load, page
from helpers.rows import claim_row, contrast_row


def row(id: str, verdict: str, detail: str | None = None) -> ClaimRow:
    said = {"sentence": f"Sentence of {id}, {verdict}.", "effect": "2.0 times (1.5 to 3.0)"}
    return claim_row(id=id, statement=f"Statement {id}.", verdict=verdict, detail=detail, **said)


JUDGED = JudgedWith(depths={"shallow": 5}, base={"net": "mlp"}, targets=(0.5, 0.25), seeds=16)


def compared(one: list[ClaimRow], other: list[ClaimRow], *folders: str) -> str:
    forecasts = [
        {"outcome": o, "net": "cnn", "gain": "1", "saves": "False"} for o in ("right", "wrong", "wrong", "open")
    ]
    studies = [Study({r.id: r for r in rows}, JUDGED, forecasts) for rows in (one, other)]
    return page([*map(Path, folders or ("results/a", "results/b"))], studies)


def sections(text: str) -> dict[str, str]:
    return {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}


def test_claims_are_sorted_by_whether_the_studies_agree() -> None:
    one = [row("Q1", "supported"), row("Q2", "supported"), row("Q3", "contradicted", "opposite"), row("Q4", "mixed")]
    other = [row("Q1", "supported"), row("Q2", "mixed"), row("Q3", "contradicted", "negligible")]
    one, other = [*one, row("Q5", "inconclusive")], [*other, row("Q4", "not tested"), row("Q5", "not tested")]
    text = compared(one, [*other, row("A1", "supported")])
    found = sections(text)
    assert "Of 5 claims both studies decide 3; on 1 of these they agree, on 2 they don't. 1 are decided by one" in text
    apart, alone = found["Where the two disagree"], found["Where only one decides"]
    assert [name in apart for name in ("Q1.", "Q2.", "Q3.", "Q4.", "Q5.")] == [False, True, True, False, False]
    assert [name in alone for name in ("Q1.", "Q2.", "Q3.", "Q4.", "Q5.")] == [False, False, False, True, False]
    assert "- a: *contradicted (opposite)*. Sentence of Q3" in apart
    assert "`python -m bnstudy compare results/a results/b` makes" in text
    forecasts = found["Was it forecast where batch norm saves steps?"]
    assert "- b: 1 right, 2 wrong (2 of cnn at gain 1, forecast: saves nothing), 1 open." in forecasts
    assert found["Side by side"].count("| Q") == 5 and "A1" not in text


def test_two_studies_of_one_name_are_told_apart_by_their_folders() -> None:
    text = compared([row("Q1", "supported")], [row("Q1", "mixed")], "results/reference/default", "results/default")
    assert "- results/default: *mixed*." in text and "- results/reference/default: *supported*." in text


def test_settings_on_the_same_networks_are_counted_by_what_the_seeds_had_told() -> None:
    def claim(*verdicts: tuple[str, float | None], networks: str = "none-5") -> ClaimRow:
        settings = [
            contrast_row(name=str(place), verdict=verdict, stability=agree, networks=(networks,))
            for place, (verdict, agree) in enumerate(verdicts)
        ]
        return claim_row(id="Q1", verdict="mixed", settings=tuple(settings))

    stable, near, far = [("supported", share) for share in (0.95, 0.94, 0.7)]
    lost = contrast_row(name="lost", n_seeds=0)
    one = claim(stable, stable, near, far, ("open", None))
    other = claim(stable, ("open", 1.0), ("contradicted", 1.0), stable, stable)
    text = compared([replace(one, settings=(*one.settings, lost))], [replace(other, settings=(*other.settings, lost))])
    found = sections(text)["Setting by setting"]
    assert "Of 5 settings on the same networks 3 came out otherwise, 1 of them the other way round." in found
    assert "of the seeds of a agree" in found
    for row in ("95% and more | 2 | 1", "80% to 95% | 1 | 1", "below 80% | 1 | 0", "greatest seed | 1 | 1"):
        assert f"{row} |" in found
    assert "Setting by setting" not in sections(compared([one], [claim(stable, networks="none-20")]))


def test_two_that_agree_have_nothing_to_say() -> None:
    rows = [row("Q1", "supported")]
    assert "None." in sections(compared(rows, rows))["Where the two disagree"]


def test_a_folder_without_claims_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is no finished study.*snakemake"):
        load(tmp_path)
