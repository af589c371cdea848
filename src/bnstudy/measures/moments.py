"""The mean, spread and shape of the activations of every layer at a checkpoint, on the probe with its own statistics."""

import pandas as pd

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import DEAD, Table, centred, ln_sd, offset, stands_for

COLUMNS = ("checkpoint", "layer", "site", "offset", "mean_rms", "ln_sd_rms", "variance", "excess_kurtosis", "dead")
"""The columns after `seed`:

checkpoint: init, step100, a loss level, or final
layer: hidden layer, 1 is the first
site: linear, xhat, affine, relu or next (the next layer's input)
offset: RMS over units sqrt(mean^2 + (ln sd)^2): 0 where every unit has mean 0 and sd 1
mean_rms: RMS over units of the mean
ln_sd_rms: RMS over units of ln sd (sd floored at 0.001)
variance: mean over units of the variance
excess_kurtosis: mean over units of the excess kurtosis: 0 for a bell curve
dead: share of units with sd below 0.001
"""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, checkpoint, layer and site."""
    table = Table(cell, COLUMNS)
    for checkpoint in cell.checkpoints():
        have = cell.have(checkpoint)
        for layer, sites in cell.activations(checkpoint):
            for site, h in sites.items():
                mean, squares = h.mean(2), centred(h).square_()
                variance = squares.mean(2)
                spread = ln_sd(variance)
                values = {
                    "offset": offset(mean, spread),
                    "mean_rms": mean.square().mean(1).sqrt(),
                    "ln_sd_rms": spread.square().mean(1).sqrt(),
                    "variance": variance.mean(1),
                    "excess_kurtosis": (squares / variance.clamp_min(DEAD**2)[..., None]).square_().mean((1, 2)) - 3,
                    "dead": (variance < DEAD**2).float().mean(1),
                }
                for name in stands_for(site, sites):
                    table.add(have, values, checkpoint=checkpoint, layer=layer, site=name)
    return table.frame()
