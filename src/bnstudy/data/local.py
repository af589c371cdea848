"""The user's own files that a data source reads: which they are, and their digest. Without torch: for planning.

A source that can read the user's files says so by a literal ``FILES`` at its top level: sets of file names. It reads the
first set that is complete in the folder ``data.path``. With ``FILES = ()``, ``data.path`` is the file itself.
"""

import ast
import hashlib
import os
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

HERE = Path(__file__).parent
WHOLE_COPY = "replace the file by a whole copy"
"""The remedy for a damaged file."""
PICTURES = "pictures"
"""``FILES`` of a source that reads a folder of pictures, one folder a class."""
SUFFIXES = (".png", ".jpg", ".jpeg")
TRAIN, TEST = {"train", "training", "val", "valid", "validation", "dev"}, {"test", "testing"}
"""Folders of these names, in lower case, are splits, not classes."""
MOST_BYTES = 4 * 2**30
"""Larger files are refused: each planning of a study hashes them, and their images must fit into memory."""


@dataclass(frozen=True)
class Reading:
    """How a user's file is to be read, where it does not say so itself; see config/README.md.

    ``keys`` are the names of arrays by what they hold; ``white`` and ``black`` the stored numbers that are so; ``size`` the
    side of the squares that pictures become, in pixels; ``kind`` says whether there are images, or a table.
    """

    keys: dict[str, str] | None = None
    white: float | None = None
    black: float | None = None
    size: int | None = None
    kind: Literal["images", "table"] = "images"


AS_IS = Reading()
"""Files that say themselves how they are to be read."""


@dataclass(frozen=True)
class ImagesSpec:
    """What the prepared images depend on.

    ``path`` and ``sha256`` are those of the user's files, where the source reads some; ``images`` is how many are kept,
    where not all are.
    """

    source: str
    path: str | None = None
    sha256: str | None = None
    images: int | None = None
    reading: Reading = AS_IS


class Unusable(ValueError):
    """Says which file cannot be used, what its fault is, and which remedy there is.

    Names in a file may hold control characters. They are written as escapes, since they must not reach a terminal.
    """

    def __init__(self, file: object, fault: str, remedy: str) -> None:
        self.file, self.fault, self.remedy = (
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) for text in (str(file), fault, remedy)
        )
        super().__init__(f"{self.file}: {self.fault}\nwhat to do: {self.remedy}")


def choices(source: str) -> tuple[tuple[str, ...], ...] | None:
    """Return ``FILES`` of src/bnstudy/data/``source``.py without importing it; None where it reads no file of the user."""
    return _literal(source, "FILES")  # type: ignore[no-any-return]


def reads(source: str) -> tuple[str, ...]:
    """Return ``READS`` of src/bnstudy/data/``source``.py: the fields of :class:`Reading` that it heeds."""
    return _literal(source, "READS") or ()


def _literal(source: str, name: str) -> Any:
    for node in ast.parse((HERE / f"{source}.py").read_bytes()).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == [name]:
            return ast.literal_eval(node.value)
    return None


def files(source: str, path: Path, reading: Reading = AS_IS) -> list[Path]:
    """Return the files that ``source`` reads at ``path``: in the order of its ``FILES``; those that ``reading.keys`` names;
    or, of a folder of pictures, all of them.

    Raises:
        Unusable: There is no such file or folder, or the folder lacks some of the files.
    """
    sets, path = choices(source), Path(os.path.expanduser(path))
    if not path.exists():
        raise Unusable(
            path, "there is no such file or folder", "check the path; it is relative to the project's folder"
        )
    if sets == PICTURES:
        return [picture for pictures in classes(path) for picture in pictures.files]
    if not sets:
        if reading.keys and path.is_dir():
            return sorted({file for file, _ in entries(path, reading.keys).values()})
        if not path.is_file():
            raise Unusable(path, "this is no file", f"{source} reads a single file: write its path")
        return [path]
    if not path.is_dir():
        raise Unusable(path, "this is no folder", f"{source} reads files in a folder: write the folder's path")
    for names in sets:
        if all((path / name).is_file() for name in names):
            return [path / name for name in names]
    lacking = [[name for name in names if not (path / name).is_file()] for names in sets]
    nearest = min(range(len(sets)), key=lambda i: len(lacking[i]) - len(sets[i]))
    fault = f"the folder lacks {', '.join(lacking[nearest])}"
    raise Unusable(path, fault, "put in all of: " + "; or all of: ".join(", ".join(names) for names in sets))


def entries(path: Path, keys: dict[str, str] | None) -> dict[str, tuple[Path, str]]:
    """Return the file and the name of each array of an npz, by what it holds: x, y, test_x, test_y, classes, layout.

    In a folder, keys name an array as FILE.npz:NAME. Without keys, arrays have the name of what they hold.

    Raises:
        Unusable: Keys name no file of the folder, or an official test split has images or labels alone.
    """
    path = Path(os.path.expanduser(path))
    if keys is None:
        try:
            with zipfile.ZipFile(path) as archive:
                have = set(archive.namelist())
        except (zipfile.BadZipFile, OSError):  # whoever reads an array says so
            have = set()
        keys = {name: name for name in ("x", "y")}
        keys |= {name: name for name in ("test_x", "test_y", "classes", "layout") if f"{name}.npy" in have}
    for name, other in (("x", "y"), ("y", "x"), ("test_x", "test_y"), ("test_y", "test_x")):
        if other in keys and name not in keys:
            raise Unusable(path, f"keys name {other} without {name}", f"add {name}: NAME to keys")
    found = {}
    for name, entry in keys.items():
        file_name, _, array = entry.rpartition(":")
        if bool(file_name) != path.is_dir():
            form = "FILE.npz:NAME, as data.path is a folder" if path.is_dir() else "NAME, as data.path is a file"
            raise Unusable(path, f"keys name {name} as {entry}", f"write it as {form}")
        file = path / file_name if file_name else path
        if file_name and not file.is_file():
            raise Unusable(file, "there is no such file", "check the names in keys")
        found[name] = (file, array)
    return found


class Pictures(NamedTuple):
    """The pictures of one class in a folder of pictures; ``test``: they are an official test split."""

    name: str
    files: list[Path]
    test: bool


def classes(path: Path) -> list[Pictures]:
    """Return the pictures of a folder by class: one folder each, or one each in the folders train, val and test.

    What stands in val was kept from training by others; here seeds draw what they hold out, so that it joins the rest.

    Raises:
        Unusable: There are no folders with pictures, or training and test have other classes.
    """
    if not path.is_dir():
        raise Unusable(
            path, "this is no folder", "write the path of a folder that holds one folder of pictures per class"
        )
    inside = _folders(path)
    split = {p.name.lower() for p in inside} <= TRAIN | TEST
    found: dict[tuple[bool, str], list[Path]] = {}
    for part in inside if split else [path]:
        for of_class in _folders(part):
            pictures = (p for p in of_class.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            if held := sorted(p for p in pictures if p.is_file()):
                found.setdefault((part.name.lower() in TEST and split, of_class.name), []).extend(held)
    kinds = [[name for test, name in sorted(found) if test is part] for part in (False, True)]
    if len(kinds[0]) < 2:
        fault = f"{len(kinds[0])} of its folders hold pictures ({', '.join(SUFFIXES)})"
        remedy = "put the pictures of each class into a folder of its own, at least two: photos/cat, photos/dog"
        others = Counter(p.suffix.lower() for p in path.rglob("*.*") if p.is_file()) if not kinds[0] else Counter()
        if others and (other := others.most_common(1)[0][0]) not in SUFFIXES:
            fault += f", others hold {other}"
            remedy += ", as PNG or JPEG: PIL.Image.open(file).save(file.with_suffix('.png'))"
        raise Unusable(path, fault, remedy)
    if kinds[1] and kinds[0] != kinds[1]:
        raise Unusable(path, "train and test have folders of other names", "name the classes alike in both")
    return [Pictures(name, held, test) for (test, name), held in sorted(found.items())]


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def digest(paths: list[Path], folder: Path | None = None) -> str:
    """Return the SHA-256 of the contents of ``paths``, 64 hex digits; with ``folder`` of their names in it as well.

    Raises:
        Unusable: The files are larger than MOST_BYTES together.
        OSError: A file cannot be read.
    """
    total = sum(path.stat().st_size for path in paths)
    if total > MOST_BYTES:
        remedy = "keep fewer images, or store pixels as uint8"
        raise Unusable(paths[0].parent, f"{total} bytes are more than {MOST_BYTES}", remedy)
    from bnstudy.core.store import sha256  # not above: it imports numpy, and most studies read no file of a user

    digests = [sha256(path) for path in paths]
    if folder is not None:
        digests = [f"{path.relative_to(folder).as_posix()} {known}" for path, known in zip(paths, digests)]
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def fingerprint(source: str, path: Path, reading: Reading) -> str:
    """Return the digest of what ``source`` reads at ``path``: of a folder of pictures, whose names say the class, names too."""
    folder = Path(os.path.expanduser(path)) if choices(source) == PICTURES or (reading.keys and path.is_dir()) else None
    return digest(files(source, path, reading), folder)
