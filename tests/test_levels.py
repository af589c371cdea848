"""Clean test loss at equal training loss, against plain torch."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnstudy.measures import levels
from bnstudy.measures.common import Table
from helpers.trained import alone, cell, images_of


@pytest.mark.parametrize(("arm", "at_once", "fit"), [("none", 256, 8192), ("bn", 256, 8192), ("bn", 100, 500)])
def test_losses_are_those_of_the_function_whose_averages_are_measured_again(
    arm: str, at_once: int, fit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The averages of torch.nn with momentum 1 after a pass over as many training images as there are test images, or as
    may be looked at in one pass."""
    monkeypatch.setattr(levels, "FIT", fit)
    monkeypatch.setattr(levels, "LEAST", 16)
    monkeypatch.setattr(levels, "PIXELS", at_once * 64)
    rows = levels.measure(cell(arm)).set_index(["checkpoint", "statistics", "seed"])
    assert set(rows.index.droplevel("seed")) == {
        (c, s) for c in ("loss1.0", "loss0.5", "final") for s in ("running", "reestimated")
    }
    x, labels = cell(arm).split("test")
    for checkpoint, statistics, seed in rows.index:
        stored = cell(arm).net(checkpoint, "running")
        net = alone(stored, seed)
        for layer, part in enumerate(net[:-1]):
            if arm == "bn":
                part.norm.momentum = 1.0
                part.norm.running_mean = stored.norms[layer].running_mean[seed].clone()
                part.norm.running_var = stored.norms[layer].running_var[seed].clone()
        train, answers = (part[:fit] for part in images_of(cell(arm), seed))
        with torch.no_grad():
            if statistics == "reestimated":
                net.train()(train[:at_once])
            net.eval()
            row, logits = rows.loc[checkpoint, statistics, seed], net(x[seed].T)
            assert row["nll"] == pytest.approx(cross_entropy(logits, labels[seed]).item(), rel=1e-4)
            assert row["fit"] == pytest.approx(cross_entropy(net(train), answers).item(), rel=1e-4)
            right = logits.argmax(1) == labels[seed]
            assert row["accuracy"] == pytest.approx(100 * right.float().mean().item(), abs=1e-3)
    medians = rows.groupby(["checkpoint", "statistics"]).median()
    assert (medians.loc["loss0.5"] < medians.loc["loss1.0"])[["fit", "nll"]].all(axis=None)
    lag = medians["nll"].xs("running", level="statistics") / medians["nll"].xs("reestimated", level="statistics")
    assert (abs(lag["loss1.0"] - 1) > 0.02) == (arm == "bn"), "stored averages lag behind the weights"


def test_a_measure_writes_no_column_that_it_does_not_declare() -> None:
    table = Table(cell("none"), ("layer", "offset"))
    with pytest.raises(AssertionError, match="no such columns: {'ofset'}"):
        table.add(np.ones(3, bool), {"ofset": torch.zeros(3)}, layer=1)
    table.add(np.array([True, False, True]), {"offset": torch.tensor([0.5, 1.5, 2.5])}, layer=1)
    assert table.frame().to_dict("list") == {"seed": [0, 2], "layer": [1, 1], "offset": [0.5, 2.5]}
