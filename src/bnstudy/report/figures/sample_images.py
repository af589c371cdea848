"""Pictures of the test images: one image of the study under each shift, as one sprite per figure.

The gaps between images are transparent, so they have the page's own paper; the images themselves are never recoloured.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import label
from bnstudy.report.figures.style import RULE

GROUNDS = {"lecture_white": "white ground", "lecture_gray": "mid-gray ground"}
HUES = {"red": "100", "yellow": "110", "green": "010", "cyan": "011", "blue": "001", "magenta": "101"}
"""The hues of bnstudy.data.colour.HUES, which would import torch: red, green and blue of each."""


def sprite(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Return images [H, W, 3] of 8 bits in rows and columns as RGBA [.., .., 4] with transparent gaps of one pixel.

    Raises:
        ValueError: rows differ in length.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError("each row of a sprite has as many images as the others")
    opaque = [[np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]) for image in row] for row in rows]
    framed = [[np.pad(image, ((0, 1), (0, 1), (0, 0))) for image in row] for row in opaque]
    return np.vstack([np.hstack(row) for row in framed])[:-1, :-1]


def by_hue(samples: Mapping[str, np.ndarray], width: float) -> Figure:
    """Draw a panel per ground, in it a row per severity, 0 to 5, and a column per hue."""
    sprites = {title: sprite([list(row) for row in samples[name]]) for name, title in GROUNDS.items()}
    high, wide = next(iter(sprites.values())).shape[:2]
    height = (width - 0.9) / len(sprites) * high / wide + 0.95
    figure = Figure(figsize=(width, height), layout="constrained")
    for panel, (title, pixels) in zip(figure.subplots(1, len(sprites)), sprites.items(), strict=True):
        panel.imshow(pixels, interpolation="none")
        panel.set_title(title)
        panel.set_yticks([(i + 0.5) * high / 6 - 0.5 for i in range(6)], range(6))
        panel.set_xticks([(i + 0.5) * wide / len(HUES) - 0.5 for i in range(len(HUES))], [hue[0] for hue in HUES])
        panel.tick_params(length=0)
        panel.grid(False)
        panel.set_facecolor(RULE)  # seen between the images, which may be as white as the page
        panel.spines[:].set(visible=True, color=RULE)
    label(figure, "hue: " + ", ".join(HUES), "severity")
    return figure


def colours() -> pd.DataFrame:
    """Return the colour of the ink by severity and hue, each channel 0..1: what the lecture split's figure shows."""
    rows = []
    for severity in range(6):
        for hue, channels in HUES.items():
            ink = [0.125 + severity / 5 * (int(channel) - 0.125) for channel in channels]
            rows.append({"severity": severity, "hue": hue, "red": ink[0], "green": ink[1], "blue": ink[2]})
    return pd.DataFrame(rows)
