"""Figures of shifted test images: what a shift costs, how far stored statistics miss, and what no clean accuracy foretells."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from bnstudy.core.shifted import ANOTHER
from bnstudy.report.figures.axes import Style, crossed_panels, entry, label, legend, line, lines, log_scale, reference
from bnstudy.report.figures.panels_of_severities import TESTED, in_modes, over_severities
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.style import DASHES, NARROW
from bnstudy.report.figures.summary import known, told
from bnstudy.report.results import Results

AXES = ("severity of the shift (right = stronger)", "accuracy, %\n(up = better)")
MISSED = ["contrast", "brightness", "noise"]
"""The shifts of which the mismatch of x-hat is drawn."""


def families(results: Results) -> list[str]:
    """Return the kinds of shift that the study has, in the order of its table of their sizes, but inversion last."""
    return sorted(results.table("shift_size")["family"].unique(), key=lambda family: family == "inversion")


def kinds_of_shift(results: Results) -> list[str]:
    """Return the kinds of shift, and last another source's images."""
    return [*families(results), ANOTHER]


def tested_depth(results: Results) -> int:
    """Return the one depth of which figures show every shift; 0 where the study has no shifted images."""
    return min(results.depths(results.at("shift"), "arm", 2), default=0)


def severity(results: Results) -> Picture:
    """Return the figure of accuracy against severity, one panel per kind of shift."""
    depth = tested_depth(results)
    table = in_modes(results.at("shift", depth=depth), TESTED)
    clean = table[table["family"] == "clean"]  # severity 0 of every kind
    present = [family for family in families(results) if family in set(table["family"])]
    tables = {family: pd.concat([clean, table[table["family"] == family]]) for family in present}
    draw = partial(over_severities, tables, "accuracy", TESTED, AXES, height=1.55)
    subject = f"Accuracy on shifted test images, depth {depth}"
    how = (
        "Severity 0 is the clean test set. Batch norm is shown with the statistics stored in training, with those of each batch of 32 test images, "
        "and with statistics estimated anew on unlabelled shifted images."
    )
    return Picture(results, "severity", draw, table, subject, how, claim="Q2a", arms=["none", "bn"], needs=["bn"])


def losses(results: Results) -> Numbers:
    """Return the share of its clean accuracy that a network loses under each kind of shift."""
    depth = tested_depth(results)
    how = "Percent, mean of the severities 1 to 5 (another source has none); median over seeds with 95% order-statistic interval, pointwise. The verdicts are about points of accuracy, not about this share."
    title, head = f"Share of its clean accuracy that a network loses, depth {depth}", ["shift", *TESTED.values()]
    return Numbers(title, head, relative_drop(results.at("shift", depth=depth), kinds_of_shift(results)), how)


def relative_drop(table: pd.DataFrame, kinds: list[str]) -> list[list[str]]:
    """Return rows of the share of each network's own clean accuracy that a shift costs, in percent, mean of its severities:
    the kind of shift, then for each of TESTED median and interval over seeds."""
    points = points_lost(table)
    lost = (100 * points["lost"] / points["clean"]).groupby([points["family"], points["arm"], points["statistics"]])
    shares = {key: group for key, group in lost}
    return [
        [family, *(known(shares.get((family, *mode), pd.Series(dtype=float))) for mode in TESTED)]
        for family in kinds
        if family in set(points["family"])
    ]


def points_lost(table: pd.DataFrame) -> pd.DataFrame:
    """Return the points of accuracy that each network loses under each kind of shift, mean of its severities.

    Args:
        table: Rows of shift.csv of one depth.

    Returns:
        One row per network, kind of statistics and kind of shift: family, arm, statistics, seed, clean accuracy with
        the same statistics in percent, lost in points.
    """
    keys = ["arm", "statistics", "seed"]
    clean = table[table["family"] == "clean"].set_index(keys)["accuracy"].rename("clean")
    shifted = table[table["severity"] > 0].merge(clean.reset_index(), on=keys)
    shifted = shifted.assign(lost=shifted["clean"] - shifted["accuracy"])
    return shifted.groupby(["family", *keys], sort=False)[["clean", "lost"]].mean().reset_index()


def xhat(results: Results) -> Picture:
    """Return the figure of how far stored statistics miss x-hat on shifted images."""
    table = results.shown_depths(results.at("xhat", arm="bn", family=MISSED, severity=[1, 3, 5]), "arm", 2)
    draw = partial(mismatch_by_layer, table)
    subject = "How far stored statistics miss the normalized values of shifted images"
    how = (
        "Shifted minus clean held-out images, both on stored statistics; 0 would be a distribution that stays as it is."
    )
    return Picture(results, "xhat", draw, table, subject, how, claim="Q2b", arms=["bn"])


def mismatch_by_layer(table: pd.DataFrame, width: float) -> Figure:
    """Draw the mismatch by layer, one panel per kind of shift and depth, one line per severity."""
    plain: Style = {**line("bn"), "marker": ""}
    styles: dict[int, Style] = {s: {**plain, "linestyle": dash} for s, dash in zip((1, 3, 5), DASHES[2::-1])}
    present = [family for family in MISSED if family in set(table["family"])]
    gap, depths = "\n" if width <= NARROW else ", ", sorted(table["depth"].unique())
    figure, grid = crossed_panels(present, depths, width, lambda f, d: f"{f}{gap}{d} layers", sharex=False)
    for panel, (family, depth) in grid:
        rows = table[(table["family"] == family) & (table["depth"] == depth)]
        for severity, style in styles.items():
            if len(shifted := rows[rows["severity"] == severity]):
                lines(panel, shifted, "layer", "offset", ["bn"], **style)
    log_scale(figure.axes, [*table["offset"], 0.08])
    label(figure, "layer (right = later)", "mismatch of x-hat, in sd\n(up = worse)")
    kinds = [entry(f"severity {severity}", style) for severity, style in styles.items()]
    legend(figure, [], [*kinds, reference(figure.axes, 0.10, "0.10 sd")])
    return figure


def effective(results: Results) -> Picture:
    """Return the figure of effective robustness against severity; nothing where its line does not hold."""
    table = results.at("effective_robustness", arm="bn", depth=tested_depth(results))
    table = table[table["effective"].notna()]
    tables = {str(family): rows for family, rows in table.groupby("family", sort=True)}
    modes = {mode: text for mode, text in TESTED.items() if mode[0] == "bn"}
    axes = (AXES[0], "effective robustness, points\n(up = better)")
    draw = partial(over_severities, tables, "effective", modes, axes, at=(0.0, "as clean accuracy foretells"))
    subject = "Accuracy of batch norm under shift beyond what its clean accuracy foretells"
    how = (
        "Effective robustness (Taori et al. 2020): points above the line of shifted on clean accuracy, on logit axes, fitted to all networks without normalization on these images. Families and severities whose line explains less "
        "than half of the variance (R squared below 0.5), or rests on fewer than 10 networks, are left out: there clean accuracy foretells nothing."
    )
    numbers = told(table, "effective", ["family", "statistics"])
    return Picture(results, "effective", draw, table, subject, how, arms=["bn"], told=numbers)
