"""Figures of whose mean and spread a batch norm uses when it is tested: stored ones, or those of a test batch."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from bnstudy.report.figures.axes import Style, draw, entry, label, legend, line, panels, percent_y, trace
from bnstudy.report.figures.coloured_images import FURTHER
from bnstudy.report.figures.panels_of_dots import dots
from bnstudy.report.figures.panels_of_severities import OF_BATCH, TESTED, in_modes, mode_style, of_mode, over_severities
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.shifts import tested_depth
from bnstudy.report.figures.style import DASHES
from bnstudy.report.figures.summary import known, medians, told
from bnstudy.report.results import Results

CONTROL = {**OF_BATCH, ("bn", "whole"): "batch norm, all images at hand"}
CONTROLS = {"label": "one class more frequent", "spurious_colour": "colour that told the class"}
SIZES = ["batch1", "batch2", "batch4", "batch8", "batch32", "batch128", "whole"]
KINDS = {("clean", 0): "clean images", ("contrast", 3): "contrast, severity 3"}


def on_clean(results: Results) -> Picture:
    """Return the figure of accuracy on clean test images by depth, with stored and with the batch's statistics."""
    table = in_modes(results.at("shift", family="clean", arm=["none", "bn"]), TESTED)
    draw = partial(accuracy_by_depth, table)
    subject = "Accuracy on clean test images, by depth and by whose statistics are used"
    how = "The clean test set, so any gap between the modes of one network is a matter of the statistics alone."
    return Picture(results, "statistics-on-clean", draw, table, subject, how, "Q2f", ["none", "bn"], needs=["bn"])


def accuracy_by_depth(table: pd.DataFrame, width: float) -> Figure:
    """Draw accuracy by depth, one line per arm and kind of statistics."""
    depths = sorted(table["depth"].unique())
    figure, [(panel, table)] = panels({"": table}, width)
    table = table.assign(place=table["depth"].map(depths.index).astype(float))
    shown = []
    for index, (mode, text) in enumerate(TESTED.items()):
        if len(rows := of_mode(table, mode)):
            style: Style = {**mode_style(*mode), "markeredgewidth": 1.0}
            draw(panel, medians(rows, "accuracy", ["place"]), "place", style, 0.08 * (index - 1.5))
            shown.append(entry(text, style))
    panel.set_xticks(range(len(depths)), [str(d) for d in depths])
    label(figure, "depth, in layers (right = deeper)", "accuracy, %\n(up = better)")
    legend(figure, [], shown)
    return figure


def control_rows(results: Results) -> pd.DataFrame:
    """Return the tests in which classes shift, or colours no longer tell the class."""
    inputs = ["standardized", "spurious_colour"]
    return results.at("shift", inputs=inputs, arm=["none", "bn"], depth=tested_depth(results))


def control(results: Results) -> Picture:
    """Return the figure of what the statistics of a test batch cannot do."""
    table = control_rows(results)
    table = in_modes(table[table["family"].isin(list(CONTROLS))], CONTROL)
    tables = {text: rows for family, text in CONTROLS.items() if len(rows := table[table["family"] == family])}
    draw = partial(over_severities, tables, "accuracy", CONTROL, FURTHER, height=1.9, columns=2)
    subject = "Shifts of the classes, and colours that no longer tell the class"
    how = (
        "Classes: the share of one class in the test set goes from that in training to all of it, each class in its turn; with stored statistics an answer does not depend on the other images. "
        "Colour: 90% of the training images wear their class's hue, at severity 5 no more than by chance."
    )
    numbers = told(table[table["severity"] == table["severity"].max()], "accuracy", ["family", "statistics"])
    return Picture(results, "control", draw, table, subject, how, arms=["none", "bn"], needs=["bn"], told=numbers)


def swapped_hues(results: Results) -> Numbers:
    """Return the accuracy where every test image wears another class's hue."""
    how = "The networks of the panel on colour above, which saw nine of ten images in their own class's hue. Median over seeds with 95% order-statistic interval, pointwise."
    title, head = "Accuracy in percent where every test image wears the hue of another class", ["networks", "accuracy"]
    return Numbers(title, head, swapped(control_rows(results)), how)


def swapped(table: pd.DataFrame) -> list[list[str]]:
    """Return rows (arm and kind of statistics, median and interval over seeds) of the images in swapped hues."""
    hues = table[table["family"] == "spurious_colour_swapped"]
    groups = {text: of_mode(hues, mode)["accuracy"] for mode, text in CONTROL.items()}
    return [[text, known(values)] for text, values in groups.items() if len(values)]


def batch_sizes(results: Results) -> Picture:
    """Return the figure of batch norm's accuracy against the size of the test batch."""
    statistics = [*SIZES, "running"]
    table = results.at("shift", arm="bn", family=["clean", "contrast"], severity=[0, 3], statistics=statistics)
    draw = partial(accuracy_by_size, table)
    subject = "Batch norm on the statistics of test batches, by their size"
    how = "In a batch of one image every normalized value is 0, so all images get the same answer, that of the biases: most frameworks refuse such a batch. At the right: the same networks with their stored statistics."
    numbers = told(table, "accuracy", ["family", "statistics"])
    return Picture(results, "test-batches", draw, table, subject, how, arms=["bn"], told=numbers)


def accuracy_by_size(table: pd.DataFrame, width: float) -> Figure:
    """Draw accuracy by size of the test batch, one panel per kind of images, one line per depth; the last mark is that of
    the same networks with their stored statistics."""
    depths = sorted(table["depth"].unique())
    styles: list[Style] = [{**line("bn"), "linestyle": DASHES[i % len(DASHES)]} for i in range(len(depths))]
    table = table.assign(place=table["statistics"].map({size: i for i, size in enumerate(SIZES)}))
    tables = {
        text: table[(table["family"] == family) & (table["severity"] == severity)]
        for (family, severity), text in KINDS.items()
    }
    figure, filled = panels(tables, width, columns=2)
    for panel, rows in filled:
        for depth, style in zip(depths, styles, strict=True):
            networks = rows[rows["depth"] == depth]
            small: Style = {**style, "markersize": 3.5}
            sized, stored = networks[networks["place"].notna()], of_mode(networks, ("bn", "running"))["accuracy"]
            if len(sized):
                trace(panel, sized, "place", "accuracy", small)
            if len(stored):
                alone: Style = {**small, "linestyle": "none"}
                panel.plot(len(SIZES), stored.median(), **alone)
        percent_y(panel)
        names = [size.removeprefix("batch").replace("whole", "all") for size in SIZES]
        panel.set_xticks(range(len(SIZES) + 1), [*names, "stored"])
    label(figure, "images in a test batch (right = more)", "accuracy, %\n(up = better)")
    legend(figure, [], [entry(f"batch norm, depth {d}", style) for d, style in zip(depths, styles, strict=True)])
    return figure


def modes(results: Results) -> Picture:
    """Return the figure of what stored statistics cost on clean images, by depth."""
    table = modes_apart(results.at("shift", family="clean", arm="bn"))
    labels, at = ("depth, in layers (right = deeper)", "own minus stored\n(up = stored worse)"), (0.0, "no difference")
    draw = partial(dots, {"": table}, "depth", "gap", ["bn"], labels, log=False, at=at)
    subject = (
        "Accuracy on clean images with a test batch's own mean and spread, minus that with stored averages, by depth"
    )
    how = "Test batches of 128 shuffled images. Small dots are seeds."
    return Picture(results, "modes", draw, table, subject, how, claim="U1", arms=["bn"], kind="Dot plot")


def modes_apart(table: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy with a test batch's own statistics minus that with the stored ones, in points: arm, depth, seed, gap."""
    keys = ["arm", "depth", "seed"]
    own, stored = (table[table["statistics"] == s][[*keys, "accuracy"]] for s in ("batch128", "running"))
    both = own.merge(stored, on=keys, suffixes=("_own", "_stored"))
    return both.assign(gap=both["accuracy_own"] - both["accuracy_stored"])
