"""Figures of how a layer's values are distributed: their mean and spread, their variance over depth, their shape."""

from functools import partial

from bnstudy.report.figures.axes import by_depth
from bnstudy.report.figures.panels_of_layers import over_layers
from bnstudy.report.figures.picture import Picture
from bnstudy.report.results import Results


def input_offset(results: Results) -> Picture:
    """Return the figure of how far each layer's input is from mean 0 and variance 1."""
    arms = ["none", "bn", "bn_frozen", "once"]
    table = results.shown_depths(results.at("moments", checkpoint=results.main, site="next", arm=arms), "arm", 2)
    y, at = "distance from (0, 1), in sd\n(up = farther)", (0.25, "a quarter of an sd")
    draw = partial(over_layers, by_depth(table), "offset", results.arms(table, *arms), y, at=at, least=0.2)
    subject = "How far each layer's input is from mean 0 and variance 1"
    how = f"At training loss {results.target:g}. The normalization stands before γ, β and the ReLU; the next layer receives what comes out behind them. What a ReLU puts out is never negative: this is arithmetic, no evidence."
    return Picture(results, "input-offset", draw, table, subject, how, claim="Q1g", arms=arms, needs=["bn"])


def variance(results: Results) -> Picture:
    """Return the figure of the variance of each layer's sums, one panel per initial gain."""
    arms = ["none", "bn"]
    table = results.at("moments", checkpoint="step100", site="linear", gain=..., arm=arms)
    table = results.shown_depths(table, "gain", 1)
    gains = {f"initial gain {gain:g}": rows for gain, rows in table.groupby("gain", sort=True)}
    y = "variance over images\n(up = grows)"
    draw = partial(over_layers, gains, "variance", results.arms(table, *arms), y, columns=3, sharex=True)
    subject = f"Variance of each layer's sums by layer at step 100, by the initial scale of the weights, depth {table['depth'].max()}"
    how = "On a fixed batch of training images. A straight line that rises or falls would be growth by the same factor at every layer."
    return Picture(results, "variance", draw, table, subject, how, claim="Q4d", arms=arms, needs=["none"])


def kurtosis(results: Results) -> Picture:
    """Return the figure of the excess kurtosis of each layer's sums."""
    arms = ["none", "bn"]
    table = results.shown_depths(results.at("moments", checkpoint=results.main, site="linear", arm=arms), "arm", 2)
    table = table[table["layer"] >= 2]
    y, at = "excess kurtosis\n(0 = a bell)", (0, "a bell")
    draw = partial(over_layers, by_depth(table), "excess_kurtosis", results.arms(table, *arms), y, at=at, log=False)
    subject = "How bell-shaped each layer's sums are"
    how = f"Mean over units at training loss {results.target:g}, from layer 2 on: layer 1 sums pixels."
    return Picture(results, "kurtosis", draw, table, subject, how, claim="U6", arms=arms, needs=["none", "bn"])
