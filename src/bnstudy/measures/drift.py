"""How far a layer's activations move between two checkpoints (moments, shape, joint geometry)."""

from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bnstudy.cell import TrainedCell
from bnstudy.measures.common import DEAD, frame, standardized

COLUMNS = {
    "layer": "hidden layer, 1 is the first",
    "site": "linear, xhat, affine, relu or next (the next layer's input)",
    "start": "earlier checkpoint",
    "end": "later checkpoint",
    "moments": "sd: RMS over units of the change of (mean, sd), over the layer's RMS sd at the start",
    "shape": "sd: mean over units of Wasserstein-1 between the units' standardized values",
    "cka": "0..1: linear CKA between the layer's joint activations (Kornblith et al. 2019)",
}


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, layer, site and pair of neighbouring checkpoints (and init to final)."""
    names = cell.levels()
    rows: list[dict[str, Any]] = []
    every = [*names, "final"]
    for layers in zip(*map(cell.activations, every)):  # one layer of every checkpoint in memory, not all of them
        found = {c: sites for c, (_, sites) in zip(every, layers)}
        for start, end in [*pairwise(names), ("init", "final")]:
            have = cell.have(start) & cell.have(end)
            for site, a in found[start].items():
                b = found[end][site]
                values = {"moments": moment_drift(a, b), "shape": shape_drift(a, b), "cka": cka(a, b)}
                for name in (site, "relu") if site == "next" and "relu" not in found[start] else (site,):
                    rows += frame(cell, have, values, layer=layers[0][0], site=name, start=start, end=end)
    return pd.DataFrame(rows)


def moment_drift(a: Tensor, b: Tensor) -> Tensor:
    """sqrt(mean over units (dmean^2 + dsd^2) / mean over units var_a): [M, C, n] twice -> [M]."""
    change = (b.mean(2) - a.mean(2)).square() + (b.std(2) - a.std(2)).square()
    return (change.mean(1) / a.var(2).mean(1)).sqrt()


def shape_drift(a: Tensor, b: Tensor) -> Tensor:
    """Mean over units of Wasserstein-1 after each unit's own mean and sd are removed; units dead at either
    checkpoint are left out -> [M]."""
    distance = (standardized(a).sort(2).values - standardized(b).sort(2).values).abs().mean(2)
    alive = (a.std(2) > DEAD) & (b.std(2) > DEAD)
    return torch.where(alive, distance, torch.nan).nanmean(1)


def cka(a: Tensor, b: Tensor) -> Tensor:
    """Linear CKA ||A B'||_F^2 / (||A A'||_F ||B B'||_F) on centred activations -> [M]."""
    a, b = (h - h.mean(2, keepdim=True) for h in (a, b))
    cross = (a @ b.mT).square().sum((1, 2))
    return cross / ((a @ a.mT).square().sum((1, 2)) * (b @ b.mT).square().sum((1, 2))).sqrt()
