"""Labelled images, and what happens to them before training: they are checked, pooled, split and stored."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnstudy.core.rng import rng
from bnstudy.core.store import writing
from bnstudy.data.shares import shares


class Images(NamedTuple):
    """Labelled images of a data source.

    Attributes:
        x: float32 [N, C, H, W] in 0..1.
        y: int64 [N], labels in 0..len(classes)-1.
        classes: The names of the classes.
        tests: Which images are an official test split [N], of which alone test images are drawn; None without one.
    """

    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    tests: np.ndarray | None = None

    def __hash__(self) -> int:
        """What is made of images can be kept for the next who asks: equal images are the same arrays."""
        return id(self.x)


def checked(images: Images, source: str) -> Images:
    """Return ``images`` unchanged if they are what :class:`Images` promises.

    Raises:
        ValueError: They are not. The message names ``source`` and all faults.
    """
    x, y, classes, _ = images
    faults = []
    if x.dtype != np.float32 or x.ndim != 4:
        faults.append(f"x must be float32 [N, C, H, W], not {x.dtype} {list(x.shape)}")
    if y.dtype != np.int64 or y.shape != x.shape[:1]:
        faults.append(f"y must be int64 [{x.shape[0]}], one label per image, not {y.dtype} {list(y.shape)}")
    if x.size == 0:
        faults.append("there are no images")
    elif not np.isfinite(x).all():
        faults.append(f"{np.count_nonzero(~np.isfinite(x))} pixels are not finite")
    elif x.min() < 0 or x.max() > 1:
        faults.append(f"pixels must lie in 0..1, not in {x.min():g}..{x.max():g}")
    strange = sorted(set(y.tolist()) - set(range(len(classes))))
    if strange:
        faults.append(f"labels {strange[:5]} lie outside 0..{len(classes) - 1}")
    missing = [name for label, name in enumerate(classes) if not np.any(y == label)]
    if missing:
        faults.append(f"no image of class {', '.join(missing)}")
    if faults:
        raise ValueError(f"data source {source}: " + "; ".join(faults))
    return images


def pool(x: np.ndarray, factor: int) -> np.ndarray:
    """Average over squares of ``factor`` x ``factor`` pixels.

    Args:
        x: Images [N, C, H, W].
        factor: The side of the squares, in pixels.

    Returns:
        Images [N, C, H/factor, W/factor], of the same type.

    Raises:
        ValueError: The factor does not divide the image's size.

    >>> pool(np.array([[[[0.0, 1.0], [0.5, 0.5]]]]), 2)
    array([[[[0.5]]]])
    """
    n, channels, height, width = x.shape
    if factor < 1 or height % factor or width % factor:
        allowed = [k for k in range(1, min(height, width) + 1) if height % k == 0 == width % k]
        raise ValueError(
            f"pool: {factor} does not divide images of {height}x{width} pixels; "
            f"allowed here: {', '.join(map(str, allowed))} (1 keeps every pixel)"
        )
    squares = x.reshape(n, channels, height // factor, factor, width // factor, factor)
    return squares.mean((3, 5), dtype=x.dtype)


def resized(images: Images, height: int, width: int) -> Images:
    """Return ``images`` drawn at another size: bilinear, and smoothed beforehand where they shrink."""
    import torch  # not above, as in split
    from torch.nn.functional import interpolate

    x = interpolate(torch.from_numpy(images.x), (height, width), mode="bilinear", antialias=True).clamp(0, 1)
    return Images(x.numpy(), images.y, images.classes)


def split(y: np.ndarray, sizes: dict[str, int], seed: int) -> dict[str, np.ndarray]:
    """Split the images with labels ``y`` [N] into disjoint, stratified parts (see :func:`shares`).

    The images left over count as a part like the others, so that no class is asked for more images than it has. Parts are
    drawn in the order of their names: whoever lists them in another order gets the same images.

    Args:
        y: The label of each image [N].
        sizes: The exact number of images of each part, by the part's name, in any order.
        seed: The same seed gives the same parts.

    Returns:
        The shuffled indices (int64) of each part, by its name.

    Raises:
        ValueError: The sizes are impossible, or a class has too few images to be in every part.
    """
    import torch  # not above: the job that prepares the images rarely splits any

    counts = np.array(shares(np.bincount(y).tolist(), sizes))
    members = []
    for label in range(len(counts)):
        where = np.flatnonzero(y == label)
        order = torch.randperm(len(where), generator=rng(seed, "split", label)).numpy()
        members.append(np.split(where[order], np.cumsum(counts[label])[:-1]))
    parts = {}
    for part, name in enumerate(sorted(sizes)):
        chosen = np.concatenate([member[part] for member in members]).astype(np.int64)
        order = torch.randperm(len(chosen), generator=rng(seed, "split order", part)).numpy()
        parts[name] = chosen[order]
    return parts


def split_images(images: Images, sizes: dict[str, int], seed: int) -> dict[str, np.ndarray]:
    """Return what :func:`split` does; where there is an official test split, "test" is drawn from it, the rest from the others."""
    if images.tests is None:
        return split(images.y, sizes, seed)
    parts: dict[str, np.ndarray] = {}
    for official in (False, True):
        places = np.flatnonzero(images.tests == official)
        wanted = {name: n for name, n in sizes.items() if (name == "test") == official}
        parts |= {name: places[chosen] for name, chosen in split(images.y[places], wanted, seed).items()}
    return parts


def save(images: Images, path: Path, other: Images | None = None) -> None:
    """Write ``images`` as npz, and beside them those of another source, if there are some.

    They are written under another name first: whoever finds ``path`` finds all of it.
    """
    beside = {} if other is None else {"other_x": other.x, "other_y": other.y}
    beside |= {} if images.tests is None else {"tests": images.tests}
    with writing(path) as unfinished, open(unfinished, "wb") as file:
        np.savez_compressed(file, x=images.x, y=images.y, classes=np.array(images.classes), **beside)  # type: ignore[arg-type]


def read(path: Path, factor: int = 1) -> Images:
    """Return the images that :func:`save` wrote, pooled by ``factor``. Nothing in the file is executed (no pickle).

    Raises:
        ValueError: The images are not as they must be, or the factor does not divide their size.
    """
    with np.load(path, allow_pickle=False) as arrays:
        classes = tuple(str(name) for name in arrays["classes"])
        tests = arrays["tests"] if "tests" in arrays else None
        return checked(Images(pool(arrays["x"], factor), arrays["y"], classes, tests), str(path))


def read_other(path: Path) -> Images | None:
    """Return the other source's images that :func:`save` wrote, at their own size; None where it wrote none.

    Raises:
        ValueError: The images are not as they must be.
    """
    with np.load(path, allow_pickle=False) as arrays:
        if "other_x" not in arrays:
            return None
        classes = tuple(str(name) for name in arrays["classes"])
        return checked(Images(arrays["other_x"], arrays["other_y"], classes), f"{path}, another source")
