"""How many images of each class go into each part of a split: whole numbers, so that planning can ask as well."""

from collections.abc import Sequence


def shares(classes: Sequence[int], sizes: dict[str, int]) -> list[list[int]]:
    """Images of each class in each part [classes, parts + 1], given those there are, ``classes``; last, those left over.

    A class's number in a part is its proportional share, less than 1 off or, to make the totals come out, exactly 1
    (largest remainder). Raises ValueError where the sizes are impossible, or a class has too few images to be in
    every part.
    """
    total, wanted = sum(classes), sum(sizes.values())
    if any(n < 1 for n in sizes.values()) or wanted > total:
        sum_of = " + ".join(f"{name} {n}" for name, n in sizes.items())
        raise ValueError(f"split: {sum_of} = {wanted} images, each part at least 1; there are {total}")
    counts = _rounded(classes, [*sizes.values(), total - wanted])
    for part, (name, n) in enumerate(sizes.items()):
        for label, have in enumerate(classes):
            if have and not counts[label][part]:
                raise ValueError(
                    f"split: class {label} has {have} of {total} images, too few for one among the {n} of "
                    f"{name}; make {name} larger or give the class more images"
                )
    return counts


def _rounded(classes: Sequence[int], parts: list[int]) -> list[list[int]]:
    """Whole numbers [classes, parts] within 1 of classes x parts / N whose sums along both axes are exact.

    Each part hands its spare images to the classes still owed most over all parts, among them to those with
    the largest remainder. (Ryser's construction: the shares themselves fit, so it succeeds in any order.)
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
