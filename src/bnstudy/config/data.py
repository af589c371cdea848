"""Check whether a study's numbers fit its images, as far as that can be known before any of them is loaded."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from math import gcd
from pathlib import Path
from typing import NamedTuple

from bnstudy.config.errors import Problem
from bnstudy.config.models import Data
from bnstudy.core.yaml_file import KeyPath
from bnstudy.data.local import PICTURES, Reading, Unusable, choices, classes, files, reads
from bnstudy.data.shares import Unsplittable, shares


class Outline(NamedTuple):
    """What planning knows of a source: the number of images of each class, their height and width in pixels, and the number
    of images of each class in an official test split."""

    counts: Sequence[int]
    height: int
    width: int
    tests: Sequence[int] | None = None


IMAGES = {
    "mnist5k": Outline([500] * 10, 28, 28),
    "digits": Outline([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], 8, 8),
    "fashion_mnist": Outline([7000] * 10, 28, 28),
    "cifar10": Outline([6000] * 10, 32, 32),
}
"""The sources whose images are known beforehand."""
LEAST = 128
"""Images in a test set: the largest batch of them whose statistics are tried on shifted images."""
CIFAR10_RECORD = 3073
"""Bytes of an image in CIFAR-10's binary version, the first its label."""


def data_checks(data: Data) -> Iterator[Problem]:
    """Yield the errors between the keys of ``data``, and between them and the user's file."""
    if problem := _path_problem(data):
        yield problem
        return
    yield from _least(data)
    if (outline := _outline(data)) is None:
        return
    train, test = {"heldout": data.heldout, "train": data.train}, {"test": data.test}
    if outline.tests is None:
        yield from _parts(outline.counts, {**train, **test}, data.source, data.images)
    else:
        yield from _parts(outline.counts, train, f"{data.source} outside its test split", None)
        yield from _parts(outline.tests, test, f"the test split of {data.source}", None)
    yield from fits_pool(data, data.pool, ("data", "pool"))


def _least(data: Data) -> Iterator[Problem]:
    """Yield where test sets of images are smaller than the largest batch of them whose statistics are tried."""
    for name, count in (("test", data.test), ("heldout", data.heldout)) if data.kind == "images" else ():
        if count < LEAST:
            remedy = f"make it {LEAST} or more; if the file is a table, not pictures, add kind: table to data"
            yield Problem(("data", name), "it is too few for images", f"at least {LEAST}", remedy, value=count)


def _parts(counts: Sequence[int], sizes: dict[str, int], owner: str, images: int | None) -> Iterator[Problem]:
    """Yield why images cannot be split: ``counts`` of each class, of which ``images`` are kept, into parts of ``sizes``."""
    available = sum(counts)
    if images is not None:
        if images > available:
            remedy = "make it smaller, or leave it out to keep all"
            yield Problem(("data", "images"), f"{owner} has {available} images", f"at most {available}", remedy)
            return
        available, owner = images, "data.images"
    if (total := sum(sizes.values())) > available:
        named = [name for name in ("train", "test", "heldout") if name in sizes]
        fault = f"{' + '.join(named)} = {total}, but {owner} has {available} images"
        remedy = f"take away {total - available} images from {', '.join(named)}"
        yield Problem(("data",), fault, f"a sum of at most {available}", remedy)
        return
    try:
        if images is not None:
            counts = [row[0] for row in shares(counts, {"images": images})]
        shares(counts, sizes)
    except Unsplittable as error:
        yield Problem(("data",), error.fault, "every class in every part", error.remedy)


def fits_pool(data: Data, pool: int, path: KeyPath) -> Iterator[Problem]:
    """Yield an error at ``path`` if ``pool`` does not divide both sides of the images, where they are known."""
    outline = None if _path_problem(data) else _outline(data)
    if outline is None or outline.height % pool == 0 == outline.width % pool:
        return
    common = gcd(outline.height, outline.width)
    fits = ", ".join(str(n) for n in range(1, common + 1) if common % n == 0)
    square = outline.height == outline.width
    sides = f"side, {outline.height} pixels" if square else f"sides, {outline.height} and {outline.width} pixels"
    yield Problem(path, f"it does not divide the images' {sides}", "one of " + fits, "choose a divisor", value=pool)


def _path_problem(data: Data) -> Problem | None:
    """Return what is fault with ``data.path``."""
    sets, heeded = choices(data.source), reads(data.source)
    for name in ("keys", "white", "black", "size", "kind"):
        if getattr(data, name) not in (None, "images") and name not in heeded:
            fault, remedy = f"data source {data.source} does not heed it", "delete the key, or change data.source"
            return Problem(("data", name), fault, "only with npz, or with folder", remedy)
    if data.path is None:
        if sets != () and sets != PICTURES:
            return None
        fault, remedy = f"the key is missing: {data.source} reads a file of yours", "add path: FILE to data"
        return Problem(("data", "path"), fault, "the path of a file", remedy)
    if sets is None:
        fault, remedy = f"data source {data.source} reads no file of yours", "delete the key, or change data.source"
        return Problem(("data", "path"), fault, "no path", remedy)
    try:
        _outline(data)
    except Unusable as error:
        return Problem(("data", "path"), f"{error.file}: {error.fault}", "", error.remedy)
    except OSError as error:
        return Problem(("data", "path"), f"it cannot be read: {error.strerror}", "a readable file", "check the path")
    return None


def _outline(data: Data) -> Outline | None:
    """Return what is known of the images; raise Unusable or OSError for a file of the user that cannot be studied.

    Nothing is known of an archive before it is unpacked, and of sources that are not listed here.
    """
    if data.path is None:
        return IMAGES.get(data.source)
    paths = files(data.source, Path(data.path), reading := reading_of(data))
    changed = tuple(file.stat().st_mtime_ns for file in paths)
    return _known(data.source, Path(data.path), json.dumps(vars(reading)), tuple(paths), changed)


def reading_of(data: Data) -> Reading:
    """Return how the user's file is to be read."""
    keys = None if data.keys is None else {str(name): array for name, array in data.keys.items()}
    return Reading(keys, data.white, data.black, data.size, data.kind)


@cache
def _known(source: str, path: Path, reading: str, paths: tuple[Path, ...], changed: tuple[int, ...]) -> Outline | None:
    """Return what is known of the images in ``paths``; ``changed`` says when each was, so that new content is read anew."""
    how = Reading(**json.loads(reading))
    if source == "npz":
        from bnstudy.data.npz_file import describe  # imports numpy, which other sources do without

        described = describe(path, how)
        return Outline(described.counts, *described.shape[2:], described.test_counts)
    if source == "folder":
        from bnstudy.data.picture import shape

        counts = [[len(p.files) for p in classes(path) if p.test is test] for test in (False, True)]
        return Outline(counts[0], *shape(path, how), counts[1] or None)
    if source == "cifar10" and len(paths) > 1:
        labels = Counter(b"".join(file.read_bytes()[::CIFAR10_RECORD] for file in paths))
        return IMAGES[source]._replace(counts=[labels[label] for label in range(10)])
    return IMAGES[source] if source == "fashion_mnist" else None
