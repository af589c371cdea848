"""A user's own images from an npz file: the arrays x and y, optionally classes and layout; see config/README.md.

Nothing in the file is executed (no pickle).
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from bnstudy.data.files import to_unit
from bnstudy.data.images import Images, checked
from bnstudy.data.local import WHOLE_COPY, Unusable, files
from bnstudy.data.npz_file import describe

FILES = ()


def load(path: Path) -> Images:
    """Return x [N, C, H, W] in 0..1, from uint8 0..255 or floats 0..1 stored as [N, H, W], [N, C, H, W] or [N, H, W, C].

    Raises Unusable where the file cannot be studied.
    """
    [path] = files("npz", path)
    described = describe(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored = arrays["x"]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise Unusable(path, f"the array x is damaged or truncated ({error})", WHOLE_COPY) from None
    with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite
        x = to_unit(stored) if stored.dtype == np.uint8 else stored.astype(np.float32)
    if not np.isfinite(x).all():
        fault = f"{np.count_nonzero(~np.isfinite(x))} pixels are not finite (NaN or infinite)"
        raise Unusable(path, fault, "store numbers only")
    if x.min() < 0 or x.max() > 1:
        fault = f"x has floats in {x.min():g}..{x.max():g}, not in 0..1"
        raise Unusable(path, fault, "divide by the largest possible pixel, or store uint8 (0 to 255)")
    x = np.moveaxis(x, 3, 1) if described.layout == "NHWC" else x
    x = np.ascontiguousarray(x.reshape(described.shape))
    blank = np.flatnonzero(x.min((0, 2, 3)) == x.max((0, 2, 3)))
    if len(blank):
        fault = f"colour channel {blank[0]} has the same value in every pixel of every image"
        raise Unusable(path, fault, "leave the channel out: it cannot be scaled to standard deviation 1")
    return checked(Images(x, described.y.astype(np.int64), described.classes), str(path))
