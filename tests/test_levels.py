"""Clean test loss at equal training loss, against plain torch."""

import numpy as np
import pytest
import torch

from bnstudy.measures import levels
from bnstudy.measures.common import Table
from helpers.trained import cell


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_the_test_loss_is_that_of_the_network_at_its_checkpoint(arm: str) -> None:
    rows = levels.measure(cell(arm)).set_index(["checkpoint", "statistics", "seed"])
    assert set(rows.index.get_level_values("checkpoint")) == {"loss1.0", "loss0.5", "final"}
    assert set(rows.index.get_level_values("statistics")) == ({"running", "whole"} if arm == "bn" else {"running"})
    x, labels = cell(arm).split("test")
    for checkpoint, statistics in {(c, s) for c, s, _ in rows.index}:
        net = cell(arm).net(checkpoint, "running" if statistics == "running" else "batch")
        logits = net(x)
        for i, seed in enumerate(cell(arm).seeds):
            row = rows.loc[checkpoint, statistics, seed]
            expected = torch.nn.functional.cross_entropy(logits[i].T, labels[i])
            assert row["nll"] == pytest.approx(expected.item(), rel=1e-5)
            right = logits[i].argmax(0) == labels[i]
            assert row["accuracy"] == pytest.approx(100 * right.float().mean().item(), abs=1e-3)
    falling = rows["nll"].xs("running", level="statistics").groupby("checkpoint").median()
    assert falling["loss0.5"] < falling["loss1.0"]


def test_a_measure_writes_no_column_that_it_does_not_declare() -> None:
    table = Table(cell("none"), ("layer", "offset"))
    with pytest.raises(AssertionError, match="no such columns: {'ofset'}"):
        table.add(np.ones(3, bool), {"ofset": torch.zeros(3)}, layer=1)
    table.add(np.array([True, False, True]), {"offset": torch.tensor([0.5, 1.5, 2.5])}, layer=1)
    assert table.frame().to_dict("list") == {"seed": [0, 2], "layer": [1, 1], "offset": [0.5, 2.5]}
