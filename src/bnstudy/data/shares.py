"""How many images of each class go into each part of a split. It needs the numbers of images alone, so planning uses it."""

from collections.abc import Sequence

MOST_MISSING = 200
"""So many images more of a class are proposed at most."""


class Unsplittable(ValueError):
    """Says why images cannot be split into parts of these sizes, and which remedy there is."""

    def __init__(self, fault: str, remedy: str) -> None:
        self.fault, self.remedy = fault, remedy
        super().__init__(f"split: {fault}; {remedy}")


def shares(classes: Sequence[int], sizes: dict[str, int]) -> list[list[int]]:
    """Return the number of images of each class in each part, the parts in the order of their names; the last one holds
    what is left over.

    The number is the class's proportional share of the part, to less than 1, or to exactly 1 where the totals need it
    (largest remainder). Which class gets a spare image hangs on the order of the parts, so it is not the caller's.

    Args:
        classes: The number of images of each class.
        sizes: The number of images of each part.

    Returns:
        Whole numbers [classes, parts + 1].

    Raises:
        ValueError: The sizes are impossible.
        Unsplittable: A class has too few images to be in every part.

    >>> shares([60, 40], {"train": 50, "test": 10})
    [[6, 30, 24], [4, 20, 16]]
    """
    sizes = dict(sorted(sizes.items()))
    total, wanted = sum(classes), sum(sizes.values())
    if any(n < 1 for n in sizes.values()) or wanted > total:
        sum_of = " + ".join(f"{name} {n}" for name, n in sizes.items())
        raise ValueError(f"split: {sum_of} = {wanted} images, each part at least 1; there are {total}")
    counts = _rounded(classes, [*sizes.values(), total - wanted])
    for part, (name, n) in enumerate(sizes.items()):
        for label, have in enumerate(classes):
            if have and not counts[label][part]:
                fault = f"class {label} has {have} of {total} images, too few for one among the {n} of {name}"
                raise Unsplittable(fault, _remedy(classes, sizes, label, name))
    return counts


def _remedy(classes: Sequence[int], sizes: dict[str, int], label: int, name: str) -> str:
    """Return what mends that ``label`` has no image in the part ``name``: another size, more images, or another file."""
    others, remedies = sum(sizes.values()) - sizes[name], []
    larger = next(
        (n for n in range(sizes[name] + 1, sum(classes) - others + 1) if _fits(classes, {**sizes, name: n})), None
    )
    if larger:
        remedies.append(f"set {name} to {larger}")
    more = list(classes)
    for have in range(classes[label] + 1, classes[label] + MOST_MISSING):
        more[label] = have
        if _fits(more, sizes):
            remedies.append(f"give the class {have} images or more")
            break
    fewer = [0 if i == label else have for i, have in enumerate(classes)]
    if sum(map(bool, fewer)) > 1 and sum(fewer) >= sum(sizes.values()) and _fits(fewer, sizes):
        remedies.append("leave the class out")
    return "; or ".join(remedies) or "use another file: no sizes near these have every class in every part"


def _fits(classes: Sequence[int], sizes: dict[str, int]) -> bool:
    """Return whether every class has an image in every part."""
    counts = _rounded(classes, [*sizes.values(), sum(classes) - sum(sizes.values())])
    return all(all(row[: len(sizes)]) for row, have in zip(counts, classes) if have)


def _rounded(classes: Sequence[int], parts: list[int]) -> list[list[int]]:
    """Return whole numbers [classes, parts] within 1 of classes x parts / N whose sums along both axes are exact.

    Each part gives its spare images to the classes that are still owed most over all parts, and among them to those
    with the largest remainder. (This is Ryser's construction: the shares themselves fit, so it succeeds in any order.)
    """
    total = sum(classes)
    counts = [[have * size // total for size in parts] for have in classes]
    owed = [have - sum(row) for have, row in zip(classes, counts)]
    for part, size in enumerate(parts):
        spare = size - sum(row[part] for row in counts)
        first = sorted(range(len(counts)), key=lambda i: (-owed[i], -(classes[i] * size % total)))
        for label in first[:spare]:
            counts[label][part] += 1
            owed[label] -= 1
    return counts
