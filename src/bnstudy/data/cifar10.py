"""CIFAR-10: 60,000 colour images of 32x32 pixels, 6,000 a class, in its binary version (Krizhevsky 2009).

Read from the folder ``data.path`` if given (the six .bin files or the published archive of them), else from the publisher's
archive, fetched once and checked. Other files of this form are read too, and said to be other.
"""

import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from bnstudy.data.files import DOWNLOADS, download, say, unit, verify
from bnstudy.data.images import Images, checked
from bnstudy.data.local import Unusable, files

FILES = (
    (
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
        "test_batch.bin",
    ),
    ("cifar-10-binary.tar.gz",),
)
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
"""Of the archive, as the publisher's page gives it; no SHA-256 stands there."""
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
"""Of the same archive, as TensorFlow Datasets records it."""
PUBLISHER = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
RECORD = 1 + 3 * 32 * 32
"""Bytes of an image: its label; then the red, the green, the blue pixels, row by row."""
PUBLISHED = 10_000
"""Images in each of the six files."""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load(spec: dict[str, Any]) -> Images:
    """x [60000, 3, 32, 32] (fewer from files with fewer), in 0..1; the five training batches first.

    Raises Unusable, also for an archive of as many images that is not the published one, and OSError where it cannot be had.
    """
    folder = Path(spec["path"]) if spec.get("path") else _fetched(DOWNLOADS)
    say(f"reading {folder}")
    paths = files("cifar10", folder)
    raw = _unpacked(paths[0]) if len(paths) == 1 else [path.read_bytes() for path in paths]
    names = [folder / name for name in FILES[0]]
    records = np.concatenate([_records(content, name) for content, name in zip(raw, names)])
    if all(len(content) == PUBLISHED * RECORD for content in raw):
        if len(paths) == 1:
            verify(paths[0].read_bytes(), paths[0], MD5, "md5")
        else:
            say(
                f"{folder}: no checksums of the single files are published: they have the right size and labels, no more is known"
            )
    else:
        say(f"{folder}: {len(records)} images: this is not the published CIFAR-10, which has {6 * PUBLISHED}")
    x = unit(records[:, 1:].reshape(-1, 3, 32, 32))
    return checked(Images(x, records[:, 0].astype(np.int64), CLASSES), f"cifar10, {folder}")


def _records(raw: bytes, path: Path) -> np.ndarray:
    """uint8 [n, 3073]. Raises Unusable where these are no whole records or labels."""
    if not raw or len(raw) % RECORD:
        wrong = f"truncated, or not CIFAR-10's binary version: {len(raw)} bytes are no whole number of {RECORD}"
        raise Unusable(path, wrong, "replace the file by a whole copy")
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    strange = np.flatnonzero(records[:, 0] > 9)
    if len(strange):
        wrong = f"image {strange[0]} has the label {records[strange[0], 0]}, labels are 0 to 9"
        raise Unusable(path, wrong, "is it CIFAR-10's binary version?")
    return records


def _unpacked(archive: Path) -> list[bytes]:
    """The six files out of the archive, in the order of FILES; nothing is written."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                content = tar.extractfile(member) if name in FILES[0] else None
                if content:
                    found[name] = content.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        wrong = f"damaged, truncated or no tar.gz ({error})"
        raise Unusable(archive, wrong, "replace the file by a whole copy") from None
    lacking = [name for name in FILES[0] if name not in found]
    if lacking:
        raise Unusable(archive, f"the archive lacks {', '.join(lacking)}", "use cifar-10-binary.tar.gz as published")
    return [found[name] for name in FILES[0]]


def _fetched(downloads: Path) -> Path:
    """The folder of the publisher's archive, fetched if need be (170 MB)."""
    folder = downloads / "cifar10"
    if not (folder / FILES[1][0]).is_file():
        download(PUBLISHER, folder / FILES[1][0], _verified)
    return folder


def _verified(path: Path) -> None:
    raw = path.read_bytes()
    verify(raw, path, MD5, "md5")
    verify(raw, path, SHA256)
