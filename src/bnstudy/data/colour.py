"""Coloured images: the ink of an image painted in one colour on a gray ground.

Image_k = g + m (c_k - g) for k = R, G, B, with ink m, ground g and colour c in 0..1. Every pixel is a convex combination
of ground and colour, so nothing clips and nothing is rounded to levels. The ink of an image of one channel is the image
itself; the ink of an image that has colours is the mean of its channels.

The lecture split trains on dark ink ("black cats") and tests on ink whose colour goes from dark to a saturated hue in
five steps. Every test image is tested in every hue, so that a hue cannot say anything about the class. With spurious
colour the hue of the ink tells the class in training, and less and less so in the tests (as in Colored MNIST, Arjovsky
et al. 2019). What a network learns about the hue fails in the tests, and no choice of mean and spread can mend that.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from bnstudy.core.rng import rng

DARK = 0.25
"""Training colours of the lecture split are uniform in 0..DARK per channel; their centre is the colour of severity 0."""
AGREEMENT = 0.9
"""The share of training images in the hue of their class, where colour is spurious."""


def wheel(count: int) -> Tensor:
    """Return ``count`` saturated hues (HSV saturation and value 1) at equal angles, beginning with red: [count, 3]."""
    angle = torch.arange(count, dtype=torch.float64)[:, None] * 6 / count
    distance = (angle - torch.tensor([0.0, 2.0, 4.0], dtype=torch.float64) + 3) % 6 - 3
    return (2 - distance.abs()).clamp(0, 1).float()


HUES = wheel(6)
"""Red, yellow, green, cyan, blue, magenta."""


def ink(x: Tensor) -> Tensor:
    """Return the mean over the channels: [N, C, H, W] -> [N, 1, H, W]."""
    return x if x.shape[1] == 1 else x.mean(1, keepdim=True)


def paint(x: Tensor, colour: Tensor, ground: float | Tensor) -> Tensor:
    """Return the ink of images in a colour on a ground.

    Args:
        x: Images [N, C, H, W].
        colour: [3], or [N, 3] with one per image.
        ground: One number, or one per channel [3].

    Returns:
        Images [N, 3, H, W].

    >>> paint(torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([1.0, 0.0, 0.0]), 0.5)[0, :, 0].tolist()
    [[0.5, 1.0], [0.5, 0.0], [0.5, 0.0]]
    """
    below = torch.as_tensor(ground).to(x).expand(3)[:, None, None]
    return below + ink(x) * (colour.to(x)[..., None, None] - below)


def colour_at(severity: int, hue: Tensor) -> Tensor:
    """Return d + (severity / 5)(hue - d), d = DARK / 2: dark gray at severity 0, ``hue`` [..., 3] at 5."""
    return DARK / 2 + severity / 5 * (hue - DARK / 2)


def gray_twin(colour: Tensor) -> Tensor:
    """Return the achromatic colour of equal channel mean. An image painted in it has the same channel mean in every
    pixel as the coloured image, and no colour."""
    return colour.mean(-1, keepdim=True).expand_as(colour)


def dark(labels: Tensor, classes: int, seed: int) -> Tensor:
    """Draw a dark colour for each image of the pool, whatever its label: [N, 3]."""
    return DARK * torch.rand(len(labels), 3, generator=rng(seed, "dark colour"))


def vivid(labels: Tensor, classes: int, seed: int) -> Tensor:
    """Draw one of the six hues (the colours of severity 5) for each image of the pool, whatever its label: [N, 3]."""
    return HUES[torch.randint(len(HUES), (len(labels),), generator=rng(seed, "vivid colour"))]


def spurious(labels: Tensor, classes: int, seed: int, severity: int = 0, purpose: str = "spurious colour") -> Tensor:
    """Draw a hue for each image: that of its class with the probability :func:`agreement`, else that of another class,
    all of them equally likely: [N, 3]."""
    draw = partial(torch.rand, len(labels), dtype=torch.float64)
    agrees = draw(generator=rng(seed, purpose, severity)) < agreement(severity, classes)
    away = 1 + (draw(generator=rng(seed, f"{purpose}, other", severity)) * (classes - 1)).long()
    return wheel(classes)[torch.where(agrees, labels, (labels + away) % classes)]


def agreement(severity: int, classes: int) -> float:
    """Return the probability that a hue is that of the class: as in training at severity 0, by chance at 5."""
    return AGREEMENT + severity / 5 * (1 / classes - AGREEMENT)


class Kind(NamedTuple):
    """A way to paint images.

    Attributes:
        ground: The gray of the ground, 0..1.
        colours: (labels [N], number of classes, seed) -> colours [N, 3] of the training images. They depend on the seed
            and on an image's place in the pool, so they are the same for every arm.
    """

    ground: float
    colours: Callable[[Tensor, int, int], Tensor]


PAINTED = {
    "lecture_white": Kind(1.0, dark),
    "lecture_gray": Kind(0.5, dark),
    "lecture_white_ceiling": Kind(1.0, vivid),
    "lecture_gray_ceiling": Kind(0.5, vivid),
    "spurious_colour": Kind(0.0, spurious),
}
"""The ways to paint, by value of the factor `inputs`. On a white ground ink is darker than the ground in all channels,
whatever its colour. On mid-gray the bright channels of a hue are brighter than the ground from severity
5 (1/2 - d) / (1 - d) = 2.14 on, and their contrast changes its sign. A ceiling is trained on the colours of severity 5."""
