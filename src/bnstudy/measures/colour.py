"""How much of the first layer's weights looks at colour, and how much of the change that training made in them."""

import pandas as pd
from torch import Tensor

from bnstudy.data.inputs import shape
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table

AT_END = True
"""This measure needs networks at the start and the end of training only: those in between need not be kept."""
COLUMNS = ("checkpoint", "colour_share", "change_share")
"""The columns after `seed`:

checkpoint: init, final
colour_share: 0..1: share of the squared weights of layer 1 that lies in differences between the channels of a
    pixel; 2/3 is what independent weights of equal variance have
change_share: the same of the weights' change since init
"""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed and checkpoint, for networks with inputs of three channels."""
    table = Table(cell, COLUMNS)
    if shape(cell.images, cell.setting.inputs)[0] != 3:
        return table.frame()
    start = _first(cell, "init")
    for checkpoint in ("init", "final"):
        weights = _first(cell, checkpoint)
        values = {"colour_share": colour_share(weights), "change_share": colour_share(weights - start)}
        table.add(cell.have(checkpoint), values, checkpoint=checkpoint)
    return table.frame()


def colour_share(weights: Tensor) -> Tensor:
    """Return 1 - 3 sum (mean of the channels)^2 / sum w^2 of ``weights`` [M, units, 3 * pixels of the kernel or image]: [M].

    The mean of a pixel's three weights is its part along gray, the direction (1, 1, 1) of RGB; the rest is chromatic.
    The share is NaN where all weights are 0.
    """
    channels = weights.double().unflatten(2, (3, -1))
    return 1 - 3 * channels.mean(2).square().sum((1, 2)) / channels.square().sum((1, 2, 3))


def _first(cell: TrainedCell, checkpoint: str) -> Tensor:
    """Return the weights of the first layer [M, units, ...]."""
    return cell.net(checkpoint).weights[0].detach().flatten(2)
