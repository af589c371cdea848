"""Figures of the lecture's picture taken literally: trained on dark images, tested on coloured ones."""

from functools import partial
from itertools import product

import pandas as pd

from bnstudy.report.figures.panels_of_severities import STORED, in_modes, over_severities
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.sample_images import GROUNDS, by_hue, colours
from bnstudy.report.figures.style import arm_name
from bnstudy.report.figures.summary import known
from bnstudy.report.results import Results

MODES = {
    **STORED,
    ("bn", "hue32"): "batch norm, 32 images of one hue",
    ("bn", "mixed32"): "batch norm, 32 images of mixed hues",
}
PANELS = {**GROUNDS, "lecture_white_twin": "white, without colour", "lecture_gray_twin": "mid-gray, without colour"}
FURTHER = ("severity (right = further from training)", "accuracy, %\n(up = better)")


def lecture_rows(results: Results) -> pd.DataFrame:
    """Return the tests of networks trained on dark images, at the least depth that has them."""
    table = results.at("shift", inputs=list(GROUNDS), arm=["none", "bn"])
    return table[table["depth"] == table["depth"].min()]


def samples(results: Results) -> Picture:
    """Return the picture of one test image of the lecture split, without data where the study has no tests on it."""
    tests = lecture_rows(results)
    draw = partial(by_hue, results.samples)
    subject = "One test image of the lecture split"
    how = "Training images have dark ink of any tint, each channel between 0 and 0.25. Tests go from dark gray (severity 0) to a pure hue (5). Every test image is tested in every hue, so a hue says nothing about the class."
    return Picture(results, "lecture-samples", draw, colours() if len(tests) else tests, subject, how)


def lecture(results: Results) -> Picture:
    """Return the figure of accuracy against severity, one panel per ground, with and without colour."""
    whole = lecture_rows(results)
    table = in_modes(whole[whole["family"].isin(list(PANELS))], MODES)
    inputs, depths = [f"{ground}_ceiling" for ground in GROUNDS], list(whole["depth"].unique())
    best = ceilings(results.at("shift", inputs=inputs, depth=depths))
    tables = {text: rows for family, text in PANELS.items() if len(rows := table[table["family"] == family])}
    above = {PANELS[family]: rows for family, rows in best.groupby("family")}
    bar = "The bar at severity 5 is a network without normalization that was trained on these very colours: what can be read there at all. Where it is below 80%, no verdict is given."
    draw = partial(over_severities, tables, "accuracy", MODES, FURTHER, height=1.9, columns=2, ceilings=above)
    subject = "Trained on dark images, tested on coloured ones"
    how = (
        "Accuracy, averaged over the six hues. Below: the same images without colour, each pixel the mean of its channels; what is lost there is lost to contrast, the rest to colour. "
        + (bar if len(best) else "")
    )
    return Picture(results, "lecture", draw, table, subject, how, claim="Q2e", arms=["none", "bn"], needs=["bn"])


def ceilings(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks trained on the colours of severity 5, tested on these colours."""
    rows = table[table["inputs"].astype(str).str.endswith("_ceiling") & (table["severity"] == 5)]
    return rows[rows["arm"].eq("none") & rows["inputs"].eq(rows["family"].astype(str) + "_ceiling")]


def first_layer(results: Results) -> Numbers:
    """Return how much of the first layer looks at colour."""
    how = (
        "Percent of the squared weights of layer 1 that lie in differences between the three channels of a pixel; 67 where the three are independent. What a colour adds to the same image without colour reaches the network through "
        "these weights alone. Median over seeds with 95% order-statistic interval, pointwise."
    )
    table = results.at("colour", inputs=list(GROUNDS), arm=["none", "bn"], gain=...)
    head = ["networks", "at the start", "at the end", "what training changed"]
    return Numbers("How much of the first layer looks at colour", head, colour_share(table), how)


def colour_share(table: pd.DataFrame) -> list[list[str]]:
    """Return rows of three shares in percent of layer 1's weights that look at colour: the network, then the share at the
    start, at the end, and of what training changed, each as median and interval over seeds."""
    rows = []
    for inputs, arm, gain in product(GROUNDS, ("none", "bn"), sorted(table["gain"].unique())):
        networks = table[(table["inputs"] == inputs) & (table["arm"] == arm) & (table["gain"] == gain)]
        networks = networks[networks["depth"] == networks["depth"].min()]
        if networks.empty:
            continue
        end = networks[networks["checkpoint"] == "final"]
        start = networks.loc[networks["checkpoint"] == "init", "colour_share"]
        shares = [known(100 * share) for share in (start, end["colour_share"], end["change_share"])]
        rows.append([f"{GROUNDS[inputs]}, {arm_name(arm)}, first weights × {gain:g}", *shares])
    return rows
