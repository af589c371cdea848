"""What the measures share."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnstudy.cell import TrainedCell

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


def standardized(h: Tensor) -> Tensor:
    """Each unit's values with its own mean and sd removed [M, C, n]."""
    return (h - h.mean(2, keepdim=True)) / h.std(2, keepdim=True).clamp_min(DEAD)


def offset(mean: Tensor, ln_sd: Tensor) -> Tensor:
    """RMS over units sqrt(mean^2 + (ln sd)^2): [M, C] twice -> [M]."""
    return (mean.square() + ln_sd.square()).mean(1).sqrt()


def ln_sd(h: Tensor) -> Tensor:
    """ln of each unit's sd, floored at DEAD: [M, C, n] -> [M, C]."""
    return torch.log(h.std(2, correction=0).clamp_min(DEAD))
