"""A user's own pictures from a folder: PNG and JPEG files, one folder per class; see config/README.md."""

from pathlib import Path

import numpy as np

from bnstudy.data.images import Images, checked
from bnstudy.data.local import Reading, Unusable, classes, files
from bnstudy.data.picture import picture

FILES = "pictures"
READS = ("size",)


def load(path: Path, reading: Reading) -> Images:
    """Return x [N, C, H, W] in 0..1: C is 1 where no picture has colour, else 3. A folder test is an official test split.

    With ``reading.size`` pictures are cut to squares about their middle and made so many pixels wide.

    Raises Unusable where a picture cannot be read, and where sizes differ though none is asked for.
    """
    of_class = classes(path)
    names = list(dict.fromkeys(pictures.name for pictures in of_class))
    opened = [picture(file, reading.size) for file in files("folder", path)]
    shapes = {one.shape[:2] for one in opened}
    if len(shapes) > 1:
        least, most = min(shapes), max(shapes)
        fault = f"pictures have {len(shapes)} sizes, from {least[1]}x{least[0]} to {most[1]}x{most[0]} pixels"
        raise Unusable(path, fault, "add size: 32 to data, or another number of pixels: all become squares of it")
    colours = any(one.ndim == 3 for one in opened)
    x = np.stack([one if one.ndim == 3 or not colours else one[..., None].repeat(3, 2) for one in opened])
    x = x.transpose(0, 3, 1, 2) if colours else x[:, None]
    y = np.concatenate([np.full(len(p.files), names.index(p.name), np.int64) for p in of_class])
    tests = np.concatenate([np.full(len(p.files), p.test) for p in of_class])
    return checked(Images(np.ascontiguousarray(x), y, tuple(names), tests if tests.any() else None), f"folder, {path}")
