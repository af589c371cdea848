"""How distributions inside the networks move, sit, and grow with depth, on batch statistics of training images.

The normalized value x-hat never drifts there, by construction: no endpoint is about that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bnstudy.claims.endpoints.common import Spec, by_layer, endpoint, first_last, ln
from bnstudy.claims.lookup import Lookup

if TYPE_CHECKING:
    import pandas as pd


@endpoint(1, must="depth")
def affine_motion(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the RMS over all units of sqrt(dbeta^2 + (d abs gamma)^2), over RMS abs gamma, init to the main target."""
    rows = lookup.measured("affine", lookup.setting(spec), start="init", end=lookup.level())
    square = rows[["change_rms", "gamma_rms"]].pow(2).groupby(rows["seed"]).mean()
    return lookup.exact(np.sqrt(square["change_rms"] / square["gamma_rms"]))


def _drift(lookup: Lookup, spec: Spec, arm: str) -> pd.DataFrame:
    """Return the drift at the next layer's input, loss 1.0 to the main target, [seed x layer]."""
    where = {"site": "next", "start": "loss1.0", "end": lookup.level()}
    return by_layer(lookup.measured("drift", lookup.setting(spec, arm), **where), spec["column"])


@endpoint(2, must="depth column")
def drift_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(D_a / D_b), D being the mean over layers 2..L of the drift at the next layer's input.

    Drift is taken from loss 1.0 to the main target.
    """
    a, b = (_drift(lookup, spec, arm).loc[:, 2:].mean(axis=1, skipna=False) for arm in spec["arms"])
    return lookup.exact(ln(a / b))


@endpoint(1, 2, must="depth column")
def drift_growth(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return G = ln(that drift after the last layer / after the first); for two arms G_a - G_b."""
    growth = [first_last(_drift(lookup, spec, arm)) for arm in spec["arms"]]
    return lookup.exact(growth[0] - growth[1] if len(growth) > 1 else growth[0])


@endpoint(1, must="depth")
def input_offset(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the RMS over layers and units of sqrt(mean^2 + (ln sd)^2) at the next layer's input, at the main target."""
    return lookup.exact(_rms(lookup.measured("moments", lookup.setting(spec), site="next", checkpoint=lookup.level())))


@endpoint(1, must="depth")
def variance_growth(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return abs ln(variance of the last layer's pre-activation / the first's) after 100 steps."""
    where = {"site": "linear", "checkpoint": "step100"}
    rows = lookup.measured("moments", lookup.setting(spec), "no run had 100 steps", **where)
    return lookup.exact(first_last(by_layer(rows, "variance")).abs())


@endpoint(2, must="depth")
def kurtosis_difference(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the mean over layers 2..L of abs excess kurtosis of the pre-activations of a, minus that of b.

    It is taken at the main target.
    """
    off = []
    for arm in spec["arms"]:
        rows = lookup.measured("moments", lookup.setting(spec, arm), site="linear", checkpoint=lookup.level())
        rows = rows[rows["layer"] >= 2]
        off.append(rows["excess_kurtosis"].abs().groupby(rows["seed"]).mean())
    return lookup.exact(off[0] - off[1])


@endpoint(1, must="depth family severity")
def xhat_offset(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the RMS over layers and units of the shift of x-hat's (mean, ln sd), shifted minus clean images.

    Statistics are the stored ones.
    """
    return lookup.exact(_rms(_xhat(lookup, spec)))


@endpoint(1, must="depth family severity")
def xhat_growth(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(that shift at the last BN layer / at the first)."""
    return lookup.exact(first_last(by_layer(_xhat(lookup, spec), "offset")))


def _xhat(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    where = {"family": spec["family"], "severity": spec["severity"]}
    return lookup.measured("xhat", lookup.setting(spec), "x-hat was not measured under this shift", **where)


def _rms(rows: pd.DataFrame) -> pd.Series:
    return np.sqrt(rows["offset"].pow(2).groupby(rows["seed"]).mean())
