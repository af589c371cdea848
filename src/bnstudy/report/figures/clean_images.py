"""Figures of how well networks do on clean test images: loss at equal training loss, accuracy with stored statistics."""

from functools import partial

from bnstudy.report.figures.panels_of_dots import dots
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.summary import told
from bnstudy.report.results import Results

AVERAGES = {"reestimated": "measured again", "running": "stored averages"}
"""Whose averages a network uses, in words."""


def loss_at_level(results: Results) -> Picture:
    """Return the figure of clean test loss where the training loss is the same, by network."""
    arms, shallow = ["none", "bn"], results.depth("shallow")
    table = results.at("levels", checkpoint=results.main, arm=arms, batch=...)
    own = table["batch"] == results.base["batch"]
    table = table[own | (table["depth"] == shallow) & table["batch"].isin([16, 256])]
    depth, batch = (table["depth"].astype(str) + "\nlayers", "batch\n" + table["batch"].astype(str))
    table = table.assign(network=depth.where(own[table.index], batch), sensitivity=~own[table.index])
    table = table.sort_values(["sensitivity", "depth", "batch"], kind="stable").drop(columns="sensitivity")
    labels = ("", "test loss, in nats\n(down = better)")
    shown = {title: table[table["statistics"] == name] for name, title in AVERAGES.items()}
    draw = partial(dots, shown, "network", "nll", results.arms(table, *arms), labels)
    subject = f"Loss on clean test images where the training loss is {results.target:g}"
    how = (
        f"By depth; and for depth {shallow} by images a training batch. The claim is about averages measured again on "
        "training images; beside them the stored ones, which lag behind early in training. Small dots are seeds."
    )
    return Picture(results, "levels", draw, table, subject, how, claim="U4", arms=arms, kind="Dot plot")


def before_or_after(results: Results) -> Picture:
    """Return the figure of accuracy with batch norm before or after the ReLU."""
    arms = ["none", "bn", "bn_post"]
    table = results.at("shift", family="clean", statistics="running", arm=arms)
    trained = results.at("convergence", target=results.target, arm="bn_post")
    table = table[table["depth"].isin(trained["depth"])]
    labels = ("depth, in layers (right = deeper)", "accuracy, %\n(up = better)")
    draw = partial(dots, {"": table}, "depth", "accuracy", results.arms(table, *arms), labels, log=False)
    subject = "Accuracy on clean images with batch norm before or after the ReLU"
    how = "With stored statistics. Small dots are seeds."
    needs, said = ["bn", "bn_post"], told(table, "accuracy", ["depth"])
    return Picture(results, "post-accuracy", draw, table, subject, how, None, arms, needs, kind="Dot plot", told=said)
