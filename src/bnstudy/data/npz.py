"""A user's own images or table from an npz file; see config/README.md.

Nothing in the file is executed (no pickle).
"""

from pathlib import Path

import numpy as np

from bnstudy.data.images import Images, checked
from bnstudy.data.local import Reading, Unusable, entries
from bnstudy.data.npz_file import Array, describe
from bnstudy.data.pixels import to_unit

FILES = ()
READS = ("keys", "white", "black", "kind")


def load(path: Path, reading: Reading) -> Images:
    """Return x [N, C, H, W] in 0..1, from pixels stored as [N, H, W], [N, C, H, W] or [N, H, W, C], or a table as [N, F, 1, 1].

    An official test split stands behind the other images. Each feature of a table goes from 0, the least number of its
    column, to 1, the largest.

    Raises Unusable where the file cannot be studied.
    """
    described = describe(path, reading)
    named = entries(path, reading.keys)
    arrays = [Array(*named[name]) for name in ("x", "test_x") if name in named]
    if described.layout == "NF":
        rows = np.concatenate([array.read().reshape(array.header.shape[0], -1) for array in arrays]).astype(np.float64)
        least, most = rows.min(0), rows.max(0)
        constant = np.flatnonzero(least == most)
        if len(constant):
            fault = f"column {constant[0]} has the same value in every row"
            raise Unusable(arrays[0].path, fault, f"leave it out: numpy.delete(x, {constant[0]}, axis=1)")
        x = ((rows - least) / (most - least)).astype(np.float32).reshape(described.shape)
    else:
        x = np.concatenate([to_unit(array.read(), described.black, described.white) for array in arrays])
        x = np.moveaxis(x, 3, 1) if described.layout == "NHWC" else x
        x = np.ascontiguousarray(x.reshape(described.shape))
        _refuse_blank(x, described.layout, arrays[0])
    count = described.shape[0]
    tests = np.arange(count) >= count - described.tests if described.tests else None
    return checked(Images(x, *described.labels, tests), str(path))


def _refuse_blank(x: np.ndarray, layout: str, array: Array) -> None:
    """Raise Unusable where a colour channel of x [N, C, H, W] is the same everywhere."""
    blank = np.flatnonzero(x.min((0, 2, 3)) == x.max((0, 2, 3)))
    if len(blank):
        fault = f"colour channel {blank[0]} has the same value in every pixel of every image"
        remedy = "it cannot be scaled to standard deviation 1: "
        if x.shape[1] > 1:
            remedy += f"leave it out, numpy.delete({array.key}, {blank[0]}, axis={layout.index('C')})"
        raise Unusable(array.path, fault, remedy if x.shape[1] > 1 else remedy + "store pictures that differ")
