"""What stands on a page, read back."""

import base64
import gzip
import html
import re

BOUND = [
    "drift", "affine", "drift-steps", "ics", "input-offset", "severity", "xhat", "lecture", "depths", "window",
    "steps-by-inputs", "landscape", "detached", "reach", "share-left", "adaptation", "halves", "skips",
    "batch-size", "levels",
]  # fmt: skip
"""Figures whose titles are bound to verdicts."""


def found(pattern: str, text: str, flags: int = 0) -> str:
    """Return the first group of a pattern that the text holds."""
    match = re.search(pattern, text, flags)
    assert match, pattern
    return match[1]


def unpacked(text: str) -> str:
    """The table behind the first link that saves one."""
    return gzip.decompress(base64.b64decode(found(r"data:application/gzip;base64,([^\"]+)", text))).decode()


def figures(text: str) -> dict[str, tuple[str, ...]]:
    """id -> (title, caption, alt) of every figure, as a reader gets them."""
    found = re.findall(
        r'<figure id="fig-([^"]+)">\s*<h4>(.*?)</h4>.*?aria-label="([^"]*)".*?<figcaption>(.*?)<div>', text, re.S
    )
    return {name: tuple(map(html.unescape, (title, caption, alt))) for name, title, alt, caption in found}


def cards(text: str) -> list[str]:
    return re.findall(r"<article>(.*?)</article>", text, re.S)
