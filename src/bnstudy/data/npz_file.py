"""What a user's npz file holds, according to the headers of its arrays and its labels. The pixels stay unread, so that
planning can refuse a study at once.

An npz is a zip of npy files. Nothing in it is executed: object arrays, which would need a pickle, are refused.
"""

import zipfile
import zlib
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from bnstudy.data.local import MOST_BYTES, WHOLE_COPY, Unusable

PIXELS = ("u1", "f2", "f4", "f8")
CHANNELS = range(1, 5)
"""An axis of one of these lengths can be that of the colours without the file saying so."""
MOST_IMAGES = 1_000_000
"""As many as a config can ask for. A small file can hold very many labels, packed."""
MOST_TEXT = 10_000_000
"""Bytes of names of classes."""
LAYOUTS = ("NHW", "NCHW", "NHWC")


class Header(NamedTuple):
    """The shape and the type of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize

    @property
    def kind(self) -> str:
        return "Python objects (dtype object)" if self.dtype.hasobject else f"dtype {npy.dtype_to_descr(self.dtype)}"


class Described(NamedTuple):
    """The images of an npz file.

    Attributes:
        shape: [N, C, H, W], the shape that the images will have.
        layout: The axes of the stored array, one of LAYOUTS.
        y: The labels [N], integers of any size.
        classes: The names of the classes.
    """

    shape: tuple[int, int, int, int]
    layout: str
    y: np.ndarray
    classes: tuple[str, ...]

    @property
    def counts(self) -> list[int]:
        """The number of images of each class."""
        return np.bincount(self.y.astype(np.int64), minlength=len(self.classes)).tolist()


def describe(path: Path) -> Described:
    """Return what the npz at ``path`` holds.

    Raises:
        Unusable: The file cannot be studied; the message says why and what to do.
        OSError: The file cannot be read.
    """
    with open(path, "rb"):  # where this fails, the content is not to blame
        pass
    try:
        with zipfile.ZipFile(path) as file:
            return _described(path, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # the last: encrypted
        fault = f"not an npz file, or truncated ({error})"
        remedy = "write it with numpy.savez(path, x=..., y=...), or replace it by a whole copy"
        raise Unusable(path, fault, remedy) from None


def _described(path: Path, file: zipfile.ZipFile) -> Described:
    have = [name[:40].removesuffix(".npy") for name in file.namelist()]
    for key in ("x", "y"):
        if f"{key}.npy" not in file.namelist():
            fault = f"there is no array {key}; the file holds {', '.join(have[:10]) or 'nothing'}"
            raise Unusable(path, fault, "write it with numpy.savez(path, x=images, y=labels)")
    x, y = _header(path, file, "x"), _header(path, file, "y")
    if x.dtype.str[1:] not in PIXELS:
        fault = f"x is an array of {x.kind}"
        raise Unusable(path, fault, "store pixels as uint8 (0 to 255) or as floats (0 to 1): x.astype(numpy.uint8)")
    if 4 * prod(x.shape) > MOST_BYTES:
        fault = f"the images take {4 * prod(x.shape)} bytes as float32, more than {MOST_BYTES}"
        raise Unusable(path, fault, "store fewer or smaller images")
    if x.shape and x.shape[0] > MOST_IMAGES:
        raise Unusable(path, f"there are {x.shape[0]} images, more than {MOST_IMAGES}", "store fewer images")
    layout = _layout(path, x.shape, _texts(path, file, "layout") if "layout" in have else None)
    if y.dtype.kind not in "iu" or len(y.shape) != 1:
        fault = f"y is an array of {y.kind} and shape {list(y.shape)}"
        raise Unusable(path, fault, "store one whole number per image: y.astype(numpy.int64).ravel()")
    if y.shape[0] != x.shape[0]:
        raise Unusable(path, f"x has {x.shape[0]} images, y {y.shape[0]} labels", "store one label per image")
    labels = _array(path, file, "y")
    classes = _classes(path, labels, _texts(path, file, "classes") if "classes" in have else None)
    sizes = dict(zip(layout, x.shape))
    return Described((sizes["N"], sizes.get("C", 1), sizes["H"], sizes["W"]), layout, labels, classes)


def _layout(path: Path, shape: tuple[int, ...], stated: Sequence[str] | None) -> str:
    """Return which axis of x is what: as the file states, else from the one axis that can be that of the colours."""
    if 0 in shape:
        raise Unusable(path, f"x has the shape {list(shape)}: there are no pixels", "store at least one image")
    fits = [layout for layout in LAYOUTS if len(layout) == len(shape)]
    if not fits:
        fault = f"x has the shape {list(shape)}"
        raise Unusable(path, fault, "store [N, H, W], [N, C, H, W] or [N, H, W, C]: images, colours, height, width")
    if stated is not None:
        if len(stated) != 1 or stated[0] not in fits:
            remedy = f"for this x write {' or '.join(fits)}, or leave it out"
            raise Unusable(path, f"layout is {', '.join(stated)!r}", remedy)
        return stated[0]
    possible = [layout for layout in fits if "C" not in layout or shape[layout.index("C")] in CHANNELS]
    if len(possible) != 1:
        which = "either of axes 1 and 3" if possible else "neither of axes 1 and 3"
        fault = f"x has the shape {list(shape)}: {which} can be that of the colours (1 to {CHANNELS[-1]})"
        raise Unusable(path, fault, 'add layout="NCHW" or layout="NHWC" to numpy.savez')
    return possible[0]


def _classes(path: Path, labels: np.ndarray, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names given, else 0, 1, ... to the largest label."""
    remedy = "number the classes that occur from 0: numpy.unique(y, return_inverse=True)[1]"
    least, most = int(labels.min()), int(labels.max())
    count = len(labels) if names is None else len(names)  # each class needs an image
    if least < 0 or most >= count:
        condition = f"with {count} classes" if names is not None else "each class having an image,"
        raise Unusable(path, f"labels lie in {least}..{most}; {condition} they lie in 0..{count - 1}", remedy)
    classes = tuple(map(str, range(most + 1))) if names is None else tuple(names)
    if len(set(classes)) < len(classes) or "" in classes:
        fault = f"classes has empty or equal names: {', '.join(classes)[:200]}"
        raise Unusable(path, fault, "name each class differently")
    occurring = set(labels.tolist())
    if len(occurring) < 2:
        raise Unusable(path, "all images have the same label", "store images of at least two classes")
    missing = [name for label, name in enumerate(classes) if label not in occurring]
    if missing:
        fault = f"no image of class {', '.join(missing[:5])[:200]}{', ...' if len(missing) > 5 else ''}"
        raise Unusable(path, fault, remedy)
    return classes


def _header(path: Path, file: zipfile.ZipFile, key: str) -> Header:
    """Return the header of an array, once the file is known to be as long as the header says."""
    with file.open(f"{key}.npy") as stream:
        try:
            header = _read(stream)
            if any(n < 0 for n in header.shape):
                raise ValueError("its shape is negative")
        except (ValueError, TypeError, OverflowError) as error:
            raise Unusable(
                path, f"the array {key} cannot be read: {error}", "write the file with numpy.savez"
            ) from None
    if not header.dtype.hasobject and file.getinfo(f"{key}.npy").file_size < header.bytes:
        raise Unusable(path, f"the array {key} is truncated", WHOLE_COPY)
    return header


def _read(stream: IO[bytes]) -> Header:
    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    return Header(shape, dtype)


def _array(path: Path, file: zipfile.ZipFile, key: str) -> np.ndarray:
    """Return an array whose header has been read. Raises Unusable where its bytes are fewer than the header says."""
    with file.open(f"{key}.npy") as stream:
        try:
            return npy.read_array(stream, allow_pickle=False)
        except ValueError:
            raise Unusable(path, f"the array {key} is truncated", WHOLE_COPY) from None


def _texts(path: Path, file: zipfile.ZipFile, key: str) -> list[str]:
    """Return the texts of an array of texts, or its only one."""
    header = _header(path, file, key)
    if header.dtype.kind != "U" or len(header.shape) > 1:
        fault = f"{key} is an array of {header.kind} and shape {list(header.shape)}"
        raise Unusable(path, fault, f"store texts: numpy.array([...], dtype=str), or leave {key} out")
    if header.bytes > MOST_TEXT:
        raise Unusable(path, f"{key} has {header.bytes} bytes, more than {MOST_TEXT}", f"store shorter names in {key}")
    return [str(text) for text in np.atleast_1d(_array(path, file, key))]
