"""What the networks of a seed get: its own splits of the images, scaled, and training batches in its own order."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.cell import TrainingSpec
from bnstudy.core.rng import rng
from bnstudy.data.images import Images, split
from bnstudy.data.inputs import pixels, treatment


class Scaling(NamedTuple):
    """The splits of one seed, and how its networks see pixels.

    Attributes:
        splits: Indices into the pool by the name of the split (see :func:`bnstudy.data.images.split`).
        pool: All images as the seed's networks are trained on them, unscaled: float32 [N, C, H, W].
        origin, scale: float64 [C*H*W] each; a network sees (pixel - origin) * scale.
    """

    splits: dict[str, np.ndarray]
    pool: np.ndarray
    origin: np.ndarray
    scale: np.ndarray


def scaling(images: Images, spec: TrainingSpec, seed: int) -> Scaling:
    """Return the splits of a seed and its scaling, whose constants are those of its training images.

    Args:
        images: The pool.
        spec: It says how many images each split has, and what becomes of the pixels.
        seed: The seed of the networks.
    """
    inputs = spec.setting.inputs
    splits, pool = split(images.y, asdict(spec.splits), seed), pixels(images, inputs, seed)
    return Scaling(splits, pool, *treatment(pool[splits["train"]], inputs))


def part(images: Images, spec: TrainingSpec, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs [n, features] and labels [n] of the split ``name`` of one seed; the rest as in :func:`scaling`.

    Where inputs are painted, the colours of all splits are drawn as those of the training images.
    """
    splits, pool, origin, scale = scaling(images, spec, seed)
    x = pool[splits[name]].reshape(len(splits[name]), -1)
    return ((x - origin) * scale).astype(np.float32), images.y[splits[name]]


def parts(images: Images, spec: TrainingSpec, seeds: Sequence[int], name: str) -> tuple[Tensor, Tensor]:
    """Return the inputs [M, n, features] and labels [M, n] of the split ``name`` of each seed (see :func:`part`)."""
    data = {seed: part(images, spec, seed, name) for seed in dict.fromkeys(seeds)}
    x, y = (np.stack([data[seed][i] for seed in seeds]) for i in (0, 1))
    return torch.from_numpy(x), torch.from_numpy(y)


def order(seeds: Sequence[int], size: int, batch: int, steps: int) -> Tensor:
    """Return indices [steps, M, batch] into each seed's ``size`` training images: a fresh order per epoch, full batches
    only."""
    per_epoch = size // batch
    epochs = -(-steps // per_epoch)
    orders = [
        torch.cat([torch.randperm(size, generator=rng(s, "order", e))[: per_epoch * batch] for e in range(epochs)])
        for s in seeds
    ]
    return torch.stack(orders).view(len(seeds), -1, batch).transpose(0, 1)[:steps]


class Batches:
    """The training batches of M networks.

    Args:
        x: Each network's training images [M, n, features].
        labels: Their labels [M, n].
        seeds: The seed of each network, which fixes the order.
        batch: Images per batch.
        steps: The number of batches.
    """

    def __init__(self, x: Tensor, labels: Tensor, seeds: Sequence[int], batch: int, steps: int) -> None:
        models, size, self.features = x.shape
        self.x, self.labels = x.reshape(-1, self.features), labels.reshape(-1)
        self.index = order(seeds, size, batch, steps) + size * torch.arange(models)[:, None]

    def batch(self, step: int, places: np.ndarray | None = None) -> tuple[Tensor, Tensor]:
        """Return the inputs [m, features, B] and labels [m, B] of a step, counted from 0.

        ``places`` [m] picks networks of the stack; without it the batch is that of all networks.
        """
        index = self.index[step] if places is None else self.index[step, places]
        flat = index.reshape(-1)
        x = self.x.index_select(0, flat).view(*index.shape, self.features)
        return x.mT, self.labels.index_select(0, flat).view(index.shape)
