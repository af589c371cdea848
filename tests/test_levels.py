"""Clean test loss at equal training loss, against plain torch."""

import pytest
import torch

from bnstudy.measures import levels
from helpers.trained import cell


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_the_test_loss_is_that_of_the_network_at_its_checkpoint(arm: str) -> None:
    found = levels.measure(cell(arm)).set_index(["checkpoint", "statistics", "seed"])
    assert set(found.index.get_level_values("checkpoint")) == {"loss1.0", "loss0.5", "final"}
    assert set(found.index.get_level_values("statistics")) == ({"running", "whole"} if arm == "bn" else {"running"})
    x, labels = cell(arm).split("test")
    for checkpoint, statistics in {(c, s) for c, s, _ in found.index}:
        net = cell(arm).net(checkpoint, "running" if statistics == "running" else "batch")
        logits = net(x)
        for i, seed in enumerate(cell(arm).seeds):
            row = found.loc[checkpoint, statistics, seed]
            expected = torch.nn.functional.cross_entropy(logits[i].T, labels[i])
            assert row["nll"] == pytest.approx(expected.item(), rel=1e-5)
            right = logits[i].argmax(0) == labels[i]
            assert row["accuracy"] == pytest.approx(100 * right.float().mean().item(), abs=1e-3)
    falling = found["nll"].xs("running", level="statistics").groupby("checkpoint").median()
    assert falling["loss0.5"] < falling["loss1.0"]
