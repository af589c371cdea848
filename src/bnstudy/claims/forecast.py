"""What decides: where one quantity of the untrained network without norm says that batch norm saves steps, and where it does.

The rule stands in the claims file, committed before the study that is to judge it has run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bnstudy.claims.endpoints.steps import censored
from bnstudy.claims.ledger import Rule
from bnstudy.claims.lookup import Factors, Lookup, Missing, NotEvaluable, total
from bnstudy.core.setting import FACTORS, Setting
from bnstudy.core.stats import Interval, median_interval

if TYPE_CHECKING:
    import pandas as pd

CHECK = "forecast"
"""The id under which :func:`check` hands its row to a claim with the endpoint `check`."""


@dataclass(frozen=True, kw_only=True)
class ForecastRow:
    """A setting without norm, what the rule says of it and what came out: a row of forecasts.csv.

    ``value`` is the quantity's median over seeds, ``least`` and ``most`` its extremes. ``saving``, ``low`` and ``high`` are
    steps without batch norm : steps with it, each at its best rate for its kind's first target, with the 95% interval of
    this setting alone; None is beyond what was run. ``outcome``: right or wrong, or open where the interval holds the rule's
    saving.
    """

    kind: str
    setting: Setting
    value: float
    least: float
    most: float
    saves: bool
    saving: float | None
    low: float | None
    high: float | None
    outcome: str


def outcomes(lookup: Lookup, rule: Rule) -> list[ForecastRow]:
    """Return the forecast, and what came out, for each setting that was measured untrained and trained with both arms."""
    if not {"untrained", "convergence"} <= set(lookup.tables):
        return []
    rows = []
    untrained = lookup.tables["untrained"]
    for setting in untrained.loc[untrained["arm"] == "none", [*FACTORS]].drop_duplicates().to_dict("records"):
        kind = kind_of(lookup, setting)
        own = lookup.of(kind)
        try:
            measured = own.measured("untrained", setting, "no untrained network")
            interval = saving(own, setting)
        except (Missing, NotEvaluable):
            continue
        values = measured[rule.quantity]
        saves = rule.distance(value := float(values.median())) > 0
        edge = math.log(rule.saving)
        outcome = "open"
        if interval.low > edge or interval.high < edge:
            outcome = "right" if saves == (interval.low > edge) else "wrong"
        rows.append(
            ForecastRow(
                kind=kind, setting=Setting(**setting), value=value, least=float(values.min()), most=float(values.max()), saves=saves,
                saving=_times(interval.estimate), low=_times(interval.low), high=_times(interval.high), outcome=outcome,
            )
        )  # fmt: skip
    return rows


def frame(rows: Sequence[ForecastRow]) -> pd.DataFrame:
    """Return the rows as a table that has its columns even where it has no row."""
    import pandas as pd

    columns = [name for field in fields(ForecastRow) for name in (FACTORS if field.name == "setting" else [field.name])]
    return pd.DataFrame([vars(row) | vars(row.setting) for row in rows], columns=columns)


def saving(lookup: Lookup, setting: Factors) -> Interval:
    """Return ln (steps without norm : steps with batch norm) for the main target, with the interval of this setting alone."""

    def ln_steps(of: Factors) -> pd.DataFrame:
        rows = lookup.rows("convergence", of, rate=lookup.rate(of), target=lookup.target(None))
        return censored(lookup, of, rows.set_index("seed"))

    theta = total((1, ln_steps(setting)), (-1, ln_steps({**setting, "arm": "bn"})))
    return median_interval(theta["lower"].to_numpy(), theta["upper"].to_numpy(), 1)


def check(rows: Sequence[ForecastRow]) -> dict[str, object]:
    """Return the row of checks that a claim is judged by: the percentage of the decided settings that was forecast wrong.

    It is that of the settings that save steps, or that of those that do not, whichever is larger: where nearly all save, to
    forecast it everywhere must not pass for knowing where. It is NaN where one of the two is empty. `where` says how many
    settings each of the two has.
    """
    decided = [(row.saves, row.outcome == "wrong") for row in rows if row.outcome != "open"]
    wrong = [[bad for saves, bad in decided if (saves != bad) == saved] for saved in (True, False)]
    measured = 100 * max(sum(part) / len(part) for part in wrong) if all(wrong) else math.nan
    save, other = map(len, wrong)
    where = f"in {save} settings that save steps and {other} that {'does' if other == 1 else 'do'} not"
    return {"id": CHECK, "key": "wrong", "name": "forecast wrong", "measured": measured, "passed": True, "where": where}


def kind_of(lookup: Lookup, setting: Factors) -> str:
    """Return the kind of network that a setting belongs to: of the same network and width, best of the same gain too."""
    same = [name for name, kind in lookup.kinds.items() if all(kind.base[f] == setting[f] for f in ("net", "width"))]
    return next((name for name in same if lookup.kinds[name].gain == setting["gain"]), same[0] if same else "")


def _times(end: float | None) -> float | None:
    return None if end is None or math.isinf(end) else math.exp(end)
