"""docs/extending.md as it stands: every block put where the page says, into a copy of the project, and set to work there."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
import pandas as pd
import pytest

from helpers import project, synthetic
from helpers.judging import DEPTHS, TARGETS
from helpers.project import ROOT, said

PAGE = (ROOT / "docs/extending.md").read_text()
BLOCK = re.compile(
    r"(?:`(?P<file>[^`\n]+)`(?:, (?P<where>after|before|at the end|a new cell)(?: ``(?P<line>.+?)``)?)?:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)


class Example(NamedTuple):
    """A block of the page, or none: the file, where in it, the beginning of the line there, and the text."""

    file: str
    where: str
    line: str
    kind: str
    text: str

    def put(self, folder: Path) -> None:
        """Do what the page says."""
        path = folder / self.file
        if self.where == "a new cell":
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.append(nbformat.v4.new_code_cell(self.text))
            nbformat.write(notebook, path)
        elif self.where:
            lines = path.read_text().splitlines(keepends=True)
            places = [i for i, text in enumerate(lines) if text.strip().startswith(self.line)]
            assert self.where == "at the end" or len(places) == 1, (self, places)
            at = {"at the end": len(lines), "before": places[0], "after": places[0] + 1}[self.where]
            apart = "\n\n" if self.kind == "python" and not self.text.startswith(" ") else ""
            text = apart + self.text if self.where == "at the end" else self.text + apart
            path.write_text("".join([*lines[:at], text, *lines[at:]]))
        else:
            assert not path.exists(), self.file
            path.write_text(self.text)


EXAMPLES = [Example(*(part or "" for part in found)) for found in BLOCK.findall(PAGE)]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with all examples in it, and the study that has them all, run."""
    folder = tmp_path_factory.mktemp("extended")
    project.copy(folder, "tests", "examples")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for example in EXAMPLES:
        if example.kind == "bash":
            for command in example.text.splitlines():
                said(folder, *shlex.split(command)[1:])
        else:
            assert example.file, example.text
            example.put(folder)
    return folder


def test_the_page_shows_whole_examples_of_all_six() -> None:
    assert len(EXAMPLES) == PAGE.count("```") // 2
    assert re.findall(r"^## (.+)", PAGE, re.MULTILINE)[:6] == [
        "An arm", "A measure", "A claim", "A shift", "A figure", "A data source",
    ]  # fmt: skip


def test_the_study_trains_the_arm_on_the_source_and_takes_the_measure(extended: Path) -> None:
    tables = extended / "results/mine/tables"
    weights = pd.read_csv(tables / "weights.csv")
    assert set(weights["arm"]) == {"none", "bn", "rmsnorm"} and set(weights["layer"]) == {1, 2, 3}
    assert (weights["growth"] > 0.5).all() and weights["growth"].nunique() > 30
    assert pd.read_csv(tables / "convergence.csv").query("arm == 'rmsnorm'")["reached"].any()


def test_the_shift_changes_pixels_and_is_tested(extended: Path) -> None:
    tables = extended / "results/mine/tables"
    size = pd.read_csv(tables / "shift_size.csv").query("family == 'darkening'")
    assert (size["mean_change"] < 0).all() and size["mean_change"].is_monotonic_decreasing and len(size) == 5
    assert set(pd.read_csv(tables / "shift.csv").query("family == 'darkening'")["severity"]) == {1, 2, 3, 4, 5}


def test_the_claim_is_judged(extended: Path) -> None:
    claims = {claim["id"]: claim for claim in json.loads((extended / "results/mine/claims.json").read_text())}
    assert claims["Q1z"]["n_seeds"] == 12 and claims["Q1z"]["verdict"] in ("supported", "contradicted", "inconclusive")
    assert "grow" in claims["Q1z"]["sentence"]


def test_the_claim_follows_the_numbers(extended: Path, tmp_path: Path, base: synthetic.Tables) -> None:
    """In made studies whose weights grow twice as much with batch norm, as much, and half as much."""
    runs = base["drift"][[*synthetic.SETTING, "rate", "seed"]].drop_duplicates()
    made = {"rates": base["rates"], "convergence": base["convergence"], "weights": runs.assign(layer=1)}
    synthetic.write(made, tmp_path)
    code = f"""
import pandas as pd
from pathlib import Path
from bnstudy.claims.judge import judge, load
from bnstudy.claims.records import JudgedWith
ledger = load(Path("config/claims.yaml"))
ledger = ledger.model_copy(update={{"claims": [ledger.claim("Q1z")]}})
given = JudgedWith(base={synthetic.BASE}, depths={DEPTHS}, targets={TARGETS}, seeds=16)
tables = {{name: pd.read_csv(f"{tmp_path}/{{name}}.csv") for name in {list(made)}}}
for times in (2.0, 1.0, 0.5):
    tables["weights"]["growth"] = tables["weights"]["arm"].map(lambda arm: times if arm == "bn" else 1.0)
    print(judge(ledger, tables, given)[0][0].verdict)"""
    assert said(extended, "-c", code).split() == ["supported", "contradicted", "contradicted"]


def test_the_figure_is_drawn_in_its_notebook(extended: Path) -> None:
    code = """
import json
from pathlib import Path
from bnstudy.report import show
show._display = lambda data: print(data.get("text/plain", "")) if "image/svg+xml" in data else None
whole = show._pictures
show._pictures = lambda id, draw: whole(id, draw) if id == "weights" else dict.fromkeys(("wide", "narrow"), "")
scope = {}
for cell in json.loads(Path("report/q1.ipynb").read_text())["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), scope)
    if "parameters" in cell["metadata"].get("tags", []):
        scope["study"] = "results/mine"
"""
    assert "figure weights: How much the weights of each layer grow in training" in said(extended, "-c", code)


def test_nothing_was_forgotten(extended: Path) -> None:
    """The page's own lines of pytest, and of what is checked without running anything, in the copy."""
    names = ["train", "config", "shifts", "verdicts", "weights"]
    chosen = "equals_plain_torch and rmsnorm or every_arm or names_every or weights or darkening or smallest_effects or rows_are_json"
    files = [f"tests/test_{name}.py" for name in names]
    out = said(extended, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", chosen)
    assert int(re.findall(r"(\d+) passed", out)[0]) >= 10, out
    ruff = str(Path(sys.executable).parent / "ruff")
    run = f"import subprocess, sys; sys.exit(subprocess.call([{ruff!r}, *sys.argv[1:]]))"
    said(extended, "-c", run, "check", "src", "tests/helpers", "tests/test_weights.py")
    said(extended, "-c", run, "format", "--check", "src", "tests/helpers", "tests/test_weights.py")
