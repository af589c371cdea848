"""Check whether a study's numbers fit its images, as far as that can be known before any of them is loaded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from math import gcd
from pathlib import Path
from typing import NamedTuple

from bnstudy.config.errors import Problem
from bnstudy.config.models import Data
from bnstudy.core.yaml_file import KeyPath
from bnstudy.data.local import Unusable, choices, files
from bnstudy.data.shares import Unsplittable, shares


class Outline(NamedTuple):
    """What planning knows of a source: the number of images of each class, and their height and width in pixels."""

    counts: Sequence[int]
    height: int
    width: int


IMAGES = {
    "mnist5k": Outline([500] * 10, 28, 28),
    "digits": Outline([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 8, 8),
    "fashion_mnist": Outline([7000] * 10, 28, 28),
    "cifar10": Outline([6000] * 10, 32, 32),
}
"""The sources whose images are known beforehand."""
CIFAR10_RECORD = 3073
"""Bytes of an image in CIFAR-10's binary version, the first its label."""


def data_checks(data: Data) -> Iterator[Problem]:
    """Yield the errors between the keys of ``data``, and between them and the user's file."""
    if problem := _path_problem(data):
        yield problem
        return
    outline = _outline(data.source, data.path)
    if outline is None:
        return
    sizes = {"train": data.train, "test": data.test, "heldout": data.heldout}
    counts, available, owner = outline.counts, sum(outline.counts), data.source
    if data.images is not None:
        if data.images > available:
            remedy = "make it smaller, or leave it out to keep all"
            yield Problem(("data", "images"), f"{owner} has {available} images", f"at most {available}", remedy)
            return
        available, owner = data.images, "data.images"
    total = sum(sizes.values())
    if total > available:
        fault = f"train + test + heldout = {total}, but {owner} has {available} images"
        remedy = f"take away {total - available} images from train, test, heldout"
        yield Problem(("data",), fault, f"a sum of at most {available}", remedy)
    else:
        try:
            if data.images is not None:
                counts = [row[0] for row in shares(counts, {"images": data.images})]
            shares(counts, sizes)
        except Unsplittable as error:
            yield Problem(("data",), error.fault, "every class in every part", error.remedy)
    yield from fits_pool(data, data.pool, ("data", "pool"))


def fits_pool(data: Data, pool: int, path: KeyPath) -> Iterator[Problem]:
    """Yield an error at ``path`` if ``pool`` does not divide both sides of the images, where they are known."""
    outline = None if _path_problem(data) else _outline(data.source, data.path)
    if outline is None or outline.height % pool == 0 == outline.width % pool:
        return
    common = gcd(outline.height, outline.width)
    fits = ", ".join(str(n) for n in range(1, common + 1) if common % n == 0)
    square = outline.height == outline.width
    sides = f"side, {outline.height} pixels" if square else f"sides, {outline.height} and {outline.width} pixels"
    yield Problem(path, f"it does not divide the images' {sides}", "one of " + fits, "choose a divisor", value=pool)


def _path_problem(data: Data) -> Problem | None:
    """Return what is fault with ``data.path``."""
    sets = choices(data.source)
    if data.path is None:
        if sets != ():
            return None
        fault, remedy = f"the key is missing: {data.source} reads a file of yours", "add path: FILE to data"
        return Problem(("data", "path"), fault, "the path of a file", remedy)
    if sets is None:
        fault, remedy = f"data source {data.source} reads no file of yours", "delete the key, or change data.source"
        return Problem(("data", "path"), fault, "no path", remedy)
    try:
        _outline(data.source, data.path)
    except Unusable as error:
        return Problem(("data", "path"), f"{error.file}: {error.fault}", "", error.remedy)
    except OSError as error:
        return Problem(("data", "path"), f"it cannot be read: {error.strerror}", "a readable file", "check the path")
    return None


def _outline(source: str, path: str | None) -> Outline | None:
    """Return what is known of the images; raise Unusable or OSError for a file of the user that cannot be studied.

    Nothing is known of an archive before it is unpacked, and of sources that are not listed here.
    """
    if path is None:
        return IMAGES.get(source)
    paths = files(source, Path(path))
    return _outline_of_files(source, tuple(paths), tuple(file.stat().st_mtime_ns for file in paths))


@cache
def _outline_of_files(source: str, paths: tuple[Path, ...], changed: tuple[int, ...]) -> Outline | None:
    """Return what is known of the images in ``paths``; ``changed`` says when each was, so that new content is read anew."""
    if source == "npz":
        from bnstudy.data.npz_file import describe  # imports numpy, which other sources do without

        described = describe(paths[0])
        return Outline(described.counts, *described.shape[2:])
    if source == "cifar10" and len(paths) > 1:
        labels = Counter(b"".join(file.read_bytes()[::CIFAR10_RECORD] for file in paths))
        return IMAGES[source]._replace(counts=[labels[label] for label in range(10)])
    return IMAGES[source] if source == "fashion_mnist" else None
