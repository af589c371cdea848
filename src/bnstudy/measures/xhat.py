"""How far the normalized values move on shifted images when the statistics are the stored ones."""

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, centred, ln_sd, offset
from bnstudy.measures.view import SeedView

AT_END = True
"""This measure needs networks at the start and the end of training only: those in between need not be kept."""
COLUMNS = ("family", "severity", "layer", "offset")
"""The columns after `seed`:

family: kind of shift
severity: 1 to 5
layer: hidden layer, 1 is the first
offset: RMS over units sqrt(dmean^2 + (d ln sd)^2) of x-hat, shifted minus clean held-out images
"""


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed, shift, severity and layer, for arms with running statistics in every layer.

    Clean images are measured in the same mode and subtracted.
    """
    net, have = cell.net("final", "running"), cell.have("final")
    table = Table(cell, COLUMNS)
    if not all(norm.has_statistics for norm in net.norms):
        return table.frame()
    view = SeedView(cell, "heldout")
    clean: dict[int, tuple[Tensor, Tensor]] = {}
    for kind, severity, images in cell.source.shifted(cell.setting.pool):
        moments: dict[int, tuple[Tensor, Tensor]] = {}

        def keep(layer: int, site: str, value: Tensor, moments: dict[int, tuple[Tensor, Tensor]] = moments) -> None:
            if site == "xhat":
                flat = value.flatten(2)
                variance = centred(flat).square_().mean(2)  # torch.var takes five times as long
                moments[layer] = flat.mean(2), ln_sd(variance)

        net(view(images), sites=keep)
        clean = clean or moments
        if severity:
            for layer, (mean, spread) in moments.items():
                values = {"offset": offset(mean - clean[layer][0], spread - clean[layer][1])}
                table.add(have, values, family=kind, severity=severity, layer=layer)
    return table.frame()
