"""Verdicts and their makers in words, and what the page frames, escapes and packs."""

import base64
import gzip
import html
from collections.abc import Sequence

from bnstudy.claims.records import ClaimRow, ContrastRow

MAKERS = {"L": "lecture", "A": "answers", "O": "objection", "P": "literature", "S": "this study"}


def verdict_words(row: ClaimRow | ContrastRow) -> str:
    """Return a verdict with its shades: "contradicted: the opposite, too small to matter"."""
    shades = {"opposite": "the opposite", "negligible": "too small to matter"}
    settings = (row,) if isinstance(row, ContrastRow) else row.settings
    if settings and all(s.margin < 0 and not s.reverse for s in settings):  # a size that was to be reached, and is not
        shades["opposite"] = shades["negligible"]
    said = [shades.get(shade, shade) for shade in (row.detail or "").split(", ") if shade]
    return row.verdict + (f": {', '.join(said)}" if said else "")


def makers(by: str, minute: str | None = None) -> str:
    """Return who made a claim, in words, the lecture with its minute: "L, O" -> "lecture (6:07), objection"."""
    made = {**MAKERS, "L": f"lecture ({minute})"} if minute else MAKERS
    return ", ".join(made.get(letter.strip(), letter) for letter in by.split(","))


def sources(claims: Sequence[str]) -> str:
    """Return a link to each claim that what stands before rests on, with a space before it."""
    return "".join(f' <a class="source" href="#claim-{claim}">{claim}</a>' for claim in dict.fromkeys(claims))


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
