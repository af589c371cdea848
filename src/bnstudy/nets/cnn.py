"""Plain convolutional networks (VGG-like; Simonyan & Zisserman 2015): layers of 3 x 3 convolution, norm and ReLU, and a
linear head on the mean over the pixels.

From the second layer on, layers stride by 2 (in place of pooling; Springenberg et al. 2015) until the image is at most
16 pixels wide and high. All later layers see the same number of pixels, so that the number of samples behind a batch's
statistics does not change with depth.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms.base import pack, unpack
from bnstudy.nets.base import Link, Net, assemble, pairs

ALONE = True
"""Networks train one at a time, because a single convolution of 32 channels already runs nearly as fast as a matrix product."""
SIDE = 16
"""The largest width and height, in pixels, at which layers no longer stride."""
KERNEL = (3, 3)
PROBE = 128
"""The number of training images in the fixed probe batch of the measures, where every pixel counts as a sample."""


class CNN(Net):
    """Networks of hidden layers (convolution, norm, ReLU) with weights [M, out, in, 3, 3] and a linear head."""

    overwrite = False

    def enter(self, x: Tensor) -> Tensor:
        """Return inputs [M, features, B] as images [M, C, B, H, W]."""
        return x.mT.unflatten(2, self.image).transpose(1, 2)

    def transform(self, weight: Tensor, h: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        """Convolve with a border of one zero: h [M, in, B, H, W], bias [M, out] -> [M, out, B, H/stride, W/stride].

        Torch's kernel is fastest on a tensor [B, M x C, H, W] whose channels lie next to each other in memory; h and the
        result are views of such tensors.
        """
        images = pack(h).contiguous(memory_format=torch.channels_last)
        row = None if bias is None else bias.flatten()
        z = F.conv2d(images, weight.flatten(0, 1), row, stride, padding=1, groups=len(weight))
        return unpack(z, len(weight))

    def leave(self, h: Tensor) -> Tensor:
        """Return the mean over the pixels [M, C, B]."""
        return h.mean((3, 4))


def strides(height: int, width: int, depth: int) -> list[int]:
    """Return the stride of each layer."""
    layers, side = [1], max(height, width)
    for _ in range(depth - 1):
        layers.append(2 if side > SIDE else 1)
        side = -(-side // layers[-1])
    return layers


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
    """Return one network per seed; see :func:`bnstudy.nets.base.assemble` for the arguments that are not here.

    Args:
        inputs: The shape (channels, height, width) of an image.
        depth: The number of hidden layers.
        skip: Whether skip connections join layers 2 and 3, 4 and 5, ...

    Raises:
        ValueError: ``inputs`` is no shape of an image.
        ModuleNotFoundError: There is no such arm.
    """
    if isinstance(inputs, int) or len(inputs) != 3:
        raise ValueError(f"inputs {inputs}: convolutional networks need an image's shape (channels, height, width)")
    links = pairs(depth) if skip else [Link()] * depth
    links = [link._replace(stride=s) for link, s in zip(links, strides(*inputs[1:], depth))]
    return assemble(CNN, inputs[0], KERNEL, inputs, links, classes, width, gain, arm, seeds, dtype)
