"""Each seed's own test or held-out images as its networks see them, and networks run on them batch by batch."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.rng import rng
from bnstudy.data.colour import PAINTED, paint
from bnstudy.measures.cell import TrainedCell
from bnstudy.training.batches import drawn


class SeedView:
    """Each seed's own split of a pool, shuffled, as its networks see it; ``labels`` [M, n]."""

    def __init__(self, cell: TrainedCell, name: str) -> None:
        self.painted, device = PAINTED.get(cell.setting.inputs), cell.source.device
        index, self.scales = [], []
        for seed in cell.seeds:
            parts, shift, scale = drawn(cell.images, cell.spec.splits, cell.setting.inputs, seed)
            order = torch.randperm(len(parts[name]), generator=rng(seed, "shuffle", 0)).numpy()
            index.append(parts[name][order])
            self.scales.append((torch.from_numpy(shift).to(device), torch.from_numpy(scale).to(device)))
        chosen, pool = torch.from_numpy(np.stack(index)), torch.from_numpy(cell.images.y)
        self.index, self.labels = chosen.to(device), pool[chosen].to(device)
        if self.painted:
            every = [self.painted.colours(pool, len(cell.images.classes), seed) for seed in cell.seeds]
            self.colours = torch.stack([colours[i] for colours, i in zip(every, chosen)])

    def __call__(self, pool: Tensor, colours: Tensor | None = None) -> Tensor:
        """[N, C, H, W] -> [M, features, n].

        ``colours``, for painted inputs alone, are those of the n images in the view's own order: [n, 3] or [M, n, 3];
        left out, colours as in training.
        """
        if self.painted is None:
            scaled = [
                ((pool.flatten(1)[i] - shift) * scale).float() for i, (shift, scale) in zip(self.index, self.scales)
            ]
            return torch.stack(scaled).mT
        colours = (self.colours if colours is None else colours).to(pool.device)
        each = []
        for m, (chosen, constants) in enumerate(zip(self.index, self.scales)):
            # Scaling is affine in each channel: to paint in scaled colours on a scaled ground comes to the same.
            shift, scale = (c[:: pool[0, 0].numel()] for c in constants)
            colour = (colours[m] if colours.dim() == 3 else colours) - shift
            each.append(paint(pool[chosen], colour * scale, (self.painted.ground - shift) * scale).flatten(1))
        return torch.stack(each).mT


def in_batches(net: Any, x: Tensor, size: int) -> Tensor:
    """Logits [M, classes, n] of ``x`` [M, features, n], each of about ``size`` neighbours a batch of its own, as
    ``tensor_split`` cuts them. One or two passes, unless an arm with statistics knows no ghost batches."""
    number = -(-x.shape[2] // size)
    if any(norm.has_statistics and not hasattr(norm, "ghost") for norm in net.norms):
        return torch.cat([net(batch) for batch in x.tensor_split(number, 2)], 2)
    shorter, longer = divmod(x.shape[2], number)
    cut, found = longer * (shorter + 1), []
    for images, own in ((x[..., :cut], shorter + 1), (x[..., cut:], shorter)):
        if images.shape[2]:
            set_ghost(net, own)
            found.append(net(images))
    set_ghost(net, None)
    return torch.cat(found, 2)


def set_ghost(net: Any, size: int | None) -> None:
    """Let every ``size`` neighbours be a batch of their own, where norms use a batch's statistics."""
    for norm in net.norms:
        norm.ghost = size


def with_statistics_of(net: Any, x: Tensor) -> Any:
    """The networks with running averages replaced by the statistics of ``x``, layer after layer (AdaBN, Li et al.
    2016); a copy, the given networks stay as they are."""
    own = deepcopy(net)
    for norm in own.norms:
        norm.adopt = True
    own.set_statistics("batch", update=True)
    own(x)
    own.set_statistics("running", update=False)
    return own
