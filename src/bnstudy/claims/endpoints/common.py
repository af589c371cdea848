"""What the endpoints share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bnstudy.claims.lookup import Lookup

Spec = Mapping[str, Any]
"""A setting's keys of the claims file, those that it gives."""
UNREACHED = "no run reached the loss this is measured at"


def against(spec: Spec) -> dict[str, Any]:
    """What differs in the other network of a contrast of contrasts."""
    return {k: v for k, v in spec["against"].items() if v is not None}


def checkpoint(at: Lookup, spec: Spec) -> str:
    """ "init", or for "main" the checkpoint at which the main target was reached."""
    return at.level() if spec["checkpoint"] == "main" else str(spec["checkpoint"])


def ln(ratio: pd.Series) -> pd.Series:
    """ln of a ratio; 0/0, and values that overflowed, are unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(ratio).replace([np.inf, -np.inf], np.nan)


def by_layer(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """[seed x layer] of a column."""
    return rows.pivot(index="seed", columns="layer", values=column)


def first_last(wide: pd.DataFrame) -> pd.Series:
    """ln(last layer / first), a seed of [seed x layer]."""
    return ln(wide[wide.columns.max()] / wide[wide.columns.min()])
