"""Optimizers for stacked networks: every parameter is [M, ...], and each of the M networks has a rate of its own."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class SGD:
    """Gradient descent with momentum, as torch.optim.SGD: v <- momentum v + rate dL/dw; w <- w - v.

    It stands here because importing torch.optim takes a second.

    ``rates`` [M] multiply the networks' losses, since gradients are linear in them.
    """

    def __init__(self, parameters: Iterable[Tensor], rates: Tensor, momentum: float) -> None:
        self.parameters, self.rates, self.momentum = list(parameters), rates, momentum
        self.velocity = [torch.zeros_like(p) for p in self.parameters]

    def keep(self, parameters: Iterable[Tensor], which: Tensor) -> None:
        """Go on with ``parameters`` alone, those of the networks at the places ``which`` [m]."""
        self.parameters, self.rates = list(parameters), self.rates[which]
        self.velocity = [v[which] for v in self.velocity]

    def state(self) -> list[Tensor]:
        """Return what the next step depends on beside the parameters."""
        return self.velocity

    def begin(self, step: int) -> None:
        """Get ready for step number ``step``, from 1."""

    def step(self, loss: Tensor) -> None:
        """Take one step from ``loss`` [M], the mean loss of each network."""
        gradients = _gradients(loss * self.rates, self.parameters)
        with torch.no_grad():
            for p, g, v in zip(self.parameters, gradients, self.velocity):
                torch.add(g, v, alpha=self.momentum, out=v)
                p.sub_(v)


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1; betas .9, .999, eps 1e-8), as torch.optim.Adam.

    Adam's step does not follow the scale of the gradient, so each network's rate must multiply its step instead.
    """

    BETAS, EPS = (0.9, 0.999), 1e-8

    def __init__(self, parameters: Iterable[Tensor], rates: Tensor) -> None:
        self.parameters, self.rates = list(parameters), rates
        self.correct = [torch.ones((), dtype=torch.float64, device=rates.device) for _ in self.BETAS]
        self.first = [torch.zeros_like(p) for p in self.parameters]
        self.second = [torch.zeros_like(p) for p in self.parameters]

    def keep(self, parameters: Iterable[Tensor], which: Tensor) -> None:
        """Go on with some networks alone, as :meth:`SGD.keep` does."""
        self.parameters, self.rates = list(parameters), self.rates[which]
        self.first, self.second = [m[which] for m in self.first], [v[which] for v in self.second]

    def state(self) -> list[Tensor]:
        """Return what the next step depends on beside the parameters and its number."""
        return [*self.first, *self.second]

    def begin(self, step: int) -> None:
        """Get ready for step number ``step``, from 1: tensors, since a card replays a step without running its code."""
        for value, beta in zip(self.correct, self.BETAS):
            value.fill_(1 - beta**step)

    def step(self, loss: Tensor) -> None:
        """Take one step from ``loss`` [M], the mean loss of each network."""
        gradients = _gradients(loss, self.parameters)
        with torch.no_grad():
            for p, g, m, v in zip(self.parameters, gradients, self.first, self.second):
                m.lerp_(g, 1 - self.BETAS[0])
                v.mul_(self.BETAS[1]).addcmul_(g, g, value=1 - self.BETAS[1])
                rate = (self.rates / self.correct[0]).reshape(-1, *[1] * (p.dim() - 1))
                p.sub_(rate * m / ((v / self.correct[1]).sqrt_().add_(self.EPS)))


def _gradients(loss: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradients of the sum over networks; zero for a parameter that the loss does not depend on."""
    return torch.autograd.grad(loss.sum(), parameters, materialize_grads=True)


def build(name: str, parameters: Iterable[Tensor], rates: Tensor, momentum: float) -> SGD | Adam:
    """Return the optimizer "sgd" or "adam" (which has momentum of its own); raise ValueError for another name."""
    if name == "adam":
        return Adam(parameters, rates)
    if name == "sgd":
        return SGD(parameters, rates, momentum)
    raise ValueError(f"optimizer {name!r}: allowed are sgd and adam")
