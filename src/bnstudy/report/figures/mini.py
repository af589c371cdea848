"""Small pictures with direct labels, drawn as SVG of 360 units: one picture for a phone and for a card on a wide screen."""

import base64
import html
import math
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np

from bnstudy.report.figures.style import look, variable

WIDTH = 360
CHARACTER = 8.6
"""No character of a label is wider on average, in units; the browser's test holds it."""
LEFT, RIGHT, ROW = 136, 348, 30


class Mark(NamedTuple):
    """A value of an arm, with what is written beside it."""

    arm: str
    value: float
    text: str = ""


class Row(NamedTuple):
    """A name and the marks at its height; `joined` draws a line between them."""

    name: str
    marks: Sequence[Mark]
    joined: bool = False


class Line(NamedTuple):
    """A line of one panel: accuracies at severities 0, 1, ... in percent; its name stands at its end."""

    arm: str
    name: str
    dash: str
    values: Sequence[float]


class Panel(NamedTuple):
    """A panel of lines over six severities, and the images below its axis."""

    title: str
    lines: Sequence[Line]
    images: Sequence[np.ndarray]


class Scale:
    """Where a value lies; a value that never came lies at the right end, which is called "never": the median run did not arrive."""

    def __init__(self, values: Sequence[float], log: bool, right: float = RIGHT) -> None:
        finite = [value for value in values if math.isfinite(value) and (value > 0 or not log)] or [1.0]
        self.log, self.never = log, any(math.isinf(value) for value in values)
        self.right = right - 44 * self.never
        low, high = (min(finite) / 1.15, max(finite) * 1.15) if log else (0.0, max(finite) * 1.08 or 1.0)
        self.low, self.high = low, high if high > low else low + 1

    def __call__(self, value: float) -> float:
        if math.isinf(value):
            return self.right + 22
        share = (value - self.low) / (self.high - self.low)
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return round(LEFT + share * (self.right - LEFT), 1)

    def ticks(self) -> list[float]:
        """Return a few round values, far enough apart for their numbers."""
        powers = range(math.floor(math.log10(self.high)) - 6, math.floor(math.log10(self.high)) + 1)
        round_ = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        inside = [value for value in round_ if self.low <= value <= self.high]
        if not self.log:
            inside = [0.0, *inside[-1:]]
        kept: list[float] = []
        for value in reversed(inside):
            if not kept or self(kept[-1]) - self(value) >= 44:
                kept.append(value)
        return kept[::-1]


def glyph(arm: str, x: float, y: float) -> str:
    """Return an arm's mark."""
    shapes = {
        "o": f'circle cx="{x}" cy="{y}" r="5.5"',
        "s": f'rect x="{x - 5:.1f}" y="{y - 5}" width="10" height="10"',
        "^": f'path d="M{x} {y - 6}l6.5 11.5h-13z"',
    }
    shape = shapes.get(look(arm).marker, f'path d="M{x} {y - 6.5}l6.5 6.5-6.5 6.5-6.5-6.5z"')
    return f'<{shape} fill="var(--{variable(arm)},{look(arm).light})"/>'


def text(x: float, y: float, said: str, anchor: str = "start", kind: str = "") -> str:
    """Return a line of text; `kind` is a class of the page's style sheet."""
    more = (f' text-anchor="{anchor}"' if anchor != "start" else "") + (f' class="{kind}"' if kind else "")
    return f'<text x="{round(x, 1):g}" y="{y}"{more}>{html.escape(said)}</text>'


def whole(parts: Sequence[str], height: float, alt: str) -> str:
    """Return the picture of these parts."""
    return (
        f'<svg class="mini" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{html.escape(alt)}">'
        f"{''.join(parts)}</svg>"
    )


def strips(
    subject: str, rows: Sequence[Row], unit: str, alt: str, log: bool = False, room: float = 0,
    span: Sequence[float] = (),
) -> str:  # fmt: skip
    """Return rows of marks over one scale, which also holds `span`; `unit` follows its last number, `room` is left free at
    the right."""
    scale = Scale([*span, *(mark.value for row in rows for mark in row.marks)], log, RIGHT - room)
    bottom = 26 + ROW * len(rows)
    ticks = scale.ticks()
    parts = [text(0, 13, subject, kind="muted")]
    parts += [f'<path d="M{scale(tick)} 24V{bottom}" stroke="var(--rule)"/>' for tick in ticks]
    for index, row in enumerate(rows):
        y = 26 + ROW * index + ROW // 2
        parts.append(text(0, y + 4.5, row.name))
        places = [scale(mark.value) for mark in row.marks]
        if row.joined and places:
            parts.append(f'<path d="M{min(places)} {y}H{max(places)}" stroke="var(--muted)" stroke-width="2"/>')
        parts += [glyph(mark.arm, x, y) for mark, x in zip(row.marks, places, strict=True)]
        for mark, x in zip(row.marks, places, strict=True):
            if mark.text:
                fits = x + 11 + CHARACTER * len(mark.text) <= WIDTH
                parts.append(text(x + (11 if fits else -11), y + 4.5, mark.text, "start" if fits else "end", "strong"))
    for tick in ticks:
        number = f"{tick:g} {unit}" if tick == ticks[-1] and unit and not scale.never else f"{tick:g}"
        fits = scale(tick) + CHARACTER * len(number) / 2 <= WIDTH
        x, anchor = (scale(tick), "middle") if fits else (WIDTH, "end")
        parts.append(text(x, bottom + 14, number, anchor, "muted"))
    if scale.never:
        parts.append(text(WIDTH, bottom + 14, "never", "end", "muted"))
    return whole(parts, bottom + 20, alt)


def lines(subject: str, panels: Sequence[Panel], alt: str) -> str:
    """Return panels of accuracy side by side, 0 to 100 percent, images below; the last panel's lines have their names."""
    left, top, high, between, label = 30.0, 44.0, 86.0, 16.0, 68.0
    across = (WIDTH - left - label - between * (len(panels) - 1)) / len(panels)
    parts = [text(0, 13, subject, kind="muted")]

    def height(percent: float) -> float:
        return top + high * (1 - percent / 100)

    for percent in (0, 50, 100):
        y = height(percent)
        parts.append(text(left - 6, y + 4.5, str(percent), "end", "muted"))
        parts.append(f'<path d="M{left} {y}H{WIDTH - label}" stroke="var(--rule)"/>')
    for index, panel in enumerate(panels):
        start = left + index * (across + between)
        step = across / 6
        parts.append(text(start, 33, panel.title, kind="strong"))
        for line in panel.lines:
            points = " ".join(f"{start + step * (k + 0.5):.1f},{height(v):.1f}" for k, v in enumerate(line.values))
            colour = f"var(--{variable(line.arm)},{look(line.arm).light})"
            dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.4"{dash}/>')
            parts.append(glyph(line.arm, start + step * 5.5, height(line.values[-1])))
        size = f'width="{step - 2:.1f}" height="{step - 2:.1f}"'
        for k, image in enumerate(panel.images):
            x = start + step * k + 1
            parts.append(f'<image x="{x:.1f}" y="{top + high + 9}" {size} href="{png(image)}"/>')
    ends = [height(line.values[-1]) for line in panels[-1].lines]
    for y, line in zip(apart(ends, 15.0, top, top + high), panels[-1].lines):
        parts.append(text(WIDTH - label + 5, y + 4.5, line.name))
    return whole(parts, top + high + across / 6 + 12, alt)


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Return places in the same order, moved by as little as keeps each `least` from the next, between low and high."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, after in zip(order, order[1:]):
        moved[after] = max(moved[after], moved[before] + least)
    if order and moved[order[-1]] > high:
        moved[order[-1]] = high
        for after, before in zip(order[::-1], order[-2::-1]):
            moved[before] = min(moved[before], moved[after] - least)
    return moved


def png(image: np.ndarray) -> str:
    """Return an image [H, W, 3] of 8 bits as a data address."""
    from matplotlib.image import imsave

    buffer = BytesIO()
    imsave(buffer, np.ascontiguousarray(image), format="png", metadata={"Software": ""})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
