"""One image of a study as each shift leaves it, for the report."""

import numpy as np
import torch

from bnstudy.data.colour import HUES, PAINTED, colour_at, ink, paint
from bnstudy.data.images import Images
from bnstudy.data.shifts import FAMILIES, shift

GROUNDS = ("lecture_white", "lecture_gray")


def samples(images: Images) -> dict[str, np.ndarray]:
    """The first image of the middle class as 8-bit RGB: by shift family [severity 0..5, H, W, 3], by ground of the lecture
    split [severity 0..5, hue, H, W, 3]. Of other than three channels their mean is shown.

    Each shift is made of the whole pool, as in the measures: contrast needs its mean, and the random ones draw by place.
    """
    first = int(np.flatnonzero(images.y == len(images.classes) // 2)[0])
    pool, one = torch.from_numpy(images.x), torch.from_numpy(images.x[first : first + 1])
    found = {}
    for family in FAMILIES:
        each = torch.stack([shift(pool, family, severity, 0)[first] for severity in range(6)])
        found[family] = (each if each.shape[1] == 3 else ink(each)).expand(-1, 3, -1, -1)
    for kind in GROUNDS:
        ground = PAINTED[kind].ground
        every = [paint(one.expand(len(HUES), -1, -1, -1), colour_at(severity, HUES), ground) for severity in range(6)]
        found[kind] = torch.stack(every)
    return {name: _bytes(x.movedim(-3, -1)) for name, x in found.items()}


def _bytes(x: torch.Tensor) -> np.ndarray:
    return np.asarray((255 * x).round().clamp(0, 255).to(torch.uint8))
