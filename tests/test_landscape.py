"""Gradients over the layers, the landscape along the gradient, and the Hessian's largest eigenvalue."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from bnstudy.data.batches import order
from bnstudy.measures import gradients, landscape
from bnstudy.measures import steps as by_hand
from bnstudy.measures.landscape import along_the_gradient, gradient_change, hessian_top, input_share, largest_eigenvalue
from bnstudy.nets.base import Net
from bnstudy.nets.mlp import MLP, build
from helpers.trained import SHARED, alone, cell, images_of

ARMS = pytest.mark.parametrize("arm", ["none", "bn"])


def case(arm: str, models: int = 2) -> tuple[Net, Tensor, Tensor]:
    """Tiny networks away from their initial state, in double precision, with a batch of their own."""
    torch.manual_seed(0)
    net = build(6, 3, 3, 8, 1.0, arm, range(models)).double()
    net.set_statistics("batch", update=False)
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    return net, torch.randn(models, 6, 24, dtype=torch.double), torch.randint(3, (models, 24))


def plain_gradient(net: Any, x: Tensor, y: Tensor) -> dict[str, torch.Tensor]:
    net.zero_grad()
    F.cross_entropy(net(x), y).backward()
    return {name: p.grad.clone() for name, p in net.named_parameters()}


def matrices(grads: dict[str, torch.Tensor]) -> torch.Tensor:
    """The gradient of the weight matrices, the head's among them."""
    return torch.cat([g.flatten() for g in grads.values() if g.dim() == 2])


def change_by_hand(net: Any, x: Tensor, y: Tensor, length: Tensor) -> float:
    """The relative change of the gradient in the weight matrices after a step of a length against it."""
    g = plain_gradient(net, x, y)
    before = matrices(g)
    for name, p in net.named_parameters():
        if p.dim() == 2:
            p.data -= length * g[name] / before.norm()
    return float((matrices(plain_gradient(net, x, y)) - before).norm() / before.norm())


@ARMS
def test_gradient_norms_equal_plain_torch(arm: str) -> None:
    c, model = cell(arm), 2
    table = gradients.measure(c)
    assert set(table.columns) == {"seed", *gradients.COLUMNS} and set(table.checkpoint) == set(c.checkpoints())
    index = order(c.seeds, 960, 64, 4)[:, model]
    for checkpoint in ("init", "loss0.5"):
        squares = torch.zeros(2, 4, dtype=torch.double)
        for batch in index:
            net = alone(c.net(checkpoint), model, torch.double)
            h, y = images_of(c, model, batch, torch.double)
            outputs = []
            for part in net[:-1]:
                h = part(h)
                h.retain_grad()
                outputs.append(h)
            F.cross_entropy(net[-1](h), y).backward()
            squares[0] += torch.stack([h.grad.square().sum() for h in outputs]) / 4
            squares[1] += torch.stack([part.linear.weight.grad.square().sum() for part in net[:-1]]) / 4
        rows = table[(table.seed == 2) & (table.checkpoint == checkpoint)].sort_values("layer")
        assert rows.norm.tolist() == pytest.approx(squares[0].sqrt().tolist(), rel=1e-4)
        assert rows.weight_norm.tolist() == pytest.approx(squares[1].sqrt().tolist(), rel=1e-4)


@ARMS
def test_change_of_the_gradient_equals_plain_torch(arm: str) -> None:
    net, x, y = case(arm)
    grads, length = by_hand.gradients(net, x, y)[1], torch.tensor([0.3, 0.01]).double()
    computed = gradient_change(net, x, y, grads, length)
    for model in range(2):
        expected = change_by_hand(alone(net, model, torch.double), x[model].T, y[model], length[model])
        assert float(computed[model]) == pytest.approx(expected, rel=1e-6)


@ARMS
def test_along_the_gradient_equals_plain_torch(arm: str) -> None:
    net, x, y = case(arm)
    computed = along_the_gradient(net, x, y, by_hand.gradients(net, x, y)[1], 0.1)
    for model in range(2):
        losses, changes, slopes = [], [], []
        for rate in (0.05, 0.1, 0.2, 0.4):
            plain = alone(net, model, torch.double)
            g = plain_gradient(plain, x[model].T, y[model])
            for name, p in plain.named_parameters():
                p.data -= rate * g[name]
            losses.append(F.cross_entropy(plain(x[model].T), y[model]).item())
            after = plain_gradient(plain, x[model].T, y[model])
            changes.append(torch.stack([(after[k] - g[k]).norm() for k in g]).norm().item())
            slopes.append(changes[-1] / (rate * torch.stack([v.norm() for v in g.values()]).norm().item()))
        assert float(computed["loss_range"][model]) == pytest.approx(max(losses) - min(losses), rel=1e-6)
        assert float(computed["predictiveness"][model]) == pytest.approx(max(changes), rel=1e-6)
        assert float(computed["beta_smoothness"][model]) == pytest.approx(max(slopes), rel=1e-6)


def exact_hessian(net: Any, x: Tensor, y: Tensor) -> torch.Tensor:
    names, values = zip(*net.named_parameters())
    sizes = [v.numel() for v in values]

    def f(flat: Tensor) -> Tensor:
        parts = {n: part.view_as(v) for n, part, v in zip(names, flat.split(sizes), values)}
        return F.cross_entropy(functional_call(net, parts, (x,)), y)

    return torch.autograd.functional.hessian(f, torch.cat([v.detach().flatten() for v in values]))


@ARMS
def test_hessian_equals_the_exact_one(arm: str) -> None:
    net, x, y = case(arm, models=3)
    computed = hessian_top(net, x, y, by_hand.gradients(net, x, y)[1])
    for model in range(3):
        exact = torch.linalg.eigvalsh(exact_hessian(alone(net, model, torch.double), x[model].T, y[model]))
        assert float(computed[model]) == pytest.approx(float(exact[-1]), rel=0.02)


def test_hessian_of_softmax_regression() -> None:
    """Equal weights for all classes: H = (I/C - 11'/C^2) x E[x x'] with a 1 appended to x; its top is that of E[x x']
    over C."""
    torch.manual_seed(0)
    classes, n = 4, 50
    x, y = torch.randn(2, 7, n, dtype=torch.double) + 0.5, torch.randint(classes, (2, n))
    net = MLP([], torch.randn(2, 1, 7, dtype=torch.double).repeat(1, classes, 1), [])
    computed = hessian_top(net, x, y, by_hand.gradients(net, x, y)[1])
    for model in range(2):
        longer = torch.cat([x[model], torch.ones(1, n, dtype=torch.double)])
        expected = torch.linalg.eigvalsh(longer @ longer.T / n)[-1] / classes
        assert float(computed[model]) == pytest.approx(float(expected), rel=1e-2)


def test_largest_eigenvalue() -> None:
    g = torch.Generator().manual_seed(0)
    q = torch.linalg.qr(torch.randn(40, 40, generator=g, dtype=torch.double))[0]
    spectrum = torch.linspace(-9, 3, 40, dtype=torch.double)
    spectrum[-1] = 5  # the most negative one is larger in size
    symmetric = q @ spectrum.diag() @ q.T
    skew = symmetric + torch.randn(40, 40, generator=g, dtype=torch.double)
    stack, start = torch.stack([symmetric, skew, 2 * symmetric]), torch.randn(3, 40, generator=g, dtype=torch.double)
    computed = largest_eigenvalue(lambda v: (stack @ v[..., None])[..., 0], start)
    assert computed[0].item() == pytest.approx(5, rel=0.02) and computed[2].item() == pytest.approx(10, rel=0.02)
    assert computed[1].isnan(), "not symmetric: not a Hessian"
    start[1] = torch.nan
    again = largest_eigenvalue(lambda v: (stack @ v[..., None])[..., 0], start)
    assert torch.equal(again[[0, 2]], computed[[0, 2]])


def test_share_of_the_inputs() -> None:
    """Independent features of mean mu and variance 1: (1 + d mu^2) / (d (1 + mu^2)), as E12."""
    g = torch.Generator().manual_seed(0)
    mu, d = 2.0, 20
    images = torch.randn(2, 20000, d, generator=g) + torch.tensor([0.0, mu])[:, None, None]
    expected = [1 / d, (1 + d * mu**2) / (d * (1 + mu**2))]
    assert input_share(images).tolist() == pytest.approx(expected, rel=0.1)


def test_landscape_of_a_cell() -> None:
    c = cell("bn")
    table = landscape.measure(c)
    assert set(table.columns) == {"seed", *landscape.COLUMNS} and len(table) == 9 and not table.isna().any().any()
    model, checkpoint = 1, "loss0.5"
    x, y = by_hand.TrainingImages(c, 1).batch(0)
    row = table[(table.seed == 1) & (table.checkpoint == checkpoint)].iloc[0]
    norms = {}
    for name in ("init", checkpoint):
        weights = [*c.net(name).weights, c.net(name).head]
        norms[name] = torch.stack([w[model].norm() for w in weights]).norm()
    for column, norm in (("change_absolute", norms["init"]), ("change_relative", norms[checkpoint])):
        plain = alone(c.net(checkpoint), model, torch.double)
        expected = change_by_hand(plain, x[model].T.double(), y[model], 0.01 * norm)
        assert row[column] == pytest.approx(expected, rel=1e-4)
    bare = landscape.measure(cell("bn", shared=None))
    assert bare[["loss_range", "predictiveness", "beta_smoothness"]].isna().all().all()
    assert bare.change_relative.notna().all() and SHARED == c.shared
