"""Whether a study's numbers fit its images, as far as that can be known before any of them is loaded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from math import gcd
from pathlib import Path as File
from typing import NamedTuple

from bnstudy.config.errors import Path, Problem
from bnstudy.config.models import Data
from bnstudy.data.local import Unusable, choices, files
from bnstudy.data.shares import shares


class Known(NamedTuple):
    """Images of each class, and the images' height and width in pixels."""

    counts: Sequence[int]
    height: int
    width: int


IMAGES = {
    "mnist5k": Known([500] * 10, 28, 28),
    "digits": Known([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 8, 8),
    "fashion_mnist": Known([7000] * 10, 28, 28),
    "cifar10": Known([6000] * 10, 32, 32),
}
"""The sources whose images are known beforehand."""
CIFAR10_RECORD = 3073
"""Bytes of an image in CIFAR-10's binary version, the first its label."""


def data_checks(data: Data) -> Iterator[Problem]:
    """Errors between the keys of ``data``, and between them and the user's file."""
    problem = _path(data)
    if problem:
        yield problem
        return
    known = _known(data.source, data.path)
    if known is None:
        return
    sizes = {"train": data.train, "test": data.test, "heldout": data.heldout}
    counts, have, whose = known.counts, sum(known.counts), data.source
    if data.images is not None:
        if data.images > have:
            todo = "make it smaller, or leave it out to keep all"
            yield Problem(("data", "images"), f"{whose} has {have} images", f"at most {have}", todo)
            return
        have, whose = data.images, "data.images"
    total = sum(sizes.values())
    if total > have:
        wrong = f"train + test + heldout = {total}, but {whose} has {have} images"
        todo = f"take away {total - have} images from train, test, heldout"
        yield Problem(("data",), wrong, f"a sum of at most {have}", todo)
    else:
        try:
            if data.images is not None:
                counts = [row[0] for row in shares(counts, {"images": data.images})]
            shares(counts, sizes)
        except ValueError as error:
            wrong, _, todo = str(error).partition("; ")
            yield Problem(("data",), wrong.removeprefix("split: "), "every class in every part", todo)
    yield from fits_pool(data, data.pool, ("data", "pool"))


def fits_pool(data: Data, pool: int, path: Path) -> Iterator[Problem]:
    """An error at ``path`` if ``pool`` does not divide both sides of the images, where they are known."""
    known = None if _path(data) else _known(data.source, data.path)
    if known is None or known.height % pool == 0 == known.width % pool:
        return
    common = gcd(known.height, known.width)
    fits = ", ".join(str(n) for n in range(1, common + 1) if common % n == 0)
    square = known.height == known.width
    sides = f"side, {known.height} pixels" if square else f"sides, {known.height} and {known.width} pixels"
    yield Problem(path, f"it does not divide the images' {sides}", "one of " + fits, "choose a divisor", value=pool)


def _path(data: Data) -> Problem | None:
    """What is wrong with ``data.path``."""
    sets = choices(data.source)
    if data.path is None:
        if sets != ():
            return None
        wrong, todo = f"the key is missing: {data.source} reads a file of yours", "add path: FILE to data"
        return Problem(("data", "path"), wrong, "the path of a file", todo)
    if sets is None:
        wrong, todo = f"data source {data.source} reads no file of yours", "delete the key, or change data.source"
        return Problem(("data", "path"), wrong, "no path", todo)
    try:
        _known(data.source, data.path)
    except Unusable as error:
        return Problem(("data", "path"), f"{error.file}: {error.fault}", "", error.remedy)
    except OSError as error:
        return Problem(("data", "path"), f"it cannot be read: {error.strerror}", "a readable file", "check the path")
    return None


def _known(source: str, path: str | None) -> Known | None:
    """What is known of the images; raises Unusable or OSError for a file of the user that cannot be studied.

    Nothing is known of an archive before it is unpacked, and of sources that are not listed here.
    """
    if path is None:
        return IMAGES.get(source)
    found = files(source, File(path))
    return _of_files(source, tuple(found), tuple(file.stat().st_mtime_ns for file in found))


@cache
def _of_files(source: str, found: tuple[File, ...], changed: tuple[int, ...]) -> Known | None:
    """As :func:`_known`; ``changed``: when each file was last, so that a new content is read anew."""
    if source == "npz":
        from bnstudy.data.npz_file import describe  # imports numpy, which other sources do without

        described = describe(found[0])
        return Known(described.counts, *described.shape[2:])
    if source == "cifar10" and len(found) > 1:
        labels = Counter(b"".join(file.read_bytes()[::CIFAR10_RECORD] for file in found))
        return IMAGES[source]._replace(counts=[labels[label] for label in range(10)])
    return IMAGES[source] if source == "fashion_mnist" else None
