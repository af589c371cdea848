"""How far a layer's activations move between two checkpoints (moments, shape, joint geometry)."""

from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Units, centred, frame, moment_shift, norm, shape_shift, stands_for

COLUMNS = {
    "layer": "hidden layer, 1 is the first",
    "site": "linear, xhat, affine, relu or next (the next layer's input)",
    "start": "earlier checkpoint",
    "end": "later checkpoint",
    "moments": "sd: RMS over units of the change of (mean, sd), over the layer's RMS sd at the start",
    "shape": "sd: mean over units of Wasserstein-1 between the units' standardized values",
    "cka": "0..1: linear CKA between the layer's joint activations (Kornblith et al. 2019)",
}


class Site(NamedTuple):
    """One site of a layer at a checkpoint, with what several pairs of checkpoints need of it."""

    units: Units
    centred: Tensor
    size: Tensor
    """||A A'||_F of the centred activations A [M, C, n] -> [M]."""

    @classmethod
    def of(cls, h: Tensor) -> "Site":
        each = centred(h)
        return cls(Units.of(h), each, norm(each @ each.mT))


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed, layer, site and pair of neighbouring checkpoints (and init to final)."""
    rows: list[dict[str, Any]] = []
    every = [*cell.levels(), "final"]
    for layers in zip(*map(cell.activations, every)):  # one layer of every checkpoint in memory, not all of them
        found = {c: {site: Site.of(h) for site, h in sites.items()} for c, (_, sites) in zip(every, layers)}
        for start, end in dict.fromkeys([*pairwise(every), ("init", "final")]):
            have = cell.have(start) & cell.have(end)
            for site, a in found[start].items():
                b = found[end][site]
                values = {
                    "moments": moment_shift(a.units, b.units),
                    "shape": shape_shift(a.units, b.units),
                    "cka": cka(a, b),
                }
                for name in stands_for(site, found[start]):
                    rows += frame(cell, have, values, layer=layers[0][0], site=name, start=start, end=end)
    return pd.DataFrame(rows)


def cka(a: Site, b: Site) -> Tensor:
    """Linear CKA ||A B'||_F^2 / (||A A'||_F ||B B'||_F) on centred activations -> [M]."""
    return norm(a.centred @ b.centred.mT).square() / (a.size * b.size)
