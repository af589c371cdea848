"""The map: from which first weights networks of each depth train, and in how many steps."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.claims.endpoints.steps import FEWEST_GAINS, decades
from bnstudy.core.setting import FACTORS
from bnstudy.report.figures.axes import Style, crossed_panels, entry, label, legend, log_ticks
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.starts import KINDS
from bnstudy.report.figures.style import INK, MUTED, NARROW, arm_name, look
from bnstudy.report.figures.summary import known, median, times
from bnstudy.report.results import Results

ARMS = ["none", "bn"]
AREA = 70.0
"""Area of the dot of the fastest network, in square points; half as fast has half of it."""
TENFOLD, STEEP, DECIDES = "variance × or ÷ 10, by theory", "gradient × 10, by theory", "forecast: no saving between"
LINES: dict[str, Style] = {
    TENFOLD: {"color": INK, "linewidth": 0.8, "linestyle": (0, (1, 1.5))},
    STEEP: {"color": INK, "linewidth": 0.8, "linestyle": (0, (5, 1.5, 1, 1.5))},
    DECIDES: {"color": INK, "linewidth": 0.8, "linestyle": "solid"},
}
Curve = tuple[str, str, str, np.ndarray, np.ndarray]
"""The network, the arm and the meaning of a line, its gains and its depths."""


def where(results: Results) -> Picture:
    """Return the map: a dot for each scale of the first weights and depth, a panel for each kind of network and arm."""
    table = over_gains(results)
    subject = f"Steps to training loss {results.target:g} by the scale of the first weights and the depth"
    how = (
        f"Each dot is at the best of {table['rate'].nunique()} learning rates. Scale 1 is that of He et al. Theory, of plain networks: "
        "without batch norm a layer multiplies the variance by its scale squared; with it, the squared gradient by π/(π − 1), "
        "from the last layer to the first."
    )
    curves = [*theory(table), *decides(results, table)]
    draw = partial(dots, fastest(table), curves)
    intervals = "Medians over seeds"
    return Picture(results, "map", draw, table, subject, how, "U8", ARMS, None, intervals, "Dot plot")


def over_gains(results: Results) -> pd.DataFrame:
    """Return the runs over the grid of rates of each depth and kind of network that ran from a range of first weights."""
    nets = [net for net in (str(results.base["net"]), results.skip) if net]
    runs = results.filter(results.table("convergence"), target=results.target, gain=..., net=nets, arm=ARMS)
    rates = results.table("rates").query("role == 'grid'")[[*FACTORS, "rate"]]
    table = runs.merge(rates, on=[*FACTORS, "rate"])
    return table[table.groupby(["net", "arm", "depth"])["gain"].transform("nunique") >= FEWEST_GAINS]


def widths(results: Results) -> Numbers:
    """Return how wide the range of first weights is that each network of the map trains from, with its interval."""
    table = over_gains(results)
    arms, at = results.arms(table, *ARMS), results.lookup(["rates", "convergence"])
    ran = {(row["net"], row["depth"], row["arm"]): row for row in table[[*FACTORS]].to_dict("records")}
    places = sorted({place[:2] for place in ran})
    told = {place: known(decades(at, setting, results.target), ".2f") for place, setting in ran.items()}
    rows = [[KINDS[net], str(depth), *(told.get((net, depth, arm), "–") for arm in arms)] for net, depth in places]
    how = (
        "Counted as claim U8 counts them: a network trains from a scale where it gets to the target at any of the middle three rates. "
        "One that trains from all that were tried may train from more. Medians over seeds with 95% order-statistic intervals, "
        "pointwise; the claim judges the shallow and the deep network alone."
    )
    head = ["network", "hidden layers", *map(arm_name, arms)]
    return Numbers("Range of first weights that a network trains from, in decades (factors of ten)", head, rows, how)


def fastest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the least median steps over the rates, inf where most seeds never arrive: {net, arm, depth, gain, steps}."""
    place = ["net", "arm", "depth", "gain"]
    medians = table.assign(steps=times(table)).groupby([*place, "rate"])["steps"].agg(median)
    return medians.groupby(place).min().reset_index()


def theory(table: pd.DataFrame) -> Iterator[Curve]:
    """Yield what theory says of plain networks of the depths of a table, on their way from one depth to the next."""
    if len(plain := table[table["net"] == "mlp"]):
        depths = np.geomspace(plain["depth"].min(), plain["depth"].max())
        for sign in (-1, 1):
            yield "mlp", "none", TENFOLD, 10 ** (sign / (2 * depths)), depths
        steep = 1 + 2 * math.log(10) / math.log(math.pi / (math.pi - 1))
        gains = np.array([plain["gain"].min(), plain["gain"].max()])
        yield "mlp", "bn", STEEP, gains, np.full(2, steep)


def decides(results: Results, table: pd.DataFrame) -> Iterator[Curve]:
    """Yield the edges of the claims file's rule, where the untrained networks without norm were measured."""
    rule, measured = results.ledger.forecast, results.table("untrained")
    if not rule or rule.quantity not in measured:
        return
    places = table[table["arm"] == "none"][["net", "depth", "gain"]].drop_duplicates()
    values = results.filter(measured, arm="none", net=..., gain=...).merge(places)
    values = values.groupby(["net", "depth", "gain"])[rule.quantity].median().reset_index()
    for net, of_net in values.groupby("net"):
        for edge in (rule.low, rule.high):
            found = []
            for depth, rows in of_net.groupby("depth"):
                rows = rows.sort_values(rule.quantity)
                value = rows[rule.quantity].to_numpy()
                if value[0] <= edge <= value[-1]:
                    found.append((np.exp(np.interp(edge, value, np.log(rows["gain"]))), depth))
            if found:
                gains, depths = np.array(found).T
                yield str(net), "none", DECIDES, gains, depths


def dots(table: pd.DataFrame, curves: list[Curve], width: float) -> Figure:
    """Draw a dot for each network, larger where it took fewer steps, a cross where it never arrived, and the curves."""
    nets = [net for net in KINDS if (table["net"] == net).any()]
    gain, deep = ((float(table[name].min()), float(table[name].max())) for name in ("gain", "depth"))
    least, gap = table["steps"].min(), "\n" if width <= NARROW else " "
    arms = [arm for arm in ARMS if (table["arm"] == arm).any()]
    figure, panels = crossed_panels(nets, arms, width, lambda net, arm: f"{KINDS[net]},{gap}{arm_name(arm)}")
    for panel, (net, arm) in panels:
        rows = table[(table["net"] == net) & (table["arm"] == arm)]
        panel.set(xscale="log", yscale="log", xlim=(gain[0] / 1.2, gain[1] * 1.2), ylim=(deep[0] / 1.2, deep[1] * 1.2))
        log_ticks(panel.xaxis, *gain)
        log_ticks(panel.yaxis, *deep)
        panel.grid(False)
        came, never = rows[np.isfinite(rows["steps"])], rows[~np.isfinite(rows["steps"])]
        size, mark = AREA * least / came["steps"], look(arm)
        panel.scatter(came["gain"], came["depth"], size, color=mark.light, marker=mark.marker, linewidths=0)
        panel.scatter(never["gain"], never["depth"], 9, color=MUTED, marker="x", linewidths=0.8)
        for of_net, of_arm, meaning, *line in curves:
            if (of_net, of_arm) == (net, arm):
                panel.plot(*line, **LINES[meaning])
    label(figure, "scale of the first weights (right = larger)", "hidden layers")
    never_style: Style = {"color": MUTED, "marker": "x", "linestyle": "none", "markersize": 4}
    drawn = dict.fromkeys(meaning for *_, meaning, _, _ in curves)
    legend(figure, [], [entry("never", never_style), *(entry(meaning, LINES[meaning]) for meaning in drawn)])
    return figure
