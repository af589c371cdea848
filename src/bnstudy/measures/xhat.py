"""How far the normalized values move when the test images are shifted and the statistics are the stored ones."""

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import centred, frame, ln_sd, offset
from bnstudy.measures.view import SeedView

AT_END = True
"""Looks at networks at the start and the end of training alone: those on the way need not be kept."""
COLUMNS = {
    "family": "kind of shift",
    "severity": "1 to 5",
    "layer": "hidden layer, 1 is the first",
    "offset": "RMS over units sqrt(dmean^2 + (d ln sd)^2) of x-hat, shifted minus clean held-out images",
}


@torch.no_grad()
def measure(cell: TrainedCell) -> pd.DataFrame:
    """Rows for arms with running statistics only; clean images are measured in the same mode and subtracted."""
    net, have = cell.net("final", "running"), cell.have("final")
    rows: list[dict[str, Any]] = []
    if not all(norm.has_statistics for norm in net.norms):
        return pd.DataFrame(columns=["seed", *COLUMNS])
    view = SeedView(cell, "heldout")
    clean: dict[int, tuple[Tensor, Tensor]] = {}
    for family, severity, images in cell.source.shifted(cell.setting.pool):
        found: dict[int, tuple[Tensor, Tensor]] = {}

        def keep(layer: int, site: str, value: Tensor, found: dict[int, tuple[Tensor, Tensor]] = found) -> None:
            if site == "xhat":
                flat = value.flatten(2)
                variance = centred(flat).square_().mean(2)  # torch.var takes five times as long
                found[layer] = flat.mean(2), ln_sd(variance)

        net(view(images), sites=keep)
        clean = clean or found
        if severity:
            for layer, (mean, spread) in found.items():
                values = {"offset": offset(mean - clean[layer][0], spread - clean[layer][1])}
                rows += frame(cell, have, values, family=family, severity=severity, layer=layer)
    return pd.DataFrame(rows)
