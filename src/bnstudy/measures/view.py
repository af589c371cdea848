"""The test or held-out images of each seed as its networks see them, and networks run on them batch by batch, with the
statistics that they store, or with those measured afresh.
"""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from bnstudy.arms.base import Norm
from bnstudy.arms.bn import BatchNorm
from bnstudy.arms.guest import Guest
from bnstudy.core.rng import rng
from bnstudy.data.batches import scaling
from bnstudy.data.colour import PAINTED, paint
from bnstudy.data.images import Images, split
from bnstudy.measures.cell import TrainedCell
from bnstudy.nets.base import Net

ROUNDS, SETTLED = 10, 1e-5
"""How often averages are moved at most to the statistics of a batch, and the relative move that counts as none."""


class SeedView:
    """A split of the pool per seed, shuffled, as the seed's networks see it.

    With ``other``, images of another source, the split is of those: one half is the test's, the other half is held out.
    They are scaled as the study's own.

    Attributes:
        labels: The labels [M, n].
        painted: How the images are painted, or None.
    """

    def __init__(self, cell: TrainedCell, name: str, other: Images | None = None) -> None:
        self.painted, device = PAINTED.get(cell.setting.inputs), cell.source.device
        images, index, self.scales = other or cell.images, [], []
        for seed in cell.seeds:
            splits, _, origin, scale = scaling(cell.images, cell.spec, seed)
            if other:
                half = len(other.y) // 2
                splits = split(other.y, {"test": half, "heldout": half}, seed)
            order = torch.randperm(len(splits[name]), generator=rng(seed, "shuffle", 0)).numpy()
            index.append(splits[name][order])
            self.scales.append((torch.from_numpy(origin).to(device), torch.from_numpy(scale).to(device)))
        chosen, pool = torch.from_numpy(np.stack(index)), torch.from_numpy(images.y)
        self.index, self.labels = chosen.to(device), pool[chosen].to(device)
        if self.painted:
            drawn = [self.painted.colours(pool, len(cell.images.classes), seed) for seed in cell.seeds]
            self.colours = torch.stack([colours[i] for colours, i in zip(drawn, chosen)])

    def __call__(self, pool: Tensor, colours: Tensor | None = None) -> Tensor:
        """Return the view of a pool [N, C, H, W]: [M, features, n].

        ``colours`` are for painted inputs only: those of the n images in the order of the view, [n, 3] or [M, n, 3].
        Without them, colours are drawn as in training.
        """
        if self.painted is None:
            flat = pool.flatten(1)
            scaled = [((flat[i] - origin) * scale).float() for i, (origin, scale) in zip(self.index, self.scales)]
            return torch.stack(scaled).mT
        colours = (self.colours if colours is None else colours).to(pool.device)
        painted = []
        for m, (chosen, constants) in enumerate(zip(self.index, self.scales)):
            # Scaling is affine in each channel: to paint in scaled colours on a scaled ground comes to the same.
            origin, scale = (c[:: pool[0, 0].numel()] for c in constants)
            colour = (colours[m] if colours.dim() == 3 else colours) - origin
            painted.append(paint(pool[chosen], colour * scale, (self.painted.ground - origin) * scale).flatten(1))
        return torch.stack(painted).mT


def in_batches(net: Net, x: Tensor, size: int) -> Tensor:
    """Return the logits [M, classes, n] of ``x`` [M, features, n], where about ``size`` neighbours at a time are a batch of
    their own, as ``tensor_split`` cuts them. It takes one or two passes, unless an arm with statistics has no ghost
    batches."""
    number = -(-x.shape[2] // size)
    if any(norm.has_statistics and not _has_ghosts(norm) for norm in net.norms):
        return torch.cat([net(batch) for batch in x.tensor_split(number, 2)], 2)
    shorter, longer = divmod(x.shape[2], number)
    cut, logits = longer * (shorter + 1), []
    for images, ghost in ((x[..., :cut], shorter + 1), (x[..., cut:], shorter)):
        if images.shape[2]:
            set_ghost(net, ghost)
            logits.append(net(images))
    set_ghost(net, None)
    return torch.cat(logits, 2)


def set_ghost(net: Net, size: int | None) -> None:
    """Let every ``size`` neighbours be a batch of their own, where norms that can do so use batch statistics."""
    for norm in net.norms:
        if _has_ghosts(norm):
            norm.ghost = size  # type: ignore[assignment]


def _has_ghosts(norm: nn.Module) -> bool:
    return isinstance(norm, Guest) or (isinstance(norm, BatchNorm) and norm.native)


def with_statistics_of(net: Net, x: Tensor) -> Net:
    """Return a copy of the networks whose running averages are the statistics of ``x``, layer after layer (AdaBN, Li et
    al. 2016).

    Batch normalization of the package adopts them in one pass. Of other arms all that is known is that each batch moves
    the averages some way towards its own values: see :func:`_settle`.
    """
    adapted = deepcopy(net)
    others: list[Norm] = []
    for norm in adapted.norms:
        if isinstance(norm, BatchNorm) and norm.native:
            norm.adopt = True
        elif norm.has_statistics:
            others.append(norm)  # type: ignore[arg-type]
    adapted.set_statistics("batch", update=True)
    if others:
        _settle(adapted, others, x)
    else:
        adapted(x)
    adapted.set_statistics("running", update=False)
    return adapted


def _settle(net: Net, norms: list[Norm], x: Tensor) -> None:
    """Move the averages [M, ...] of ``norms`` to where passes over ``x`` would leave them in the end.

    Two passes tell how far they have to go: an exponential average moves by the same share of what is left each time. So
    one round is enough for it; others take some more, and at most ``ROUNDS``.
    """
    for _ in range(ROUNDS):
        states = [_averages(norms)]
        for _ in range(2):
            net(x)
            states.append(_averages(norms))
        moved = 0.0
        for (norm, name), start in states[0].items():
            middle, end = states[1][norm, name], states[2][norm, name]
            first, second = ((b - a).reshape(len(a), -1) for a, b in ((start, middle), (middle, end)))
            kept = (first * second).sum(1) / first.square().sum(1)
            goal = start + (middle - start) * (1 / (1 - kept)).view(-1, *[1] * (start.dim() - 1))
            settled = torch.where(goal.isfinite(), goal, end)
            norm.get_buffer(name).copy_(settled)
            moved = max(moved, float((settled - start).abs().max() / settled.abs().max().clamp_min(1e-12)))
        if moved < SETTLED:
            return


def _averages(norms: list[Norm]) -> dict[tuple[Norm, str], Tensor]:
    """Return copies of the buffers [M, ...] that hold fractions, by norm and name."""
    return {
        (norm, name): buffer.detach().clone()
        for norm in norms
        for name, buffer in norm.named_buffers()
        if buffer.is_floating_point()
    }
