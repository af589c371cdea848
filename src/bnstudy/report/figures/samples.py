"""What the test images look like: one image of the study under each shift, as one sprite a figure.

The gaps between images are transparent, so they have the page's own paper; the images themselves are never recoloured.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bnstudy.report.figures.style import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUNDS = {"lecture_white": "white ground", "lecture_gray": "mid-gray ground"}
HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")
"""The names of bnstudy.data.colour.HUES, which would import torch."""


def sprite(rows: "list[list[np.ndarray]]", gap: int = 1) -> np.ndarray:
    """Images [H, W, 3] of 8 bits in rows and columns -> RGBA [.., .., 4] with transparent gaps of ``gap`` pixels.

    None leaves its place empty. Raises ValueError where rows differ in length.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError("each row of a sprite has as many images as the others")
    height, width = next(image for row in rows for image in row if image is not None).shape[:2]
    out = np.zeros((len(rows) * (height + gap) - gap, len(rows[0]) * (width + gap) - gap, 4), np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            if image is not None:
                place = (
                    slice(i * (height + gap), i * (height + gap) + height),
                    slice(j * (width + gap), j * (width + gap) + width),
                )
                out[place] = np.dstack([image, np.full((height, width), 255, np.uint8)])
    return out


def by_family(samples: Mapping[str, np.ndarray], width: float) -> "Figure":
    """Rows: shift families; columns: severities 0 to 5. `samples` as of bnstudy.data.samples."""
    families = [name for name in samples if name not in GROUNDS]
    image = sprite([list(samples[name]) for name in families])
    return _figure([("", image, families, [str(s) for s in range(6)])], min(width, 3.6), width, "severity")


def lecture(samples: Mapping[str, np.ndarray], width: float) -> "Figure":
    """A panel a ground; rows: severities 0 to 5; columns: the six hues."""
    panels = [
        (title, sprite([list(row) for row in samples[name]]), [str(s) for s in range(6)], [h[0] for h in HUES])
        for name, title in GROUNDS.items()
    ]
    return _figure(panels, width, width, "hue: " + ", ".join(HUES), "severity")


def colours() -> pd.DataFrame:
    """The colour of the ink by severity and hue, each channel 0..1: what the lecture split's figure shows."""
    rows = []
    for severity in range(6):
        for hue, rgb in zip(HUES, ("100", "110", "010", "011", "001", "101"), strict=True):
            ink = [0.125 + severity / 5 * (int(c) - 0.125) for c in rgb]
            rows.append({"severity": severity, "hue": hue, "red": ink[0], "green": ink[1], "blue": ink[2]})
    return pd.DataFrame(rows)


def _figure(
    panels: "list[tuple[str, np.ndarray, list[str], list[str]]]", used: float, width: float, x: str, y: str = ""
) -> "Figure":
    """(title, sprite, names of rows, names of columns) side by side, ``used`` of ``width`` inches wide."""
    from matplotlib.figure import Figure

    with drawing():
        _, image, rows, _ = panels[0]
        each = (used - 0.9) / len(panels)
        figure = Figure(figsize=(width, each * image.shape[0] / image.shape[1] + 0.95), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for panel, (title, sprite_, rows, columns) in zip(axes, panels, strict=True):
            high, wide = sprite_.shape[:2]
            panel.imshow(sprite_, interpolation="none")
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
