"""How distributions inside the networks move, sit, and grow with depth, on batch statistics of training images.

The normalized value x-hat never drifts there, by construction: no endpoint is about that.
"""

import numpy as np
import pandas as pd

from bnstudy.claims.endpoints.common import UNREACHED, Spec, by_layer, first_last, ln
from bnstudy.claims.lookup import Lookup


def affine_motion(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over all units of sqrt(dbeta^2 + (d abs gamma)^2), over RMS abs gamma; init to the main target."""
    setting = at.setting(spec, spec["arms"][0])
    rows = at.measured("affine", setting, UNREACHED, start="init", end=at.level())
    square = rows[["change_rms", "gamma_rms"]].pow(2).groupby(rows["seed"]).mean()
    return at.exact(np.sqrt(square["change_rms"] / square["gamma_rms"]))


def _drift(at: Lookup, spec: Spec, arm: str) -> pd.DataFrame:
    """Drift at the next layer's input, loss 1.0 to the main target [seed x layer]."""
    setting = at.setting(spec, arm)
    rows = at.measured("drift", setting, UNREACHED, site="next", start="loss1.0", end=at.level())
    return by_layer(rows, spec["column"])


def drift_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(D_a / D_b), D = mean over layers 2..L of the drift at the next layer's input, loss 1.0 to the main target."""
    a, b = (_drift(at, spec, arm).loc[:, 2:].mean(axis=1, skipna=False) for arm in spec["arms"])
    return at.exact(ln(a / b))


def drift_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """G = ln(that drift after the last layer / after the first); for two arms G_a - G_b."""
    growth = [first_last(_drift(at, spec, arm)) for arm in spec["arms"]]
    return at.exact(growth[0] - growth[1] if len(growth) > 1 else growth[0])


def input_offset(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over layers and units of sqrt(mean^2 + (ln sd)^2) at the next layer's input, at the main target."""
    setting = at.setting(spec, spec["arms"][0])
    return at.exact(_rms(at.measured("moments", setting, UNREACHED, site="next", checkpoint=at.level())))


def variance_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """abs ln(variance of the last layer's pre-activation / the first's) after 100 steps."""
    setting = at.setting(spec, spec["arms"][0])
    rows = at.measured("moments", setting, "no run had 100 steps", site="linear", checkpoint="step100")
    return at.exact(first_last(by_layer(rows, "variance")).abs())


def kurtosis_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Mean over layers 2..L of abs excess kurtosis of the pre-activations of a, minus that of b, at the main target."""
    off = []
    for arm in spec["arms"]:
        rows = at.measured("moments", at.setting(spec, arm), UNREACHED, site="linear", checkpoint=at.level())
        rows = rows[rows["layer"] >= 2]
        off.append(rows["excess_kurtosis"].abs().groupby(rows["seed"]).mean())
    return at.exact(off[0] - off[1])


def xhat_offset(at: Lookup, spec: Spec) -> pd.DataFrame:
    """RMS over layers and units of the shift of x-hat's (mean, ln sd), stored statistics, shifted minus clean images."""
    return at.exact(_rms(_xhat(at, spec)))


def xhat_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(that shift at the last BN layer / at the first)."""
    return at.exact(first_last(by_layer(_xhat(at, spec), "offset")))


def _xhat(at: Lookup, spec: Spec) -> pd.DataFrame:
    setting = at.setting(spec, spec["arms"][0])
    where = {"family": spec["family"], "severity": spec["severity"]}
    return at.measured("xhat", setting, "x-hat was not measured under this shift", **where)


def _rms(rows: pd.DataFrame) -> pd.Series:
    return np.sqrt(rows["offset"].pow(2).groupby(rows["seed"]).mean())
