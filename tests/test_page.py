"""The page from synthetic studies: whole, self-contained, and saying what the tables say, whichever way they point."""

import base64
import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import synthetic
from bnstudy import claims as ledger
from bnstudy.data import digits
from bnstudy.data.samples import samples
from bnstudy.figures import show
from bnstudy.figures.blocks import change
from bnstudy.notebook import execute
from bnstudy.page import build
from bnstudy.page.walk import body, mathml

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ["q1", "q2", "q3", "q4", "u", "methods"]
CHECKS = [
    {"id": "E1", "name": "sum of gradients", "expected": 0.0, "measured": 3e-17, "tolerance": 1e-12, "passed": True},
    {"id": "E5", "name": "growth of gradients", "expected": 1.467, "measured": 1.6, "tolerance": 0.03, "passed": False},
]
CONFIG = {
    "title": "A synthetic study", "data": {"source": "mnist5k"}, "network": {"family": "mlp", "width": 64},
    "seeds": {"evaluation": 16},
}  # fmt: skip


def study(folder, tables, seeds=16):
    """The files that the notebooks and the page read."""
    synthetic.write(tables, folder / "tables")
    np.savez(folder / "tables" / "samples.npz", **samples(digits.load({})))
    claims = ledger.load(ROOT / "config" / "claims.yaml")
    rows, _ = ledger.judge(claims, tables, {"shallow": 5, "middle": 10, "deep": 20})
    made = {"config": {**CONFIG, "seeds": {"evaluation": seeds}}, "versions": {"torch": "2"}, "dirty": False, "runs": 7}
    for name, value in {
        "claims": rows, "answers": ledger.answers(claims, rows), "findings": ledger.findings(claims, rows), "checks": CHECKS, "provenance": made,
    }.items():  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(value, allow_nan=False))
    return folder


@cache
def source(name):
    return nbformat.read(ROOT / "report" / f"{name}.ipynb", as_version=4)


def drawn(figure, prefix):
    """Instead of to_svg: rendering is the slow part, and test_figures.py and the kernels' page do it."""
    return f'<svg id="{prefix}-{len(figure.axes)}"></svg>'


def here(folder, names=NOTEBOOKS):
    """Executed notebooks, their cells run in this process without rendering: kernels take seconds."""
    done = []
    for name in names:
        cells, scope = [], {}
        for cell in source(name).cells:
            outputs = []
            if cell.cell_type == "code":
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(show, "_display", lambda data, outputs=outputs: outputs.append(output(data)))
                    patch.setattr(show, "to_svg", drawn)
                    exec(cell.source, scope)
                if "parameters" in cell.metadata.get("tags", []):
                    scope["study"] = str(folder)
            cells.append({"cell_type": cell.cell_type, "source": cell.source, "outputs": outputs})
        path = folder / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"cells": cells}))
        done.append(path)
    return done


def output(data):
    return {"output_type": "display_data", "data": json.loads(json.dumps(data)), "metadata": {}}


def page(folder, tables, **options):
    study(folder, tables, **options)
    build(folder, here(folder), folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    """The study "support", its notebooks executed as the workflow does it."""
    folder = study(tmp_path_factory.mktemp("kernels"), synthetic.tables("support", seeds=10), seeds=10)
    done = []
    for name in NOTEBOOKS:
        done.append(folder / "notebooks" / f"{name}.ipynb")
        execute(ROOT / "report" / f"{name}.ipynb", {"study": folder}, done[-1])
    build(folder, done, folder / "report.html")
    return folder


@pytest.fixture(scope="session")
def support(kernels):
    return (kernels / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def oppose(tmp_path_factory):
    return page(tmp_path_factory.mktemp("oppose"), synthetic.tables("oppose", seeds=10), seeds=10)


def figures(text):
    """id -> (title, caption, alt) of every figure, as a reader gets them."""
    found = re.findall(
        r'<figure id="fig-([^"]+)">\s*<h4>(.*?)</h4>.*?aria-label="([^"]*)".*?<figcaption>(.*?) <a ', text, re.S
    )
    return {name: tuple(map(html.unescape, (title, caption, alt))) for name, title, alt, caption in found}


def test_everything_is_there(support):
    assert set(figures(support)) == {
        "drift", "drift-by-stage", "affine", "drift-steps", "input-offset",
        "samples", "severity", "xhat", "statistics-on-clean",
        "lecture-samples", "lecture", "control", "batch-size", "effective",
        "depths", "depths-2", "survival", "window", "rate-window-by-gain", "steps-by-gain",
        "steps-by-inputs", "loss-curves", "steps-saved", "variance", "halves", "depths-3", "depths-4",
    }  # fmt: skip
    formulas = sum(c.source.count("$$") // 2 for n in NOTEBOOKS for c in source(n).cells if c.cell_type == "markdown")
    assert support.count('<math display="block"') == formulas >= 7
    claims = json.loads(json.dumps(re.findall(r'<section class="claim" id="claim-(\w+)"', support)))
    assert len(claims) == len(ledger.load(ROOT / "config" / "claims.yaml").claims)
    # one a claim; verdict rule and confounds; checks; scorecard; runs
    assert support.count("<table>") == len(claims) + 2 + 1 + 1 + 1
    for anchor in ("q1", "q2", "q3", "q4", "methods", "runs", "scorecard", "claim-Q1b", "check-E5", "answers"):
        assert f'id="{anchor}"' in support
    assert (
        support.index('id="answers"')
        < support.index('id="q1"')
        < support.index('id="q4"')
        < support.index('id="methods"')
    )
    assert "1 of 2 passed" in support and "<td>NO</td>" in support
    assert len(support.encode()) < 6e6


def test_it_asks_the_network_for_nothing(support):
    assert not re.findall(
        r'(?:src|data|srcset|action|poster)="(?!data:)[^"]*"', re.sub(r'aria-\w+="[^"]*"', "", support)
    )
    links = re.findall(r'href="([^"]+)"', support)
    assert all(h.startswith(("#", "data:text/csv;base64,", "data:image/png;base64,")) for h in links)
    assert "<link" not in support and "@import" not in support and "url(http" not in support
    assert "default-src 'none'; img-src data:;" in support


def test_script_matches_its_hash(support):
    import hashlib

    script = re.search(r"<script>(.*?)</script>", support, re.S)[1]
    assert f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" in support


def test_ids_are_unique_and_links_arrive(support):
    ids = re.findall(r'\bid="([^"]+)"', support)
    assert not [i for i, n in Counter(ids).items() if n > 1]
    assert set(re.findall(r'href="#([^"]+)"', support)) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", support)) <= set(ids)


def test_figures_have_alternatives_and_data(support):
    blocks = re.findall(r"<figure .*?</figure>", support, re.S)
    for block in blocks:
        assert len(re.findall(r'role="img" aria-label="[^"]{40,}"', block)) == 2 and block.count("<svg") == 2
        rows = base64.b64decode(re.search(r"data:text/csv;base64,([^\"]+)", block)[1]).decode().splitlines()
        assert len(rows) > 2 and all(row.count(",") == rows[0].count(",") for row in rows)


def test_no_colour_is_left_fixed(support):
    pictures = "".join(re.findall(r"<svg.*?</svg>", support, re.S))
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\([^)]*\)", "", pictures))


BOUND = [
    "drift",
    "affine",
    "drift-steps",
    "input-offset",
    "severity",
    "xhat",
    "lecture",
    "depths",
    "window",
    "steps-by-gain",
    "steps-by-inputs",
    "steps-saved",
]
FREE = [
    "drift-by-stage",
    "depths-2",
    "rate-window-by-gain",
    "loss-curves",
    "samples",
    "control",
    "batch-size",
    "effective",
]


def test_titles_follow_the_verdicts(support, oppose):
    one, other = figures(support), figures(oppose)
    assert one.keys() == other.keys()
    for name in BOUND:
        assert one[name][0] != other[name][0] and one[name][2] != other[name][2], name
        assert one[name][0] in one[name][2]
    for name in FREE:  # bound to no claim, so they may say nothing that a verdict could turn
        assert one[name][0] == other[name][0] and one[name][2] == other[name][2], name
    assert "contradicted" in oppose


def test_swapped_arms_turn_the_page(support, tmp_path):
    swapped = page(tmp_path, synthetic.swap(synthetic.tables("support", seeds=10)), seeds=10)
    for name in ("drift", "depths", "steps-saved"):
        assert figures(support)[name][0] != figures(swapped)[name][0], name


@pytest.mark.parametrize("outcome", ["mixed", "missing"])
def test_other_worlds_build(outcome, tmp_path):
    text = page(tmp_path, synthetic.tables(outcome, seeds=10), seeds=10)
    if outcome == "mixed":
        assert "It depends" in text and ">mixed<" in text
        return
    assert ">not tested<" in text and "no figure, since this configuration lacks batch norm" in text
    assert not set(figures(text)) & set(BOUND)


def test_nobody_reaches_the_target(tmp_path):
    tables = synthetic.tables("support", seeds=6)
    for name in ("convergence", "sweep"):
        tables[name] = tables[name].assign(reached=False, steps=np.nan)
    text = page(tmp_path, tables, seeds=6)
    assert "depths" in figures(text) and "Too few seeds for verdicts" in text
    assert "steps-saved" not in figures(text)


def test_only_the_claims_are_there(tmp_path):
    """A study without a single table."""
    folder = study(tmp_path, synthetic.tables("missing", seeds=10))
    for path in (folder / "tables").iterdir():
        path.unlink()
    (folder / "checks.json").unlink()
    (folder / "provenance.json").unlink()
    build(folder, here(folder), folder / "report.html")
    text = (folder / "report.html").read_text()
    assert not figures(text) and "no external checks on file" in text


def notebook(path, *outputs):
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
def test_an_output_without_a_place_is_an_error(bad, tmp_path):
    with pytest.raises(ValueError, match=r"q9\.ipynb, cell 2: output"):
        body(notebook(tmp_path / "q9.ipynb", bad))


def test_doubled_ids_and_dangling_links_are_errors(tmp_path):
    study(tmp_path, synthetic.tables("missing", seeds=10))
    twice = output({"text/html": '<p id="here">a</p><p id="here">b</p>'})
    with pytest.raises(ValueError, match="twice on the page: here"):
        build(tmp_path, [notebook(tmp_path / "q1.ipynb", twice)], tmp_path / "r.html")
    with pytest.raises(ValueError, match="not on the page: .*nowhere"):
        build(
            tmp_path,
            [notebook(tmp_path / "q1.ipynb", output({"text/html": '<a href="#nowhere">x</a>'}))],
            tmp_path / "r.html",
        )
    assert not (tmp_path / "r.html").exists()


def test_formulas_become_mathml(tmp_path):
    assert "<msqrt>" in mathml(r"\sqrt{x}", block=True) and "xmlns" not in mathml("x", block=False)
    with pytest.raises(Exception, match="unknown"):
        mathml(r"\unknown{x}", block=False)
    path = tmp_path / "q.ipynb"
    path.write_text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": "a $x_1$ b\n\n| a | b |\n|---|---|\n| $y$ | 2 |"}]})
    )
    assert body(path).count("<math") == 2 and '<div class="scroll" tabindex="0"><table>' in body(path)


def test_user_text_is_escaped(tmp_path):
    folder = study(tmp_path, synthetic.tables("missing", seeds=10))
    rows = json.loads((folder / "claims.json").read_text())
    rows[0] |= {"statement": "<script>alert(1)</script>"}
    (folder / "claims.json").write_text(json.dumps(rows))
    build(folder, here(folder, ["q1"]) + here(folder, NOTEBOOKS[1:]), folder / "report.html")
    assert "<script>alert" not in (folder / "report.html").read_text()


def test_what_would_change_a_verdict():
    row = {"name": "depth 5", "unit": "points", "region": "more", "n_seeds": 16, "sesoi": 2.0, "verdict": "supported"}
    row |= {"estimate": 4.0, "ci_low": 3.0, "ci_high": 5.0}
    assert "depth 5 is 1 points away" in change({"verdict": "supported", "settings": [row]})
    band = row | {"region": "within", "estimate": 0.5, "ci_low": 0.0, "ci_high": 1.5}
    assert "is 0.5 points away" in change({"verdict": "supported", "settings": [band]})
    times = row | {"unit": "ln times", "region": "less", "estimate": -4.0, "ci_low": -5.0, "ci_high": -2.0 - np.log(3)}
    assert "a factor of 3 away" in change({"verdict": "supported", "settings": [times]})
    wide = row | {"verdict": "open", "ci_low": 0.0, "ci_high": 8.0}
    assert "about 64 seeds" in change({"verdict": "inconclusive", "settings": [wide]})  # 16 (4 / 2)^2
    assert "longer budget" in change({"verdict": "inconclusive", "settings": [wide | {"ci_high": None}]})
    assert "add the missing arms" in change({"verdict": "not tested", "settings": [row]})


def test_unknown_parameters_and_failing_cells_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"unknown parameters sudy; it declares study"):
        execute(ROOT / "report" / "q1.ipynb", {"sudy": "x"}, tmp_path / "q1.ipynb")
    with pytest.raises(Exception, match=r"claims.json is missing"):
        execute(ROOT / "report" / "methods.ipynb", {"study": tmp_path}, tmp_path / "m.ipynb")
    assert not list(tmp_path.iterdir())


def test_a_kernel_needs_no_home_and_no_path(kernels, tmp_path):
    """As on a cluster node: no PATH, no HOME, nothing registered; the kernel is this interpreter's."""
    call = f"from pathlib import Path; from bnstudy.notebook import execute; execute(Path('report/methods.ipynb'), {{'study': {str(kernels)!r}}}, Path({str(tmp_path / 'm.ipynb')!r}))"
    scene = {"PYTHONPATH": str(ROOT / "src"), "HOME": "/nonexistent", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    subprocess.run([sys.executable, "-c", call], env=scene, cwd=ROOT, check=True, capture_output=True)
    assert "E5" in (tmp_path / "m.ipynb").read_text()


def test_notebooks_in_the_tree_carry_no_outputs():
    for name in NOTEBOOKS:
        assert all(not c.get("outputs") for c in source(name).cells)


def test_table_frames_keep_the_arm_called_none(kernels):
    from bnstudy.figures.study import Study

    found = Study(kernels)
    assert set(found.at("convergence", target=0.5)["arm"]) >= {"none", "bn"}
    assert found.table("nothing").empty and found.seeds == 10 and found.targets == [0.5, 0.25]
    assert isinstance(found.at("drift"), pd.DataFrame) and found.at("drift")["gain"].unique().tolist() == [1.0]
