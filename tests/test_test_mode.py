"""Batch norm without a test mode: studied in training alone, or told which lines it lacks; both as bn_frozen comes out."""

import re
import textwrap
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bnstudy.core.plugins import names
from helpers.trained import cell
from test_guests import tried

FILE = '''
import torch
from torch import nn
from torch.autograd import Function
from bnstudy.arms.base import EPS, Norm


class OnCtx(Function):
    """x-hat kept as an attribute, over the samples of [C, B] or [M, C, B]."""

    @staticmethod
    def forward(ctx, h):
        ctx.rstd = (h.var(-1, keepdim=True, correction=0) + EPS).rsqrt()
        ctx.xhat = (h - h.mean(-1, keepdim=True)) * ctx.rstd
        return ctx.xhat

    @staticmethod
    def backward(ctx, g):
        return ctx.rstd * (g - g.mean(-1, keepdim=True) - ctx.xhat * (g * ctx.xhat).mean(-1, keepdim=True))


class Saved(OnCtx):
    """x-hat kept by save_for_backward."""

    @staticmethod
    def forward(ctx, h):
        rstd = (h.var(-1, keepdim=True, correction=0) + EPS).rsqrt()
        xhat = (h - h.mean(-1, keepdim=True)) * rstd
        ctx.save_for_backward(xhat, rstd)
        return xhat

    @staticmethod
    def backward(ctx, g):
        xhat, rstd = ctx.saved_tensors
        return rstd * (g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True))


class CtxBN(Norm):
    function = OnCtx

    def __init__(self, models, channels, place):
        super().__init__()
        # __init__

    def forward(self, h, record=None):
        # forward
        y = self.function.apply(h)
        if record is not None:
            record("xhat", y)
        return y


class SavedBN(CtxBN):
    function = Saved


class Module(nn.Module):
    def __init__(self, channels):
        super().__init__()
        # __init__

    def forward(self, x):
        # forward
        return OnCtx.apply(x.mT).mT
'''
COMPARED = ("drift", "gradients", "landscape")


def written(folder: Path, name: str, remedy: str = "") -> None:
    """Write the arms, with the lines of a remedy at the places that it names."""
    text = FILE
    for place in ("__init__", "forward"):
        lines = re.search(rf"for the (?:end|start) of {place}:\n((?: {{7,}}.*\n)+)", remedy)
        text = text.replace(
            f"        # {place}\n", textwrap.indent(textwrap.dedent(lines[1]), " " * 8) if lines else ""
        )
    (folder / f"{name}.py").write_text(text)


def compare(arm: str, measures: tuple[str, ...]) -> None:
    """Losses to 1e-5 nats, tables to a tenth of the least that is asked of an equal arm."""
    cells = [cell(name, depth=2, width=16, models=2) for name in (arm, "bn_frozen")]
    for checkpoint in cells[1].checkpoints()[1:]:
        np.testing.assert_allclose(cells[0].loss(checkpoint), cells[1].loss(checkpoint), rtol=1e-5, atol=1e-5)
    for measure in measures:
        a, b = (import_module(f"bnstudy.measures.{measure}").measure(c) for c in cells)
        for column in b.select_dtypes("float"):
            np.testing.assert_allclose(a[column], b[column], rtol=1e-4, atol=1e-4, err_msg=f"{measure} {column}")


@pytest.mark.parametrize("arm", ["CtxBN", "SavedBN"])
def test_what_has_no_test_mode_is_studied_in_training(
    arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    written(tmp_path, "no_test_mode")
    refused = tried(f"no_test_mode:{arm}", measures=(*COMPARED, "levels", "shift", "xhat"))
    assert "depends on the other samples of its batch, and so would what levels and shift measure" in refused
    proposed = re.search(r"measures: \[(.*)\]", refused)
    assert proposed
    measures = tuple(proposed[1].split(", "))
    assert tried(f"no_test_mode:{arm}", measures=measures) == "" and measures == (*COMPARED, "xhat")
    compare(f"no_test_mode:{arm}", COMPARED)


@pytest.mark.parametrize("arm", ["CtxBN", "Module"])
def test_the_lines_that_it_lacks_give_it_one(arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A norm of M networks that reports no x-hat when tested has no rows of it."""
    monkeypatch.syspath_prepend(tmp_path)
    written(tmp_path, f"lacks_lines_{arm}")
    remedy = tried(f"lacks_lines_{arm}:{arm}", measures=("shift",))
    written(tmp_path, f"has_lines_{arm}", remedy)
    assert tried(f"has_lines_{arm}:{arm}", measures=names("measures", "measure")) == ""
    compare(f"has_lines_{arm}:{arm}", (*COMPARED, "levels", "shift", *["xhat"] * (arm == "Module")))
