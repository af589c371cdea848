"""How much of the first layer's weights looks at colour, and how much of what training changed in them."""

from typing import Any

import pandas as pd
from torch import Tensor

from bnstudy.data.inputs import shape
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import frame

AT_END = True
"""Looks at networks at the start and the end of training alone: those on the way need not be kept."""
COLUMNS = {
    "checkpoint": "init, final",
    "colour_share": "0..1: share of the squared weights of layer 1 that lies in differences between the channels of a "
    "pixel; 2/3 is what independent weights of equal variance have",
    "change_share": "the same of the weights' change since init",
}


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Rows for networks with inputs of three channels only."""
    rows: list[dict[str, Any]] = []
    channels = shape(cell.images, cell.setting.inputs)[0]
    if channels != 3:
        return pd.DataFrame(columns=["seed", *COLUMNS])
    start = _first(cell, "init")
    for checkpoint in ("init", "final"):
        weights = _first(cell, checkpoint)
        values = {"colour_share": colour_share(weights), "change_share": colour_share(weights - start)}
        rows += frame(cell, cell.have(checkpoint), values, checkpoint=checkpoint)
    return pd.DataFrame(rows)


def colour_share(weights: Tensor) -> Tensor:
    """1 - 3 sum (mean of the channels)^2 / sum w^2 of ``weights`` [M, units, 3 * pixels of the kernel or image] -> [M]; nan where all are 0.

    The mean of a pixel's three weights is its part along gray, the direction (1, 1, 1) of RGB; the rest is chromatic.
    """
    each = weights.double().unflatten(2, (3, -1))
    return 1 - 3 * each.mean(2).square().sum((1, 2)) / each.square().sum((1, 2, 3))


def _first(cell: TrainedCell, checkpoint: str) -> Tensor:
    return cell.net(checkpoint).weights[0].detach().flatten(2)
