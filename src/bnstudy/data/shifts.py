"""Shifted test images: seven families, severities 1 to 5 (0 leaves the images alone), pixels in 0..1.

Where the amounts come from: noise and brightness are ImageNet-C's, the slopes of contrast CIFAR-10-C's
(Hendrycks & Dietterich 2019); rotation, translation and blur are MNIST-C's (Mu & Gilmer 2019), with lengths
scaled to the image's side. The slopes of inversion are ours. Two things differ from the benchmarks. Contrast
pulls towards the mean pixel of all images given, not towards each image's own mean: one affine map of all images,
that leaves their brightness alone and clips nothing.
Translation goes in any direction, not along a diagonal: whole and half pixels, which bilinear interpolation
blurs to very different degrees, would otherwise mix up the order of the severities on small images.

The random part of image i depends on (seed, family, severity, i) alone, not on how many images come along.
"""

from collections.abc import Callable
from difflib import get_close_matches
from math import ceil, pi, sqrt

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from bnstudy.core.rng import rng

CONTRAST = (0.75, 0.5, 0.4, 0.3, 0.15)
"""Slope a of x -> a x + (1 - a) m, m the mean pixel of all images."""
BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Added to every pixel."""
INVERSION = (-0.2, -0.4, -0.6, -0.8, -1.0)
"""Slope a < 0 of x -> a x + (1 - a)/2; -1 is the negative."""
NOISE = (0.08, 0.12, 0.18, 0.26, 0.38)
"""Standard deviation of the noise before clipping."""
BLUR = (1 / 28, 2 / 28, 3 / 28, 4 / 28, 6 / 28)
"""Standard deviation of the kernel, as a share of each side."""
ROTATION = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Angle in radians, either way."""
TRANSLATION = tuple(sqrt(2) * pixels / 28 for pixels in (1, 2, 3, 4, 5))
"""Distance as a share of the side (MNIST-C moves as many pixels of 28 along both axes)."""


def contrast(x: Tensor, severity: int, seed: int) -> Tensor:
    """a x + (1 - a) m with a > 0, m the mean pixel of all of ``x``: the mean stays, so this is no change of brightness.

    Towards mid-grey it would be one, by (1 - a)/2 - (1 - a) m, which on dark images is the larger change of the two.
    """
    a = CONTRAST[severity - 1]
    return (a * x + (1 - a) * x.mean()).clamp(0, 1)  # rounding alone can leave 0..1


def inversion(x: Tensor, severity: int, seed: int) -> Tensor:
    """a x + (1 - a)/2 with a < 0: light and dark change places. Nothing clips."""
    return affine(x, INVERSION[severity - 1])


def brightness(x: Tensor, severity: int, seed: int) -> Tensor:
    """x + b, as clipped to 0..1: bright ink saturates, so this is no affine map of the image."""
    return (x + BRIGHTNESS[severity - 1]).clamp(0, 1)


def noise(x: Tensor, severity: int, seed: int) -> Tensor:
    """Independent Gaussian noise in every pixel, then clipped to 0..1 (on black half of it is cut off)."""
    drawn = [torch.randn(x.shape[1:], generator=g) for g in _each(x, "noise", severity, seed)]
    return (x + NOISE[severity - 1] * torch.stack(drawn).to(x)).clamp(0, 1)


def blur(x: Tensor, severity: int, seed: int) -> Tensor:
    """Gaussian blur; the image is mirrored at its edges, so that its mean stays."""
    rows, columns = (gaussian(side, BLUR[severity - 1] * side).to(x) for side in x.shape[2:])
    return (rows @ x @ columns.T).clamp(0, 1)


def rotation(x: Tensor, severity: int, seed: int) -> Tensor:
    """About the centre, left or right at random; bilinear, black where nothing was."""
    sign = 2 * _draw(x, "rotation", severity, seed).round() - 1
    return rotate(x, ROTATION[severity - 1] * sign)


def translation(x: Tensor, severity: int, seed: int) -> Tensor:
    """In a random direction; bilinear (which also blurs a little), black where nothing was."""
    height, width = x.shape[2:]
    direction = 2 * pi * _draw(x, "translation", severity, seed)
    distance = TRANSLATION[severity - 1]
    return translate(x, distance * height * direction.sin(), distance * width * direction.cos())


FAMILIES: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "contrast": contrast,
    "brightness": brightness,
    "inversion": inversion,
    "noise": noise,
    "blur": blur,
    "rotation": rotation,
    "translation": translation,
}
"""Each takes x [N, C, H, W] in 0..1, a severity 1..5 and a seed, and returns as many images in 0..1."""


def shift(x: Tensor, family: str, severity: int, seed: int) -> Tensor:
    """``x`` [N, C, H, W] in 0..1 as family and severity change it, shape and dtype kept; severity 0: ``x``.

    Raises ValueError for an unknown family (naming all and the nearest), another severity, or other pixels.
    """
    if family not in FAMILIES:
        near = get_close_matches(family, FAMILIES, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"unknown shift family {family!r}: {hint}families are {', '.join(FAMILIES)}")
    if severity not in range(6):
        raise ValueError(f"severity of {family} must be 0 (no shift) or 1 to 5, not {severity}")
    if x.dim() != 4 or not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(f"images to shift must be [N, C, H, W] with pixels in 0..1, not {list(x.shape)}")
    return x if severity == 0 else FAMILIES[family](x, severity, seed)


def size(x: Tensor, family: str, severity: int, seed: int) -> dict[str, float]:
    """How large a shift of ``x`` [N, C, H, W] is, over all pixels of all images, in units of the pixel range.

    rms_change: root mean square of the change; mean_change: its mean; sd_ratio: sd of pixels, after : before.
    """
    change = shift(x, family, severity, seed).double() - x.double()
    before = x.double()
    return {
        "rms_change": float(change.square().mean().sqrt()),
        "mean_change": float(change.mean()),
        "sd_ratio": float((before + change).std() / before.std()),
    }


def affine(x: Tensor, slope: float) -> Tensor:
    """slope x + (1 - slope)/2: mid-grey stays, and for abs(slope) <= 1 the range 0..1 is never left."""
    return slope * x + (1 - slope) / 2


def gaussian(side: int, sd: float) -> Tensor:
    """[side, side] float64 matrix that blurs a row of pixels; rows and columns sum to 1.

    The Gaussian is cut at 4 sd; what would fall outside the row is mirrored back in at its edges.
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
    """Each image of ``x`` [N, C, H, W] turned counter-clockwise about its centre by ``angle`` [N] rad."""
    down, right = _pixels(x)
    cos, sin = angle.to(x)[:, None, None].cos(), angle.to(x)[:, None, None].sin()
    return _resample(x, cos * down + sin * right, cos * right - sin * down)


def translate(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Each image of ``x`` [N, C, H, W] moved by its own ``down`` and ``right`` [N], in pixels."""
    row, column = _pixels(x)
    return _resample(x, row - down.to(x)[:, None, None], column - right.to(x)[:, None, None])


def _pixels(x: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the pixels seen from the image's centre: downwards [H, 1], to the right [1, W]."""
    height, width = x.shape[2:]
    row, column = torch.arange(height).to(x), torch.arange(width).to(x)
    return (row - (height - 1) / 2)[:, None], (column - (width - 1) / 2)[None, :]


def _resample(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Bilinear values of ``x`` at places [N, H, W] seen from the centre, 0 outside."""
    height, width = x.shape[2:]
    grid = torch.stack(torch.broadcast_tensors(right * (2 / width), down * (2 / height)), -1)
    return grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False).clamp(0, 1)


def _draw(x: Tensor, family: str, severity: int, seed: int) -> Tensor:
    """A number between 0 and 1 for each image, [N]."""
    return torch.cat([torch.rand(1, generator=g) for g in _each(x, family, severity, seed)])


def _each(x: Tensor, family: str, severity: int, seed: int) -> list[torch.Generator]:
    """One generator an image."""
    return [rng(seed, f"shift {family}", severity, index) for index in range(len(x))]
