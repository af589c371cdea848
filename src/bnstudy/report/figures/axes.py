"""Panels, ticks, lines, legends and reference lines that all figures share."""

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Literal, TypedDict, TypeVar, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from bnstudy.report.figures.style import INK, NARROW, POINTS, Dash, arm_name, look
from bnstudy.report.figures.summary import interval, median

A = TypeVar("A")
B = TypeVar("B")
Rows = TypeVar("Rows")


class Style(TypedDict, total=False):
    """How a line and its marks look: keywords of matplotlib's Line2D."""

    color: str
    linestyle: Dash
    linewidth: float
    marker: str
    markersize: float
    markeredgewidth: float
    markeredgecolor: str
    markerfacecolor: str
    fillstyle: Literal["full", "left"]


def panels(
    tables: Mapping[str, Rows], width: float, height: float = 2.1, columns: int = 3, narrow: int = 1,
    sharex: bool = True,
) -> tuple[Figure, list[tuple[Axes, Rows]]]:  # fmt: skip
    """Return a figure with a panel for each of `tables`, by its title, and the panels, each with its rows.

    They are `height` inches high, and stand in at most `columns` columns, on a phone `narrow`.
    """
    count = len(tables)
    across = min(count, columns if width > NARROW else narrow)
    rows = math.ceil(count / across)
    figure = Figure(figsize=(width, rows * height + 0.5), layout="constrained")
    flat = list(figure.subplots(rows, across, sharex=sharex, sharey=True, squeeze=False).flat)
    for spare in flat[count:]:
        spare.remove()
    for axes in flat[max(0, count - across) : count]:  # the lowest panel of each column says what x is
        axes.tick_params(labelbottom=True)
    for axes, title in zip(flat, tables):
        axes.set_title(title)
    return figure, list(zip(flat, tables.values()))


def crossed_panels(
    across: Sequence[A], down: Sequence[B], width: float, title: Callable[[A, B], str], sharex: bool = True
) -> tuple[Figure, list[tuple[Axes, tuple[A, B]]]]:
    """Return a figure with a panel for each pair of `across` and `down`; on a phone `down` runs from left to right."""
    pairs = [(a, b) for b in down for a in across] if width > NARROW else list(product(across, down))
    titles = {title(*pair): pair for pair in pairs}
    return panels(titles, width, 1.8, len(across), narrow=len(down), sharex=sharex)


def label(figure: Figure, x: str, y: str) -> None:
    """Write the axis titles once per figure: x below, y at the left."""
    figure.supxlabel(x, fontsize=POINTS)
    figure.supylabel(folded(y, figure.get_figheight()), fontsize=POINTS)


def folded(text: str, height: float) -> str:
    """Return a y label with its lines broken so that it stays clear of the legend of a figure `height` inches high.

    Two rows of legend may stand above the panels: 0.9 inches are not the label's own. A character takes about 0.075 inches.
    """
    most = max(12, int((height - 0.9) / 0.075))
    return "\n".join("\n".join(textwrap.wrap(line, most)) for line in text.split("\n"))


def legend(figure: Figure, arms: Sequence[str], extra: Sequence[Line2D] = ()) -> None:
    """Put marks and names above the panels, in as many columns as the width holds."""
    marks = [*(entry(arm_name(arm), line(arm)) for arm in arms), *extra]
    room = figure.get_figwidth() * figure.dpi - 6
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(len(marks), 0, -1):
        key = figure.legend(handles=marks, loc="outside upper left", ncols=columns, columnspacing=1.2, handlelength=2.4)
        frame = key.get_window_extent(renderer)
        if columns == 1 or frame.width < room:
            if figure.get_supylabel():  # centred on what the legend leaves, not on the whole figure
                figure._supylabel.set_y((1 - frame.height / figure.bbox.height) / 2)  # type: ignore[attr-defined]
            return
        key.remove()


def entry(text: str, style: Style) -> Line2D:
    """Return a legend's entry."""
    return Line2D([], [], label=text, **style)


def line(arm: str) -> Style:
    """Return how an arm's line looks."""
    looks = look(arm)
    return {
        "color": looks.light, "marker": looks.marker, "linestyle": looks.dash, "linewidth": looks.width,
        "markersize": 4.5, "markeredgewidth": 0,
    }  # fmt: skip


def draw(axes: Axes, table: pd.DataFrame, x: str, style: Style, offset: float = 0.0) -> None:
    """Join medians by a line, with their intervals as bars; infinite medians break the line, infinite ends point up.

    `table` has x, median, low, high. `offset` shifts the marks (a factor on a log axis, else an addition).
    """
    at = table[x].to_numpy(float)
    at = at * (1 + offset) if axes.get_xscale() == "log" else at + offset
    middle, low, high = (table[c].to_numpy(float) for c in ("median", "low", "high"))
    axes.plot(at, np.where(np.isfinite(middle), middle, np.nan), **style)
    open_ = np.isfinite(low) & ~np.isfinite(high)
    closed = np.isfinite(low) & np.isfinite(high)
    axes.vlines(at[closed], low[closed], high[closed], color=style["color"], linewidth=1.0)
    if open_.any():
        foot = np.where(np.isfinite(middle), middle, low)[open_]
        axes.plot(at[open_], foot, linestyle="none", marker=6, markersize=7, color=style["color"])
        axes.vlines(at[open_], low[open_], foot, color=style["color"], linewidth=1.0)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Write plain numbers on a log axis: 1, 2, 5 over a decade or two, else powers of ten."""
    decades = math.log10(high / low)
    fine: tuple[float, ...] = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    steps = fine if decades < 0.4 else (1, 1.5, 2, 3, 5, 7) if decades < 0.6 else (1, 2, 5) if decades < 2.2 else (1,)
    every = max(1, math.ceil(decades / 5)) if steps == (1,) else 1
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [s * 10.0**p for p in powers if p % every == 0 for s in steps]
    axis.set_major_locator(FixedLocator([m for m in marks if low * 0.999 <= m <= high * 1.001]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_locator(NullLocator())


def plain(value: float) -> str:
    """Return a tick's number without needless digits."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else f"{value:,.6g}"


def log_scale(
    axes: Sequence[Axes], values: ArrayLike, which: Literal["x", "y"] = "y", pad: float = 1.15,
    empty: tuple[float, float] = (0.1, 10.0),
) -> tuple[float, float]:  # fmt: skip
    """Set a log axis over the finite positive values, shared by all panels, and return its ends; `empty` without any."""
    array = np.asarray(values, float)
    array = array[np.isfinite(array) & (array > 0)]
    low, high = (array.min() / pad, array.max() * pad) if len(array) else empty
    for panel in axes:
        panel.set(**{f"autoscale{which}_on": False})  # a log scale of data without positive values would warn
    for panel in axes:
        panel.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
        log_ticks(panel.xaxis if which == "x" else panel.yaxis, low, high)
    return low, high


def percent_y(panel: Axes, top: float = 100) -> None:
    """Set a y axis from 0 to 100 percent."""
    panel.set_ylim(0, top)
    panel.set_yticks([0, 50, 100])


def reference(axes: Sequence[Axes], value: float, text: str) -> Line2D:
    """Draw a dotted line in every panel, and return the legend's entry for it."""
    style: Style = {"color": INK, "linewidth": 1.0, "linestyle": (0, (1, 2))}
    for panel in axes:
        panel.axhline(value, **style)
    return entry(text, style)


def by_arm(table: pd.DataFrame, arms: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield those of `arms` that the table holds, each with its rows."""
    for arm in arms:
        if len(rows := table[table["arm"] == arm]):
            yield arm, rows


def by_depth(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each depth, by the title of its panel."""
    return {f"depth {depth}": rows for depth, rows in table.groupby("depth", sort=True)}


def lines(axes: Axes, table: pd.DataFrame, x: str, y: str, arms: Sequence[str], **other: Unpack[Style]) -> None:
    """Draw a seaborn line per arm: median over seeds, band = order-statistic interval; whole-number ticks on x.

    `other` is what looks otherwise than an arm's line.
    """
    for arm, rows in by_arm(table, arms):
        trace(axes, rows, x, y, {**line(arm), **other})
    layer_ticks(axes, table[x])


def layer_ticks(axes: Axes, values: pd.Series) -> None:
    """Write at most about six whole numbers, from the first layer to the last."""
    first, last = int(values.min()), int(values.max())
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, last) if (last - first) / step <= 6)
    axes.set_xticks(sorted({first, *(v for v in range(first + 1, last + 1) if v % every == 0)}))


def trace(axes: Axes, table: pd.DataFrame, x: str, y: str, style: Style) -> None:
    """Draw one seaborn line with its band."""
    import seaborn

    edge = style["color"] if "markerfacecolor" in style else "none"
    seaborn.lineplot(
        data=table, x=x, y=y, estimator=median, errorbar=lambda values: interval(values), ax=axes, legend=False,
        err_kws={"alpha": 0.18, "linewidth": 0}, **{**style, "markeredgecolor": edge},
    )  # fmt: skip
    axes.set(xlabel="", ylabel="")
