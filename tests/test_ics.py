"""Internal covariate shift against a closed form, plain torch.nn, and what every measure must leave alone."""

from copy import deepcopy
from functools import partial
from importlib import import_module
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms import none
from bnstudy.arms.base import Place
from bnstudy.data.batches import order
from bnstudy.measures import ics
from bnstudy.measures.steps import TrainingImages, crossing, gradients
from bnstudy.nets.base import Net, cross_entropy
from bnstudy.nets.mlp import MLP
from helpers.trained import RATE, SHARED, alone, cell, images_of

MEASURES = ("ics", "intervention", "adaptation", "gradients", "landscape")


def test_deep_linear_network_has_the_closed_form() -> None:
    """With positive inputs and weights a ReLU network is linear: G_l = (W_L+1 ... W_l+1)' (p - y) h_l-1' / n."""
    torch.manual_seed(0)
    models, width, depth, n, rate = 2, 6, 4, 40, 0.02
    weights = [torch.rand(models, width, width, dtype=torch.double) / width * 2 for _ in range(depth)]
    head = torch.randn(models, 3, width, dtype=torch.double)
    net = MLP(weights, head, [none.build(models, width, Place(i, depth)) for i in range(1, depth + 1)])
    net.double()
    x, y = torch.rand(models, width, n, dtype=torch.double), torch.randint(3, (models, n))
    grads = gradients(net, x, y)[1]
    after = ics.after_lower_steps(net, x, y, grads, [torch.full((models,), rate, dtype=torch.double)] * (depth + 1))
    for m in range(models):
        w = [each[m].detach() for each in weights]
        b = [torch.zeros(width, 1, dtype=torch.double)] * depth

        def by_hand(w: list[Tensor], b: list[Tensor], m: int = m) -> list[tuple[Tensor, Tensor]]:
            hs = [x[m]]
            for weight, bias in zip(w, b):
                hs.append(weight @ hs[-1] + bias)
                assert (hs[-1] > 0).all()
            error = torch.softmax(head[m] @ hs[-1], 0) - F.one_hot(y[m], 3).T
            back: Tensor = head[m].T @ error / n
            result: list[tuple[Tensor, Tensor]] = []
            for layer in reversed(range(depth)):
                result.insert(0, (back @ hs[layer].T, back.sum(1, keepdim=True)))
                back = w[layer].T @ back
            return result

        before = by_hand(w, b)
        moved_w = [a - rate * g for a, (g, _) in zip(w, before)]
        moved_b = [a - rate * g for a, (_, g) in zip(b, before)]
        for layer in range(1, depth):
            expected = by_hand(moved_w[:layer] + w[layer:], moved_b[:layer] + b[layer:])[layer][0]
            assert torch.allclose(after[layer - 1][m], expected, rtol=1e-9, atol=1e-12)
            assert not torch.allclose(after[layer - 1][m], before[layer][0], rtol=1e-3)


def lengths_by_hand(net: Any, matching: str, x: Tensor, y: Tensor) -> list[float]:
    """The step length of each module of a plain network whose gradients are there."""
    grads = [[p.grad for p in part.parameters()] for part in net]
    if matching == "rate":
        return [SHARED] * len(net)
    if matching == "step":
        weights = [part.linear.weight if hasattr(part, "linear") else part.weight for part in net]
        return [0.01 * float(w.detach().norm() / w.grad.norm()) for w in weights]
    before = F.cross_entropy(net(x), y).item()
    for length in torch.logspace(-4, 0, 1400).tolist():
        trial = deepcopy(net)
        for part, each in zip(trial, grads):
            for p, g in zip(part.parameters(), each):
                p.data -= length * g
        if F.cross_entropy(trial(x), y).item() <= 0.95 * before:
            return [length] * len(net)
    raise AssertionError("no step lowers the loss by 5%")


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_equals_plain_torch(arm: str) -> None:
    """In network 1 a step that is 1/256 longer passes a ReLU's kink, which moves one gradient by a fifth: hence another."""
    c, model, checkpoint = cell(arm), 2, "loss0.5"
    table = ics.measure(c).query("seed == @model and checkpoint == @checkpoint")
    index = order(c.seeds, 960, 64, 2)[:, model]
    x, y = images_of(c, model, index[0], torch.double)
    net = alone(c.net(checkpoint), model, torch.double)
    F.cross_entropy(net(x), y).backward()
    other = alone(c.net(checkpoint), model, torch.double)
    x2, y2 = images_of(c, model, index[1], torch.double)
    F.cross_entropy(other(x2), y2).backward()
    for matching in ("rate", "decrease", "step"):
        lengths = lengths_by_hand(net, matching, x, y)
        tolerance = 0.02 if matching == "decrease" else 1e-3
        for layer in range(2, 5):
            trial = deepcopy(net)
            for part, origin, length in list(zip(trial, net, lengths))[: layer - 1]:
                for p, q in zip(part.parameters(), origin.parameters()):
                    p.data -= length * q.grad
            F.cross_entropy(trial(x), y).backward()
            g, after, second = (each[layer - 1].linear.weight.grad for each in (net, trial, other))
            row = table.query("matching == @matching and layer == @layer").iloc[0]
            assert row.relative == pytest.approx(float((after - g).norm() / g.norm()), rel=tolerance)
            assert row.absolute == pytest.approx(float((after - g).norm()), rel=tolerance)
            cosine = float((after * g).sum() / after.norm() / g.norm())
            assert 1 - row.cosine == pytest.approx(1 - cosine, rel=3 * tolerance, abs=1e-6)
            assert row.other_batch == pytest.approx(float((second - g).norm() / g.norm()), rel=1e-3)
            assert 0 < row.rounding < 1e-4 < row.relative


def test_decrease_lowers_the_loss_of_the_batch_by_five_percent() -> None:
    c = cell("bn")
    net, (x, y) = c.net("init"), TrainingImages(c, 1).batch(0)
    before, grads = gradients(net, x, y)
    length = ics.decreasing(net, x, y, grads)
    ics.move(net, deepcopy(net), grads, [-length] * len(grads))
    assert (cross_entropy(net(x), y) / before).tolist() == pytest.approx([0.95] * 3, abs=1e-3)


def test_rows() -> None:
    table = ics.measure(cell("none"))
    keys = ["seed", "checkpoint", "layer", "matching"]
    assert set(table.columns) == {"seed", *ics.COLUMNS} and not table.duplicated(keys).any()
    assert len(table) == 3 * 3 * 3 * 3 and set(table.layer) == {2, 3, 4}
    assert set(table.checkpoint) == {"init", "loss1.0", "loss0.5"}
    assert set(ics.measure(cell("none", shared=None)).matching) == {"decrease", "step"}


def test_batches_are_those_of_training() -> None:
    c = cell("none")
    images = TrainingImages(c, 20)
    index = order(c.seeds, 960, 64, 20)
    for step, model in ((0, 0), (3, 2), (17, 1)):
        x, y = images_of(c, model, index[step, model])
        assert torch.equal(images.batch(step)[0][model].T, x) and torch.equal(images.batch(step)[1][model], y)
    assert torch.equal(images.probe[0], c.probe)
    assert torch.equal(images.probe[1][2], images_of(c, 2, slice(512))[1])


def test_crossing() -> None:
    level = torch.tensor([0.3, 1.0, 40.0, 5.0])

    def excess(t: Tensor) -> Tensor:
        return torch.where(level == 5, -1.0, t - level)

    result = crossing(excess, torch.tensor([0.1, 1.0, 0.1, 0.1]))
    assert result[:3].tolist() == pytest.approx([0.3, 1.0, 40.0], rel=5e-3) and result[3].isnan()
    for i in range(3):
        by_itself = crossing(partial(torch.sub, other=level[i : i + 1]), torch.tensor([[0.1], [1.0], [0.1]])[i])
        assert by_itself == result[i], "the others' search moved this one"


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("arm", ["none", "bn"])
def test_a_measure_changes_no_network_and_networks_do_not_meet(
    name: str, arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    c, measure = cell(arm), import_module(f"bnstudy.measures.{name}").measure
    given, right = [], c.net

    def watched(checkpoint: str, statistics: str = "batch") -> Net:
        net = right(checkpoint, statistics)
        given.append((net, deepcopy(net.state_dict())))
        return net

    monkeypatch.setattr(c, "net", watched)
    before = measure(c)
    kinds = [{n.statistics for n in net.norms} | {n.update for n in net.norms} for net, _ in given]
    assert given and all(kind == {"batch", False} for kind in kinds)
    for net, state in given:
        now = net.double().state_dict()
        assert all(torch.equal(now[k], v.double()) for k, v in state.items())

    def disturbed(checkpoint: str, statistics: str = "batch") -> Net:
        net = right(checkpoint, statistics)
        for p in net.parameters():
            p.data[0] *= 1.7
        return net

    monkeypatch.setattr(c, "net", disturbed)
    after = measure(c)
    others = [table[table.seed != 0].reset_index(drop=True) for table in (before, after)]
    assert others[0].equals(others[1]) and len(others[0]) > 0
    of_disturbed = [table[table.seed == 0].drop(columns="seed").reset_index(drop=True) for table in (before, after)]
    assert not of_disturbed[0].equals(of_disturbed[1])
    assert RATE == c.rate
