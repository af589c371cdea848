"""What specifies a trained cell. Training depends on this module, so it holds nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bnstudy.core.setting import Setting

Keep = Literal["steps", "curve", "end", "levels"]
"""What is kept of a run: its losses until its function reached every target; until its batches' mean loss did too; its
networks at the start and the end as well; and those on the way."""
CELL_SEEDS = 8
"""Most seeds that one cell holds."""


@dataclass(frozen=True)
class Splits:
    """Images per part of the data set."""

    heldout: int
    test: int
    train: int


@dataclass(frozen=True)
class TrainingSpec:
    """All that can influence how networks train, except for their seeds and rates, the images and the code."""

    setting: Setting
    steps: int
    momentum: float
    targets: tuple[float, ...]
    splits: Splits


@dataclass(frozen=True)
class CellSpec(TrainingSpec):
    """The complete specification of a cell: its runs share a setting and a rate, and have a seed each.

    ``data`` names the prepared images, ``code`` is the digest of the code that trains, ``torch`` is the version of torch;
    of a cell that a card trained, also the card and what is rounded to TF32 there.
    """

    rate: float
    seeds: tuple[int, ...]
    keep: Keep
    data: str
    code: str
    torch: str


def by_cell(seeds: Sequence[int], stack: int) -> list[tuple[int, ...]]:
    """Return the seeds, cell by cell: at most CELL_SEEDS in one, and no more than fit into a stack."""
    size = min(CELL_SEEDS, stack)
    return [tuple(seeds[i : i + size]) for i in range(0, len(seeds), size)]
