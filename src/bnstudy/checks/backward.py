"""What batch normalization does to gradients: E1, E3, E4, E15.

Where theory has eps = 0, units with a standard deviation of 1e5 make eps = 1e-5 vanish beside the variance.
"""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms import bn
from bnstudy.arms.base import EPS, Norm, Place
from bnstudy.checks.base import Check, equal, largest, normal
from bnstudy.nets.base import linear
from bnstudy.nets.mlp import build


def _layer(models: int, channels: int, gamma: Tensor) -> Norm:
    norm = bn.build(models, channels, Place(1, 1)).double()
    norm.get_parameter("gamma").data.copy_(gamma)
    return norm


def _standardized(h: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x-hat and sigma of ``h`` [M, C, B], in elementary operations that autograd differentiates by itself."""
    centred = h - h.mean(2, keepdim=True)
    sigma = (centred.square().mean(2, keepdim=True) + eps).sqrt()
    return centred / sigma, sigma


def e1() -> list[Check]:
    """The gradient that leaves batch normalization has no part along 1 and along x-hat (Ioffe & Szegedy 2015)."""
    weight = 1e5 * normal("E1 weight", 2, 8, 16)
    bias = normal("E1 bias", 2, 8).requires_grad_()
    h = linear(weight, normal("E1 input", 2, 16, 64), bias)
    norm = _layer(2, 8, normal("E1 gamma", 2, 8).abs() + 0.5)
    loss = (norm(h) * normal("E1 upstream", 2, 8, 64)).sum()
    gradient, bias_gradient = torch.autograd.grad(loss, (h, bias))
    xhat = _standardized(h.detach(), 0)[0]
    scale = gradient.abs().sum(2)
    parts = {
        "sum of dL/dx over the batch, relative": gradient.sum(2) / scale,
        "sum of x-hat dL/dx, relative": (xhat * gradient).sum(2) / (xhat * gradient).abs().sum(2),
        "gradient of a bias before it, relative": bias_gradient / scale,
    }
    return [equal("E1", name, 0, largest(part), 1e-12) for name, part in parts.items()]


def e3() -> list[Check]:
    """Weights before batch normalization are free of scale (Arora, Li & Lyu 2019, lemma 2.4)."""
    x, y = normal("E3 input", 2, 12, 64), normal("E3 label", 2, 5, 64).argmax(1)
    net = build(12, 5, 3, 16, 1e3, "bn", (0, 1), torch.float64)

    def gradients() -> list[Tensor]:
        net.zero_grad()
        F.cross_entropy(net(x), y, reduction="none").mean(1).sum().backward()
        return [w.grad.flatten(1).clone() for w in net.weights if w.grad is not None]

    before = gradients()
    flat = [w.detach().flatten(1).clone() for w in net.weights]
    cosine = torch.stack([F.cosine_similarity(w, g, dim=1) for w, g in zip(flat, before)])
    excess = []
    for weight, w, g in zip(net.weights, flat, before):
        rate = float(w.norm() / g.norm())
        after = (weight - rate * weight.grad).detach().flatten(1).square().sum(1)  # type: ignore[operator]
        excess.append(after / (w.square().sum(1) + rate**2 * g.square().sum(1)) - 1)
    with torch.no_grad():
        for weight in net.weights:
            weight.mul_(3)
    shrunk = torch.stack([(3 * g3 - g).norm() / g.norm() for g, g3 in zip(before, gradients())])
    return [
        equal("E3", "cosine of W and dL/dW", 0, largest(cosine), 1e-6),
        equal("E3", "gradient at 3 W against a third of that at W, relative", 0, largest(shrunk), 1e-6),
        equal(
            "E3",
            "||W||^2 after a step of SGD against ||W||^2 + lr^2 ||G||^2, relative",
            0,
            largest(torch.stack(excess)),
            1e-6,
        ),
    ]


def e4() -> list[Check]:
    """||dL/dx||^2 = (gamma/sigma)^2 (||g||^2 - <1,g>^2/m - <g,x-hat>^2/m) (Santurkar et al. 2018, theorem 4.1)."""
    m = 64
    h = (1e5 * normal("E4 input", 2, 8, m)).requires_grad_()
    xhat, sigma = (t.detach() for t in _standardized(h, 0))
    g = normal("E4 upstream", 2, 8, m)
    kept = g.square().sum(2) - g.sum(2) ** 2 / m - (g * xhat).sum(2) ** 2 / m

    def squared(gamma: Tensor) -> Tensor:
        return torch.autograd.grad((_layer(2, 8, gamma)(h) * g).sum(), h)[0].square().sum(2)

    gamma = 1e5 * (normal("E4 gamma", 2, 8).abs() + 0.5)
    formula = (gamma / sigma[..., 0]) ** 2 * kept
    double = (squared(2 * sigma[..., 0]) / kept).sqrt()
    return [
        equal(
            "E4", "squared norm of dL/dx against the formula, relative", 0, largest(squared(gamma) / formula - 1), 1e-10
        ),
        equal("E4", "factor on what is left of the gradient where gamma = 2 sigma", 2, float(double.mean()), 1e-10),
    ]


def e15() -> list[Check]:
    """The backward formula as printed in the learner's thread, without 1/m on its last term, and with it.

    Over independent normal x and g, printed minus true is (m - 1) |a| long, a = <g, x-hat> / sqrt(m) standard
    normal, and the true gradient has m - 2 free components: the error is (m-1)/sqrt(m-2) of it, root mean square.
    """
    checks = []
    for m in (8, 64):
        h = normal(f"E15 input {m}", 1, 20000, m).requires_grad_()
        g = normal(f"E15 upstream {m}", 1, 20000, m)
        norm = bn.build(1, 20000, Place(1, 1)).double()
        own = torch.autograd.grad((norm(h) * g).sum(), h)[0]
        xhat, sigma = _standardized(h, EPS)
        true = torch.autograd.grad((xhat * g).sum(), h)[0]
        xhat, sigma = xhat.detach(), sigma.detach()
        first = g - g.mean(2, keepdim=True)
        along = (g * xhat).sum(2, keepdim=True)
        found = {
            "this project's backward": (own, 0.0, 1e-10),
            "formula with 1/m on its last term": ((first - xhat * along / m) / sigma, 0.0, 1e-10),
            "formula as printed": ((first - xhat * along) / sigma, (m - 1) / sqrt(m - 2), 0.02 * (m - 1) / sqrt(m - 2)),
        }
        for name, (gradient, expected, tolerance) in found.items():
            error = float((gradient - true).norm() / true.norm())
            checks.append(equal("E15", f"{name} against autograd, relative error, m = {m}", expected, error, tolerance))
    return checks
