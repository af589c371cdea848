"""What a user's npz file holds: the shape and the range of its pixels, and its labels. Planning asks for it, so that it can
refuse a study at once.

An npz is a zip of npy files. Nothing in it is executed: object arrays, which would need a pickle, are refused.
"""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf, prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from bnstudy.data.local import AS_IS, MOST_BYTES, WHOLE_COPY, Reading, Unusable, entries
from bnstudy.data.npz_labels import Labels, labels
from bnstudy.data.pixels import Range, scale

CHANNELS = range(1, 5)
"""An axis of one of these lengths can be that of the colours without the file saying so."""
MOST_IMAGES = 1_000_000
"""As many as a config can ask for. A small file can hold very many labels, packed."""
MOST_TEXT = 10_000_000
"""Bytes of names of classes."""
LAYOUTS = ("NHW", "NCHW", "NHWC")
CHUNK = 2**22
"""Bytes of pixels that are looked at together."""


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
    """The images of an npz file, or the rows of a table.

    Attributes:
        shape: [N, C, H, W], the shape that the images will have, those of an official test split behind the others.
        layout: The axes of the stored array, one of LAYOUTS, or "NF" of a table.
        tests: How many of the images are an official test split.
        black, white: The stored numbers that become 0 and 1; of a table they mean nothing.
        labels: The labels of all images.
    """

    shape: tuple[int, int, int, int]
    layout: str
    tests: int
    black: float
    white: float
    labels: Labels

    @property
    def counts(self) -> list[int]:
        """The number of images of each class, without the official test split."""
        return self._count(self.labels.y[: self.shape[0] - self.tests])

    @property
    def test_counts(self) -> list[int] | None:
        """The number of images of each class in the official test split; None without one."""
        return self._count(self.labels.y[self.shape[0] - self.tests :]) if self.tests else None

    def _count(self, y: np.ndarray) -> list[int]:
        return np.bincount(y, minlength=len(self.labels.classes)).tolist()


class Array:
    """An array of an npz file: its header, once the file is known to be as long as the header says."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        with _opened(path) as file:
            have = [name.removesuffix(".npy") for name in file.namelist()]
            if key not in have:
                held = ", ".join(name[:40] for name in have[:10]) or "nothing"
                raise Unusable(path, f"there is no array {key}; the file holds {held}", _likely(have))
            self.header = _header(path, file, key)

    def read(self) -> np.ndarray:
        """Return the array. Raises Unusable where its bytes are damaged, or fewer than the header says."""
        with _opened(self.path) as file, file.open(f"{self.key}.npy") as stream:
            try:
                return npy.read_array(stream, allow_pickle=False)
            except (ValueError, zlib.error, zipfile.BadZipFile, EOFError) as error:
                fault = f"the array {self.key} is damaged or truncated ({error})"
                raise Unusable(self.path, fault, WHOLE_COPY) from None

    def range(self) -> Range:
        """Return the least and the largest number, and how many are not finite, holding few of them at a time."""
        least, most, strange = inf, -inf, 0
        with _opened(self.path) as file, file.open(f"{self.key}.npy") as stream:
            _read(stream)
            left = self.header.bytes
            try:
                while left and (chunk := stream.read(min(left, CHUNK))):
                    left -= len(chunk)
                    numbers = np.frombuffer(chunk, self.header.dtype)
                    finite = numbers[np.isfinite(numbers)]
                    strange += len(numbers) - len(finite)
                    if len(finite):
                        least, most = min(least, float(finite.min())), max(most, float(finite.max()))
            except (zlib.error, zipfile.BadZipFile, EOFError, ValueError) as error:
                fault = f"the array {self.key} is damaged or truncated ({error})"
                raise Unusable(self.path, fault, WHOLE_COPY) from None
        return Range(least, most, strange)


def describe(path: Path, reading: Reading = AS_IS) -> Described:
    """Return what the npz at ``path`` holds, or the npz files in that folder whose arrays ``reading.keys`` names.

    Raises:
        Unusable: The file cannot be studied; the message says why and what to do.
        OSError: The file cannot be read.
    """
    arrays = {name: Array(*entry) for name, entry in entries(path, reading.keys).items()}
    x, y = arrays["x"], arrays["y"]
    if x.header.dtype.kind not in "buif":
        raise Unusable(x.path, f"{x.key} is an array of {x.header.kind}", "store numbers: pixels from black to white")
    if 4 * prod(x.header.shape) > MOST_BYTES:
        fault = f"the images take {4 * prod(x.header.shape)} bytes as float32, more than {MOST_BYTES}"
        raise Unusable(x.path, fault, "store fewer or smaller images")
    for held in (x, y):
        if held.header.shape and held.header.shape[0] > MOST_IMAGES:
            fault = f"there are {held.header.shape[0]} images, more than {MOST_IMAGES}"
            raise Unusable(held.path, fault, "store fewer images")
    table = reading.kind == "table"
    layout = _table(x) if table else _layout(x, _texts(arrays["layout"]) if "layout" in arrays else None)
    black, white, tests = 0.0, 1.0, 0
    official = arrays.get("test_x")
    if official:
        if official.header.shape[1:] != x.header.shape[1:] or official.header.dtype != x.header.dtype:
            fault = f"{official.key} is {list(official.header.shape)} of {official.header.kind}, {x.key} {list(x.header.shape)} of {x.header.kind}"
            raise Unusable(official.path, fault, "store pictures for training and for the test alike")
        tests = official.header.shape[0]
    least, most, strange = zip(*(array.range() for array in (x, official) if array))
    found = Range(min(least), max(most), sum(strange))
    if found.strange:
        fault = f"{found.strange} numbers of {x.key} are not finite (NaN or infinite)"
        raise Unusable(x.path, fault, "store finite numbers only: leave out what is missing, or fill it in")
    if not table:
        black, white = scale(x.path, x.header.dtype, found, reading.black, reading.white)
    stored = [array.read() for array in (y, *([arrays["test_y"]] if official else []))]
    names = _texts(arrays["classes"]) if "classes" in arrays else None
    marked = labels(y.path, stored, [x.header.shape[0], *([tests] if official else [])], names)
    if layout == "NF":
        shape = (x.header.shape[0], prod(x.header.shape[1:]), 1, 1)
    else:
        sizes = dict(zip(layout, x.header.shape))
        shape = (sizes["N"], sizes.get("C", 1), sizes["H"], sizes["W"])
    return Described((shape[0] + tests, *shape[1:]), layout, tests, black, white, marked)


def _likely(have: Sequence[str]) -> str:
    """Return the keys to write for arrays with these names, as far as they can be guessed."""
    lower = {name.lower(): name for name in have}
    guesses = {
        "x": ("train_images", "x_train", "images", "data", "x", "arr_0"),
        "y": ("train_labels", "y_train", "labels", "targets", "target", "y", "arr_1"),
        "test_x": ("test_images", "x_test"),
        "test_y": ("test_labels", "y_test"),
    }
    found = {key: next((lower[name] for name in names if name in lower), None) for key, names in guesses.items()}
    if not found["x"] or not found["y"]:
        if any(name.lower().endswith((".png", ".jpg", ".jpeg", ".pkl")) for name in have):
            return "it is no npz: unpack pictures, one folder a class, for source: folder; write tensors of torch with numpy.savez(path, x=x.numpy(), y=y.numpy())"
        return "say which arrays hold what: keys: {x: NAME, y: NAME}, for arrays of other files {x: FILE.npz:NAME} with their folder as path"
    if not (found["test_x"] and found["test_y"]):
        found = {key: found[key] for key in ("x", "y")}
    return "add to data: keys: {" + ", ".join(f"{key}: {name}" for key, name in found.items()) + "}"


def _table(x: Array) -> str:
    """Return the layout of a table [N, features], with any axes of length 1; refuse pictures."""
    fault = f"{x.key} has the shape {list(x.header.shape)}"
    if 0 in x.header.shape or len(x.header.shape) < 2:
        raise Unusable(x.path, fault, "store a row of features per sample: [N, features]")
    if sum(n > 1 for n in x.header.shape[1:]) > 1:
        fault += ": a table has one axis of features"
        raise Unusable(x.path, fault, "leave out kind: table, or store [N, features]")
    return "NF"


def _layout(x: Array, stated: Sequence[str] | None) -> str:
    """Return which axis of x is what: as the file states, else from the one axis that can be that of the colours."""
    path, shape = x.path, x.header.shape
    fault = f"x has the shape {list(shape)}"
    if 0 in shape:
        raise Unusable(path, f"{fault}: there are no pixels", "store at least one image")
    fits = [layout for layout in LAYOUTS if len(layout) == len(shape)]
    if len(shape) == 2:
        remedy = "add kind: table to data; or store pictures as [N, H, W], [N, C, H, W] or [N, H, W, C]"
        raise Unusable(path, f"{fault}: one axis for each sample", remedy)
    if not fits:
        raise Unusable(path, fault, "store [N, H, W], [N, C, H, W] or [N, H, W, C]: images, colours, height, width")
    if sum(n > 1 for n in shape[1:]) < 2:
        fault += ": pictures of a single row or column are tables or signals"
        raise Unusable(path, fault, "add kind: table to data")
    if stated is not None:
        if len(stated) != 1 or stated[0] not in fits:
            remedy = f"for this x write {' or '.join(fits)}, or leave it out"
            raise Unusable(path, f"layout is {', '.join(stated)!r}", remedy)
        return stated[0]
    possible = [layout for layout in fits if "C" not in layout or shape[layout.index("C")] in CHANNELS]
    if len(possible) != 1:
        which = "either of axes 1 and 3" if possible else "neither of axes 1 and 3"
        fault += f": {which} can be that of the colours (1 to {CHANNELS[-1]})"
        raise Unusable(path, fault, 'add layout="NCHW" or layout="NHWC" to numpy.savez')
    return possible[0]


def _header(path: Path, file: zipfile.ZipFile, key: str) -> Header:
    """Return the header of an array, once the file is known to be as long as the header says."""
    with file.open(f"{key}.npy") as stream:
        try:
            header = _read(stream)
            if any(n < 0 for n in header.shape):
                raise ValueError("its shape is negative")
        except (ValueError, TypeError, OverflowError) as error:
            fault = f"the array {key} cannot be read: {error}"
            raise Unusable(path, fault, "write the file with numpy.savez") from None
    if header.dtype.hasobject:
        remedy = f"write {key} as an array of numbers or texts: numpy.array(..., dtype=str) for texts"
        raise Unusable(path, f"{key} is an array of {header.kind}", remedy)
    if file.getinfo(f"{key}.npy").file_size < header.bytes:
        raise Unusable(path, f"the array {key} is truncated", WHOLE_COPY)
    return header


def _read(stream: IO[bytes]) -> Header:
    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    return Header(shape, dtype)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give the archive; what it does not hold whole is refused."""
    with open(path, "rb"):  # where this fails, the content is not to blame
        pass
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # the last: encrypted
        raise Unusable(path, f"not an npz file, or truncated ({error})", _instead(path)) from None


def _instead(path: Path) -> str:
    """Return what makes an npz of a file that is none."""
    with open(path, "rb") as file:
        head = file.read(512)
        file.seek(0)
        commas = [file.readline(2**20).count(b",") for _ in range(2)]
    if head.startswith(b"\x1f\x8b"):
        return f"it is packed by gzip: gunzip {path}"
    if head.startswith(npy.MAGIC_PREFIX):
        return f'it is a single array: numpy.savez("mine.npz", x=numpy.load("{path.name}"), y=labels)'
    if commas[0] == commas[1] > 0 and head.isascii() and b"\0" not in head:
        of_csv = f'rows = numpy.genfromtxt("{path.name}", delimiter=",", skip_header=1)'
        stored = 'numpy.savez("mine.npz", x=rows[:, :-1], y=rows[:, -1])'
        return f"it is text with commas; with a line of names and labels in the last column: {of_csv}; {stored}, and kind: table"
    return "write it with numpy.savez(path, x=..., y=...), or replace it by a whole copy"


def _texts(array: Array) -> list[str]:
    """Return the texts of an array of texts, or its only one."""
    header = array.header
    if header.dtype.kind != "U" or len(header.shape) > 1:
        fault = f"{array.key} is an array of {header.kind} and shape {list(header.shape)}"
        raise Unusable(array.path, fault, f"store texts: numpy.array([...], dtype=str), or leave {array.key} out")
    if header.bytes > MOST_TEXT:
        fault = f"{array.key} has {header.bytes} bytes, more than {MOST_TEXT}"
        raise Unusable(array.path, fault, f"store shorter names in {array.key}")
    return [str(text) for text in np.atleast_1d(array.read())]
