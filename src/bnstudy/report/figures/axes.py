"""Panels, ticks, legends and rails that the figures share."""

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bnstudy.report.figures.style import INK, NARROW, look, name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panels(
    count: int, width: float, height: float = 2.1, columns: int = 3, narrow: int = 1, **shared: Any
) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels, `height` inches each, in at most `columns` columns, on a phone `narrow`."""
    from matplotlib.figure import Figure

    across = min(count, columns if width > NARROW else narrow)
    rows = math.ceil(count / across)
    figure = Figure(figsize=(width, rows * height + 0.5), layout="constrained")
    options = {"sharex": True, "sharey": True, "squeeze": False} | shared
    grid = figure.subplots(rows, across, **options)
    flat = list(grid.flat)
    for spare in flat[count:]:
        spare.set_axis_off()
    for axes in flat[max(0, count - across) : count]:  # the lowest panel of each column says what x is
        axes.tick_params(labelbottom=True)
    return figure, flat[:count]


def label(axes: "list[Axes]", x: str, y: str) -> None:
    """Axis titles once a figure: x below, y at the left."""
    figure = axes[0].figure
    figure.supxlabel(x, fontsize=axes[0].xaxis.label.get_size())
    height = figure.bbox.height / figure.dpi  # type: ignore[union-attr]
    figure.supylabel(folded(y, height), fontsize=axes[0].yaxis.label.get_size())


def folded(text: str, height: float) -> str:
    """A y label with its lines broken so that it stays clear of the legend of a figure `height` inches high.

    Two rows of legend may stand above the panels: 0.9 inches are not the label's own. A character is about 0.075 inches.
    """
    most = max(12, int((height - 0.9) / 0.075))
    return "\n".join("\n".join(textwrap.wrap(line, most)) for line in text.split("\n"))


def legend(figure: "Figure", arms: Sequence[str], extra: Sequence[Any] = ()) -> None:
    """Marks and names above the panels, in as many columns as the width holds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **line(arm), label=name(arm)) for arm in arms] + list(extra)
    room = figure.get_figwidth() * figure.dpi - 6
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(len(handles), 0, -1):
        found = figure.legend(
            handles=handles, loc="outside upper left", ncols=columns, columnspacing=1.2, handlelength=2.4
        )
        frame = found.get_window_extent(renderer)
        if columns == 1 or frame.width < room:
            if figure.get_supylabel():  # centred on what the legend leaves, not on the whole figure
                figure._supylabel.set_y((1 - frame.height / figure.bbox.height) / 2)  # type: ignore[attr-defined]
            return
        found.remove()


def line(arm: str) -> dict[str, Any]:
    """Line2D properties of an arm."""
    entry = look(arm)
    return {
        "color": entry.light, "marker": entry.marker, "linestyle": entry.dash, "linewidth": entry.width,
        "markersize": 4.5, "markeredgewidth": 0,
    }  # fmt: skip


def draw(axes: "Axes", table: "pd.DataFrame", x: str, style: dict[str, Any], offset: float = 0.0) -> None:
    """Medians joined by a line, with their intervals as bars; infinite medians break the line, infinite ends point up.

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


def log_ticks(axis: Any, low: float, high: float) -> None:
    """Plain numbers on a log axis: 1, 2, 5 over a decade or two, else powers of ten."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    decades = math.log10(high / low)
    fine: tuple[float, ...] = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    steps = fine if decades < 0.4 else (1, 1.5, 2, 3, 5, 7) if decades < 0.6 else (1, 2, 5) if decades < 2.2 else (1,)
    every = max(1, math.ceil(decades / 5)) if steps == (1,) else 1
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [s * 10.0**p for p in powers if p % every == 0 for s in steps]
    axis.set_major_locator(FixedLocator([m for m in marks if low * 0.999 <= m <= high * 1.001]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(FixedLocator([]))


def plain(value: float) -> str:
    """A tick's number without needless digits."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-4 else f"{value:,.6g}"


def log_y(axes: "list[Axes]", values: "Sequence[float] | np.ndarray | pd.Series", pad: float = 1.15) -> None:
    """A log y axis over the finite positive values, shared by all panels."""
    array = np.asarray(values, float)
    array = array[np.isfinite(array) & (array > 0)]
    low, high = (array.min() / pad, array.max() * pad) if len(array) else (0.1, 10.0)
    for panel in axes:
        panel.set_autoscaley_on(False)  # a log scale of data without positive values would warn
    for panel in axes:
        panel.set_yscale("log")
        panel.set_ylim(low, high)
        log_ticks(panel.yaxis, low, high)


def reference(axes: "list[Axes]", value: float, text: str) -> Any:
    """A dotted line in every panel, and the legend's entry for it."""
    from matplotlib.lines import Line2D

    style = {"color": INK, "linewidth": 1.0, "linestyle": (0, (1, 2))}
    for panel in axes:
        panel.axhline(value, **style)
    return Line2D([], [], label=text, **style)  # type: ignore[arg-type]


def lines(axes: "Axes", table: "pd.DataFrame", x: str, y: str, arms: Sequence[str]) -> None:
    """A seaborn line an arm: median over seeds, band = order-statistic interval; whole-number ticks on x."""
    for arm in arms:
        mine = table[table["arm"] == arm]
        if len(mine):
            trace(axes, mine, x, y, line(arm))
    layer_ticks(axes, table[x])


def by_layer(table: "pd.DataFrame", y: str, arms: Sequence[str], width: float) -> "tuple[Figure, list[Axes]]":
    """A line an arm over the layers, a panel a depth. `table`: arm, depth, seed, layer and `y`."""
    depths = sorted(table["depth"].unique())
    figure, axes = panels(len(depths), width, columns=2, sharex=False)
    for panel, depth in zip(axes, depths, strict=True):
        panel.set_title(f"depth {depth}")
        lines(panel, table[table["depth"] == depth], "layer", y, arms)
    return figure, axes


def layer_ticks(axes: "Axes", values: "pd.Series") -> None:
    """At most about six whole numbers, from the first layer to the last."""
    first, last = int(values.min()), int(values.max())
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, last) if (last - first) / step <= 6)
    axes.set_xticks(sorted({first, *(v for v in range(first + 1, last + 1) if v % every == 0)}))


def trace(axes: "Axes", table: "pd.DataFrame", x: str, y: str, style: dict[str, Any]) -> None:
    """One seaborn line with its band."""
    import seaborn

    from bnstudy.report.figures.summary import interval, median

    edge = style["color"] if "markerfacecolor" in style else "none"
    seaborn.lineplot(
        data=table, x=x, y=y, estimator=median, errorbar=lambda values: interval(values), ax=axes, legend=False,
        err_kws={"alpha": 0.18, "linewidth": 0}, **{**style, "markeredgecolor": edge},
    )  # fmt: skip
    axes.set(xlabel="", ylabel="")
