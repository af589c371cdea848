"""Plain gradient steps of any length, on the batches of training."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bnstudy.data.batches import Batches
from bnstudy.measures.cell import TrainedCell
from bnstudy.nets.base import Net, cross_entropy

Grouped = Sequence[Sequence[Tensor]]
"""One tensor [M, ...] per parameter, grouped as :func:`layers` groups them."""

DOUBLINGS, HALVINGS = 20, 8


class TrainingImages(Batches):
    """The images that a cell was trained on, in ``steps`` batches in the order and of the size of its training.

    Attributes:
        training: All training images [M, n, features].
        probe: The inputs [M, features, n] and labels [M, n] of the probe.
    """

    def __init__(self, cell: TrainedCell, steps: int) -> None:
        x, labels = cell.split("train")
        self.training = x.mT.contiguous()
        self.probe = cell.probe, labels[:, : cell.probe.shape[2]]
        super().__init__(self.training, labels, cell.seeds, cell.setting.batch, steps)


def layers(net: Net) -> list[list[nn.Parameter]]:
    """Return the parameters of each hidden layer, then of the head. The weight matrix comes first in its layer."""
    bias = iter(net.biases)
    hidden = [[w, *([next(bias)] if n.bias else []), *n.parameters()] for w, n in zip(net.weights, net.norms)]
    return [*hidden, [net.head, net.head_bias]]


def gradients(net: Net, x: Tensor, labels: Tensor) -> tuple[Tensor, list[list[Tensor]]]:
    """Return the loss [M] and its gradient in every parameter, grouped as :func:`layers` groups them."""
    groups = layers(net)
    value = cross_entropy(net(x), labels)
    flat = iter(torch.autograd.grad(value.sum(), [p for group in groups for p in group]))
    return value.detach(), [[next(flat) for _ in group] for group in groups]


@torch.no_grad()
def move(net: Net, start: Net, directions: Grouped, lengths: Sequence[Tensor]) -> Net:
    """Set the parameters of ``net`` to those of ``start`` plus length times direction, with one length [M] per layer;
    layers and parameters without a direction become those of ``start``. Return ``net``."""
    for p, origin in zip(net.parameters(), start.parameters()):
        p.copy_(origin)
    for group, along, length in zip(layers(net), directions, lengths):
        for p, d in zip(group, along):
            p.add_(length.reshape(-1, *[1] * (d.dim() - 1)) * d)
    return net


def crossing(excess: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """Return the t [M] at which ``excess`` (t [M] -> [M]) first turns from negative to zero or more; NaN where it does not.

    The search begins at ``start`` (positive, small), doubles it up to 20 times and then halves the bracket 8 times, so
    that t is known to within 1/256 of itself, or of ``start``. Each network's search ends by itself.
    """
    low, high = torch.zeros_like(start), start.clone()
    crossed = excess(high) >= 0
    for _ in range(DOUBLINGS):
        if crossed.all():
            break
        low, high = torch.where(crossed, low, high), torch.where(crossed, high, 2 * high)
        crossed |= excess(high) >= 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = excess(middle) >= 0
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return torch.where(crossed, (low + high) / 2, torch.nan)
