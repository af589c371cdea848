"""What a change of the early layers does to the later ones, and what undoing it costs."""

from typing import Any

import pandas as pd

from bnstudy.claims.endpoints.common import UNREACHED, Spec, checkpoint, ln
from bnstudy.claims.endpoints.steps import censored
from bnstudy.claims.lookup import Lookup, total


def _poke(at: Lookup, spec: Spec, setting: dict[str, Any], layer: int, column: str) -> pd.Series:
    where = {"checkpoint": checkpoint(at, spec), "kind": spec["kind"], "dose": spec["dose"], "layer": layer}
    return at.measured("intervention", setting, UNREACHED, **where).set_index("seed")[column]


def poke_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(C_a / C_b), C = centred relative change of the logits (layer L + 1) when every weight matrix of the earlier
    half moves by the same relative dose."""
    changes = []
    for arm in spec["arms"]:
        setting = at.setting(spec, arm)
        changes.append(_poke(at, spec, setting, setting["depth"] + 1, "values"))
    return at.exact(ln(changes[0] / changes[1]))


def share_left(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Percent of the squared change of the last layer's pre-activations that matching each unit's mean and sd leaves."""
    setting = at.setting(spec, spec["arms"][0])
    return at.exact(100 * _poke(at, spec, setting, setting["depth"], "left"))


def adaptation_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(A_a / A_b), A = steps in which the later half alone brings the probe's loss back; censored at their budget.
    A change that needs no step counts as one."""
    costs = []
    for arm in spec["arms"]:
        setting = at.setting(spec, arm)
        rows = at.measured("adaptation", setting, UNREACHED, match=spec["match"])
        costs.append(censored(at, setting, rows.set_index("seed")))
    return total((1, costs[0]), (-1, costs[1]))
