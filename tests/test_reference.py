"""Studies kept in results/reference: small, true to four digits, whole enough for their page, and set beside others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.api.types import is_float_dtype

from bnstudy.claims.records import ClaimRow, from_json, to_json
from bnstudy.config.study import StudyConfig
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.reference import CHOSEN, WHOLE, keep, renew, small
from bnstudy.pipeline.verdicts import set_beside
from bnstudy.report.figures import first_weights
from bnstudy.report.page.templates import filled
from bnstudy.report.results import COLUMNS, Results
from helpers import synthetic
from helpers.pages import built, drawers, study
from helpers.project import ROOT

REFERENCES = sorted(path.parent for path in (ROOT / "results/reference").glob("*/claims.json"))


def test_numbers_keep_four_digits_and_no_text_changes() -> None:
    values = np.array([1.23456789, -9.87654e-5, 1e9 / 3, 0.0, np.nan, np.inf])
    table = pd.DataFrame({"arm": ["bn"] * 6, "rate": values, "dose": values, "moments": values, "seed": range(6)})
    kept = small(table)
    np.testing.assert_allclose(kept["moments"], values, rtol=6.2e-5)
    assert not np.array_equal(kept["moments"][:3], values[:3].astype("float32"))
    same = ["rate", "dose", "seed"]
    assert kept[same].equals(table[same]) and list(kept["arm"]) == ["bn"] * 6


def test_a_kept_study_holds_every_row_that_a_figure_draws(tmp_path: Path) -> None:
    made = study(tmp_path / "made", synthetic.tables("support"))
    for name in WHOLE:
        if not (made / name).exists():
            (made / name).write_text(",".join(COLUMNS.get(Path(name).stem, [])))
    before, after = Results(made), Results(keep(made, tmp_path / "kept"))
    moments = {"checkpoint": before.main, "site": "next", "arm": ["none", "bn", "bn_frozen", "once"]}
    for name, where in (("convergence", {}), ("moments", moments), ("shift", {})):
        old, new = (results.at(name, **where).reset_index(drop=True) for results in (before, after))  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(new, old[list(new)], check_dtype=False, rtol=7e-5)
        assert len(new)
    pd.testing.assert_frame_equal(after.table("contrasts"), before.table("contrasts"))
    assert len(after.table("contrasts")) and len(drawers()) > 40
    for draw in drawers().values():
        made_, kept = (
            pictures if isinstance(pictures := draw(results), list) else [pictures] for results in (before, after)
        )
        for drawn, again in zip(made_, kept, strict=True):
            keys = [c for c in again.table if c in CHOSEN or not is_float_dtype(again.table[c])]
            rows = [t[keys].sort_values(keys, ignore_index=True).astype(str) for t in (drawn.table, again.table)]
            pd.testing.assert_frame_equal(*rows, obj=again.id)
    assert after.cells and after.cells == [{k: cell[k] for k in ("cell", "setting", "rate")} for cell in before.cells]


@pytest.mark.parametrize("folder", REFERENCES, ids=lambda path: path.name)
def test_the_page_of_a_reference_study_is_drawn_from_its_folder_alone(folder: Path, tmp_path: Path) -> None:
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 3e6
    page = built(Path(shutil.copytree(folder, tmp_path / folder.name)))
    for row in json.loads((folder / "claims.json").read_text()):
        assert f'id="claim-{row["id"]}"' in page
    assert page.count("<svg") >= 4 + 2 * 30  # the cards' small pictures, and the figures at two widths


def test_all_of_them_are_small() -> None:
    files = (ROOT / "results/reference").rglob("*")
    assert sum(path.stat().st_size for path in files if path.is_file()) < 8e6


def test_a_story_says_where_another_study_decides_otherwise(tmp_path: Path) -> None:
    results = Results(study(tmp_path / "made", synthetic.tables("support", thin=True)))
    plain = filled("story.html", row=results.answers["Q3"], checks=(), claims=results.claims)
    beside = {"other": "contradicted", "third": "supported"}
    turned = {**results.claims, "Q3a": replace(results.claims["Q3a"], beside=beside)}
    assert "In the study" not in plain
    told = filled("story.html", row=results.answers["Q3"], checks=(), claims=turned)
    assert "In the study “other” it is contradicted." in told
    facts = {"other": "With it training takes 3.0 times as many steps.", "third": "It takes as many."}
    told = filled(
        "story.html", row=results.answers["Q3"], checks=(), claims={"Q3a": replace(turned["Q3a"], beside_facts=facts)}
    )
    assert "In the study “other” it is contradicted: with it training takes 3.0 times as many steps." in told
    both = replace(
        turned["Q3a"], beside={**beside, "one_more": "contradicted"}, beside_facts={"one_more": "It takes 2.0 times."}
    )
    told = filled("story.html", row=results.answers["Q3"], checks=(), claims={"Q3a": both})
    assert "In the study “other” it is contradicted. In “one more” too: it takes 2.0 times." in told


def test_the_map_tells_the_range_of_first_weights_at_every_depth() -> None:
    results = Results(ROOT / "results/reference/map")
    told = first_weights.widths(results)
    assert told.head[2:] == ["no normalization", "batch norm"]
    assert [row[:2] for row in told.rows] == [
        [net, d] for net in ("plain", "skips") for d in ("3", "5", "10", "20", "30")
    ]
    runs = results.table("convergence").query("target == 0.5 and rate in (0.01, 0.03, 0.1)")
    came = runs.groupby(["net", "depth", "arm", "gain", "seed"])["reached"].any()
    scales = came.groupby(["net", "depth", "arm", "seed"]).sum() * np.log10(2.46 / 0.22) / 8
    for net, (kind, depth, *arms) in zip(["mlp"] * 5 + ["resmlp"] * 5, told.rows, strict=True):
        for arm, text in zip(("none", "bn"), arms):
            values = sorted(scales[net, int(depth), arm])  # of twelve seeds the third from either end
            middle = (values[5] + values[6]) / 2
            assert text == f"{middle:.2f} ({values[2]:.2f} to {values[9]:.2f})", (kind, depth, arm)
    judged = next(setting for setting in results.claims["U8"].settings if "with and without" in setting.name)
    without, with_norm = (float(text.split()[0]) for text in told.rows[1][2:])
    assert judged.estimate == pytest.approx(with_norm - without, abs=0.011)
    assert not first_weights.widths(Results(ROOT / "results/reference/default")).rows


def test_a_kept_study_speaks_in_the_words_of_today(tmp_path: Path) -> None:
    """What was said wrong, or beside studies that are no longer kept, is said anew; numbers stay."""
    for folder in REFERENCES[:2]:
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("tables"))
    one, other = (tmp_path / folder.name for folder in REFERENCES[:2])
    before = json.loads((one / "claims.json").read_text())
    old = [row | {"sentence": "Old words.", "beside": {"gone": "supported"}} for row in before]
    (one / "claims.json").write_text(json.dumps(old))
    (one / "answers.json").write_text("[]")
    renew(one)
    renewed = json.loads((one / "claims.json").read_text())
    assert renewed == to_json(set_beside(from_json(list[ClaimRow], before), [other]))
    assert [answer["id"] for answer in json.loads((one / "answers.json").read_text())] == ["Q1", "Q2", "Q3", "Q4", "U"]


def test_verdicts_of_reference_studies_stand_beside(tmp_path: Path) -> None:
    rows = json.loads((REFERENCES[0] / "claims.json").read_text())
    found = {row.id: row.beside for row in set_beside(from_json(list[ClaimRow], rows), [REFERENCES[0]]) if row.beside}
    judged = {row["id"]: row["verdict"] for row in rows if row["verdict"] not in ("not judged", "not tested")}
    assert {claim: by[REFERENCES[0].name] for claim, by in found.items()} == judged
    own = StudyConfig.model_validate({"study": REFERENCES[0].name})
    assert REFERENCES[0].name not in {Path(folder).name for folder in Plan(own).beside}
    assert Plan(StudyConfig.model_validate({"study": "mine"})).beside
    with pytest.raises(SystemExit, match="beside: unheard: no such study"):
        Plan(StudyConfig(study="mine", beside=("unheard",)))
