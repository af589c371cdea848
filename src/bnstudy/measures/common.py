"""What the measures share."""

from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell

DEAD = 1e-3
"""A unit whose sd over the probe is below this counts as dead; its sd is floored there in logarithms."""


def frame(cell: TrainedCell, have: np.ndarray, values: dict[str, Tensor], **columns: Any) -> list[dict[str, Any]]:
    """One row a seed that has the checkpoint, from values {column: [M]}."""
    numbers = {k: v.tolist() for k, v in values.items()}
    return [
        {**columns, "seed": seed, **{k: v[i] for k, v in numbers.items()}}
        for i, seed in enumerate(cell.seeds)
        if have[i]
    ]


def stands_for(site: str, sites: Container[str]) -> tuple[str, ...]:
    """The sites whose rows are those of ``site``, one of ``sites``: `relu` is left out there where it is `next`."""
    return (site, "relu") if site == "next" and "relu" not in sites else (site,)


def milestones(cell: TrainedCell, *levels: float) -> list[str]:
    """The initial networks, those at the given training losses, and those at the study's main target, where stored."""
    names = ["init", *(f"loss{level}" for level in (*levels, cell.spec.targets[0]))]
    return [name for name in dict.fromkeys(names) if name in cell.checkpoints()]


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Percent of images [M] whose greatest logit [M, classes, n] is their label's [M, n]; of equal ones the first counts."""
    found = logits.max(1).indices  # as argmax finds, which takes six times as long over an axis that is not the last
    return 100 * (found == labels).float().mean(1)


def norm(value: Tensor) -> Tensor:
    """Euclidean norm over all but the first axis: [M, ...] -> [M]."""
    return torch.linalg.vector_norm(value.flatten(1), dim=1)


def centred(h: Tensor) -> Tensor:
    """Each unit's mean over the samples removed [M, C, n]."""
    return h - h.mean(2, keepdim=True)


class Units(NamedTuple):
    """Mean and sd of each unit [M, C], and its standardized values in ascending order [M, C, n]."""

    mean: Tensor
    sd: Tensor
    ranks: Tensor

    @classmethod
    def of(cls, h: Tensor) -> "Units":
        """From activations [M, C, n]. numpy sorts rows several times as fast as torch, which sorts the indices too."""
        mean = h.mean(2)
        rest = h - mean[..., None]
        sd = torch.linalg.vector_norm(rest, dim=2) / (h.shape[2] - 1) ** 0.5
        rest /= sd.clamp_min(DEAD)[..., None]
        return cls(mean, sd, rest.sort(2).values if rest.is_cuda else torch.from_numpy(np.sort(rest.numpy(), axis=2)))


def moment_shift(a: Units, b: Units) -> Tensor:
    """sqrt(mean over units (dmean^2 + dsd^2) / mean over units var_a) -> [M]."""
    change = (b.mean - a.mean).square() + (b.sd - a.sd).square()
    return (change.mean(1) / a.sd.square().mean(1)).sqrt()


def shape_shift(a: Units, b: Units) -> Tensor:
    """Mean over units of Wasserstein-1 after each unit's own mean and sd are removed; units dead in either are left
    out -> [M]."""
    distance = (a.ranks - b.ranks).abs().mean(2)
    return torch.where((a.sd > DEAD) & (b.sd > DEAD), distance, torch.nan).nanmean(1)


def offset(mean: Tensor, ln_sd: Tensor) -> Tensor:
    """RMS over units sqrt(mean^2 + (ln sd)^2): [M, C] twice -> [M]."""
    return (mean.square() + ln_sd.square()).mean(1).sqrt()


def ln_sd(variance: Tensor) -> Tensor:
    """ln of the sd of units of these variances, floored at DEAD: [M, C] -> [M, C]."""
    return variance.clamp_min(DEAD**2).log() / 2
