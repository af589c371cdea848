"""Gradients: how they change when the layers below step (ICS), over the layers, and along the path of a step."""

import numpy as np
import pandas as pd

from bnstudy.claims.endpoints.common import UNREACHED, Spec, by_layer, checkpoint, first_last, ln
from bnstudy.claims.lookup import Lookup, NotEvaluable


def _ics(at: Lookup, spec: Spec, arm: str) -> pd.DataFrame:
    """Relative ICS [seed x layer], layers 2..L. NotEvaluable where the median over seeds, mean over layers, is not above
    the difference that another batch makes to the same gradients."""
    setting = at.setting(spec, arm)
    where = {"checkpoint": checkpoint(at, spec), "matching": spec["matching"]}
    rows = at.measured("ics", setting, UNREACHED, **where)
    above = (rows["relative"] - rows["floor"]).groupby(rows["seed"]).mean().median()
    if not above > 0:
        raise NotEvaluable(f"{at.describe(setting)}: ICS is below its noise floor")
    return by_layer(rows, "relative")


def ics_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Mean over layers 2..L of ln(relative ICS of a / that of b)."""
    return at.exact(_ln_ratio(at, spec).mean(axis=1, skipna=False))


def ics_growth(at: Lookup, spec: Spec) -> pd.DataFrame:
    """G = ln(relative ICS at the last layer / at layer 2, the first that has any); for two arms G_a - G_b."""
    growth = [first_last(_ics(at, spec, arm)) for arm in spec["arms"]]
    return at.exact(growth[0] - growth[1] if len(growth) > 1 else growth[0])


def ics_slope(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Least-squares slope over the layers of ln(relative ICS of a / that of b), times L - 2: the change from layer 2
    to layer L."""
    ratio = _ln_ratio(at, spec)
    layers = ratio.columns.to_numpy(float)
    centred = layers - layers.mean()
    slope = (ratio * centred).sum(axis=1, skipna=False) / (centred**2).sum()
    return at.exact(slope * (layers[-1] - layers[0]))


def _ln_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    a, b = (_ics(at, spec, arm) for arm in spec["arms"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(a / b).replace([np.inf, -np.inf], np.nan)


def gradient_range(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln R, R = largest over smallest layer's norm of dL/dh; for two arms ln(R_a / R_b)."""
    ranges = []
    for arm in spec["arms"]:
        rows = at.measured("gradients", at.setting(spec, arm), UNREACHED, checkpoint=checkpoint(at, spec))
        norms = rows.groupby("seed")["norm"]
        ranges.append(ln(norms.max() / norms.min()))
    return at.exact(ranges[0] - ranges[1] if len(ranges) > 1 else ranges[0])


def landscape_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(change of the gradient over a step in a / in b), relative to its norm; `column` says which step."""
    a, b = (
        at.measured("landscape", at.setting(spec, arm), UNREACHED, checkpoint=checkpoint(at, spec)).set_index("seed")
        for arm in spec["arms"]
    )
    return at.exact(ln(a[spec["column"]] / b[spec["column"]]))
