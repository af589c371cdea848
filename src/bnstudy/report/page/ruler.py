"""The effect and interval of a claim's contrasts against what the claim says, as a small inline SVG."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from bnstudy.claims.records import ContrastRow
from bnstudy.claims.sentences import NOT_JUDGED

LIMIT = 6.0
WIDTH = 220


class Example(NamedTuple):
    """The contrast that shows how to read a ruler."""

    region: str = "more"
    sesoi: float = 1.0
    estimate: float | None = 2.2
    ci_low: float | None = 1.4
    ci_high: float | None = 3.1
    verdict: str = "supported"


Measured = ContrastRow | Example


def ruler(contrasts: Sequence[Measured], seeds: Sequence[float] = ()) -> str:
    """Return a bar per contrast, one above another; `seeds` are dots below the only one's.

    The claim says: in the shade. Right is as claimed, so region `less` is drawn turned round; left of the dashed edge an
    effect is the opposite of the claim. Each bar is in its own unit
    (see `_unit`), since contrasts of one claim may have different ones; cut off at ±6 with an arrowhead. A contrast
    without an interval shows a bare line of dashes; the dot of one that is not judged is hollow.
    """
    height = 14 * max(1, len(contrasts)) + 2
    rows = "".join(_row(contrast, 1 + 14 * index, seeds) for index, contrast in enumerate(contrasts))
    return (
        f'<svg class="ruler" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" aria-hidden="true">'
        f'<path d="M0 {height}H{WIDTH}" stroke="var(--rule)"/>{rows}'
        f'<path d="M{_x(0)} 0V{height}" stroke="var(--muted)" stroke-dasharray="1 3"/></svg>'
    )


def _unit(contrast: Measured) -> float:
    """Return what one step of a bar stands for: the smallest effect size of interest, or where that is 0 a quarter of the
    largest finite end."""
    ends = [abs(end) for end in (contrast.ci_low, contrast.ci_high, contrast.estimate) if end is not None]
    return contrast.sesoi or max(ends, default=0.0) / 4 or 1.0


def _row(contrast: Measured, top: int, seeds: Sequence[float]) -> str:
    unit, within = _unit(contrast), contrast.region == "within"
    threshold = contrast.sesoi / unit
    left, right = (_x(-threshold), _x(threshold)) if within else (_x(threshold), float(WIDTH))
    edges = "".join(f"M{x} {top}v14" for x in ((left, right) if within else (left,)))
    opposite = "" if within else f'<path d="M{_x(-threshold)} {top}v14" stroke="var(--muted)" stroke-dasharray="3 2"/>'
    turned = (-1 if contrast.region == "less" else 1) / unit
    spots = "".join(f"M{_x(turned * seed) - 1:.1f} {top + 12.5}h2" for seed in seeds)
    dots = f'<path d="{spots}" stroke="var(--muted)" stroke-width="2"/>' if spots else ""
    return (
        f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="14" fill="var(--shade)"/>'
        f'<path d="{edges}" stroke="var(--muted)"/>{opposite}{dots}{_bar(contrast, unit, top + 7)}'
    )


def _x(value: float) -> float:
    return round((max(-LIMIT, min(LIMIT, value)) + LIMIT) / (2 * LIMIT) * WIDTH, 1)


def _bar(contrast: Measured, unit: float, y: int) -> str:
    if contrast.ci_low is None and contrast.ci_high is None and contrast.estimate is None:
        return f'<path d="M0 {y}H{WIDTH}" stroke="var(--muted)" stroke-dasharray="4 4"/>'
    turned = -1 if contrast.region == "less" else 1
    ends = (-inf if contrast.ci_low is None else contrast.ci_low, inf if contrast.ci_high is None else contrast.ci_high)
    low, high = sorted(turned * end / unit for end in ends)
    bar = f'<path d="M{_x(low)} {y}H{_x(high)}" stroke="var(--ink)" stroke-width="2.2"/>'
    for end in (low, high):
        if abs(end) > LIMIT:
            bar += f'<path d="M{_x(end)} {y}l{-7 if end > 0 else 7} -4v8z" fill="var(--ink)"/>'
    middle = None if contrast.estimate is None else turned * contrast.estimate / unit
    if middle is not None and abs(middle) <= LIMIT:
        hollow = contrast.verdict == NOT_JUDGED
        paint = 'fill="var(--paper)" stroke="var(--ink)" stroke-width="1.5"' if hollow else 'fill="var(--ink)"'
        bar += f'<circle cx="{_x(middle)}" cy="{y}" r="3.5" {paint}/>'
    return bar
