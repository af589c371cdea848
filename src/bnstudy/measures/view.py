"""The test or held-out images of each seed as its networks see them, and networks run on them batch by batch."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.rng import rng
from bnstudy.data.batches import scaling
from bnstudy.data.colour import PAINTED, paint
from bnstudy.data.images import Images, split
from bnstudy.measures.cell import TrainedCell
from bnstudy.nets.base import Net


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
    if any(norm.has_statistics and not hasattr(norm, "ghost") for norm in net.norms):
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
    """Let every ``size`` neighbours be a batch of their own, where norms use batch statistics."""
    for norm in net.norms:
        norm.ghost = size  # type: ignore[assignment]


def with_statistics_of(net: Net, x: Tensor) -> Net:
    """Return a copy of the networks whose running averages are the statistics of ``x``, layer after layer (AdaBN, Li et
    al. 2016)."""
    adapted = deepcopy(net)
    for norm in adapted.norms:
        norm.adopt = True  # type: ignore[assignment]
    adapted.set_statistics("batch", update=True)
    adapted(x)
    adapted.set_statistics("running", update=False)
    return adapted
