"""How pixels enter the network: raw, mixed (features of unequal range) or standardized, the same for every arm."""

import numpy as np
import torch

from bnstudy.rng import rng

KINDS = ("standardized", "raw", "mixed")


def treatment(x: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(shift, scale), each [C*H*W], so that the network sees (pixel - shift) * scale.

    ``x`` [N, C, H, W] are the training images of one seed. standardized: mean 0 and sd 1 a channel, with constants of
    the training images, as image classifiers are fed; raw: pixels in 0..1; mixed: pixel j times a fixed
    10^U(0, 3), equal for all seeds.
    """
    pixels = x[0, 0].size
    features = x[0].size
    if kind == "standardized":
        mean, sd = x.mean((0, 2, 3), dtype=np.float64), x.std((0, 2, 3), dtype=np.float64)
        return np.repeat(mean, pixels), np.repeat(1 / sd, pixels)
    if kind == "raw":
        return np.zeros(features), np.ones(features)
    if kind == "mixed":
        power = 3 * torch.rand(features, generator=rng(0, "mixed"), dtype=torch.float64).numpy()
        return np.zeros(features), 10**power
    raise ValueError(f"inputs {kind!r}: allowed are {', '.join(KINDS)}")
