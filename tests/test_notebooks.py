"""Notebooks opened in Jupyter: each runs in its own folder, which is not the project's."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bnstudy.pipeline.notebook import execute
from helpers import synthetic
from helpers.pages import study
from helpers.project import ROOT

SOURCE = ROOT / "report" / "methods.ipynb"


def opened(path: Path) -> str:
    """What a notebook shows when Jupyter runs it: in its own folder, with the environment's kernel."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return str([cell.get("outputs") for cell in notebook.cells])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a finished study in results/default and a notebook in report/."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    folder = tmp_path / "results" / "default"
    folder.mkdir(parents=True)
    study(folder, synthetic.tables("support", seeds=10, thin=True), seeds=10)
    (tmp_path / "report").mkdir()
    shutil.copy(SOURCE, tmp_path / "report")
    return tmp_path


def test_notebooks_run_in_their_own_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source finds the study, and so does the executed copy among the study's results."""
    assert "sum of gradients" in opened(project / "report" / "methods.ipynb")
    monkeypatch.chdir(project)  # as the workflow does it: every path from the project's folder
    copy = Path("results/default/notebooks/methods.ipynb")
    execute(Path("report/methods.ipynb"), {"study": Path("results/default")}, copy)
    assert str(project) not in copy.read_text()
    assert "sum of gradients" in opened(project / copy)


def test_a_notebook_without_a_study_says_in_a_sentence_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    path = tmp_path / "methods.ipynb"
    path.write_text(SOURCE.read_text().replace("results/default", "results/none-such"))
    with pytest.raises(CellExecutionError) as caught:
        opened(path)
    assert caught.value.traceback.strip().endswith(
        f"There is no finished study in results/none-such: run `make report` in {ROOT}, then this again."
    )
    assert "results.py" not in str(caught.value)
