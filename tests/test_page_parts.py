"""What the page is made of, piece by piece, and pages of studies that lack something."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape

from bnstudy.claims.records import FindingRow
from bnstudy.pipeline.notebook import execute
from bnstudy.pipeline.provenance import provenance
from bnstudy.report import show
from bnstudy.report.figures import movement
from bnstudy.report.page import blocks, methods
from bnstudy.report.page.build import _made, build
from bnstudy.report.page.checking import cells
from bnstudy.report.page.glossary import GLOSSARY, explained
from bnstudy.report.page.quiz import quiz
from bnstudy.report.page.walk import body, mathml
from bnstudy.report.results import Results
from helpers import synthetic
from helpers.pages import NOTEBOOKS, QUIZ, built, output, page, source, study, unrendered
from helpers.project import ROOT
from helpers.read_page import BOUND, cards, figures, found

DEFAULT = ROOT / "results" / "reference" / "default"


@pytest.fixture(scope="module")
def missing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of networks without batch norm alone."""
    return study(tmp_path_factory.mktemp("missing"), synthetic.tables("missing", seeds=12), seeds=12)


@pytest.fixture
def lacking(missing: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(missing, tmp_path / "lacking"))


def test_a_mixed_world_builds(tmp_path: Path) -> None:
    assert ">mixed<" in page(tmp_path, synthetic.tables("mixed", seeds=12, thin=True), unrendered, seeds=12)


def test_a_study_without_batch_norm_builds_with_whole_cards(lacking: Path) -> None:
    text = built(lacking, unrendered)
    assert ">not tested<" in text and "no figure, since this study lacks batch norm" in text
    assert set(figures(text)) & set(BOUND) == {"share-left"}  # about networks without batch norm
    assert len(cards(text)) == 4 and all('class="stops"' in card and "<h2>" in card for card in cards(text))


def test_what_others_say_is_weighed_where_a_study_contradicts_it() -> None:
    """Claims of the lecture that a story weighs have their five parts there."""
    for folder in DEFAULT.parent.iterdir():
        study, weighed = Results(folder), set[str]()
        for answer in study.answers.values():
            weighed |= {claim for said in (answer.story.lecture if answer.story else ()) for claim in said.claims}
        for row in study.claims.values():
            heard = {"L", "A"} & set(row.by.split(", ")) and row.verdict == "contradicted"
            assert not heard or row.heard or row.id in weighed, f"{folder.name} {row.id}"
            assert ("What is said:" in blocks.claim(row)) == bool(row.heard and row.verdict == "contradicted")


def test_seeds_that_got_no_farther_are_counted_line_by_line() -> None:
    """All seeds have a start; that some never came to the target's loss is said of that line alone."""
    study = Results(DEFAULT)
    table = study.at("gradients", net="resmlp", arm=["none", "bn"], depth=20, checkpoint=["init", "loss0.25"])
    total, fewer, least = show._seeds(study, table)
    left = table[(table["arm"] == "none") & (table["checkpoint"] == "loss0.25")]["seed"].nunique()
    assert left < total and fewer == [f"no normalization at 20 layers, loss 0.25, {left} of {total}"] and least == left


def test_runs_that_never_arrived_are_counted_where_a_figure_lacks_them() -> None:
    """Normalized once is drawn at 5 layers; at 20 most of its runs never arrived, and its line is lacking."""
    study = Results(DEFAULT)
    table = study.at("drift", site="next", arm=["bn", "once"], depth=[5, 20], start="loss1.0", end="loss0.25")
    table = table[(table["arm"] == "bn") | (table["depth"] == 5)]
    runs = study.at("convergence", target=0.25, arm="once", depth=20)
    late = int((~runs["reached"].astype(bool)).sum())
    line = "normalized once at 20 layers"
    assert late > 9 and show._late(study, table) == {line: f"{line}, {late} of {len(runs)}"}
    assert show._late(study, runs) == {}  # its rows tell who arrived


def test_a_figure_of_which_the_verdict_says_nothing_has_its_own_title(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its rows say, and without that its subject, which is then said once."""
    study, shown = Results(DEFAULT), list[tuple[str, str, str]]()
    monkeypatch.setitem(study.findings, "drift", FindingRow(title="", caption="Up moves more."))
    monkeypatch.setattr(show, "_show", lambda picture, *said: shown.append(said))
    picture = movement.drift(study)
    show.figure(picture, replace(picture, found="What the rows say"))
    (plain, first, alt), (title, second, other) = shown
    assert (plain, title) == (picture.subject, "What the rows say")
    assert first.startswith("Up moves more.") and second.startswith(f"{picture.subject}. Up moves more.")
    assert alt.startswith(f"Line plot: {picture.subject}. no normalization, batch norm, ")
    assert other.startswith(f"Line plot: {picture.subject}. What the rows say. no normalization, batch norm, ")


def test_nobody_reaches_the_target(tmp_path: Path) -> None:
    tables = synthetic.tables("support", seeds=6, thin=True)
    for name in ("convergence", "sweep"):
        tables[name] = tables[name].assign(reached=False, steps=np.nan)
    text = page(tmp_path, tables, unrendered, seeds=6)
    assert "depths" in figures(text) and "Too few seeds for verdicts" in text
    assert "saved" not in figures(text)


def test_only_the_claims_are_there(lacking: Path) -> None:
    """A study without a single table."""
    for path in (*(lacking / "tables").iterdir(), lacking / "checks.json", lacking / "provenance.json"):
        path.unlink()
    text = built(lacking)
    assert not figures(text) and "no external checks on file" in text


def test_the_quiz_folds_an_answer_under_each_question() -> None:
    made = quiz(QUIZ.read_text())
    assert made.count("<li>") == made.count("<details>") == 8 and "Why later layers and not earlier ones?" in made
    with pytest.raises(ValueError, match="1 questions and 0 answers"):
        quiz("1. Why?\n\n## Key\n")


def test_what_verdicts_hang_on(tmp_path: Path) -> None:
    text = page(tmp_path, synthetic.tables("support", seeds=12, thin=True), seeds=12, hangs=True)
    rows = {row["id"]: row for row in json.loads((tmp_path / "claims.json").read_text())}
    flipped = [row for row in rows.values() if row["robustness"]]
    assert flipped and text.count('class="changes"') == 2 * len(flipped)  # beside the verdict, and in the scorecard
    blocks = dict(re.findall(r'<section class="claim" id="claim-(\w+)">(.*?)</section>', text, re.S))
    for name, block in blocks.items():
        assert escape(rows[name]["robustness_sentence"]) in block
        assert ('class="changes"' in block) == bool(rows[name]["robustness"])
    grid = found(r'<table class="grid">(.*?)</table>', text, re.S)
    judged = [name for name, row in rows.items() if row["verdict"] != "not judged"]
    assert re.findall(r'<th scope="row"><a href="#claim-(\w+)"', grid) == judged
    cells = re.findall(r'aria-hidden="true">(.)</span><span class="sr">([^<]+)<', grid)
    begins = dict(methods.KINDS.values())
    assert all(words.startswith(begins[mark]) for mark, words in cells)
    assert "≠" in dict(cells) and " becomes " in grid


def test_the_grid_shows_the_worst_of_a_column() -> None:
    rows = [("lower rate for none", "same"), ("higher rate for bn", "flipped"), ("optimizer adam", "not recomputed")]
    frame = pd.DataFrame(rows, columns=["change", "kind"])
    frame = frame.assign(id="Q1a", verdict="contradicted", base_verdict="supported")
    grid = methods.robustness(frame)
    assert grid.count("<td") == 1 and "adam" not in grid  # nothing is judged by it: no column
    one = pd.DataFrame([("Q1b", "optimizer adam", "same")], columns=["id", "change", "kind"])
    wider = methods.robustness(pd.concat([frame, one.assign(verdict="supported", base_verdict="supported")]))
    assert "optimizer adam" in wider and wider.count("<td") == 4 and "<td></td>" in wider
    assert "another verdict: supported becomes contradicted, higher rate for bn" in grid and ">=<" not in grid


def coverages(own: float, t: float) -> pd.DataFrame:
    rows = [("normal", n, m, 0.97, v, 10_000) for n in (10, 16) for m, v in (("order statistics", own), ("t", t))]
    names = ["distribution", "n", "method", "coverage", "false_verdicts", "simulated"]
    return pd.DataFrame(rows, columns=names)


def test_the_promise_of_the_intervals_is_worded_by_its_numbers() -> None:
    kept, broken = (methods.promise(coverages(*rates)) for rates in ((0.045, 0.3), (0.08, 0.051)))
    assert "keep that promise: 4.5% do. Under t intervals, which don't keep it, 30.0% do" in kept
    assert "break that promise: 8.0% do. Under t intervals, which keep it too, 5.1% do" in broken
    table = methods.coverage(coverages(0.045, 0.3))
    assert table.count('rowspan="2">normal<') == 1 and table.count("<tr>") == 2 + 2 and "<td>30.0</td>" in table
    assert "no simulation" in methods.coverage(pd.DataFrame())


def test_the_slowest_jobs_and_the_kinds_of_processors_are_listed(tmp_path: Path) -> None:
    for index in range(7):
        path = tmp_path / ("sweep", "evaluate")[index % 2] / f"depth-{index}.json"
        path.parent.mkdir(exist_ok=True)
        same = {"rows": [], "cells": [], "trained": 0, "best": []}
        spent = {"seconds": {"training": index, "saving": 0.5}}
        path.write_text(json.dumps({**same, **spent, **({"processor": f"kind {index // 4}"} if index else {})}))
    made = provenance(tmp_path, {})
    assert made["processors"] == "kind 0; kind 1"
    found = made["slowest"]
    assert [job["job"] for job in found] == [f"{('sweep', 'evaluate')[i % 2]} depth-{i}" for i in (6, 5, 4, 3, 2)]
    assert found[0]["seconds"] == 6.5
    assert _made([("slowest", found)])[0][1].startswith("sweep depth-6 6 s; evaluate depth-5 6 s")


def notebook(path: Path, *outputs: dict[str, object]) -> Path:
    cells = [{"cell_type": "markdown", "source": "text"}, {"cell_type": "code", "source": "", "outputs": list(outputs)}]
    path.write_text(json.dumps({"cells": cells}))
    return path


@pytest.mark.parametrize(
    "bad",
    [
        {"output_type": "stream", "name": "stdout", "text": ["hello\n"]},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []},
        {"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": "aaaa"}, "metadata": {}},
    ],
)
def test_an_output_without_a_place_is_an_error(bad: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"q9\.ipynb, cell 2: output"):
        body(notebook(tmp_path / "q9.ipynb", bad))


def test_a_librarys_warning_stops_no_page(tmp_path: Path) -> None:
    said: dict[str, object] = {"output_type": "stream", "name": "stderr", "text": ["FutureWarning: ...\n"]}
    assert "FutureWarning" not in body(notebook(tmp_path / "q9.ipynb", said))


@pytest.mark.filterwarnings("error")
def test_a_study_that_measures_drift_and_no_change_of_gradients_is_drawn_without_a_warning(tmp_path: Path) -> None:
    tables = {name: table for name, table in synthetic.tables("support", seeds=12).items() if name != "ics"}
    study(tmp_path, tables, seeds=12)
    assert set(movement.growth(Results(tmp_path)).table["measure"]) == {"drift of the next input"}


def test_a_networks_cells_begin_with_the_rates_that_claims_rest_on() -> None:
    """A claim links to a network's first row, which is never one of the grid where the network has a rate of its own."""
    rows = re.findall(r'<tr( id="net-[^"]+")?><td>.*?</td><td>.*?</td><td>(.*?)</td>', cells(Results(DEFAULT)))
    best = ["best@" in role for _, role in rows]
    firsts = [place for place, (name, _) in enumerate(rows) if name] + [len(rows)]
    assert all(best[start] or not any(best[start:end]) for start, end in zip(firsts, firsts[1:])) and any(best)


def test_doubled_ids_and_dangling_links_are_errors(missing: Path, tmp_path: Path) -> None:
    for shown, said in (
        ('<p id="here">a</p><p id="here">b</p>', "twice on the page: here"),
        ('<a href="#nowhere">x</a>', "not on the page: .*nowhere"),
        ('<svg><g fill="url(#nowhere)"/></svg>', "not on the page: .*nowhere"),
    ):
        made = notebook(tmp_path / "q1.ipynb", output({"text/html": shown}))
        with pytest.raises(ValueError, match=said):
            build(missing, [made], QUIZ, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_formulas_become_mathml(tmp_path: Path) -> None:
    assert "<msqrt>" in mathml(r"\sqrt{x}", block=True) and "xmlns" not in mathml("x", block=False)
    with pytest.raises(Exception, match="unknown"):
        mathml(r"\unknown{x}", block=False)
    path = tmp_path / "q.ipynb"
    cell = {"cell_type": "markdown", "source": "a $x_1$ b\n\n| a | b |\n|---|---|\n| $y$ | 2 |"}
    path.write_text(json.dumps({"cells": [cell]}))
    assert body(path).count("<math") == 2 and 'role="region" aria-label="Table"><table>' in body(path)


def test_user_text_is_escaped(lacking: Path) -> None:
    rows = json.loads((lacking / "claims.json").read_text())
    rows[0] |= {"statement": "<script>alert(1)</script>"}
    (lacking / "claims.json").write_text(json.dumps(rows))
    assert "<script>alert" not in built(lacking)


def test_unknown_parameters_and_failing_cells_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown parameters sudy; it declares study"):
        execute(ROOT / "report" / "q1.ipynb", {"sudy": "x"}, tmp_path / "q1.ipynb")
    with pytest.raises(Exception, match=r"no finished study in"):
        execute(ROOT / "report" / "methods.ipynb", {"study": tmp_path}, tmp_path / "m.ipynb")
    assert not list(tmp_path.iterdir())


def test_notebooks_in_the_tree_carry_no_outputs() -> None:
    for name in NOTEBOOKS:
        assert all(not c.get("outputs") for c in source(name).cells)


def test_the_first_use_of_a_word_in_a_story_leads_to_what_it_means() -> None:
    text = '<li>A <a href="#x">unit</a> of a batch; internal covariate shift</li><li>batch norm; a unit, units; batches</li>'
    said = explained(text)
    places = {word.name: number for number, word in enumerate(GLOSSARY, 1)}
    links = re.findall(r'<a class="word" href="#word-(\d+)">(.*?)</a>', said)
    assert {(places["batch"], "batch"), (places["internal covariate shift"], "internal covariate shift")} | {
        (places["unit"], "unit")
    } == {(int(number), word) for number, word in links}
    assert re.sub(r'<a class="word"[^>]*>(.*?)</a>', r"\1", said) == text
