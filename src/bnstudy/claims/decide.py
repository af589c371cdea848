"""One setting of a claim: its contrast, interval and verdict."""

import math
from typing import TYPE_CHECKING, Any

from bnstudy.claims.contrast import PLACE, Contrast, Premise
from bnstudy.claims.sentences import effect, natural
from bnstudy.core.stats import Interval, median_interval

if TYPE_CHECKING:
    import pandas as pd

    from bnstudy.claims.lookup import Lookup

Row = dict[str, Any]
Theta = list[tuple[int, float, float]]
NOT_EVALUABLE = "not evaluable: "


def decide(low: float, high: float, sesoi: float, region: str = "more") -> tuple[str, str | None]:
    """One setting: ("supported" | "contradicted" | "open", shade or None), theta being in [low, high].

    more: theta > sesoi; less: theta < -sesoi; within: abs theta < sesoi. Ends may be infinite. Shades: opposite,
    negligible, not enough (none or the opposite); for within: higher, lower.
    """
    if region == "within":
        if -sesoi < low and high < sesoi:
            return "supported", None
        outside = {"higher": low > sesoi, "lower": high < -sesoi}
        shade = next((name for name, true in outside.items() if true), None)
        return ("contradicted", shade) if shade else ("open", None)
    if region == "less":
        low, high = -high, -low
    if low > sesoi:
        return "supported", None
    if high >= sesoi:
        return "open", None
    if high < -sesoi:
        return "contradicted", "opposite"
    return "contradicted", "negligible" if low > -sesoi else "not enough"


def evaluate(at: "Lookup", setting: Contrast, intervals: int) -> tuple[Row, Theta]:
    """A setting's row of claims.json, and its contrast as (seed, lower, upper).

    ``intervals``: K, over which the interval is simultaneous. The row's `absent` says that the study lacks a network,
    its `unmeasured` that a table lacks the network's rows.
    """
    from bnstudy.claims.lookup import Missing, NotEvaluable, Unmeasured

    unit = "ln times" if setting.unit == "times" else setting.unit
    row: Row = {"name": _name(at, setting.name), "region": setting.region, "sesoi": setting.sesoi, "unit": unit}
    row |= _numbers(setting, Interval(None, -math.inf, math.inf, ""))
    row |= {"verdict": "open", "detail": None, "n_seeds": 0, "reason": None, "absent": False, "unmeasured": False}
    try:
        if setting.endpoint == "check":
            return _checked(at, setting, row), []
        theta = _contrast(at, setting)
        _hold_premises(at, setting, intervals)
    except Missing as error:
        return row | {"absent": True, "reason": str(error)}, []
    except NotEvaluable as error:
        return row | {"unmeasured": isinstance(error, Unmeasured), "reason": f"{NOT_EVALUABLE}{error}"}, []
    if setting.reverse:
        theta = (-theta).rename(columns={"lower": "upper", "upper": "lower"})
    lower, upper = theta["lower"] + setting.margin, theta["upper"] + setting.margin
    found = median_interval(lower.to_numpy(), upper.to_numpy(), intervals)
    row["verdict"], row["detail"] = decide(found.low, found.high, setting.sesoi, setting.region)
    row |= _numbers(setting, found) | {"n_seeds": len(theta)}
    censored = int((lower != upper).sum())
    if found.reason:
        row["reason"] = found.reason
    elif row["verdict"] == "open" and math.isinf(found.low) and math.isinf(found.high):
        row["reason"] = f"{censored} of {len(theta)} seeds are censored"
    return row, [(int(s), lo, hi) for s, lo, hi in zip(theta.index, lower, upper)]


def _contrast(at: "Lookup", part: Contrast | Premise, setting: Contrast | None = None) -> "pd.DataFrame":
    from bnstudy.claims.endpoints.table import ENDPOINTS

    spec = {**(setting or part).model_dump(exclude_none=True), **part.model_dump(exclude_none=True)}
    key = repr([(k, spec.get(k)) for k in ("endpoint", "arms", *PLACE)])
    if key in at.contrasts:
        return at.contrasts[key]
    theta = ENDPOINTS[part.endpoint](at, spec)
    if not theta.index.equals(at.seeds):
        raise ValueError(f"endpoint {part.endpoint} speaks of other seeds than the {len(at.seeds)} evaluated ones")
    at.contrasts[key] = theta
    return theta


def _hold_premises(at: "Lookup", setting: Contrast, intervals: int) -> None:
    """Raises NotEvaluable where a premise isn't shown to hold, by an interval of the question's own width."""
    from bnstudy.claims.lookup import NotEvaluable

    for premise in setting.premises:
        theta = _contrast(at, premise, setting)
        found = median_interval(theta["lower"].to_numpy(), theta["upper"].to_numpy(), intervals)
        if found.reason:
            raise NotEvaluable(found.reason)
        if not found.low > premise.sesoi:
            unit = "ln times" if premise.unit == "times" else premise.unit
            ends = {"shown_low": _finite(found.low), "shown_high": _finite(found.high)}
            shown = effect({"shown_estimate": found.estimate, **ends, "unit": unit})
            raise NotEvaluable(premise.otherwise.format(effect=shown, sesoi=natural(premise.sesoi, unit, 3)))


def _checked(at: "Lookup", setting: Contrast, row: Row) -> Row:
    """A verdict from an external check: what it measured is exact, so both ends of its interval are that number."""
    from bnstudy.claims.lookup import Missing, NotEvaluable

    checks = at.tables.get("checks")
    mine = {} if checks is None else checks[checks["id"] == setting.check].set_index("name").to_dict("index")
    for name in filter(None, (setting.row, setting.sound)):
        value = mine.get(name, {}).get("measured")
        if value is None or math.isnan(value):
            raise Missing(f'no result of check {setting.check}, "{name}"')
    if setting.sound and not mine[setting.sound]["passed"]:
        raise NotEvaluable(f'check {setting.check}, "{setting.sound}", did not pass')
    measured = float(mine[setting.row]["measured"])
    row["verdict"], row["detail"] = decide(measured, measured, setting.sesoi, setting.region)
    return row | _numbers(setting, Interval(measured, measured, measured, ""))


def _numbers(setting: Contrast, found: Interval) -> Row:
    """theta as judged, and as shown: value = (theta - margin), the sign turned back where the claim turned it."""

    def shown(theta: float) -> float:
        return setting.margin - theta if setting.reverse else theta - setting.margin

    estimate, low, high, _ = found
    ends = (shown(high), shown(low)) if setting.reverse else (shown(low), shown(high))
    return {
        "estimate": estimate, "ci_low": _finite(low), "ci_high": _finite(high),
        "ci_low_open": low == -math.inf, "ci_high_open": high == math.inf,
        "shown_estimate": None if estimate is None else shown(estimate), "shown_low": _finite(ends[0]),
        "shown_high": _finite(ends[1]), "shown_sesoi": shown(setting.sesoi),
    }  # fmt: skip


def _name(at: "Lookup", template: str) -> str:
    """A setting's name with the study's own numbers; a depth or target it lacks is named in words."""
    words = {
        name: f"depth {at.depths[name]}" if name in at.depths else f"{name} depth"
        for name in ("shallow", "middle", "deep")
    }
    words |= {
        name: f"loss {at.targets[i]:g}" if i < len(at.targets) else f"{name} loss"
        for i, name in enumerate(("main", "second"))
    }
    return template.format_map(words)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
