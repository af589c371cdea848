"""Linear models, whose answers are known: checks E9, E12 and E13."""

from math import sqrt
from types import ModuleType

import torch
from torch import Tensor

from bnstudy.arms import bn, bn_frozen, none
from bnstudy.arms.base import Norm, Place
from bnstudy.checks.base import Check, at_least, at_most, equal, normal
from bnstudy.nets.base import linear

STEPS, EVERY = 300, 20


def _covariate_shift(arm: ModuleType, steps: int, networks: int = 12) -> Tensor:
    """Return the cosine of the gradients of layers 9 and 17 before and after the layers below step: [time, 2, networks].

    There are 25 linear layers of 10 units with Glorot initialization, and the arm stands after all but the last. The
    1000 inputs are from N(0, I), the targets are A x with A from N(0, 1). The loss is SSE/10 on all inputs, trained by
    gradient descent at rate 1e-6.
    """
    layers, width, rate = 25, 10, 1e-6
    x = normal("E9 input", networks, width, 1000, dtype=torch.float32)
    y = normal("E9 target", networks, width, width, dtype=torch.float32) @ x
    weights = [normal(f"E9 weight {i}", networks, width, width, dtype=torch.float32) for i in range(layers)]
    weights = [w / sqrt(width) for w in weights]
    norms: list[Norm] = [arm.build(networks, width, Place(i, layers)) for i in range(1, layers)]

    def gradients(weights: list[Tensor]) -> tuple[Tensor, ...]:
        for w in weights:
            w.requires_grad_()
        h = x
        for weight, norm in zip(weights, norms):
            h = norm(linear(weight, h, None))
        error = linear(weights[-1], h, None) - y
        return torch.autograd.grad(error.square().sum() / 10, weights)

    cosines = []
    for step in range(steps + 1):
        before = gradients(weights)
        moved = [w.detach() - rate * g for w, g in zip(weights, before)]
        if step % EVERY == 0:
            pair = []
            for layer in (9, 17):
                after = gradients(moved[: layer - 1] + [w.detach() for w in weights[layer - 1 :]])[layer - 1]
                pair.append(torch.cosine_similarity(before[layer - 1].flatten(1), after.flatten(1), dim=1))
            cosines.append(torch.stack(pair))
        weights = moved
    return torch.stack(cosines)


def covariate_shift_is_larger_with_bn() -> list[Check]:
    """E9: internal covariate shift in a deep linear network is larger with batch normalization (Santurkar et al. 2018).

    This is an ordering at one small rate, not a law. Without batch normalization the cosine is above 0.999 at about 70%
    of the steps, not at every step as reported. With smaller initial weights (sd 0.22 instead of 0.32) it is 1
    throughout, because the network does not move at all.
    """
    plain, normalized = _covariate_shift(none, STEPS), _covariate_shift(bn, 100)
    checks, cosine = [], "cosine before and after"
    for i, layer in enumerate((9, 17)):
        steady = float(plain[:, i].median())
        turned = float(normalized[:, i].median(1).values.min())
        of_none = f"{cosine}, none, layer {layer}, median over 300 steps"
        of_bn = f"{cosine}, bn, layer {layer}, lowest median in 100 steps"
        checks += [at_least(f"none_layer_{layer}", of_none, 0.999, steady)]
        checks += [at_most(f"bn_layer_{layer}", of_bn, 0.9, turned)]
    return checks


def _condition(h: Tensor) -> float:
    """Return the condition number of the Hessian h h^T / n of least squares on features ``h`` [M, d, n], mean over M."""
    eigenvalues = torch.linalg.eigvalsh(h @ h.mT / h.shape[2])
    return float((eigenvalues[:, -1] / eigenvalues[:, 0]).mean())


def mean_spoils_the_condition_number() -> list[Check]:
    """E12: in least squares on x from N(mu 1, I_d), the mean spoils the Hessian, and centring mends it (LeCun et al. 1998).

    Centred, what is left is the noise of a sample covariance (Marchenko & Pastur 1967). Their edges are those of
    infinitely many features; with 20 features the condition number is smaller, by 11% at n = 400 and 4% at n = 4000.
    """
    d, n = 20, 4000
    checks = []
    for mu in (1, 3):
        x = normal(f"E12 {mu}", 1, d, 100_000) + mu
        theory = 1.0 + d * mu**2
        name = f"condition number, raw inputs, mu = {mu}"
        checks.append(equal(f"raw_mean_{mu}", name, theory, _condition(x), 0.08 * theory))
    x = normal("E12 centred", 16, d, n) + 3
    xhat = bn_frozen.build(16, d, Place(1, 1)).double()(x)
    theory = ((1 + sqrt(d / n)) / (1 - sqrt(d / n))) ** 2
    name = "condition number, normalized, n = 4000"
    checks.append(equal("normalized", name, theory, _condition(xhat), 0.08 * theory))
    return checks


def any_rate_fits_with_bn() -> list[Check]:
    """E13: in least squares by gradient descent there is a bound on the rate without batch normalization, and none with it.

    Without it, the error along the top eigenvector is multiplied by 1 - rate x lambda per step: its size by 1.2 at a
    tenth above 2/lambda. With it (Cai, Li & Shen 2019), the rate of the weights may be anything; gamma and beta step at
    0.5.
    """
    d, n = 20, 200
    x = normal("E13 input", 1, d, n) + 1
    y = normal("E13 target", 1, 1, d) @ x
    rates = torch.logspace(-3, 3, 7, dtype=torch.float64)[:, None, None]
    top = torch.linalg.eigvalsh(x[0] @ x[0].T / n)[-1]
    weight, error = torch.zeros(1, 1, d, dtype=torch.float64), []
    for _ in range(200):
        residual = linear(weight, x, None) - y
        error.append(float(residual.norm()))
        weight = weight - 2.2 / top * residual @ x.mT / n

    networks = len(rates)
    norm = bn.build(networks, 1, Place(1, 1)).double()
    weights = 0.5 * normal("E13 weight", 1, 1, d).repeat(networks, 1, 1).requires_grad_()
    parameters = [weights, *norm.parameters()]
    for _ in range(3000):
        loss = (norm(linear(weights, x.expand(networks, -1, -1), None)) - y).square().mean((1, 2)) / 2
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients):
                parameter -= (rates if parameter is weights else 0.5) * gradient
    fitted = int((loss < 0.01 * y.var() / 2).sum())
    return [
        equal("growth", "growth of the error a step at rate 2.2 : lambda_max", 1.2, error[-1] / error[-2], 1e-6),
        equal("rates", "of 7 rates from 1e-3 to 1e3, how many fit with batch normalization", 7, fitted, 0),
    ]
