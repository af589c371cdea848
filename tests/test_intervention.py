"""do(early) and adaptation against theory, closed forms and plain torch.nn."""

from copy import deepcopy
from math import sqrt
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms import none
from bnstudy.arms.base import Norm, Record
from bnstudy.checks.meanfield import BN_RELU
from bnstudy.core.rng import rng
from bnstudy.data.batches import order
from bnstudy.measures import adaptation, ics, intervention
from bnstudy.measures.intervention import early_directions, left, shock
from bnstudy.measures.steps import TrainingImages
from bnstudy.nets.base import cross_entropy
from bnstudy.nets.mlp import build
from helpers.trained import alone, cell, images_of
from test_drift import shape_by_hand

STEADY = 0.02
"""A rate at which no loss jumps over its level from one step to the next, which would leave no checkpoint."""


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_a_random_change_of_the_early_layers_grows_as_theory_says(arm: str) -> None:
    """E10 for the first half alone: sqrt(k) eps and no further without normalization; with it the k changes add up and
    grow by sqrt(r) a layer, r as in E5."""
    depth, half, dose, r = 8, 4, 1e-3, BN_RELU[128]
    seeds = list(range(4))
    net = build(512, 10, depth, 512, 1.0, arm, seeds)
    net.set_statistics("batch", update=False)
    x = torch.randn(4, 512, 128, generator=torch.Generator().manual_seed(1))
    directions = early_directions(net, half, "random", seeds, (x, torch.zeros(4, 128).long()))
    moved = shock(deepcopy(net), net, directions, torch.full((4,), dose))
    with torch.no_grad():
        pairs = ((a.h, b.h) for a, b in zip(net.states(x), moved.states(x)))
        change = [float(((b - a).square().sum((1, 2)) / a.square().sum((1, 2))).mean().sqrt()) / dose for a, b in pairs]
    for layer, measured in enumerate(change, 1):
        k, on = min(layer, half), max(0, layer - half)
        theory = sqrt(k) if arm == "none" else sqrt(r**on * (r**k - 1) / (r - 1))
        # mean-field rates hold for the pre-activations; after the ReLU of a layer with mean 0 they are the same
        assert measured == pytest.approx(theory, rel=0.1), layer


@pytest.mark.parametrize("kind", ["gradient", "random"])
def test_a_shock_moves_the_early_weight_matrices_by_the_dose_and_nothing_else(kind: str) -> None:
    c = cell("bn", 5)
    net, images = c.net("loss0.5"), TrainingImages(c, 1)
    directions = early_directions(net, 2, kind, c.seeds, images.batch(0))
    dose = torch.tensor([0.01, 0.02, 0.3])
    moved = shock(deepcopy(net), net, directions, dose)
    for name, p in net.named_parameters():
        change = (moved.get_parameter(name) - p).flatten(1).norm(dim=1) / p.flatten(1).norm(dim=1)
        early = name in ("weights.0", "weights.1")
        assert change.tolist() == pytest.approx(dose.tolist() if early else [0] * 3, rel=1e-3), name
    if kind == "gradient":
        x, y = images.batch(0)
        small = shock(deepcopy(net), net, directions, torch.full((3,), 1e-4))
        assert (cross_entropy(small(x), y) < cross_entropy(net(x), y)).all()
    else:
        draw = torch.randn(32, 32, generator=rng(2, "shock", 2))
        assert torch.allclose(directions[1][2], draw / draw.norm())


def seen_by_hand(net: Any, x: Tensor, y: Tensor) -> list[list[Tensor]]:
    """Pre-activations and outputs of every module, units by rows, and the gradients of its weights."""
    z, h, grads = [], [], []
    for part in net:
        z.append(part.linear(x) if hasattr(part, "linear") else part(x))
        x = part(x)
        h.append(x)
    F.cross_entropy(x, y).backward()
    for part in net:
        weight = part.linear.weight if hasattr(part, "linear") else part.weight
        grads.append(weight.grad)
    return [[t.detach().T for t in each] for each in (z, h)] + [grads]


@pytest.mark.parametrize("arm", ["none", "bn"])
@pytest.mark.parametrize("depth", [4, 5])
def test_intervention_equals_plain_torch(arm: str, depth: int) -> None:
    c, model, half = cell(arm, depth, rate=STEADY), 1, 2
    table = intervention.measure(c).query("seed == 1 and checkpoint == 'loss0.5'")
    assert sorted(set(table.layer)) == list(range(half + 1, depth + 2))
    x, y = images_of(c, model, slice(512), torch.double)
    plain = alone(c.net("loss0.5"), model, torch.double)
    batch = order(c.seeds, 960, 64, 1)[0, model]
    xb, yb = images_of(c, model, batch, torch.double)
    stepped = deepcopy(plain)
    F.cross_entropy(stepped(xb), yb).backward()
    z0, h0, g0 = seen_by_hand(plain, x, y)
    for kind, dose in (("gradient", 0.01), ("random", 0.1)):
        trial = alone(c.net("loss0.5"), model, torch.double)
        for layer in range(half):
            weight = trial[layer].linear.weight
            direction = torch.randn(weight.shape, generator=rng(1, "shock", layer + 1)).double()
            if kind == "gradient":
                direction = -stepped[layer].linear.weight.grad
            weight.data += dose * direction * weight.data.norm() / direction.norm()
        z, h, g = seen_by_hand(trial, x, y)
        for layer in range(half + 1, depth + 2):
            a, b = h0[layer - 1], h[layer - 1]
            row = table.query("kind == @kind and dose == @dose and layer == @layer").iloc[0]
            apart = (b - a) - (b - a).mean(1, keepdim=True)
            values = apart.norm() / (a - a.mean(1, keepdim=True)).norm()
            assert row["values"] == pytest.approx(float(values), rel=1e-3)
            if layer == depth + 1:
                assert row[["moments", "shape", "gradients", "left"]].isna().all()
                continue
            turned = (g[layer - 1] - g0[layer - 1]).norm() / g0[layer - 1].norm()
            assert row.gradients == pytest.approx(float(turned), rel=2e-3)
            moments = (b.mean(1) - a.mean(1)) ** 2 + (b.std(1) - a.std(1)) ** 2
            assert row.moments == pytest.approx(float((moments.mean() / a.var(1).mean()).sqrt()), rel=2e-3)
            assert row["shape"] == pytest.approx(shape_by_hand(a.numpy(), b.numpy()), rel=1e-2)
            a, b = z0[layer - 1], z[layer - 1]
            matched = (b - b.mean(1, keepdim=True)) / b.std(1, keepdim=True) * a.std(1, keepdim=True)
            rest = (matched + a.mean(1, keepdim=True) - a).square().sum() / (b - a).square().sum()
            assert row.left == pytest.approx(float(rest), rel=1e-2)


def test_what_is_left_after_matching_moments() -> None:
    g = torch.Generator().manual_seed(0)
    a = torch.randn(3, 4, 200, generator=g)
    scale, shift = 1 + torch.rand(3, 4, 1, generator=g), torch.randn(3, 4, 1, generator=g)
    assert left(a, scale * a + shift).max() < 1e-9, "a change of mean and sd alone leaves nothing"
    other = a[..., torch.randperm(200, generator=g)]
    assert left(a, other).tolist() == pytest.approx([1] * 3), "the same distribution, other values"
    assert 0.3 < left(a, other + 1.0).max() < 0.9
    spread = (a - a.mean(2, keepdim=True)).square().sum((1, 2)) / a.square().sum((1, 2))
    assert left(a, torch.zeros_like(a)).tolist() == pytest.approx(spread.tolist()), "silent units keep their old mean"
    assert left(a, a).isnan().all()


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_adaptation_equals_plain_torch(arm: str) -> None:
    """The early half held, the later half trained by torch.optim.SGD: the same number of steps."""
    c, half = cell(arm, 5, rate=STEADY), 2
    table = adaptation.measure(c)
    assert len(table) == 6 and table.steps.nunique() > 2 and table.reached.all()
    for row in table.itertuples():
        model = c.seeds.index(row.seed)
        net = alone(c.net("loss0.5"), model)
        x, y = images_of(c, model, slice(512))
        before = F.cross_entropy(net(x), y).item()
        for layer in range(half):
            weight = net[layer].linear.weight
            direction = torch.randn(weight.shape, generator=rng(row.seed, "shock", layer + 1))
            weight.data += row.dose * direction * weight.data.norm() / direction.norm()
        assert row.harm == pytest.approx(F.cross_entropy(net(x), y).item() / before, rel=1e-3)
        early, late = net[:half], net[half:]
        optimizer = torch.optim.SGD(late.parameters(), lr=c.rate, momentum=0.9)
        for steps in range(200):
            with torch.no_grad():
                if F.cross_entropy(late(early(x)), y).item() <= 1.05 * before and steps in adaptation.LOOKS:
                    break
            images, labels = images_of(c, model, order([row.seed], 960, 64, steps + 1)[steps, 0])
            with torch.no_grad():
                h = early(images)
            optimizer.zero_grad()
            F.cross_entropy(late(h), labels).backward()
            optimizer.step()
        assert row.steps == steps, (row.match, row.seed)


def test_damage_doubles_the_loss_and_dose_is_the_same_for_all() -> None:
    table = adaptation.measure(cell("bn", 5))
    assert table.query("match == 'damage'").harm.tolist() == pytest.approx([2.0] * 3, rel=0.02)
    assert set(table.query("match == 'dose'").dose) == {adaptation.DOSE}
    assert set(table.columns) == {"seed", *adaptation.COLUMNS}


def test_noise_is_the_same_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing moves, an arm that draws noise must show no change at all."""

    def noisy(norm: Norm, h: Tensor, record: Record = None) -> Tensor:
        assert norm.noise_of
        seeds, step = norm.noise_of
        drawn = [torch.randn(h.shape[1:], generator=rng(s, "noise", step), dtype=h.dtype) for s in seeds]
        return h + torch.stack(drawn)

    c = cell("none", 5, shared=0.0, rate=STEADY)
    monkeypatch.setattr(none.Identity, "forward", noisy)
    assert (ics.measure(c).query("matching == 'rate'").relative == 0).all()
    monkeypatch.setattr(intervention, "DOSES", (0.0,))
    table = intervention.measure(c)
    assert (table["values"] == 0).all() and not table[["moments", "shape", "gradients"]].any().any()
    monkeypatch.setattr(adaptation, "DOSE", 0.0)
    table = adaptation.measure(c).query("match == 'dose'")
    assert (table.harm == 1).all() and (table.steps == 0).all()
    monkeypatch.setattr(adaptation, "DOSE", 1.0)
    monkeypatch.setattr(adaptation, "HARM", 1.0)
    table = adaptation.measure(c).query("match == 'damage'")
    assert table.harm.tolist() == pytest.approx([1.0] * 3, abs=0.01)


def test_what_is_not_reached_is_censored(monkeypatch: pytest.MonkeyPatch) -> None:
    c = cell("bn", 5)
    monkeypatch.setattr(c, "rate", 0.0)
    table = adaptation.measure(c)
    assert table.steps.isna().all() and not table.reached.any() and set(table.budget) == {adaptation.BUDGET}
    monkeypatch.setattr(adaptation, "DOSE", 0.0)
    table = adaptation.measure(c).query("match == 'dose'")
    assert (table.steps == 0).all() and table.reached.all(), "what is not pushed out needs no step"


def test_the_probe_is_looked_at_often_enough() -> None:
    looks = sorted(adaptation.LOOKS)
    assert looks[:21] == list(range(21)) and looks[-1] == adaptation.BUDGET
    assert all(b - a <= 0.05 * a + 1 for a, b in zip(looks, looks[1:]))
