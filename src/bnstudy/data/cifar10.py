"""CIFAR-10: 60,000 colour images of 32x32 pixels, 6,000 per class, in its binary version (Krizhevsky 2009).

The images come from the folder ``data.path`` if it is given: the six .bin files, or the published archive of them. Else
they come from the publisher's archive, which is fetched once and checked. Other files of this form can be read as well;
a message says that they are not the published ones.
"""

import tarfile
import zlib
from pathlib import Path

import numpy as np

from bnstudy.data.files import DOWNLOADS, download, say, to_unit, verify
from bnstudy.data.images import Images, checked
from bnstudy.data.local import WHOLE_COPY, Unusable, files

FILES = (
    ("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
     "test_batch.bin"),
    ("cifar-10-binary.tar.gz",),
)  # fmt: skip
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
"""The archive's MD5 as the publisher's page gives it; the page has no SHA-256."""
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
"""The same archive's SHA-256 as TensorFlow Datasets records it."""
PUBLISHER = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MOST_BYTES = 200_000_000
"""More than the archive has."""
RECORD = 1 + 3 * 32 * 32
"""Bytes per image: first its label, then the red, the green and the blue pixels, row by row."""
PUBLISHED = 10_000
"""Images in each of the six files."""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load(path: Path | None = None) -> Images:
    """Return x [60000, 3, 32, 32] in 0..1 (fewer images from files that hold fewer), the five training batches first.

    Raises:
        Unusable: A file is damaged, or an archive of the published size is not the published one.
        OSError: The archive cannot be fetched.
    """
    folder = path or _fetched(DOWNLOADS)
    say(f"reading {folder}")
    paths = files("cifar10", folder)
    raw = _unpacked(paths[0]) if len(paths) == 1 else [path.read_bytes() for path in paths]
    records = np.concatenate([_records(content, folder / name) for content, name in zip(raw, FILES[0])])
    if all(len(content) == PUBLISHED * RECORD for content in raw):
        if len(paths) == 1:
            verify(paths[0].read_bytes(), paths[0], MD5, "md5")
        else:
            known = "size and labels are right, no more is known"
            say(f"{folder}: no checksums of the single files are published: {known}")
    else:
        say(f"{folder}: {len(records)} images: this is not the published CIFAR-10, which has {6 * PUBLISHED}")
    x = to_unit(records[:, 1:].reshape(-1, 3, 32, 32))
    return checked(Images(x, records[:, 0].astype(np.int64), CLASSES), f"cifar10, {folder}")


def _records(raw: bytes, path: Path) -> np.ndarray:
    """Return uint8 [n, 3073]. Raises Unusable for bytes that are no whole records, and for labels above 9."""
    if not raw or len(raw) % RECORD:
        fault = f"truncated, or not CIFAR-10's binary version: {len(raw)} bytes are no whole number of {RECORD}"
        raise Unusable(path, fault, WHOLE_COPY)
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    if len(strange := np.flatnonzero(records[:, 0] > 9)):
        fault = f"image {strange[0]} has the label {records[strange[0], 0]}, labels are 0 to 9"
        raise Unusable(path, fault, "is it CIFAR-10's binary version?")
    return records


def _unpacked(archive: Path) -> list[bytes]:
    """Return the six files of the archive, in the order of FILES, without writing anything."""
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if name in FILES[0] and (content := tar.extractfile(member)):
                    contents[name] = content.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise Unusable(archive, f"damaged, truncated or no tar.gz ({error})", WHOLE_COPY) from None
    if lacking := [name for name in FILES[0] if name not in contents]:
        raise Unusable(archive, f"the archive lacks {', '.join(lacking)}", "use cifar-10-binary.tar.gz as published")
    return [contents[name] for name in FILES[0]]


def _fetched(downloads: Path) -> Path:
    """Return the folder of the publisher's archive; fetch the archive (170 MB) if it is not there."""
    folder = downloads / "cifar10"
    if not (folder / FILES[1][0]).is_file():
        download(PUBLISHER, folder / FILES[1][0], _verified, MOST_BYTES)
    return folder


def _verified(path: Path) -> None:
    raw = path.read_bytes()
    verify(raw, path, MD5, "md5")
    verify(raw, path, SHA256)
