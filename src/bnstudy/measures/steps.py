"""What is done to networks by hand: plain gradient steps of any length, and half a network run or trained alone."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bnstudy.measures.cell import TrainedCell
from bnstudy.nets.base import Net, State
from bnstudy.training.train import batches

Grouped = Sequence[Sequence[Tensor]]
"""One tensor [M, ...] a parameter, grouped as :func:`layers` groups them."""

DOUBLINGS, HALVINGS = 20, 8


class TrainingImages:
    """The images a cell was trained on, ``steps`` batches of them in the order and size of its training."""

    def __init__(self, cell: TrainedCell, steps: int) -> None:
        x, self.labels = cell.split("train")
        self.images = x.mT.contiguous()
        self.probe = cell.probe, self.labels[:, : cell.probe.shape[2]]
        self.index = batches(cell.seeds, x.shape[2], cell.setting.batch, steps).to(x.device)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs [M, features, B] and labels [M, B]; steps count from 0."""
        models, size, features = self.images.shape
        at = (self.index[step] + size * torch.arange(models, device=self.index.device)[:, None]).flatten()
        x = self.images.view(-1, features).index_select(0, at).view(models, -1, features)
        return x.mT, self.labels.view(-1).index_select(0, at).view(models, -1)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each network, nats: [M, classes, B] and [M, B] -> [M]."""
    return F.cross_entropy(logits, labels, reduction="none").mean(1)


def layers(net: Net) -> list[list[nn.Parameter]]:
    """The parameters of each hidden layer, then of the head; the weight matrix comes first in its layer."""
    bias = iter(net.biases)
    hidden = [[w, *([next(bias)] if n.bias else []), *n.parameters()] for w, n in zip(net.weights, net.norms)]
    return [*hidden, [net.head, net.head_bias]]


def gradients(net: Net, x: Tensor, labels: Tensor) -> tuple[Tensor, list[list[Tensor]]]:
    """Loss [M] and its gradient in every parameter, grouped as :func:`layers` does."""
    groups = layers(net)
    value = loss(net(x), labels)
    flat = iter(torch.autograd.grad(value.sum(), [p for group in groups for p in group]))
    return value.detach(), [[next(flat) for _ in group] for group in groups]


@torch.no_grad()
def move(net: Net, start: Net, directions: Grouped, lengths: Sequence[Tensor]) -> Net:
    """Set the parameters of ``net`` to those of ``start`` plus length times direction, one length [M] a layer; layers
    and parameters without a direction become those of ``start``. Returns ``net``."""
    for p, origin in zip(net.parameters(), start.parameters()):
        p.copy_(origin)
    for group, each, length in zip(layers(net), directions, lengths):
        for p, d in zip(group, each):
            p.add_(length.reshape(-1, *[1] * (d.dim() - 1)) * d)
    return net


def descend(net: Net, grads: Grouped, lengths: Sequence[Tensor]) -> Net:
    """A copy of the networks after one plain gradient step, without momentum, of one length [M] a layer."""
    return move(deepcopy(net), net, grads, [-length for length in lengths])


def blocks(net: Net, first: int, last: int) -> Net:
    """Hidden layers ``first`` (from 1) to ``last`` and the head as networks of their own, on the same parameters; they
    take what :func:`outputs` gives for the layer before."""
    return net.part(first, last)


def outputs(net: Net, x: Tensor) -> list[State]:
    """What each hidden layer hands to the next one."""
    return list(net.states(x))


def crossing(excess: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """The t [M] at which ``excess`` (t [M] -> [M]) first turns from negative to zero or more; NaN where it does not.

    Looks at ``start`` (positive, small), doubles it up to 20 times, then halves the bracket 8 times: t is known to
    within 1/256 of itself, or of ``start``. A network that is done is not moved by the others' search.
    """
    low, high = torch.zeros_like(start), start.clone()
    found = excess(high) >= 0
    for _ in range(DOUBLINGS):
        if found.all():
            break
        low, high = torch.where(found, low, high), torch.where(found, high, 2 * high)
        found |= excess(high) >= 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = excess(middle) >= 0
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return torch.where(found, (low + high) / 2, torch.nan)
