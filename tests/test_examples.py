"""The example in one file and the notebook beside it: what newcomers run first."""

import re

import nbformat
import torch
from nbclient import NotebookClient
from torch import nn

import batchnorm_from_scratch as small
from helpers.project import ROOT

EXAMPLES = ROOT / "examples"
QUICK = "small.SEEDS, small.RATES, small.STEPS = 1, (0.03,), 300\nfindings = small.findings()"
TITLES = ["Moving target", "Shifted data", "Speed", "Decoupling"]


def test_it_is_one_short_file_of_plain_torch() -> None:
    text = (EXAMPLES / "batchnorm_from_scratch.py").read_text()
    assert len(text.splitlines()) <= 120
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported == {"collections", "functools", "mlxtend", "torch"}


def test_its_batch_norm_is_torchs() -> None:
    ours, theirs = small.BatchNorm("bn"), nn.BatchNorm1d(small.WIDTH)
    torch.manual_seed(0)
    for module in (ours, theirs):
        torch.manual_seed(1)
        module(torch.randn(64, small.WIDTH))  # one step of training
    h = torch.randn(64, small.WIDTH)
    assert torch.allclose(ours(h), theirs(h), atol=1e-5)
    assert theirs.running_mean is not None and torch.allclose(ours.mean, theirs.running_mean, atol=1e-6)
    stored = ours.eval()(h)
    with torch.no_grad():
        ours.train()(h + 1)  # to look changes nothing
    assert torch.equal(ours.eval()(h), stored)


def test_the_notebook_runs_and_prints_the_four_findings() -> None:
    notebook = nbformat.read(EXAMPLES / "start_here.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    cell.source = QUICK
    place = {"metadata": {"path": str(EXAMPLES)}}
    NotebookClient(notebook, kernel_name="python3", startup_timeout=300, resources=place).execute()
    printed = [output.text for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    assert [text.partition(". ")[0] for text in printed] == TITLES
    none, bn, shaken = (float(number) for number in re.findall(r"\d+(?= w)", printed[0]))
    assert bn < none and abs(shaken - bn) < abs(none - shaken)
    *_, faint_none, faint_stored, faint_fresh = (int(number) for number in re.findall(r"(\d+)%(?=[,.])", printed[1]))
    assert faint_fresh > max(faint_none, faint_stored) + 20
    left = int(re.findall(r"(\d+)% of", printed[3])[0])
    assert 50 < left <= 100
    assert any("image/png" in output.get("data", ()) for cell in notebook.cells for output in cell.get("outputs", ()))
