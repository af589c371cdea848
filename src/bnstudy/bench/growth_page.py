"""The page and the figure that show how a study grows."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from bnstudy.bench.machine import Used

LABELS = {
    "seeds": "seeds of one setting",
    "depth": "hidden layers",
    "width": "units a layer",
    "cells": "cells planned",
    "rows": "rows summarized",
}
ALT = (
    "Line charts on logarithmic axes: processor time above, memory below, against seeds, hidden layers, units a layer,"
    " cells planned and rows summarized; the table below has the numbers."
)
TEXT = Path(__file__).with_name("growth.md")
"""The page, with names for what is computed."""


class Point(NamedTuple):
    """One process: what grew, to which size, and what it took."""

    grown: str
    size: int
    used: Used


class Sizes(NamedTuple):
    """The sizes tried; ``steps`` per network, ``settings`` of a planned study (24 cells each)."""

    seeds: tuple[int, ...] = (16, 32, 64, 128)
    depth: tuple[int, ...] = (2, 5, 10, 20, 50, 100, 200)
    width: tuple[int, ...] = (16, 32, 64, 128, 256, 512)
    settings: tuple[int, ...] = (5, 45, 420)
    rows: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    steps: int = 100


def page(points: Sequence[Point], sizes: Sizes) -> str:
    """Return docs/growth.md."""
    lines = [f"| {LABELS[p.grown]} | {p.size:,} | {p.used.seconds:.1f} | {p.used.gib:.2f} |" for p in points]
    found, table = sentence(points), "\n".join(lines)
    return TEXT.read_text(encoding="utf-8").format(found=found, alt=ALT, table=table, steps=sizes.steps)


def sentence(points: Sequence[Point]) -> str:
    """Return in words what the figure shows: the first and the last size of everything that grows."""
    changes = []
    for grown, label in LABELS.items():
        first, *_, last = (p for p in points if p.grown == grown)
        time = f"{first.used.seconds:.1f} to {last.used.seconds:.1f} s"
        memory = f"{first.used.gib:.2f} to {last.used.gib:.2f} GiB"
        changes.append(f"{label} from {first.size:,} to {last.size:,}: {time}, {memory}")
    return "Processor time and memory of one process, least to greatest size. " + "; ".join(changes) + "."


def figure(points: Sequence[Point]) -> str:
    """Return docs/growth.svg: a column for everything that grows, time above, memory below, logarithmic axes."""
    import matplotlib.pyplot as plt
    import pandas as pd
    import seaborn as sns

    units = {"processor time, s": "seconds", "memory, GiB": "gib"}
    rows = ((LABELS[p.grown], p.size, unit, getattr(p.used, name)) for p in points for unit, name in units.items())
    data = pd.DataFrame(rows, columns=["grown", "size", "unit", "value"])
    with sns.axes_style("whitegrid"), sns.plotting_context("paper"), plt.rc_context({"svg.hashsalt": "bnstudy"}):
        grid = sns.FacetGrid(data, row="unit", col="grown", sharex="col", sharey="row", height=2.1)
        grid.map_dataframe(sns.lineplot, "size", "value", marker="o", color="#0b62a8")
        grid.set(xscale="log", yscale="log").set_titles("")
        for unit, row in zip(grid.row_names, grid.axes):
            row[0].set_ylabel(unit)
        for grown, axes in zip(grid.col_names, grid.axes[-1]):
            axes.set_xlabel(grown)
        written = StringIO()
        grid.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(grid.figure)
    text = written.getvalue()
    label = f' role="img"><title>How time and memory grow</title><desc>{ALT}</desc>'
    return text[text.index("<svg") :].replace(">", label, 1)
