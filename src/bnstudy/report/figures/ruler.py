"""One claim's effect and interval against what the claim says, as a small inline SVG."""

from typing import Any

LIMIT = 6.0
WIDTH = 220


def scale(setting: dict[str, Any]) -> float:
    """What one step of a setting's bar stands for: its smallest effect that matters, or where that is 0 a quarter of
    its largest finite end."""
    ends = [abs(setting[k]) for k in ("ci_low", "ci_high", "estimate") if setting[k] is not None]
    return setting["sesoi"] or max(ends, default=0.0) / 4 or 1.0


def ruler(settings: list[dict[str, Any]]) -> str:
    """A bar a setting (region, estimate, ci_low, ci_high, sesoi; ends open where null), one above another.

    The claim says: in the shade. Right is as claimed, so region `less` is drawn turned round. Each bar is in its own
    `scale`, since settings of one claim may have different units; cut off at ±6 with an arrowhead. A setting without
    an interval shows a bare line of dashes.
    """
    height = 14 * max(1, len(settings)) + 2
    rows = "".join(_row(_facing(setting), 1 + 14 * index) for index, setting in enumerate(settings))
    return (
        f'<svg class="ruler" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" aria-hidden="true">'
        f'<path d="M0 {height}H{WIDTH}" stroke="var(--rule)"/>{rows}'
        f'<path d="M{_x(0)} 0V{height}" stroke="var(--muted)" stroke-dasharray="1 3"/></svg>'
    )


def _facing(setting: dict[str, Any]) -> dict[str, Any]:
    """The setting with what it claims to the right."""
    if setting["region"] != "less":
        return setting
    turned = {"estimate": "estimate", "ci_low": "ci_high", "ci_high": "ci_low"}
    return setting | {k: None if setting[v] is None else -setting[v] for k, v in turned.items()}


def _row(setting: dict[str, Any], top: int) -> str:
    unit, region = scale(setting), setting["region"]
    threshold = setting["sesoi"] / unit
    left, right = (_x(-threshold), _x(threshold)) if region == "within" else (_x(threshold), float(WIDTH))
    edges = "".join(f"M{x} {top}v14" for x in ((left, right) if region == "within" else (left,)))
    return (
        f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="14" fill="var(--shade)"/>'
        f'<path d="{edges}" stroke="var(--muted)"/>{_bar(setting, unit, top + 7)}'
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
