"""What a user's npz holds, from the headers of its arrays and its labels: the pixels stay unread. Standard library only,
so that a study can be refused while it is planned.

An npz is a zip of npy files; an npy file is a magic number, a header that is a Python literal, and the bytes (NumPy
Enhancement Proposal 1). Nothing in it is executed: object arrays, which would need a pickle, are refused.
"""

import ast
import sys
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

from bnstudy.data.local import MOST_BYTES, Unusable

INTEGERS = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}
PIXELS = ("u1", "f2", "f4", "f8")
CHANNELS = range(1, 5)
"""An axis of one of these lengths can be that of the colours without the file saying so."""
LAYOUTS = ("NHW", "NCHW", "NHWC")


class Header(NamedTuple):
    """As NumPy writes it: descr such as "<f4" (byte order, kind, bytes), and the array's shape."""

    descr: str
    shape: tuple[int, ...]


class Described(NamedTuple):
    """``shape`` [N, C, H, W] as the images will have; ``layout`` of the stored array; labels ``y`` [N]; class names."""

    shape: tuple[int, int, int, int]
    layout: str
    y: Sequence[int]
    classes: tuple[str, ...]

    @property
    def counts(self) -> list[int]:
        """Images of each class."""
        found = Counter(self.y)
        return [found[label] for label in range(len(self.classes))]


def describe(path: Path) -> Described:
    """What the npz at ``path`` holds. Raises Unusable where it cannot be studied, and OSError where it cannot be read."""
    with open(path, "rb"):  # where that fails, the file is not to blame
        pass
    try:
        with zipfile.ZipFile(path) as file:
            return _described(path, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # the last: encrypted
        wrong = f"not an npz file, or truncated ({error})"
        todo = "write it with numpy.savez(path, x=..., y=...), or replace it by a whole copy"
        raise Unusable(path, wrong, todo) from None


def _described(path: Path, file: zipfile.ZipFile) -> Described:
    have = [name[:40].removesuffix(".npy") for name in file.namelist()]
    for key in ("x", "y"):
        if f"{key}.npy" not in file.namelist():
            wrong = f"there is no array {key}; the file holds {', '.join(have[:10]) or 'nothing'}"
            raise Unusable(path, wrong, "write it with numpy.savez(path, x=images, y=labels)")
    x, y = _header(path, file, "x"), _header(path, file, "y")
    if x.descr[1:] not in PIXELS:
        wrong = f"x is an array of {_kind(x.descr)}"
        raise Unusable(path, wrong, "store pixels as uint8 (0 to 255) or as floats (0 to 1): x.astype(numpy.uint8)")
    if file.getinfo("x.npy").file_size < _bytes(x):
        raise Unusable(path, "the array x is truncated", "replace the file by a whole copy")
    if 4 * prod(x.shape) > MOST_BYTES:
        wrong = f"the images take {4 * prod(x.shape)} bytes as float32, more than {MOST_BYTES}"
        raise Unusable(path, wrong, "store fewer or smaller images")
    layout = _layout(path, x.shape, _text(path, file, "layout") if "layout" in have else None)
    if y.descr[1:] not in INTEGERS or len(y.shape) != 1:
        wrong = f"y is an array of {_kind(y.descr)} and shape {list(y.shape)}"
        raise Unusable(path, wrong, "store one whole number an image: y.astype(numpy.int64).ravel()")
    if y.shape[0] != x.shape[0]:
        raise Unusable(path, f"x has {x.shape[0]} images, y {y.shape[0]} labels", "store one label an image")
    labels = array(INTEGERS[y.descr[1:]], _raw(path, file, "y"))
    if {"<": "little", ">": "big"}.get(y.descr[0], sys.byteorder) != sys.byteorder:
        labels.byteswap()
    classes = _classes(path, labels, _text(path, file, "classes") if "classes" in have else None)
    sizes = dict(zip(layout, x.shape))
    return Described((sizes["N"], sizes.get("C", 1), sizes["H"], sizes["W"]), layout, labels, classes)


def _layout(path: Path, shape: tuple[int, ...], said: Sequence[str] | None) -> str:
    """Which axis of x is what: as the file says, else from the one axis that can be that of the colours."""
    if 0 in shape:
        raise Unusable(path, f"x has the shape {list(shape)}: there are no pixels", "store at least one image")
    fits = [layout for layout in LAYOUTS if len(layout) == len(shape)]
    if not fits:
        wrong = f"x has the shape {list(shape)}"
        raise Unusable(path, wrong, "store [N, H, W], [N, C, H, W] or [N, H, W, C]: images, colours, height, width")
    if said is not None:
        if len(said) != 1 or said[0] not in fits:
            raise Unusable(
                path, f"layout is {', '.join(said)!r}", f"for this x write {' or '.join(fits)}, or leave it out"
            )
        return said[0]
    possible = [layout for layout in fits if "C" not in layout or shape[layout.index("C")] in CHANNELS]
    if len(possible) != 1:
        which = "either of axes 1 and 3" if possible else "neither of axes 1 and 3"
        wrong = f"x has the shape {list(shape)}: {which} can be that of the colours (1 to {CHANNELS[-1]})"
        raise Unusable(path, wrong, 'add layout="NCHW" or layout="NHWC" to numpy.savez')
    return possible[0]


def _classes(path: Path, labels: Sequence[int], names: Sequence[str] | None) -> tuple[str, ...]:
    """The names given, else 0, 1, ... to the largest label."""
    least, most = min(labels), max(labels)
    count = len(labels) if names is None else len(names)  # each class needs an image
    if least < 0 or most >= count:
        of = f"with {count} classes" if names is not None else "each class having an image,"
        wrong = f"labels lie in {least}..{most}; {of} they lie in 0..{count - 1}"
        raise Unusable(path, wrong, "number the classes from 0: numpy.unique(y, return_inverse=True)[1]")
    found = tuple(map(str, range(most + 1))) if names is None else tuple(names)
    if len(set(found)) < len(found) or "" in found:
        raise Unusable(
            path, f"classes has empty or equal names: {', '.join(found)[:200]}", "name each class differently"
        )
    occur = set(labels)
    if len(occur) < 2:
        raise Unusable(path, "all images have the same label", "store images of at least two classes")
    missing = [name for label, name in enumerate(found) if label not in occur]
    if missing:
        wrong = f"no image of class {', '.join(missing[:5])[:200]}{', ...' if len(missing) > 5 else ''}"
        raise Unusable(path, wrong, "number the classes that occur from 0: numpy.unique(y, return_inverse=True)[1]")
    return found


def _kind(descr: str) -> str:
    return "Python objects (dtype object)" if descr[1:2] == "O" else f"dtype {descr}"


def _header(path: Path, file: zipfile.ZipFile, key: str) -> Header:
    with file.open(f"{key}.npy") as stream:
        return _read(path, key, stream)


def _read(path: Path, key: str, stream: IO[bytes]) -> Header:
    """The header at the beginning of an npy stream, which stands at the first byte of the array afterwards."""
    start = stream.read(8)
    length = int.from_bytes(stream.read(2 if start[6:7] == b"\x01" else 4), "little")
    try:
        if start[:6] != b"\x93NUMPY":
            raise ValueError("it does not begin as an npy file does")
        if length > 10_000:
            raise ValueError("its header is too long")
        literal = ast.literal_eval(stream.read(length).decode("latin-1"))
        header = Header(str(literal["descr"]), tuple(int(n) for n in literal["shape"]))
        if any(n < 0 for n in header.shape):
            raise ValueError("its shape is negative")
        return header
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        wrong = f"the array {key} cannot be read: {error}"
        raise Unusable(path, wrong, "write the file with numpy.savez") from None


def _bytes(header: Header) -> int:
    """Bytes of an array of numbers or texts (4 a character)."""
    return int(header.descr[2:]) * prod(header.shape) * (4 if header.descr[1] == "U" else 1)


def _raw(path: Path, file: zipfile.ZipFile, key: str) -> bytes:
    """The bytes of an array, as many as its header promises."""
    with file.open(f"{key}.npy") as stream:
        header = _read(path, key, stream)
        size = _bytes(header)
        raw = stream.read(size)
    if len(raw) < size:
        raise Unusable(path, f"the array {key} is truncated", "replace the file by a whole copy")
    return raw


def _text(path: Path, file: zipfile.ZipFile, key: str) -> list[str]:
    """The texts of an array of them, or its only one."""
    header = _header(path, file, key)
    if header.descr[1:2] != "U" or len(header.shape) > 1:
        wrong = f"{key} is an array of {_kind(header.descr)} and shape {list(header.shape)}"
        raise Unusable(path, wrong, f"store texts: numpy.array([...], dtype=str), or leave {key} out")
    raw = _raw(path, file, key)
    width = 4 * int(header.descr[2:])
    encoding = "utf-32-be" if header.descr[0] == ">" else "utf-32-le"
    return [raw[i : i + width].decode(encoding).rstrip("\0") for i in range(0, len(raw), width)]
