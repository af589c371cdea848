"""How far gamma and beta have moved: by definition, that is what the output distribution of a BN layer does."""

from itertools import combinations

import pandas as pd
import torch

from bnstudy.arms.base import scale_and_constant
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table

COLUMNS = ("layer", "start", "end", "change_rms", "gamma_rms")
"""The columns after `seed`:

layer: hidden layer, 1 is the first
start: earlier checkpoint
end: later checkpoint
change_rms: RMS over units sqrt(dbeta^2 + (d|gamma|)^2)
gamma_rms: RMS over units |gamma| at the start
"""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, layer and pair of checkpoints, for layers with a gamma. A beta that a norm lacks is 0."""
    table = Table(cell, COLUMNS)
    nets = {c: cell.net(c) for c in (*cell.levels(), "final")}
    for start, end in combinations(nets, 2):
        have = cell.have(start) & cell.have(end)
        for layer, (a, b) in enumerate(zip(nets[start].norms, nets[end].norms), 1):
            before, after = scale_and_constant(a), scale_and_constant(b)
            if before is None or after is None:
                continue
            with torch.no_grad():
                (gamma, beta), (new_gamma, new_beta) = before, after
                change = (new_beta - beta).square() + (new_gamma.abs() - gamma.abs()).square()
                values = {"change_rms": change.mean(1).sqrt(), "gamma_rms": gamma.square().mean(1).sqrt()}
            table.add(have, values, layer=layer, start=start, end=end)
    return table.frame()
