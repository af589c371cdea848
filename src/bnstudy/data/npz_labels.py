"""Labels as people store them: whole numbers, texts, one number of 1 a row, in a column or not."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnstudy.data.local import Unusable

NUMBERED = "numpy.unique(y, return_inverse=True)[1]"


class Labels(NamedTuple):
    """The label of each image, int64 [N] in 0..K-1, and the names of the K classes."""

    y: np.ndarray
    classes: tuple[str, ...]


def labels(path: Path, stored: Sequence[np.ndarray], sizes: Sequence[int], names: Sequence[str] | None) -> Labels:
    """Return the labels of the parts of a file, one part behind the other.

    Whole numbers and texts of any values are numbered in their order, and the values name the classes, unless ``names``
    does; it speaks of labels 0, 1, ...

    Args:
        path: The file, for messages.
        stored: The stored labels of each part.
        sizes: The number of images of each part.
        names: The names of the classes 0, 1, ...; None: their values.

    Raises:
        Unusable: They are no labels of these images.
    """
    parts = [_single(path, part) for part in stored]
    for part, images in zip(parts, sizes):
        if len(part) != images:
            raise Unusable(path, f"x has {images} images, y {len(part)} labels", "store one label per image")
    values, y = np.unique(np.concatenate(parts), return_inverse=True)
    if len(values) < 2:
        raise Unusable(path, "all images have the same label", "store images of at least two classes")
    if names is None:
        return Labels(y.astype(np.int64), tuple(_written(value) for value in values))
    expected = list(range(len(names)))
    if len(set(names)) < len(names) or "" in names:
        fault = f"classes has empty or equal names: {', '.join(names)[:200]}"
        raise Unusable(path, fault, "name each class differently")
    if values.tolist() != expected:
        fault = f"labels are {', '.join(map(_written, values[:5]))}, ...; with {len(names)} classes they are 0 to {len(names) - 1}"
        raise Unusable(path, fault, f"leave classes out, or number the classes that occur: {NUMBERED}")
    return Labels(y.astype(np.int64), tuple(names))


def _written(value: object) -> str:
    """Return how a label is written: whole numbers without a point, bytes as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(int(value)) if isinstance(value, float | np.floating) else str(value)


def _single(path: Path, y: np.ndarray) -> np.ndarray:
    """Return one value per image [N], from a column or from rows that each have one 1."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "buif" and np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all():
        y = y.argmax(1)
    if y.ndim != 1 or y.dtype.kind not in "buifUS":
        fault = f"y is an array of dtype {np.lib.format.dtype_to_descr(y.dtype)} and shape {list(y.shape)}"
        remedy = f"store one label per image, [N]: of rows of scores y.argmax(1), of other values {NUMBERED}"
        raise Unusable(path, fault, remedy)
    if y.dtype.kind in "US" and (empty := np.count_nonzero(np.char.strip(y) == y.dtype.type())):
        remedy = "leave these images out: known = numpy.char.strip(y) != '', then x[known] and y[known]"
        raise Unusable(path, f"{empty} labels are empty texts", remedy)
    if y.dtype.kind == "f" and (strange := np.count_nonzero(~np.isfinite(y))):
        remedy = "leave these images out: known = numpy.isfinite(y.ravel()), then x[known] and y[known]"
        raise Unusable(path, f"{strange} labels are not finite (NaN or infinite)", remedy)
    if y.dtype.kind == "f" and (y != np.rint(y)).any():
        remedy = f"store classes: numpy.digitize(y, limits), or {NUMBERED}"
        raise Unusable(path, "y holds fractions: amounts, not classes", remedy)
    return y.astype(np.int64) if y.dtype.kind in "bf" else y
