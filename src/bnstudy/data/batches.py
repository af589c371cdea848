"""What the networks of a seed get: its own splits of the images, scaled, and training batches in its own order."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.cell import Splits, TrainingSpec
from bnstudy.core.rng import rng
from bnstudy.data.images import Images, split_images
from bnstudy.data.inputs import pixels, treatment

CPU = "cpu"
"""The device that every machine has: processor cores."""


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
    return _scaling(images, spec.splits, spec.setting.inputs, seed)


def part(images: Images, spec: TrainingSpec, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs [n, features] and labels [n] of the split ``name`` of one seed; the rest as in :func:`scaling`.

    Where inputs are painted, the colours of all splits are drawn as those of the training images.
    """
    return _part(images, spec.splits, spec.setting.inputs, seed, name)


def parts(
    images: Images,
    spec: TrainingSpec,
    seeds: Sequence[int],
    name: str,
    device: str = CPU,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """Return the inputs [seeds, n, features] and labels [seeds, n] of the split ``name`` of each seed (see :func:`part`).

    On a card those that were asked for last are kept: the next stack or measure wants the same again.
    """
    of = _parts if device == CPU else _kept
    return of(images, spec.splits, spec.setting.inputs, tuple(seeds), name, device, dtype)


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
    """The training batches of M networks, where their images are.

    Args:
        x: The training images [seeds, n, features] of each seed.
        labels: Their labels [seeds, n].
        seeds: The seeds, which fix the order. Each has one network, until :meth:`keep` says otherwise.
        batch: Images per batch.
        steps: The number of batches.
        fixed: How many of the first images of a seed :meth:`fixed` returns.

    Attributes:
        index: The places of the images of each batch among all images [steps, M, batch].
    """

    def __init__(self, x: Tensor, labels: Tensor, seeds: Sequence[int], batch: int, steps: int, fixed: int = 0) -> None:
        models, size, self.features = x.shape
        self.x, self.labels = x.reshape(-1, self.features), labels.reshape(-1)
        first = size * torch.arange(models)[:, None]
        self.index = (order(seeds, size, batch, steps) + first).to(x.device)
        self.first = (first + torch.arange(min(fixed, size))).to(x.device)

    def keep(self, which: Tensor) -> None:
        """Go on with the networks at the places ``which`` [m], each as often as it is there."""
        self.index, self.first = self.index[:, which], self.first[which]

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the inputs [M, features, B] and labels [M, B] of a step, counted from 0."""
        return self.at(self.index[step])

    def fixed(self) -> tuple[Tensor, Tensor]:
        """Return the inputs [M, features, n] and labels [M, n] of each seed's first images."""
        return self.at(self.first)

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inputs [M, features, B] and labels [M, B] of a batch, from its row of ``index`` [M, B]."""
        flat = places.reshape(-1)
        x = self.x.index_select(0, flat).view(*places.shape, self.features)
        return x.mT, self.labels.index_select(0, flat).view(places.shape)


def _scaling(images: Images, splits: Splits, inputs: str, seed: int) -> Scaling:
    index, origin, scale = _drawn(images, splits, inputs, seed)
    return Scaling(index, pixels(images, inputs, seed), origin, scale)


@lru_cache(maxsize=256)
def _drawn(
    images: Images, splits: Splits, inputs: str, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    index, pool = split_images(images, asdict(splits), seed), pixels(images, inputs, seed)
    return index, *treatment(pool[index["train"]], inputs)


def _part(images: Images, splits: Splits, inputs: str, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    index, pool, origin, scale = _scaling(images, splits, inputs, seed)
    x = pool[index[name]].reshape(len(index[name]), -1)
    return ((x - origin) * scale).astype(np.float32), images.y[index[name]]


def _parts(
    images: Images, splits: Splits, inputs: str, seeds: tuple[int, ...], name: str, device: str, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    each = [_part(images, splits, inputs, seed, name) for seed in seeds]
    x, labels = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*each))
    return x.to(device, dtype), labels.to(device)


_kept = lru_cache(maxsize=6)(_parts)
