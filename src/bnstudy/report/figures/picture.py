"""What a figure and a small table of numbers are before they are shown: rows, a way to draw them, and words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.results import Results

INTERVALS = "Medians over seeds, 95% intervals of each point alone"


@dataclass(frozen=True)
class Picture:
    """A figure of a study.

    `draw` makes it for a width in inches from the rows of `table`. Its title is the finding that the claims file has for
    figure `id`, chosen by the verdict of `claim`; where it has none, or the claim is not tested, the title is `found`, what
    the rows themselves say, and without it the neutral `subject`. The alternative text names `kind`, `subject`, title, arms
    and numbers. `how` says how to read the figure. `arms` are those that the caption speaks of, `needs` those without which
    there is no figure, all of them where it is left out: what is lacking is said instead. `told` are the figure's numbers for
    those who cannot see it, where no claim has them.
    """

    results: Results
    id: str
    draw: Callable[[float], Figure]
    table: pd.DataFrame
    subject: str
    how: str
    claim: str | None = None
    arms: Sequence[str] = ()
    needs: Sequence[str] | None = None
    intervals: str = INTERVALS
    kind: str = "Line plot"
    found: str = ""
    told: str = ""


@dataclass(frozen=True)
class Numbers:
    """A small table under a neutral title; `how` says what the numbers are."""

    title: str
    head: Sequence[str]
    rows: list[list[str]]
    how: str
