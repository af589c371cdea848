"""What batch normalization does to gradients: checks E1, E3, E4 and E15.

Where theory has eps = 0, units have a standard deviation of 1e5, beside which eps = 1e-5 vanishes.
"""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms import bn
from bnstudy.arms.base import EPS, Norm, Place
from bnstudy.checks.base import Check, equal, largest, normal
from bnstudy.nets.base import cross_entropy, linear
from bnstudy.nets.mlp import build


def _layer(models: int, channels: int, gamma: Tensor) -> Norm:
    """Return batch normalization in double precision with this gamma [M, C]."""
    norm = bn.build(models, channels, Place(1, 1)).double()
    norm.get_parameter("gamma").data.copy_(gamma)
    return norm


def _standardized(h: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return x-hat and sigma of ``h`` [M, C, B], by elementary operations that autograd can differentiate."""
    centred = h - h.mean(2, keepdim=True)
    sigma = (centred.square().mean(2, keepdim=True) + eps).sqrt()
    return centred / sigma, sigma


def gradient_has_no_part_along_1_and_xhat() -> list[Check]:
    """E1: the gradient that leaves batch normalization has no part along 1 and along x-hat (Ioffe & Szegedy 2015)."""
    weight = 1e5 * normal("E1 weight", 2, 8, 16)
    bias = normal("E1 bias", 2, 8).requires_grad_()
    h = linear(weight, normal("E1 input", 2, 16, 64), bias)
    norm = _layer(2, 8, normal("E1 gamma", 2, 8).abs() + 0.5)
    loss = (norm(h) * normal("E1 upstream", 2, 8, 64)).sum()
    gradient, bias_gradient = torch.autograd.grad(loss, (h, bias))
    xhat = _standardized(h.detach(), 0)[0]
    scale = gradient.abs().sum(2)
    parts = {
        ("along_1", "sum of dL/dx over the batch, relative"): gradient.sum(2) / scale,
        ("along_xhat", "sum of x-hat dL/dx, relative"): (xhat * gradient).sum(2) / (xhat * gradient).abs().sum(2),
        ("bias", "gradient of a bias before it, relative"): bias_gradient / scale,
    }
    return [equal(key, name, 0, largest(part), 1e-12) for (key, name), part in parts.items()]


def weights_have_no_scale() -> list[Check]:
    """E3: weights before batch normalization have no scale (Arora, Li & Lyu 2019, lemma 2.4)."""
    x, y = normal("E3 input", 2, 12, 64), normal("E3 label", 2, 5, 64).argmax(1)
    net = build(12, 5, 3, 16, 1e3, "bn", (0, 1), torch.float64)

    def gradients() -> list[Tensor]:
        net.zero_grad()
        cross_entropy(net(x), y).sum().backward()
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
    grown = largest(torch.stack(excess))
    step = "||W||^2 after a step of SGD against ||W||^2 + lr^2 ||G||^2, relative"
    return [
        equal("cosine", "cosine of W and dL/dW", 0, largest(cosine), 1e-6),
        equal("scaled", "gradient at 3 W against a third of that at W, relative", 0, largest(shrunk), 1e-6),
        equal("step", step, 0, grown, 1e-6),
    ]


def gradient_norm_follows_the_theorem() -> list[Check]:
    """E4: ||dL/dx||^2 = (gamma/sigma)^2 (||g||^2 - <1,g>^2/m - <g,x-hat>^2/m) (Santurkar et al. 2018, theorem 4.1)."""
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
    error, factor = largest(squared(gamma) / formula - 1), float(double.mean())
    return [
        equal("formula", "squared norm of dL/dx against the formula, relative", 0, error, 1e-10),
        equal("factor", "factor on what is left of the gradient where gamma = 2 sigma", 2, factor, 1e-10),
    ]


def printed_formula_lacks_1_over_m() -> list[Check]:
    """E15: the backward formula as printed in the learner's thread, without 1/m on its last term, and with it.

    For independent normal x and g, the difference between the printed and the true gradient has length (m - 1) |a| with
    a = <g, x-hat> / sqrt(m) standard normal. The true gradient has m - 2 free components, so that the root mean square
    of the error is (m-1)/sqrt(m-2) times the gradient.
    """
    checks = []
    for m in (8, 64):
        h = normal(f"E15 input {m}", 1, 20000, m).requires_grad_()
        g = normal(f"E15 upstream {m}", 1, 20000, m)
        norm = bn.build(1, 20000, Place(1, 1)).double()
        ours = torch.autograd.grad((norm(h) * g).sum(), h)[0]
        xhat, sigma = _standardized(h, EPS)
        true = torch.autograd.grad((xhat * g).sum(), h)[0]
        xhat, sigma = xhat.detach(), sigma.detach()
        first = g - g.mean(2, keepdim=True)
        along = (g * xhat).sum(2, keepdim=True)
        theory = (m - 1) / sqrt(m - 2)
        for key, name, gradient, expected, tolerance in (
            ("ours", "this project's backward", ours, 0.0, 1e-10),
            ("with_1_over_m", "formula with 1/m on its last term", (first - xhat * along / m) / sigma, 0.0, 1e-10),
            ("printed", "formula as printed", (first - xhat * along) / sigma, theory, 0.02 * theory),
        ):
            error = float((gradient - true).norm() / true.norm())
            name = f"{name} against autograd, relative error, m = {m}"
            checks.append(equal(f"{key}_batch_{m}", name, expected, error, tolerance))
    return checks
