"""Plain convolutional networks (VGG-like; Simonyan & Zisserman 2015): 3 x 3 convolutions, norm, ReLU, and a linear
head on the mean over the pixels.

Layers from the second on stride by 2 (in place of pooling; Springenberg et al. 2015) until the image is at most
16 pixels wide and high. All later layers then see as many pixels, so that the number of samples behind a batch's
statistics does not change with depth.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms.base import pack, unpack
from bnstudy.nets.base import Link, Net, assemble, pairs

ALONE = True
"""On processor cores networks train one at a time: a single convolution of 32 channels already runs near the rate of a
matrix product."""
SIDE = 16
"""Pixels, width and height, that the trunk works at."""
KERNEL = (3, 3)
PROBE = 128
"""Training images in the fixed probe batch of the measures: every pixel counts as a sample."""


class CNN(Net):
    """``depth`` hidden layers (convolution, norm, ReLU) of weights [M, out, in, 3, 3] and a linear head."""

    overwrite = False

    def enter(self, x: Tensor) -> Tensor:
        """Inputs [M, features, B] as images [M, C, B, H, W]."""
        return x.mT.unflatten(2, self.image).transpose(1, 2)

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Convolution with a border of one zero: h [M, in, B, H, W], bias [M, out] -> [M, out, B, H/stride, W/stride].

        The tensor that is computed is [B, M x C, H, W]; h and what is returned are views of such. On processor cores the
        channels are next to each other in memory, the order in which torch's kernel is fastest.
        """
        packed = pack(h)
        images = packed.contiguous() if h.is_cuda else packed.contiguous(memory_format=torch.channels_last)
        row = None if bias is None else bias.flatten()
        z = F.conv2d(images, weight.flatten(0, 1), row, stride, padding=1, groups=len(weight))
        return unpack(z, len(weight))

    def leave(self, h: Tensor) -> Tensor:
        """Mean over the pixels [M, C, B]."""
        return h.mean((3, 4))


def strides(height: int, width: int, depth: int) -> list[int]:
    """Each layer's stride."""
    found, side = [1], max(height, width)
    for _ in range(depth - 1):
        found.append(2 if side > SIDE else 1)
        side = -(-side // found[-1])
    return found


def build(
    inputs: int | tuple[int, ...],
    classes: int,
    depth: int,
    width: int,
    gain: float,
    arm: str,
    seeds: Sequence[int],
    dtype: torch.dtype = torch.float32,
    skip: bool = False,
) -> CNN:
    """One network a seed (see :func:`bnstudy.nets.base.assemble`), ``inputs`` the shape (channels, height, width) of an
    image. Raises ValueError for another number of axes."""
    if isinstance(inputs, int) or len(inputs) != 3:
        raise ValueError(
            f"inputs {inputs}: convolutional networks need the shape (channels, height, width) of an image"
        )
    links = pairs(depth) if skip else [Link()] * depth
    links = [link._replace(stride=s) for link, s in zip(links, strides(*inputs[1:], depth))]
    return assemble(CNN, inputs[0], KERNEL, inputs, links, classes, width, gain, arm, seeds, dtype)
