"""Pictures of the test images: one image of the study under each shift, as one sprite per figure.

The gaps between images are transparent, so they have the page's own paper; the images themselves are never recoloured.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bnstudy.report.figures.style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUNDS = {"lecture_white": "white ground", "lecture_gray": "mid-gray ground"}
HUES = {"red": "100", "yellow": "110", "green": "010", "cyan": "011", "blue": "001", "magenta": "101"}
"""The hues of bnstudy.data.colour.HUES, which would import torch: red, green and blue of each."""
SEVERITIES = [str(severity) for severity in range(6)]


class Sprite(NamedTuple):
    """One image made of many, with its title and the names of its rows and columns."""

    title: str
    pixels: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


def sprite(rows: "list[list[np.ndarray]]", gap: int = 1) -> np.ndarray:
    """Return images [H, W, 3] of 8 bits in rows and columns as RGBA [.., .., 4] with transparent gaps of ``gap`` pixels.

    Raises:
        ValueError: rows differ in length.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError("each row of a sprite has as many images as the others")
    height, width = rows[0][0].shape[:2]
    down, right = height + gap, width + gap
    out = np.zeros((len(rows) * down - gap, len(rows[0]) * right - gap, 4), np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            place = out[i * down : i * down + height, j * right : j * right + width]
            place[..., :3], place[..., 3] = image, 255
    return out


def by_hue(samples: Mapping[str, np.ndarray], width: float) -> "Figure":
    """Draw a panel per ground, in it a row per severity, 0 to 5, and a column per hue."""
    initials = [hue[0] for hue in HUES]
    panels = [
        Sprite(title, sprite([list(row) for row in samples[name]]), SEVERITIES, initials)
        for name, title in GROUNDS.items()
    ]
    return _figure(panels, width, width, "hue: " + ", ".join(HUES), "severity")


def colours() -> pd.DataFrame:
    """Return the colour of the ink by severity and hue, each channel 0..1: what the lecture split's figure shows."""
    rows = []
    for severity in range(6):
        for hue, channels in HUES.items():
            ink = [0.125 + severity / 5 * (int(channel) - 0.125) for channel in channels]
            rows.append({"severity": severity, "hue": hue, "red": ink[0], "green": ink[1], "blue": ink[2]})
    return pd.DataFrame(rows)


def _figure(sprites: Sequence[Sprite], used: float, width: float, x: str, y: str = "") -> "Figure":
    """Draw sprites side by side, ``used`` of ``width`` inches wide."""
    from matplotlib.figure import Figure

    with drawing():
        pixels = sprites[0].pixels
        height = (used - 0.9) / len(sprites) * pixels.shape[0] / pixels.shape[1]
        figure = Figure(figsize=(width, height + 0.95), layout="constrained")
        axes = figure.subplots(1, len(sprites), squeeze=False)[0]
        for panel, (title, pixels, rows, columns) in zip(axes, sprites, strict=True):
            high, wide = pixels.shape[:2]
            panel.imshow(pixels, interpolation="none")
            panel.set_title(title)
            panel.set_yticks([(i + 0.5) * high / len(rows) - 0.5 for i in range(len(rows))], rows)
            panel.set_xticks([(i + 0.5) * wide / len(columns) - 0.5 for i in range(len(columns))], columns)
            panel.tick_params(length=0)
            panel.grid(False)
            for side in panel.spines.values():
                side.set_visible(False)
        figure.supxlabel(x, fontsize=9)
        if y:
            figure.supylabel(y, fontsize=9)
    return figure
