"""What a change of the early layers does to the later ones, and what undoing it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnstudy.claims.endpoints.common import OFF, Spec, checkpoint, endpoint, ln
from bnstudy.claims.endpoints.steps import censored
from bnstudy.claims.lookup import Factors, Lookup, NotEvaluable, total

if TYPE_CHECKING:
    import pandas as pd


def _poke(lookup: Lookup, spec: Spec, setting: Factors, layer: int, column: str) -> pd.Series:
    where = {"checkpoint": checkpoint(lookup, spec), "kind": spec["kind"], "dose": spec["dose"], "layer": layer}
    return lookup.measured("intervention", setting, **where).set_index("seed")[column]


@endpoint(2, must="depth kind dose checkpoint")
def poke_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(C_a / C_b), C being the centred relative change of the logits (layer L + 1).

    It is the change when every weight matrix of the earlier half moves by the same relative dose.
    """
    changes = []
    for arm in spec["arms"]:
        setting = lookup.setting(spec, arm)
        changes.append(_poke(lookup, spec, setting, setting["depth"] + 1, "values"))
    return lookup.exact(ln(changes[0] / changes[1]))


@endpoint(1, must="depth kind dose checkpoint")
def share_left(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the percent of the squared change of the last layer's pre-activations that matching leaves.

    Matched are each unit's mean and sd.
    """
    setting = lookup.setting(spec)
    return lookup.exact(100 * _poke(lookup, spec, setting, setting["depth"], "left"))


@endpoint(2, must="depth match", timed=True)
def adaptation_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(A_a / A_b), A being the steps in which the later half alone brings the probe's loss back.

    Steps are censored at their budget. A change that needs no step counts as one. A seed whose losses before the change
    differ by more than twice OFF (in ln) has no number: to come back to a lower loss takes longer.

    Raises:
        NotEvaluable: where no seed has one.
    """
    settings = [lookup.setting(spec, arm) for arm in spec["arms"]]
    rows = [lookup.measured("adaptation", s, match=spec["match"]).set_index("seed") for s in settings]
    apart = ln(rows[0]["before"] / rows[1]["before"]).abs()
    equal = apart.index[apart <= 2 * OFF]
    if equal.empty:
        names = " and ".join(lookup.describe(setting) for setting in settings)
        raise NotEvaluable(f"{names}: before the change their losses differ too much")
    costs = [censored(lookup, setting, table.loc[equal]) for setting, table in zip(settings, rows)]
    return total((1, costs[0]), (-1, costs[1]))
