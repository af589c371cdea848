"""Verdicts as marks and words: one colour, told apart by shape, always with the word beside."""

import base64
import gzip
import html

from bnstudy.claims.records import ClaimRow, ContrastRow

_SHAPES = {
    "supported": '<circle cx="7" cy="7" r="6.5" fill="var(--ink)"/>'
    '<path d="M3.8 7.2l2.2 2.3 4.2-4.7" fill="none" stroke="var(--paper)" stroke-width="1.6"/>',
    "contradicted": '<path d="M7 0l7 7-7 7-7-7z" fill="var(--ink)"/>'
    '<path d="M4.8 4.8l4.4 4.4m0-4.4l-4.4 4.4" stroke="var(--paper)" stroke-width="1.6"/>',
    "mixed": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2"/>'
    '<path d="M7 1a6 6 0 0 1 0 12z" fill="var(--ink)"/>',
    "inconclusive": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2"/>'
    '<path d="M5.2 5.6a1.8 1.8 0 1 1 2.6 1.6q-.8.4-.8 1.3M7 10v1" fill="none" stroke="var(--ink)" stroke-width="1.2"/>',
    "not judged": '<path d="M2 7h10" stroke="var(--ink)" stroke-width="1.2"/>',
    "not tested": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2" stroke-dasharray="2 2"/>',
}
VERDICTS = list(_SHAPES)
MAKERS = {"L": "lecture", "A": "answers", "O": "objection", "P": "literature", "S": "this study"}


def mark(verdict: str) -> str:
    """Return a 14-pixel mark; decorative, since the word stands beside it."""
    return f'<svg class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{_SHAPES[verdict]}</svg>'


def verdict_words(row: ClaimRow | ContrastRow) -> str:
    """Return a verdict with its shades: "contradicted: the opposite, too small to matter"."""
    shades = {"opposite": "the opposite", "negligible": "too small to matter"}
    said = [shades.get(shade, shade) for shade in (row.detail or "").split(", ") if shade]
    return row.verdict + (f": {', '.join(said)}" if said else "")


def changes(row: ClaimRow) -> str:
    """Return a mark beside a verdict that some change of the study's choices turns; empty for one that none does."""
    names = row.robustness
    if not names:
        return ""
    return f'<span class="changes" title="{escape("; ".join(names))}">≠ with {len(names)} change{"s" * (len(names) > 1)}</span> '


def makers(by: str) -> str:
    """Return who made a claim, in words: "L, O" -> "lecture, objection"."""
    return ", ".join(MAKERS.get(letter.strip(), letter) for letter in by.split(","))


def effect(row: ContrastRow) -> str:
    """Return estimate and interval of a contrast in words; a dash where nothing could be computed."""
    return row.effect if row.n_seeds else "–"


def escape(text: object) -> str:
    """Return any value as text that HTML shows as it is."""
    return html.escape(str(text))


def scrolling(name: str, inside: str) -> str:
    """Return what may be wider than the page in a frame that scrolls sideways, with a name for those who hear it."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">{inside}</div>'


def download(name: str, csv: str, said: str) -> str:
    """Return a link that saves a table: packed to a quarter, as name.csv.gz; where scripts run, page.js unpacks it."""
    packed = base64.b64encode(gzip.compress(csv.encode(), mtime=0)).decode()
    return f'<a class="csv" download="{escape(name)}.csv.gz" href="data:application/gzip;base64,{packed}">{said}</a>'
