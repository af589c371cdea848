"""What the measures share."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell

DEAD = 1e-3
"""A unit counts as dead if its sd over the probe is below this; logarithms take this sd for it."""


Value = str | float | bool


class Table:
    """Collects the rows of a measure.

    Args:
        cell: The cell that is measured.
        columns: The names of the columns; `seed` comes before them.
    """

    def __init__(self, cell: TrainedCell, columns: Sequence[str]) -> None:
        self.seeds, self.columns = cell.seeds, columns
        self.rows: list[dict[str, Value]] = []

    def add(self, have: np.ndarray, values: Mapping[str, Tensor], **where: Value) -> None:
        """Add one row per seed.

        Args:
            have: Which seeds have a row, bool [M].
            values: The numbers of all seeds [M], by column. Columns that are left out are empty.
            where: What all rows share, by column.
        """
        unknown = {*where, *values} - set(self.columns)
        assert not unknown, f"no such columns: {unknown}"
        numbers = {column: value.tolist() for column, value in values.items()}
        for i, seed in enumerate(self.seeds):
            if have[i]:
                self.rows.append({"seed": seed, **where, **{column: value[i] for column, value in numbers.items()}})

    def frame(self) -> pd.DataFrame:
        """Return the rows as a table with the columns of the measure."""
        return pd.DataFrame(self.rows, columns=["seed", *self.columns])


def stands_for(site: str, sites: Container[str]) -> tuple[str, ...]:
    """Return the sites whose rows are those of ``site``, one of ``sites``; `relu` is left out there if it equals `next`."""
    return (site, "relu") if site == "next" and "relu" not in sites else (site,)


def milestones(cell: TrainedCell, *levels: float) -> list[str]:
    """Return the stored checkpoints among init, those at the given training losses, and that at the study's main target."""
    names = ["init", *(f"loss{level}" for level in (*levels, cell.spec.targets[0]))]
    return [name for name in dict.fromkeys(names) if name in cell.checkpoints()]


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the percentage of images whose largest logit, the first of equal ones, is at the label.

    Args:
        logits: [M, classes, n].
        labels: [M, n].

    Returns:
        Percent [M].

    >>> accuracy(torch.tensor([[[2.0, 0.0], [1.0, 3.0]]]), torch.tensor([[0, 0]]))
    tensor([50.])
    """
    answers = logits.max(1).indices  # argmax takes six times as long over an axis that is not the last
    return 100 * (answers == labels).float().mean(1)


def euclidean(value: Tensor) -> Tensor:
    """Return the Euclidean norm over all but the first axis: [M, ...] -> [M].

    >>> euclidean(torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([5., 1.])
    """
    return torch.linalg.vector_norm(value.reshape(len(value), -1), dim=1)


def centred(h: Tensor) -> Tensor:
    """Return activations [M, C, n] without each unit's mean over the samples."""
    return h - h.mean(2, keepdim=True)


class Units(NamedTuple):
    """The mean and sd of each unit [M, C], and its standardized values in ascending order [M, C, n]."""

    mean: Tensor
    sd: Tensor
    ranks: Tensor

    @classmethod
    def of(cls, h: Tensor) -> "Units":
        """Return the units of activations [M, C, n]. numpy sorts rows several times as fast as torch, which sorts indices too."""
        mean = h.mean(2)
        rest = h - mean[..., None]
        sd = torch.linalg.vector_norm(rest, dim=2) / (h.shape[2] - 1) ** 0.5
        rest /= sd.clamp_min(DEAD)[..., None]
        return cls(mean, sd, rest.sort(2).values if rest.is_cuda else torch.from_numpy(np.sort(rest.numpy(), axis=2)))


def moment_change(a: Units, b: Units) -> Tensor:
    """Return how far the units' mean and sd moved from ``a`` to ``b``, in units of the sd in ``a``.

    Returns:
        sqrt(mean over units (dmean^2 + dsd^2) / mean over units var_a), [M].

    >>> h = torch.tensor([[[1.0, 2.0, 3.0]]])  # one unit: mean 2, sd 1
    >>> moment_change(Units.of(h), Units.of(h + 0.5))
    tensor([0.5000])
    """
    change = (b.mean - a.mean).square() + (b.sd - a.sd).square()
    return (change.mean(1) / a.sd.square().mean(1)).sqrt()


def shape_change(a: Units, b: Units) -> Tensor:
    """Return the mean over units of Wasserstein-1 between standardized values [M]; units dead in either are left out.

    >>> h = torch.tensor([[[1.0, 2.0, 3.0]]])
    >>> shape_change(Units.of(h), Units.of(5 * h + 2))  # mean and spread changed alone
    tensor([0.])
    """
    distance = (a.ranks - b.ranks).abs().mean(2)
    return torch.where((a.sd > DEAD) & (b.sd > DEAD), distance, torch.nan).nanmean(1)


def offset(mean: Tensor, ln_sd: Tensor) -> Tensor:
    """Return the RMS over units of sqrt(mean^2 + (ln sd)^2): [M, C] twice -> [M]. It is 0 where all units have mean 0 and sd 1.

    >>> offset(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
    tensor([0.])
    """
    return (mean.square() + ln_sd.square()).mean(1).sqrt()


def ln_sd(variance: Tensor) -> Tensor:
    """Return ln of the sd of units with these variances [M, C], floored at DEAD."""
    return variance.clamp_min(DEAD**2).log() / 2
