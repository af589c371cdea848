"""How far a layer's activations move between two checkpoints (moments, shape, joint geometry)."""

from itertools import pairwise
from typing import NamedTuple

import pandas as pd
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, Units, centred, euclidean, moment_change, shape_change, stands_for

COLUMNS = ("layer", "site", "start", "end", "moments", "shape", "cka")
"""The columns after `seed`:

layer: hidden layer, 1 is the first
site: linear, xhat, affine, relu or next (the next layer's input)
start: earlier checkpoint
end: later checkpoint
moments: sd: RMS over units of the change of (mean, sd), over the layer's RMS sd at the start
shape: sd: mean over units of Wasserstein-1 between the units' standardized values
cka: 0..1: linear CKA between the layer's joint activations (Kornblith et al. 2019)
"""


class Site(NamedTuple):
    """One site of a layer at a checkpoint: what every pair of checkpoints needs of it."""

    units: Units
    centred: Tensor
    size: Tensor
    """||A A'||_F of the centred activations A [M, C, n] -> [M]."""

    @classmethod
    def of(cls, h: Tensor) -> "Site":
        """Return the site of activations [M, C, n]."""
        rest = centred(h)
        return cls(Units.of(h), rest, euclidean(rest @ rest.mT))


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, layer, site and pair of neighbouring checkpoints, and of init and final."""
    table = Table(cell, COLUMNS)
    checkpoints = [*cell.levels(), "final"]
    pairs = dict.fromkeys([*pairwise(checkpoints), ("init", "final")])
    for layers in zip(*map(cell.activations, checkpoints)):  # one layer of every checkpoint in memory, not all layers
        at = {c: {site: Site.of(h) for site, h in sites.items()} for c, (_, sites) in zip(checkpoints, layers)}
        for start, end in pairs:
            have = cell.have(start) & cell.have(end)
            for site, a in at[start].items():
                b = at[end][site]
                values = {
                    "moments": moment_change(a.units, b.units),
                    "shape": shape_change(a.units, b.units),
                    "cka": cka(a, b),
                }
                for name in stands_for(site, at[start]):
                    table.add(have, values, layer=layers[0][0], site=name, start=start, end=end)
    return table.frame()


def cka(a: Site, b: Site) -> Tensor:
    """Return linear CKA ||A B'||_F^2 / (||A A'||_F ||B B'||_F) of centred activations, [M]."""
    return euclidean(a.centred @ b.centred.mT).square() / (a.size * b.size)
