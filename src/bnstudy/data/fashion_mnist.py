"""Fashion-MNIST: 70,000 grey images of 28x28 pixels of ten kinds of clothes, 7,000 per class (Xiao, Rasul & Vollgraf 2017).

The images come from the folder ``data.path`` if it is given, else from Debian's package dataset-fashion-mnist if it is
installed, else from the publisher's files, which are fetched once. Debian compressed the files anew without name and
date, so its .gz differ from the publisher's (with those two put back their MD5 are the published ones). The checksums
are therefore those of the content: the SHA-256 of the idx data.
"""

from functools import partial
from pathlib import Path

import numpy as np

from bnstudy.data.files import DOWNLOADS, content, download, idx, say, to_unit, verify
from bnstudy.data.images import Images, checked
from bnstudy.data.local import Unusable, files

FILES = (
    ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
     "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)  # fmt: skip
SHA256 = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
"""Checksums of the idx data, in the order of FILES."""
PUBLISHER = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/"
MOST_BYTES = 30_000_000
"""More than any of the four files has."""
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def load(path: Path | None = None) -> Images:
    """Return x [70000, 1, 28, 28], the brightness in 0..1; the 60,000 of the published training set come first.

    Raises:
        Unusable: A file is missing, damaged, or not the published one.
        OSError: The files cannot be fetched.
    """
    folder = path or (DEBIAN if DEBIAN.is_dir() else _fetched(DOWNLOADS))
    say(f"reading {folder}")
    arrays = [_array(path, sha) for path, sha in zip(files("fashion_mnist", folder), SHA256)]
    x, y = np.concatenate(arrays[::2]), np.concatenate(arrays[1::2])
    if x.shape[1:] != (28, 28) or len(x) != len(y):
        fault = f"{len(x)} images of {x.shape[1]}x{x.shape[2]} pixels and {len(y)} labels, not as many of 28x28"
        raise Unusable(folder, fault, "replace the files by the published ones")
    return checked(Images(to_unit(x)[:, None], y.astype(np.int64), CLASSES), "fashion_mnist")


def _array(path: Path, sha256: str) -> np.ndarray:
    """Return the images [n, 28, 28] or labels [n] of a file, uint8. Raises Unusable unless it is the published one."""
    raw = content(path)
    array = idx(raw, path, 3 if "images" in path.name else 1)
    verify(raw, path, sha256)
    return array


def _fetched(downloads: Path) -> Path:
    """Return the folder of the publisher's four files; fetch those that it lacks (30 MB in all)."""
    folder = downloads / "fashion_mnist"
    for name, sha256 in zip(FILES[0], SHA256):
        if not (folder / name).is_file():
            download(PUBLISHER + name, folder / name, partial(_verified, sha256=sha256), MOST_BYTES)
    return folder


def _verified(path: Path, sha256: str) -> None:
    verify(content(path), path, sha256)
