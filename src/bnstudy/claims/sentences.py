"""A claim in words: numbers as readers see them, and the sentence that its verdict and shade choose."""

import math
from collections.abc import Sequence

from bnstudy.claims.ledger import Claim, Ledger
from bnstudy.claims.records import ClaimRow, ContrastRow

UNITS = {"ln times": "times", "kurtosis": "", "relative error": ""}
MISSING = "not measurable"
OUTCOMES = {
    "supported": "it holds", "contradicted": "it doesn't hold as said", "mixed": "it depends on the setting",
    "inconclusive": "the study can't say", "not tested": "not tested here",
}  # fmt: skip


def figures(value: float, digits: int = 2) -> str:
    """Return a number to ``digits`` significant figures, from 0.0001 on without exponent: 0.31, 2.4, 130."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞" if value > 0 else "−∞"
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    value = round(value, places)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}".replace("-", "−")


def plain(value: float | None, unit: str, digits: int = 2) -> str:
    """Return a number without its unit; logarithms of ratios as ratios."""
    return MISSING if value is None else figures(_exact(value, unit), digits)


def _exact(value: float, unit: str) -> float:
    return math.exp(value) if unit == "ln times" else value


def natural(value: float | None, unit: str, digits: int = 2) -> str:
    """Return a number of claims.json in its reader's unit: natural(.69, "ln times") is "2.0 times"."""
    return MISSING if value is None else _with_unit(plain(value, unit, digits), unit)


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {UNITS.get(unit, unit)}".strip()


def effect(estimate: float | None, low: float | None, high: float | None, unit: str) -> str:
    """Return an estimate and its interval in words: "2.4 times (1.8 to 3.1)".

    None is an estimate that is missing, and an end that is open: it says so. An interval of one point (a check's) is not
    written out.
    """
    if low is None and high is None:
        return MISSING if estimate is None else f"{natural(estimate, unit)} (no interval)"
    if low is not None and high is not None:
        if math.isclose(low, high, rel_tol=1e-6):
            return natural(low, unit)
        ends, tail = f"{plain(low, unit)} to {plain(high, unit)}", ""
    else:
        ends, tail = plain(high if low is None else low, unit), " or less" if low is None else " or more"
    return _with_unit(ends, unit) + tail if estimate is None else f"{natural(estimate, unit)} ({ends}{tail})"


def turned(row: ContrastRow) -> str:
    """Return the same effect seen from the other side: b against a."""
    estimate, low, high = (
        None if value is None else -value for value in (row.shown_estimate, row.shown_high, row.shown_low)
    )
    return effect(estimate, low, high, row.unit)


def fields(row: ClaimRow, claim: Claim) -> dict[str, str]:
    """Return what a claim's texts may name, from its row of claims.json.

    Numbers are those of the first listed contrast that has the claim's verdict; where none has, of the first that has
    numbers, or else of the first.
    """
    measured = [s for s in row.settings if s.effect != MISSING]
    first = next((s for s in row.settings if s.verdict == row.verdict), (measured or row.settings)[0])
    unit, still = first.unit, next((s for s in measured if s.verdict == "open"), None)
    return {
        "effect": first.effect,
        "turned": turned(first),
        "outcome": OUTCOMES[row.verdict],
        "estimate": natural(first.shown_estimate, unit),
        "low": "no lower bound" if first.shown_low is None else natural(first.shown_low, unit),
        "high": "no upper bound" if first.shown_high is None else natural(first.shown_high, unit),
        "sesoi": _with_unit(f"{_exact(first.shown_sesoi, unit):.3g}", unit),  # the smallest effect size of interest
        "n": str(row.n_seeds),
        "first": first.name,
        "reason": row.reason or "the intervals reach from effects that matter to ones that do not",
        "short": claim.short,
        "example": f" For {still.name}: {still.effect}, n = {row.n_seeds}." if still else "",
        **{f"{v}_settings": listing(row.settings, v) for v in ("supported", "contradicted", "open")},
    }


def verdict(row: ClaimRow | ContrastRow) -> str:
    """Return the key of a verdict: "supported", "contradicted.negligible", ..."""
    return f"contradicted.{row.detail}" if row.verdict == "contradicted" else row.verdict


def sentence(row: ClaimRow, claim: Claim, ledger: Ledger) -> str:
    """Return what a claim's verdict says, which contrasts it leaves open, and which are decided although the claim is not.

    Raises:
        KeyError: where the claim's text names a field that does not exist.
    """
    values = fields(row, claim)
    text = ledger.text(claim, verdict(row)).format_map(values)
    if row.verdict in ("supported", "contradicted", "mixed") and values["open_settings"]:
        text += f" Left open: {values['open_settings']}."
    decided = [f"{s.name}: {s.verdict}, {s.effect}" for s in row.settings if s.verdict in ("supported", "contradicted")]
    if row.verdict == "inconclusive" and decided:
        text += f" Fewer than half of its settings are decided: {'; '.join(decided)}."
    return text


def listing(rows: Sequence[ContrastRow], verdict: str) -> str:
    """Return the contrasts of a verdict in a sentence; names that hold a comma themselves are parted by semicolons."""
    names = [row.name for row in rows if row.verdict == verdict]
    if len(names) == len(rows) > 2:
        return f"all {len(names)} settings"
    return ("; " if any("," in n for n in names) else ", ").join(names)
