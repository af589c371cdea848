"""How many images of each class go into each part of a split. It needs the numbers of images alone, so planning uses it."""

from collections.abc import Sequence


class Unsplittable(ValueError):
    """Says why images cannot be split into parts of these sizes, and which remedy there is."""

    def __init__(self, fault: str, remedy: str) -> None:
        self.fault, self.remedy = fault, remedy
        super().__init__(f"split: {fault}; {remedy}")


def shares(classes: Sequence[int], sizes: dict[str, int]) -> list[list[int]]:
    """Return the number of images of each class in each part [classes, parts + 1]; the last part holds what is left over.

    The number is the class's proportional share of the part, to less than 1, or to exactly 1 where the totals need it
    (largest remainder).

    Args:
        classes: The number of images of each class.
        sizes: The number of images of each part.

    Raises:
        ValueError: The sizes are impossible.
        Unsplittable: A class has too few images to be in every part.
    """
    total, wanted = sum(classes), sum(sizes.values())
    if any(n < 1 for n in sizes.values()) or wanted > total:
        sum_of = " + ".join(f"{name} {n}" for name, n in sizes.items())
        raise ValueError(f"split: {sum_of} = {wanted} images, each part at least 1; there are {total}")
    counts = _rounded(classes, [*sizes.values(), total - wanted])
    for part, (name, n) in enumerate(sizes.items()):
        for label, have in enumerate(classes):
            if have and not counts[label][part]:
                fault = f"class {label} has {have} of {total} images, too few for one among the {n} of {name}"
                raise Unsplittable(fault, f"make {name} larger or give the class more images")
    return counts


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
