"""Texts of a figure that lie on each other, on a legend or outside."""

from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def clashes(figure: Figure) -> list[str]:
    """Return what clashes, in words; a legend is its lines and marks too, and keeps clear of the labels of x and y."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts: list[Any] = figure.findobj(lambda a: isinstance(a, Text) and a.get_visible() and bool(a.get_text().strip()))
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]
    shown = [(text, box) for text, box in boxes if box.width > 0 and not _hidden_tick(figure, text, box)]
    found = []
    for (a, x), (b, y) in combinations(shown, 2):
        if min(x.x1, y.x1) - max(x.x0, y.x0) > 0.5 and min(x.y1, y.y1) - max(x.y0, y.y0) > 0.5:
            found.append(f"{a!r} over {b!r}")
    for legend in figure.legends:
        frame = legend.get_window_extent(canvas.get_renderer())
        labels: tuple[Text, ...] = figure._supylabel, figure._supxlabel  # type: ignore[attr-defined]
        found += [
            f"legend over {t.get_text()!r}"
            for t in labels
            if frame.overlaps(t.get_window_extent(canvas.get_renderer()))
        ]
    for text, box in shown:
        if box.x0 < -1 or box.x1 > figure.bbox.x1 + 1 or box.y0 < -1 or box.y1 > figure.bbox.y1 + 1:
            found.append(f"{text!r} outside")
    return found


def _hidden_tick(figure: Figure, text: str, box: Bbox) -> bool:
    """Return whether a text is a tick label outside its axis's view: such labels exist as objects but are not drawn."""
    for axes in figure.axes:
        both: tuple[Any, ...] = (axes.xaxis, axes.yaxis)
        for axis in both:
            drawn = {id(t.label1) for t in axis._update_ticks() if t.label1.get_visible()} if axes.axison else set()
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                for label in (tick.label1, tick.label2):
                    if label.get_text() == text and id(label) not in drawn:
                        if np.allclose(label.get_window_extent().extents, box.extents):
                            return True
    return False
