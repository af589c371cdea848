"""One claim's effect and interval against what the claim says, as a small inline SVG."""

from typing import Any

LIMIT = 6.0
WIDTH = 220


def scale(settings: list[dict[str, Any]]) -> float:
    """What one step of the ruler stands for: the smallest effect that matters, or where that is 0 a quarter of the
    largest finite end."""
    sesoi = next((s["sesoi"] for s in settings if s["sesoi"]), 0.0)
    ends = [abs(s[k]) for s in settings for k in ("ci_low", "ci_high", "estimate") if s[k] is not None]
    return sesoi or max(ends, default=1.0) / 4 or 1.0


def ruler(settings: list[dict[str, Any]], region: str) -> str:
    """A bar a setting (estimate, ci_low, ci_high, sesoi; ends open where null), one above another.

    The claim says: in the shade. Right is as claimed, also for claims that something falls. Units: `scale`, cut off
    at ±6 with an arrowhead. A setting without an interval shows a bare line of dashes.
    """
    unit = scale(settings)
    threshold = (settings[0]["sesoi"] or 0.0) / unit if settings else 1.0
    left, right = (_x(-threshold), _x(threshold)) if region == "within" else (_x(threshold), float(WIDTH))
    edges = (left, right) if region == "within" else (left,)
    height = 14 * max(1, len(settings)) + 2
    rows = "".join(_bar(setting, unit, 8 + 14 * index) for index, setting in enumerate(settings))
    lines = "".join(f"M{x} 0V{height}" for x in edges)
    return (
        f'<svg class="ruler" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" aria-hidden="true">'
        f'<rect x="{left}" y="0" width="{right - left:.1f}" height="{height}" fill="var(--shade)"/>'
        f'<path d="{lines}" stroke="var(--muted)"/>'
        f'<path d="M{_x(0)} 0V{height}" stroke="var(--muted)" stroke-dasharray="1 3"/>{rows}</svg>'
    )


def _x(value: float) -> float:
    return round((max(-LIMIT, min(LIMIT, value)) + LIMIT) / (2 * LIMIT) * WIDTH, 1)


def _bar(setting: dict[str, Any], unit: float, y: int) -> str:
    low, high, middle = setting["ci_low"], setting["ci_high"], setting["estimate"]
    if low is None and high is None and middle is None:
        return f'<path d="M0 {y}H{WIDTH}" stroke="var(--muted)" stroke-dasharray="4 4"/>'
    low = -float("inf") if low is None else low / unit
    high = float("inf") if high is None else high / unit
    found = f'<path d="M{_x(low)} {y}H{_x(high)}" stroke="var(--ink)" stroke-width="2.2"/>'
    for end in (low, high):
        if abs(end) > LIMIT:
            found += f'<path d="M{_x(end)} {y}l{-7 if end > 0 else 7} -4v8z" fill="var(--ink)"/>'
    if middle is not None and abs(middle / unit) <= LIMIT:
        found += f'<circle cx="{_x(middle / unit)}" cy="{y}" r="3.5" fill="var(--ink)"/>'
    return found
