"""Verdicts as marks and words: one colour, told apart by shape, always with the word beside."""

import html
from typing import Any

from bnstudy.claims import natural

_SHAPES = {
    "supported": '<circle cx="7" cy="7" r="6.5" fill="var(--ink)"/>'
    '<path d="M3.8 7.2l2.2 2.3 4.2-4.7" fill="none" stroke="var(--paper)" stroke-width="1.6"/>',
    "contradicted": '<path d="M7 0l7 7-7 7-7-7z" fill="var(--ink)"/>'
    '<path d="M4.8 4.8l4.4 4.4m0-4.4l-4.4 4.4" stroke="var(--paper)" stroke-width="1.6"/>',
    "mixed": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2"/>'
    '<path d="M7 1a6 6 0 0 1 0 12z" fill="var(--ink)"/>',
    "inconclusive": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2"/>'
    '<path d="M5.2 5.6a1.8 1.8 0 1 1 2.6 1.6q-.8.4-.8 1.3M7 10v1" fill="none" stroke="var(--ink)" stroke-width="1.2"/>',
    "not tested": '<circle cx="7" cy="7" r="6" fill="none" stroke="var(--ink)" stroke-width="1.2" stroke-dasharray="2 2"/>',
}
VERDICTS = list(_SHAPES)
MAKERS = {"L": "lecture", "A": "answers", "O": "objection", "P": "literature"}


def mark(verdict: str) -> str:
    """A 14-pixel mark; decorative, since the word stands beside it."""
    return f'<svg class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">{_SHAPES[verdict]}</svg>'


def verdict_words(row: dict[str, Any]) -> str:
    """A verdict with its shade: "contradicted: the opposite"."""
    shades = {"opposite": "the opposite", "negligible": "too small to matter", "not enough": "not enough"}
    return row["verdict"] + (f": {shades.get(row['detail'], row['detail'])}" if row.get("detail") else "")


def makers(by: str) -> str:
    """Who made a claim, in words: "L, O" -> "lecture, objection"."""
    return ", ".join(MAKERS.get(letter.strip(), letter) for letter in by.split(","))


def number(row: dict[str, Any], key: str) -> str:
    """A claim's or setting's number in its reader's unit; a dash where nothing could be computed."""
    return natural(row[key], row["unit"]) if row["n_seeds"] else "–"


def span(row: dict[str, Any]) -> str:
    """The interval in words."""
    if not row["n_seeds"] or (row["ci_low"] is None and row["ci_high"] is None):
        return "–"
    low, high = number(row, "ci_low"), number(row, "ci_high")
    low = low.rsplit(" ", 1)[0] if low.rsplit(" ", 1)[-1] == high.rsplit(" ", 1)[-1] else low
    return f"{low} to {high}"


def finding(claim: dict[str, Any]) -> str:
    """The claim's sentence; the claim as a question before it where the sentence alone doesn't say what it is about."""
    text = claim["sentence"]
    alone = claim["verdict"] in ("supported", "contradicted") and not text.startswith(
        ("It ", "Not as said", "Yes", "No ")
    )
    return text if alone else f"{claim['statement'].rstrip('.')}? {text}"


def escape(text: Any) -> str:
    return html.escape(str(text))
