"""K, how many primary intervals share a question's 5%: those whose networks a study's own grids contain.

It is counted from the config, before anything is measured. A setting that the study cannot have is no interval; one that it
has, and that then cannot be evaluated, counts.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.endpoints.steps import FEWEST_GAINS, OVER_GAINS
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.lookup import Lookup, Missing
from bnstudy.core.setting import Setting

Rates = Mapping[Setting, Collection[str]]
"""For each network that a study's grids contain, the kinds of rates that it is evaluated at: best, shared, grid."""


def primary(ledger: Ledger, names: Lookup, rates: Rates) -> dict[str, int]:
    """Return K by question.

    Args:
        ledger: the claims.
        names: what the claims' own names stand for in the study; it needs no table.
        rates: what the study's grids contain.
    """
    return {q.id: ledger.primary(q.id, lambda contrast: held(contrast, names, rates)) for q in ledger.questions}


def held(contrast: Contrast, names: Lookup, rates: Rates) -> bool:
    """Return whether a study's grids contain every network that a contrast, or one of its premises, speaks of."""
    spec = contrast.model_dump(exclude_none=True)
    arms = {arm for listed in (contrast.arms, *(p.arms for p in contrast.premises)) for arm in listed}
    changes = [{}, spec.get("against", {})]
    grid = contrast.endpoint == "usable_rates" or contrast.rate == "same"
    rate = "grid" if grid else contrast.rate or "best"
    names = names.of(contrast.on)
    try:
        names.target(contrast.target)
        networks = [Setting(**names.setting(spec, arm, **change)) for arm in arms for change in changes]
    except Missing:
        return False
    if contrast.endpoint in OVER_GAINS:
        grids = [other for other, roles in rates.items() if "grid" in roles]
        return all(sum(replace(g, gain=n.gain) == n for g in grids) >= FEWEST_GAINS for n in networks)
    return all(rate in rates.get(network, ()) for network in networks)
