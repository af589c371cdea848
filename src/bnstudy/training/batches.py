"""The images that each network of a stack sees, step by step."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.cell import Splits, TrainingSpec
from bnstudy.core.rng import rng
from bnstudy.data.images import Images, split
from bnstudy.data.inputs import pixels, treatment

CPU = "cpu"
"""The device that every machine has: processor cores."""


@lru_cache(maxsize=256)
def drawn(
    images: Images, splits: Splits, inputs: str, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return what a seed draws of the images: the places [n] of each split, and the shift and scale of its inputs."""
    index = split(images.y, asdict(splits), seed)
    return index, *treatment(pixels(images, inputs, seed)[index["train"]], inputs)


def part(images: Images, spec: TrainingSpec, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs [n, features] as the network sees them, and labels [n], of one seed's train, test or heldout split.

    Where inputs are painted, the colours of all splits are drawn as those of the training images are.
    """
    return _part(images, spec.splits, spec.setting.inputs, seed, name)


def parts(
    images: Images, spec: TrainingSpec, seeds: Sequence[int], name: str, device: str, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Return the same split of several seeds on a device: inputs [seeds, n, features] and labels [seeds, n].

    A card keeps those that were asked for last: the next stack or measure wants the same again.
    """
    of = _parts if device == CPU else _kept
    return of(images, spec.splits, spec.setting.inputs, tuple(seeds), name, device, dtype)


def batches(seeds: Sequence[int], size: int, batch: int, steps: int) -> Tensor:
    """Return indices [steps, M, batch] into each seed's training split: a fresh order per epoch, full batches only."""
    per_epoch = size // batch
    epochs = -(-steps // per_epoch)
    order = [
        torch.cat([torch.randperm(size, generator=rng(s, "order", e))[: per_epoch * batch] for e in range(epochs)])
        for s in seeds
    ]
    return torch.stack(order).view(len(seeds), -1, batch).transpose(0, 1)[:steps]


class Feed:
    """Each network's own batches of its training images, up to a number of steps, all on the networks' device.

    Attributes:
        index: Which of all images make up each batch [steps, M, batch].
    """

    def __init__(
        self, spec: TrainingSpec, seeds: Sequence[int], images: Images, steps: int, dtype: torch.dtype, device: str
    ) -> None:
        each = list(dict.fromkeys(seeds))  # networks of one seed share its images
        x, y = parts(images, spec, each, "train", device, dtype)
        self.x, self.y = x.flatten(0, 1), y.flatten()
        index = batches(each, x.shape[1], spec.setting.batch, steps) + x.shape[1] * torch.arange(len(each))[:, None]
        self.index = index[:, [each.index(seed) for seed in seeds]].to(device)

    def keep(self, which: Tensor) -> None:
        """Go on with the networks at the places ``which`` [m] alone."""
        self.index = self.index[:, which]

    def draw(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the inputs [M, features, B] and labels [M, B] of a batch, from its row of ``index`` [M, B]."""
        flat = chosen.reshape(-1)
        inputs = self.x.index_select(0, flat).view(*chosen.shape, -1)
        return inputs.mT, self.y.index_select(0, flat).view(chosen.shape)


def _part(images: Images, splits: Splits, inputs: str, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    index, shift, scale = drawn(images, splits, inputs, seed)
    x = pixels(images, inputs, seed)[index[name]].reshape(len(index[name]), -1)
    return ((x - shift) * scale).astype(np.float32), images.y[index[name]]


def _parts(
    images: Images, splits: Splits, inputs: str, seeds: tuple[int, ...], name: str, device: str, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    each = [_part(images, splits, inputs, seed, name) for seed in seeds]
    x, y = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*each))
    return x.to(device, dtype), y.to(device)


_kept = lru_cache(maxsize=6)(_parts)
