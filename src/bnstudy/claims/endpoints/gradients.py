"""Gradients: how they change when the layers below step (ICS), over the layers, and along the path of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnstudy.claims.endpoints.common import Spec, by_layer, checkpoint, endpoint, first_last, ln
from bnstudy.claims.lookup import Lookup, NotEvaluable

if TYPE_CHECKING:
    import pandas as pd


def _ics(lookup: Lookup, spec: Spec, arm: str) -> pd.DataFrame:
    """Return the relative ICS (internal covariate shift) [seed x layer], layers 2..L.

    Raises:
        NotEvaluable: where its median over seeds, mean over layers, is not above what rounding does to the same gradients.
    """
    setting = lookup.setting(spec, arm)
    rows = lookup.measured("ics", setting, checkpoint=checkpoint(lookup, spec), matching=spec["matching"])
    above = (rows["relative"] - rows["rounding"]).groupby(rows["seed"]).mean().median()
    if not above > 0:
        raise NotEvaluable(f"{lookup.describe(setting)}: its gradients change no more than rounding makes them change")
    return by_layer(rows, "relative")


@endpoint(2, must="depth matching checkpoint")
def ics_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the mean over layers 2..L of ln(relative ICS of a / that of b)."""
    return lookup.exact(_ln_ratio(lookup, spec).mean(axis=1, skipna=False))


@endpoint(1, 2, must="depth matching checkpoint")
def ics_growth(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return G = ln(relative ICS at the last layer / at layer 2, the first that has any); for two arms G_a - G_b."""
    growth = [first_last(_ics(lookup, spec, arm)) for arm in spec["arms"]]
    return lookup.exact(growth[0] - growth[1] if len(growth) > 1 else growth[0])


@endpoint(2, must="depth matching checkpoint")
def ics_slope(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the least-squares slope over the layers of ln(relative ICS of a / that of b), times L - 2.

    That is the change from layer 2 to layer L.
    """
    ratio = _ln_ratio(lookup, spec)
    layers = ratio.columns.to_numpy(float)
    centred = layers - layers.mean()
    slope = (ratio * centred).sum(axis=1, skipna=False) / (centred**2).sum()
    return lookup.exact(slope * (layers[-1] - layers[0]))


def _ln_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    a, b = (_ics(lookup, spec, arm) for arm in spec["arms"])
    return ln(a / b)


@endpoint(1, 2, must="depth checkpoint")
def gradient_range(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln R, R being the largest over the smallest layer's norm of dL/dh; for two arms ln(R_a / R_b)."""
    ranges = []
    for arm in spec["arms"]:
        rows = lookup.measured("gradients", lookup.setting(spec, arm), checkpoint=checkpoint(lookup, spec))
        norms = rows.groupby("seed")["norm"]
        ranges.append(ln(norms.max() / norms.min()))
    return lookup.exact(ranges[0] - ranges[1] if len(ranges) > 1 else ranges[0])


@endpoint(2, must="depth column checkpoint")
def landscape_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(change of the gradient over a step in a / in b), relative to its norm; `column` says which step."""
    where = {"checkpoint": checkpoint(lookup, spec)}
    a, b = (lookup.measured("landscape", lookup.setting(spec, arm), **where).set_index("seed") for arm in spec["arms"])
    return lookup.exact(ln(a[spec["column"]] / b[spec["column"]]))
