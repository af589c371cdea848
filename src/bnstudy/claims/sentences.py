"""A claim in words: numbers as readers see them, and the sentence that its verdict and shade choose."""

import math
from collections.abc import Sequence
from typing import Any

from bnstudy.claims.ledger import Claim, Ledger

Row = dict[str, Any]
UNITS = {"ln times": "times", "kurtosis": "", "relative error": ""}
MISSING = "not measurable"
OUTCOMES = {
    "supported": "it holds", "contradicted": "it doesn't hold as said", "mixed": "it depends on the setting",
    "inconclusive": "the study can't say", "not tested": "not tested here",
}  # fmt: skip


def figures(value: float, digits: int = 2) -> str:
    """A number to ``digits`` significant figures, from 0.0001 on without exponent: 0.31, 2.4, 130."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞" if value > 0 else "−∞"
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    value = round(value, places)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}".replace("-", "−")


def plain(value: float | None, unit: str, digits: int = 2) -> str:
    """A number without its unit; logarithms of ratios as ratios."""
    if value is None:
        return MISSING
    return figures(_exact(value, unit), digits)


def _exact(value: float, unit: str) -> float:
    return math.exp(value) if unit == "ln times" else value


def natural(value: float | None, unit: str, digits: int = 2) -> str:
    """A number of claims.json in its reader's unit: natural(.69, "ln times") is "2.0 times"."""
    return MISSING if value is None else f"{plain(value, unit, digits)} {UNITS.get(unit, unit)}".strip()


def effect(row: Row) -> str:
    """Estimate and interval of a setting in words: "2.4 times (1.8 to 3.1)"; an open end says so, and an interval of one
    point (a check's) is not written out.

    ``row`` has shown_estimate, shown_low, shown_high (None where open or missing) and unit.
    """
    low, high, unit = row["shown_low"], row["shown_high"], row["unit"]
    word = UNITS.get(unit, unit)
    if low is None and high is None:
        value = row["shown_estimate"]
        return MISSING if value is None else f"{natural(value, unit)} (no interval)"
    if low is not None and high is not None and math.isclose(low, high, rel_tol=1e-6):
        return natural(low, unit)
    if low is not None and high is not None:
        ends = f"{plain(low, unit)} to {plain(high, unit)}"
    else:
        ends = f"{plain(low, unit)} or more" if low is not None else f"{plain(high, unit)} or less"
    if row["shown_estimate"] is None:
        return " ".join((ends.replace(" or ", f" {word} or ") if " or " in ends else f"{ends} {word}").split())
    return f"{natural(row['shown_estimate'], unit)} ({ends})"


def turned(row: Row) -> Row:
    """The same effect seen from the other side: b against a."""
    ends = {"shown_estimate": "shown_estimate", "shown_low": "shown_high", "shown_high": "shown_low"}
    return row | {k: None if row[v] is None else -row[v] for k, v in ends.items()}


def fields(row: Row, claim: Claim) -> dict[str, str]:
    """What a claim's texts may name, from its row of claims.json.

    Numbers are those of the first listed setting that has the claim's verdict; where none has, of the first that has
    numbers, or else of the first.
    """
    settings = row["settings"]
    measured = [s for s in settings if effect(s) != MISSING]
    first = next((s for s in settings if s["verdict"] == row["verdict"]), (measured or settings)[0])
    unit, still = first["unit"], next((s for s in measured if s["verdict"] == "open"), None)
    named = {v: listing(settings, v) for v in ("supported", "contradicted", "open")}
    return {
        "effect": effect(first),
        "turned": effect(turned(first)),
        "outcome": OUTCOMES[row["verdict"]],
        "estimate": natural(first["shown_estimate"], unit),
        "low": "no lower bound" if first["shown_low"] is None else natural(first["shown_low"], unit),
        "high": "no upper bound" if first["shown_high"] is None else natural(first["shown_high"], unit),
        "sesoi": f"{_exact(first['shown_sesoi'], unit):.3g} {UNITS.get(unit, unit)}".strip(),
        "n": str(row["n_seeds"]),
        "first": first["name"],
        "reason": row["reason"] or "the intervals reach from effects that matter to ones that do not",
        "short": claim.short,
        "example": f" For {still['name']}: {effect(still)}, n = {row['n_seeds']}." if still else "",
        **{f"{v}_settings": n for v, n in named.items()},
    }


def verdict(row: Row) -> str:
    """The key of a verdict: "supported", "contradicted.negligible", ..."""
    return f"contradicted.{row['detail']}" if row["verdict"] == "contradicted" else str(row["verdict"])


def sentence(row: Row, claim: Claim, ledger: Ledger) -> str:
    """What a claim's verdict says, which settings it leaves open, and which are decided although the claim is not. KeyError
    for a field that there is not."""
    values = fields(row, claim)
    text = ledger.text(claim, verdict(row)).format_map(values)
    if row["verdict"] in ("supported", "contradicted", "mixed") and values["open_settings"]:
        text += f" Left open: {values['open_settings']}."
    alone = [s for s in row["settings"] if s["verdict"] in ("supported", "contradicted")]
    if row["verdict"] == "inconclusive" and alone:
        found = "; ".join(f"{s['name']}: {s['verdict']}, {effect(s)}" for s in alone)
        text += f" Fewer than half of its settings are decided: {found}."
    return text


def listing(settings: Sequence[Row], found: str) -> str:
    """The settings of a verdict in a sentence; names that hold a comma themselves are parted by semicolons."""
    names = [s["name"] for s in settings if s["verdict"] == found]
    if len(names) == len(settings) > 2:
        return f"all {len(names)} settings"
    return ("; " if any("," in n for n in names) else ", ").join(names)
