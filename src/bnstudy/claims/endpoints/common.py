"""How an endpoint is registered, and what the endpoints share.

An endpoint is a function from (lookup, spec) to one number per seed, known to lie between two ends: a table
[seed -> lower, upper]. Importing endpoints loads no pandas, since the claims file is checked against them before any work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from bnstudy.core.setting import FACTORS

if TYPE_CHECKING:
    import pandas as pd

    from bnstudy.claims.lookup import Lookup

Spec = Mapping[str, Any]
"""The keys that a contrast of the claims file gives, with their values: text, numbers, lists of arms."""
Ratio = TypeVar("Ratio", "pd.Series", "pd.DataFrame")
Theta = Callable[["Lookup", Spec], "pd.DataFrame"]
NETWORK_KEYS = frozenset(FACTORS) - {"arm", "depth"}
"""What any contrast may say of its network; left out, gain 1, standardized inputs and the study's own values hold."""
OFF = math.log(1.1)
"""How far, in ln, a training loss may lie from the one at which two networks are compared."""


class Endpoint(NamedTuple):
    """What a contrast must say for an endpoint: how many arms it takes, which keys must be given and which may be.

    ``timed`` says that it counts steps, which a network that never arrives exceeds; others measure networks at a checkpoint.
    """

    arms: tuple[int, ...]
    must: frozenset[str]
    may: frozenset[str]
    theta: Theta | None = None
    timed: bool = False


ENDPOINTS = {"check": Endpoint((0,), frozenset({"check", "row"}), frozenset({"sound"}))}
"""Every endpoint by name (complete once bnstudy.claims.endpoints.table is imported). A `check` has no function and no
interval: it reads a row of checks.json."""


def endpoint(*arms: int, must: str, may: str = "", timed: bool = False) -> Callable[[Theta], Theta]:
    """Register the function below as the endpoint of its name.

    Args:
        arms: the numbers of arms that it takes.
        must: the keys of a contrast that have to be given, separated by spaces.
        may: the keys that can be given besides NETWORK_KEYS.
        timed: whether it counts steps.
    """

    def register(theta: Theta) -> Theta:
        needs, can = frozenset(must.split()), NETWORK_KEYS.union(may.split())
        ENDPOINTS[theta.__name__] = Endpoint(arms, needs, can, theta, timed)
        return theta

    return register


def checkpoint(lookup: Lookup, spec: Spec) -> str:
    """Return the checkpoint as the tables name it; "main" is the one at which the main target was reached."""
    return lookup.level() if spec["checkpoint"] == "main" else str(spec["checkpoint"])


def ln(ratio: Ratio) -> Ratio:
    """Return ln of a ratio; 0/0, and values that overflowed, become unknown.

    >>> import pandas as pd
    >>> ln(pd.Series([1.0, math.e, 0.0])).tolist()
    [0.0, 1.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(ratio).replace([np.inf, -np.inf], np.nan)


def by_layer(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column as [seed x layer]."""
    return rows.pivot(index="seed", columns="layer", values=column)


def first_last(wide: pd.DataFrame) -> pd.Series:
    """Return ln(last layer / first) per seed of [seed x layer].

    >>> import pandas as pd
    >>> first_last(pd.DataFrame({1: [1.0, 2.0], 2: [9.0, 9.0], 3: [math.e, 2.0]})).tolist()
    [1.0, 0.0]
    """
    return ln(wide[wide.columns.max()] / wide[wide.columns.min()])
