"""Shifted test images: eight shifts with severities 1 to 5 (0 leaves the images alone), pixels in 0..1.

The amounts have these sources: noise and brightness are ImageNet-C's and the slopes of contrast CIFAR-10-C's
(Hendrycks & Dietterich 2019); rotation, translation and blur are MNIST-C's (Mu & Gilmer 2019), with lengths
scaled to the image's side; the slopes of inversion are ours. Two things differ from the benchmarks. Contrast
pulls towards mid-grey, not towards each image's own mean: one affine map of all images, which clips nothing. (Dark
images have nearly one mean, and to pull them towards it is nearly the shift `scaling`.) Translation goes in any direction, not along a diagonal.
Bilinear interpolation blurs whole and half pixels to very different degrees, which would otherwise mix up the order of
the severities on small images.

The random part of image i depends on (seed, shift, severity, i) alone, not on the number of images.
"""

from collections.abc import Callable
from difflib import get_close_matches
from math import ceil, pi, sqrt

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from bnstudy.core.rng import rng

CONTRAST = (0.75, 0.5, 0.4, 0.3, 0.15)
"""The slope a of x -> a x + (1 - a)/2, and of scaling."""
BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""The amount added to every pixel."""
INVERSION = (-0.2, -0.4, -0.6, -0.8, -1.0)
"""The slope a < 0 of x -> a x + (1 - a)/2; -1 gives the negative."""
NOISE = (0.08, 0.12, 0.18, 0.26, 0.38)
"""The standard deviation of the noise before clipping."""
BLUR = (1 / 28, 2 / 28, 3 / 28, 4 / 28, 6 / 28)
"""The standard deviation of the kernel, as a share of each side."""
ROTATION = (0.2, 0.4, 0.6, 0.8, 1.0)
"""The angle in radians, in either direction."""
TRANSLATION = tuple(sqrt(2) * pixels / 28 for pixels in (1, 2, 3, 4, 5))
"""The distance as a share of the side (MNIST-C moves by that many of 28 pixels along both axes)."""


def contrast(x: Tensor, severity: int, seed: int) -> Tensor:
    """Return a x + (1 - a)/2 with a > 0: a pull towards mid-grey, which also lightens dark images. Nothing clips."""
    return affine(x, CONTRAST[severity - 1])


def scaling(x: Tensor, severity: int, seed: int) -> Tensor:
    """Return a x + (1 - a) m with a > 0, where m is the mean pixel of all of ``x``. The mean stays: brightness is the same.

    Standardized inputs are thereby multiplied by a. A ReLU network without norm and biases gives the same answers then,
    by arithmetic: this shift can be shown, and is no evidence.
    """
    a = CONTRAST[severity - 1]
    return (a * x + (1 - a) * x.mean()).clamp(0, 1)  # rounding alone can leave 0..1


def inversion(x: Tensor, severity: int, seed: int) -> Tensor:
    """Return a x + (1 - a)/2 with a < 0: light and dark change places. Nothing clips."""
    return affine(x, INVERSION[severity - 1])


def brightness(x: Tensor, severity: int, seed: int) -> Tensor:
    """Return x + b clipped to 0..1. Bright ink saturates, so this is no affine map of the image."""
    return (x + BRIGHTNESS[severity - 1]).clamp(0, 1)


def noise(x: Tensor, severity: int, seed: int) -> Tensor:
    """Add independent Gaussian noise to every pixel and clip to 0..1 (on black, half of the noise is cut off)."""
    drawn = [torch.randn(x.shape[1:], generator=g) for g in _generators(x, "noise", severity, seed)]
    return (x + NOISE[severity - 1] * torch.stack(drawn).to(x)).clamp(0, 1)


def blur(x: Tensor, severity: int, seed: int) -> Tensor:
    """Blur with a Gaussian kernel. The image is mirrored at its edges, so that its mean stays."""
    rows, columns = (gaussian(side, BLUR[severity - 1] * side).to(x) for side in x.shape[2:])
    return (rows @ x @ columns.T).clamp(0, 1)


def rotation(x: Tensor, severity: int, seed: int) -> Tensor:
    """Turn each image about its centre, left or right at random; bilinear, with black where nothing was."""
    sign = 2 * _draw(x, "rotation", severity, seed).round() - 1
    return rotate(x, ROTATION[severity - 1] * sign)


def translation(x: Tensor, severity: int, seed: int) -> Tensor:
    """Move each image in a random direction; bilinear (which also blurs a little), with black where nothing was."""
    height, width = x.shape[2:]
    direction = 2 * pi * _draw(x, "translation", severity, seed)
    distance = TRANSLATION[severity - 1]
    return translate(x, distance * height * direction.sin(), distance * width * direction.cos())


SHIFTS: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "contrast": contrast,
    "brightness": brightness,
    "inversion": inversion,
    "noise": noise,
    "blur": blur,
    "rotation": rotation,
    "translation": translation,
    "scaling": scaling,
}
"""The shifts by name. Each takes x [N, C, H, W] in 0..1, a severity 1..5 and a seed, and returns as many images in 0..1."""


SPATIAL = ("blur", "rotation", "translation")
"""Shifts that move pixels about: they mean nothing in a table, where every feature is a channel of one pixel."""


def applicable(x: Tensor) -> list[str]:
    """Return the names of the shifts that mean something for ``x`` [N, C, H, W]."""
    return [name for name in SHIFTS if x[0, 0].numel() > 1 or name not in SPATIAL]


def shift(x: Tensor, kind: str, severity: int, seed: int) -> Tensor:
    """Return shifted images, of the shape and dtype of ``x``.

    Args:
        x: Images [N, C, H, W], pixels in 0..1.
        kind: The name of the shift, one of SHIFTS.
        severity: 1 to 5, or 0, which returns ``x``.
        seed: Fixes what the shift draws at random.

    Raises:
        ValueError: There is no such shift (the message names all, and the nearest) or severity, or pixels lie outside 0..1.

    >>> shift(torch.zeros(1, 1, 1, 2), "brightness", 5, seed=0)
    tensor([[[[0.5000, 0.5000]]]])
    """
    if kind not in SHIFTS:
        near = get_close_matches(kind, SHIFTS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"unknown shift {kind!r}: {hint}shifts are {', '.join(SHIFTS)}")
    if severity not in range(6):
        raise ValueError(f"severity of {kind} must be 0 (no shift) or 1 to 5, not {severity}")
    if x.dim() != 4 or not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(f"images to shift must be [N, C, H, W] with pixels in 0..1, not {list(x.shape)}")
    return x if severity == 0 else SHIFTS[kind](x, severity, seed)


def size(x: Tensor, kind: str, severity: int, seed: int) -> dict[str, float]:
    """Return how large a shift of ``x`` [N, C, H, W] is over all pixels of all images, in units of the pixel range.

    Returns:
        rms_change, the root mean square of the change; mean_change, its mean; sd_ratio, sd of pixels after : before.
    """
    change = shift(x, kind, severity, seed).double() - x.double()
    before = x.double()
    return {
        "rms_change": float(change.square().mean().sqrt()),
        "mean_change": float(change.mean()),
        "sd_ratio": float((before + change).std() / before.std()),
    }


def affine(x: Tensor, slope: float) -> Tensor:
    """Return slope x + (1 - slope)/2: mid-grey stays, and for abs(slope) <= 1 pixels stay in 0..1.

    >>> affine(torch.tensor([0.0, 0.5, 1.0]), -1.0)
    tensor([1.0000, 0.5000, 0.0000])
    """
    return slope * x + (1 - slope) / 2


def gaussian(side: int, sd: float) -> Tensor:
    """Return the float64 matrix [side, side] that blurs a row of pixels; its rows and columns sum to 1.

    The Gaussian is cut at 4 sd; what falls outside the row is mirrored back in at its edges.
    """
    pixel = torch.arange(side)
    radius = min(ceil(4 * sd), side)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sd) ** 2)
    weights /= weights.sum()
    matrix = torch.zeros(side, side, dtype=torch.float64)
    for offset, weight in zip(range(-radius, radius + 1), weights):
        reached = (pixel + offset) % (2 * side)
        matrix[pixel, torch.minimum(reached, 2 * side - 1 - reached)] += weight
    return matrix


def rotate(x: Tensor, angle: Tensor) -> Tensor:
    """Turn each image of ``x`` [N, C, H, W] counter-clockwise about its centre by ``angle`` [N] rad."""
    down, right = _pixels(x)
    cos, sin = angle.to(x)[:, None, None].cos(), angle.to(x)[:, None, None].sin()
    return _resample(x, cos * down + sin * right, cos * right - sin * down)


def translate(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Move each image of ``x`` [N, C, H, W] by its ``down`` and ``right`` [N], in pixels."""
    row, column = _pixels(x)
    return _resample(x, row - down.to(x)[:, None, None], column - right.to(x)[:, None, None])


def _pixels(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the pixels lie, seen from the image's centre: downwards [H, 1], to the right [1, W]."""
    height, width = x.shape[2:]
    row, column = torch.arange(height).to(x), torch.arange(width).to(x)
    return (row - (height - 1) / 2)[:, None], (column - (width - 1) / 2)[None, :]


def _resample(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return the bilinear values of ``x`` at places [N, H, W] seen from the centre, 0 outside."""
    height, width = x.shape[2:]
    grid = torch.stack(torch.broadcast_tensors(right * (2 / width), down * (2 / height)), -1)
    return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False).clamp(0, 1)


def _draw(x: Tensor, kind: str, severity: int, seed: int) -> Tensor:
    """Draw a number between 0 and 1 per image, [N]."""
    return torch.cat([torch.rand(1, generator=g) for g in _generators(x, kind, severity, seed)])


def _generators(x: Tensor, kind: str, severity: int, seed: int) -> list[torch.Generator]:
    """Return one generator per image."""
    return [rng(seed, f"shift {kind}", severity, index) for index in range(len(x))]
