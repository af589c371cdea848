"""A user's own pictures from a folder: PNG and JPEG files, one folder per class; see config/README.md."""

from pathlib import Path

import numpy as np

from bnstudy.data.images import Images, checked
from bnstudy.data.local import Reading, Unusable, classes, files
from bnstudy.data.picture import DEEP, DEPTH, picture
from bnstudy.data.pixels import DARK, HAIR

FILES = "pictures"
READS = ("size", "white")


def load(path: Path, reading: Reading) -> Images:
    """Return x [N, C, H, W] in 0..1: C is 1 where no picture has colour, else 3. A folder test is an official test split.

    With ``reading.size`` pictures are cut to squares about their middle and made so many pixels wide.

    Raises Unusable where a picture cannot be read, and where sizes differ though none is asked for.
    """
    of_class = classes(path)
    names = list(dict.fromkeys(pictures.name for pictures in of_class))
    opened = [picture(file, reading.size, reading.white) for file in files("folder", path)]
    shapes = {one.shape[:2] for one in opened}
    if len(shapes) > 1:
        least, most = min(shapes), max(shapes)
        fault = f"pictures have {len(shapes)} sizes, from {least[1]}x{least[0]} to {most[1]}x{most[0]} pixels"
        raise Unusable(path, fault, "add size: 32 to data, or another number of pixels: all become squares of it")
    colours = any(one.ndim == 3 for one in opened)
    x = np.stack([one if one.ndim == 3 or not colours else one[..., None].repeat(3, 2) for one in opened])
    x = x.transpose(0, 3, 1, 2) if colours else x[:, None]
    y = np.concatenate([np.full(len(p.files), names.index(p.name), np.int64) for p in of_class])
    _bright(path, max(float(one.max()) for one in opened), reading.white)
    tests = np.concatenate([np.full(len(p.files), p.test) for p in of_class])
    return checked(Images(np.ascontiguousarray(x), y, tuple(names), tests if tests.any() else None), f"folder, {path}")


def _bright(path: Path, most: float, white: float | None) -> None:
    """Raise Unusable where the brightest pixel is far from white, or beyond what the config says is white."""
    if most == 0:
        remedy = "save what they show in gray or colour: a transparent picture may keep it in its transparency alone"
        raise Unusable(path, "every pixel of every picture is black", remedy)
    if white is None and most < 1 / DARK:
        whole = abs(most * DEPTH - round(most * DEPTH)) < 1e-3  # as pictures of 8 bits have it
        largest = DEPTH if whole else DEEP
        stored = round(most * largest)
        remedy = f"if that is white, add white: {stored} to data; if the pictures are meant to be so dark, add white: {largest}"
        raise Unusable(path, f"the brightest pixel is {stored} of {largest}: nearly black", remedy)
    if white is not None and most > 1 + HAIR:
        fault = f"the brightest pixel is {round(most * white)}, above white: {white:.9g}"
        raise Unusable(path, fault, f"write white: {round(most * white)}")
