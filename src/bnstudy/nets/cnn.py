"""Plain convolutional networks (VGG-like; Simonyan & Zisserman 2015): layers of 3 x 3 convolution, norm and ReLU, and a
linear head on the mean over the pixels.

From the second layer on, layers stride by 2 (in place of pooling; Springenberg et al. 2015) until the image is at most
16 pixels wide and high. All later layers see the same number of pixels, so that the number of samples behind a batch's
statistics does not change with depth.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms.base import pack, unpack
from bnstudy.nets.base import Layout, Net, assemble

ALONE = True
"""On processor cores networks train one at a time, because a single convolution of 32 channels already runs nearly as fast
as a matrix product."""
SIDE = 16
"""The largest width and height, in pixels, at which layers no longer stride."""
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

        On processor cores torch's kernel is fastest on a tensor [B, M x C, H, W] whose channels lie next to each other in
        memory, on a card on one in the usual order; h and the result are views of such tensors.
        """
        packed = pack(h)
        images = packed.contiguous() if h.is_cuda else packed.contiguous(memory_format=torch.channels_last)
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


def layout(inputs: int | tuple[int, ...], depth: int) -> Layout:
    """Return the layout for images of the shape ``inputs``. Raises ValueError for another number of axes."""
    if isinstance(inputs, int) or len(inputs) != 3:
        raise ValueError(f"inputs {inputs}: convolutional networks need an image's shape (channels, height, width)")
    return Layout(CNN, inputs[0], (3, 3), inputs, strides(*inputs[1:], depth))


build = partial(assemble, layout)
