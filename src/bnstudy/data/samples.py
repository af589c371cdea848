"""One image of a study under each shift, for the report."""

import numpy as np
import torch

from bnstudy.data.colour import HUES, PAINTED, colour_at, ink, paint
from bnstudy.data.images import Images
from bnstudy.data.shifts import applicable, shift


def samples(images: Images) -> dict[str, np.ndarray]:
    """Return the first image of the middle class as 8-bit RGB under each shift [severity 0..5, H, W, 3] and on each
    ground of the lecture split [severity 0..5, hue, H, W, 3]. Where there are not three channels, their mean is shown.

    All images are shifted, as in the measures: scaling needs the pool's mean, and random shifts draw per image.
    """
    first = int(np.flatnonzero(images.y == len(images.classes) // 2)[0])
    pool, one = torch.from_numpy(images.x), torch.from_numpy(images.x[first : first + 1])
    pictures = {}
    for kind in applicable(pool):
        shifted = torch.stack([shift(pool, kind, severity, 0)[first] for severity in range(6)])
        pictures[kind] = (shifted if shifted.shape[1] == 3 else ink(shifted)).expand(-1, 3, -1, -1)
    for inputs in ("lecture_white", "lecture_gray"):
        ground = PAINTED[inputs].ground
        hues = [paint(one.expand(len(HUES), -1, -1, -1), colour_at(severity, HUES), ground) for severity in range(6)]
        pictures[inputs] = torch.stack(hues)
    return {name: (255 * x.movedim(-3, -1)).round().clamp(0, 255).byte().numpy() for name, x in pictures.items()}
