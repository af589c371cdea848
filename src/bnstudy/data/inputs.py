"""How images enter a network: scaled in one of four ways, or painted in colours. This is the same for every arm."""

import numpy as np
import torch

from bnstudy.core.rng import rng
from bnstudy.data.colour import PAINTED, paint
from bnstudy.data.images import Images

KINDS = ("standardized", "raw", "mixed", "scaled", *PAINTED)
LARGER = 64.0
"""How many times as large `scaled` inputs are."""


def shape(images: Images, kind: str) -> tuple[int, int, int]:
    """Return (channels, height, width) of what enters a network. Painted images have three channels, others the source's."""
    channels, height, width = images.x.shape[1:]
    return (3 if kind in PAINTED else channels), height, width


def pixels(images: Images, kind: str, seed: int) -> np.ndarray:
    """Return all images of the pool as one seed's networks are trained on them, unscaled: float32 [N, C, H, W] in 0..1."""
    if kind not in PAINTED:
        return images.x
    ground, colours = PAINTED[kind]
    colour = colours(torch.from_numpy(images.y), len(images.classes), seed)
    return paint(torch.from_numpy(images.x), colour, ground).numpy()


def treatment(x: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (origin, scale), [C*H*W] each; the network sees (pixel - origin) * scale.

    Args:
        x: The training images of one seed [N, C, H, W].
        kind: standardized, and all painted kinds: each channel has mean 0 and sd 1 over the training images, the usual
            input of image classifiers. raw: pixels stay in 0..1. mixed: pixel j is multiplied by a fixed 10^U(0, 3),
            the same for all seeds, and all pixels are divided by one number, so that their mean square over the training
            images is 1: ranges differ, the scale is the one that He's weights expect. scaled: standardized, then times
            64: the scale alone.

    Raises:
        ValueError: There is no such kind.
    """
    size = x[0, 0].size
    if kind in ("standardized", "scaled", *PAINTED):
        mean, sd = x.mean((0, 2, 3), dtype=np.float64), x.std((0, 2, 3), dtype=np.float64)
        return np.repeat(mean, size), np.repeat((LARGER if kind == "scaled" else 1) / sd, size)
    if kind == "raw":
        return np.zeros(x[0].size), np.ones(x[0].size)
    if kind == "mixed":
        power = 3 * torch.rand(x[0].size, generator=rng(0, "mixed"), dtype=torch.float64).numpy()
        square = np.square(x.reshape(len(x), -1), dtype=np.float64).mean(0)
        return np.zeros(x[0].size), 10**power / np.sqrt((square * 10 ** (2 * power)).mean())
    raise ValueError(f"inputs {kind!r}: allowed are {', '.join(KINDS)}")
