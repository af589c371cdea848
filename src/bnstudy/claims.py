"""The one decision rule: tables -> contrasts -> intervals -> verdicts. Loading and wording: ledger, sentences."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bnstudy.claims_file import ClaimsError, load
from bnstudy.ledger import Claim, Ledger, Setting
from bnstudy.sentences import answers, choose, effect, findings, natural, sentence

if TYPE_CHECKING:
    import pandas as pd

    from bnstudy.lookup import Lookup

__all__ = [
    "ClaimsError", "Ledger", "answers", "choose", "combine", "decide", "findings", "judge", "load", "natural", "sentence",
]  # fmt: skip
Row = dict[str, Any]


def decide(low: float, high: float, sesoi: float, region: str = "more") -> tuple[str, str | None]:
    """One setting: ("supported" | "contradicted" | "open", shade or None), theta being in [low, high].

    more: theta > sesoi; less: theta < -sesoi; within: abs theta < sesoi. Ends may be infinite. Shades: opposite,
    negligible, not enough (none or the opposite); for within: higher, lower.
    """
    if region == "within":
        if -sesoi < low and high < sesoi:
            return "supported", None
        return (
            ("contradicted", "higher")
            if low > sesoi
            else ("contradicted", "lower")
            if high < -sesoi
            else ("open", None)
        )
    if region == "less":
        low, high = -high, -low
    if low > sesoi:
        return "supported", None
    if high >= sesoi:
        return "open", None
    if high < -sesoi:
        return "contradicted", "opposite"
    return "contradicted", "negligible" if low > -sesoi else "not enough"


def combine(verdicts: Sequence[str]) -> str:
    """A claim's verdict from its settings' (what could not be evaluated is "open"): mixed where two disagree, else
    decided where at least half of all the listed ones are. Never an average."""
    yes, no = verdicts.count("supported"), verdicts.count("contradicted")
    if yes and no:
        return "mixed"
    if max(yes, no) * 2 >= len(verdicts) and verdicts:
        return "supported" if yes else "contradicted"
    return "inconclusive"


def judge(
    ledger: Ledger,
    tables: "Mapping[str, pd.DataFrame]",
    depths: Mapping[str, int],
    targets: Sequence[float] = (0.5, 0.25),
    seeds: int | None = None,
) -> tuple[list[Row], list[Row]]:
    """(rows of claims.json, rows of contrasts.csv) of a study.

    ``depths``: {"shallow": 5, ...}, the numbers behind the names of the claims file. ``targets``: losses in nats, the
    main one first. ``seeds``: how many evaluation seeds there are, 0..n-1; by default as many as convergence.csv has.
    Estimates and ends are theta (natural logarithms for unit "ln times"); shown_* are the same in the quantity's own
    direction and without its margin, still ln for "ln times". Numbers that are missing or infinite are None.
    """
    from bnstudy.lookup import Lookup

    if seeds is None:
        seeds = int(tables["convergence"]["seed"].nunique())
    at, out, contrasts = Lookup(tables, depths, targets, seeds), [], []
    for claim in ledger.claims:
        rows: list[Row] = []
        for setting in claim.settings:
            row, theta = _setting(at, setting, ledger.primary(claim.question))
            rows.append(row)
            for seed, low, high in theta:
                contrasts.append({"claim": claim.id, "setting": row["name"], "seed": seed, "lower": low, "upper": high})
        out.append(_claim(claim, rows, ledger))
    return out, contrasts


def _setting(at: "Lookup", setting: Setting, intervals: int) -> tuple[Row, list[tuple[int, float, float]]]:
    from bnstudy.endpoints import ENDPOINTS
    from bnstudy.lookup import Missing, NotEvaluable
    from bnstudy.stats import median_interval

    unit = "ln times" if setting.unit == "times" else setting.unit
    row: Row = {
        "name": _name(at, setting.name),
        "region": setting.region,
        "sesoi": setting.sesoi,
        "unit": unit,
    }
    row |= _numbers(setting, None, -math.inf, math.inf)
    row |= {"verdict": "open", "detail": None, "n_seeds": 0, "reason": None, "absent": False}
    try:
        theta = ENDPOINTS[setting.endpoint](at, setting.model_dump(exclude_none=True))
    except Missing as error:
        return row | {"absent": True, "reason": str(error)}, []
    except NotEvaluable as error:
        return row | {"reason": f"not evaluable: {error}"}, []
    if setting.reverse:
        theta = (-theta).rename(columns={"lower": "upper", "upper": "lower"})
    lower, upper = theta["lower"] + setting.margin, theta["upper"] + setting.margin
    found = median_interval(lower.to_numpy(), upper.to_numpy(), intervals)
    row["verdict"], row["detail"] = decide(found.low, found.high, setting.sesoi, setting.region)
    row |= _numbers(setting, found.estimate, found.low, found.high) | {"n_seeds": len(theta)}
    censored = int((lower != upper).sum())
    if found.reason:
        row["reason"] = found.reason
    elif row["verdict"] == "open" and math.isinf(found.low) and math.isinf(found.high):
        row["reason"] = f"{censored} of {len(theta)} seeds are censored"
    return row, [(int(s), lo, hi) for s, lo, hi in zip(theta.index, lower, upper)]


def _numbers(setting: Setting, estimate: float | None, low: float, high: float) -> Row:
    """theta as judged, and as shown: value = (theta - margin), the sign turned back where the claim turned it."""

    def shown(theta: float) -> float:
        return setting.margin - theta if setting.reverse else theta - setting.margin

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


def _claim(claim: Claim, rows: list[Row], ledger: Ledger) -> Row:
    first, absent = rows[0], [row.pop("absent") for row in rows]
    verdict = "not tested" if all(absent) else combine([row["verdict"] for row in rows])
    for row in rows:
        row["effect"] = effect(row)
    shades = {row["detail"] for row in rows if row["verdict"] == "contradicted"}
    detail = (shades.pop() if len(shades) == 1 else "not enough") if verdict == "contradicted" else None
    shown = verdict in ("not tested", "inconclusive")
    reasons = dict.fromkeys(row["reason"] for row in rows if row["reason"])
    own: Row = {
        "id": claim.id,
        "question": claim.question,
        "statement": claim.statement,
        "by": ", ".join(claim.by),
    }
    own |= {k: v for k, v in first.items() if k not in ("name", "verdict", "detail", "reason")}
    own |= {"verdict": verdict, "detail": detail, "reason": "; ".join(reasons) if shown and reasons else None}
    own |= {
        "n_seeds": max(row["n_seeds"] for row in rows),
        "sesoi_reason": claim.sesoi_reason,
        "settings": rows,
    }
    return own | {"sentence": sentence(own, claim, ledger)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
