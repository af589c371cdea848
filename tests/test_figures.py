"""Figures: told apart by everyone, legible at both widths, themeable, and honest about what is missing."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

from bnstudy.report.figures import (
    cards,
    coloured_images,
    gradients,
    mini,
    movement,
    remembering,
    shifts,
    speed,
    surface,
    training_curves,
    whose_statistics,
)  # fmt: skip
from bnstudy.report.figures.axes import folded
from bnstudy.report.figures.style import WIDE
from bnstudy.report.figures.summary import interval, median, time_summary
from bnstudy.report.results import CheckRow

pytestmark = pytest.mark.usefixtures("drawn")


def test_interval_and_median_take_infinity() -> None:
    values = np.array([*range(1, 15), np.inf, np.inf])
    assert interval(values) == (4.0, 13.0)  # ranks 4 and 13 of 16: 2 BinomCDF(3; 16, 1/2) = .021
    assert median(values) == 8.5
    assert median([1, np.inf]) == np.inf and median([np.inf] * 3) == np.inf and median([1, 2, np.inf]) == 2
    assert all(np.isnan(interval([1.0, 2, 3, 4, 5])))


def test_time_summary_counts_what_failed() -> None:
    rows = [(10, True, None), (None, False, 7), (30, True, None), (None, False, None)]
    table = pd.DataFrame(rows, columns=["steps", "reached", "diverged_at"]).assign(arm="bn")
    one = time_summary(table, ["arm"]).iloc[0]
    assert (one["failed"], one["diverged"], one["n"], one["median"]) == (2, 1, 4, np.inf)


def test_a_network_that_never_arrives_has_no_drift_and_is_counted() -> None:
    keys = {"net": "mlp", "depth": 5, "gain": 0.41, "layer": 2}
    drift = pd.DataFrame([{"arm": "bn", "seed": s, "moments": 0.2, **keys} for s in (0, 1)])
    steps = [("bn", 0, 10, True), ("bn", 1, 12, True), ("none", 0, None, False), ("none", 1, 30, True)]
    steps += [("once", 0, 20, True), ("once", 1, 20, True)]  # arrived, and their drift was not measured
    steps = pd.DataFrame(steps, columns=["arm", "seed", "steps", "reached"]).assign(net="mlp", depth=5, gain=0.41)
    found = movement.drift_and_steps(drift, steps)
    assert found[["arm", "seed"]].to_numpy().tolist() == [["bn", 0], ["bn", 1], ["none", 0], ["none", 1]]
    figure = movement.drift_against_steps(found, ["none", "bn"], WIDE, halfway=True)
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert texts == ["never:", "1"]
    assert movement.drift_against_steps(found[:2], ["bn"], WIDE).axes[0].texts[0].get_text() == "all arrived"


def test_half_of_the_gain_is_the_geometric_mean() -> None:
    rows = [("none", 400.0), ("bn", 100.0)]
    table = pd.DataFrame(rows, columns=["arm", "time"]).assign(net="mlp", depth=5, gain=0.41, seed=0, drift=0.2)
    panel = movement.drift_against_steps(table, ["none", "bn"], WIDE, halfway=True).axes[0]
    assert any(np.allclose(line.get_ydata(), 200) for line in panel.lines)


def test_growth_is_told_against_the_first_layer() -> None:
    rows = [(0, 3, 6.0), (0, 2, 2.0), (1, 2, 4.0), (1, 3, 4.0)]
    table = pd.DataFrame(rows, columns=["seed", "layer", "value"]).assign(arm="bn", depth=20)
    found = movement.relative_to_first(table, "value").set_index(["seed", "layer"])["growth"]
    assert found.to_dict() == {(0, 3): 3.0, (0, 2): 1.0, (1, 2): 1.0, (1, 3): 1.0}


def test_theory_comes_from_the_checks() -> None:
    checks = [
        CheckRow(id=id, key=f"batch_{b}", name="", expected=b / 40, measured=0.0, tolerance=0.1, passed=True)
        for id, b in (("E5", 32), ("E5", 64), ("E6", 128))
    ]
    assert gradients.theory(checks, 64) == {"none": 1.0, "bn": 1.6}
    assert gradients.theory(checks, 128) == {"none": 1.0}
    table = pd.DataFrame(
        {"depth": 3, "checkpoint": "init", "gain": 1.0, "arm": "bn", "seed": 0, "layer": [1, 2, 3], "norm": [3.0, 2, 1]}
    )
    panel = gradients.norm_by_layer(table, ["bn"], WIDE, {"bn": 4.0}).axes[0]
    assert any(np.allclose(line.get_ydata(), [4, 2, 1]) for line in panel.lines)  # the norm grows by sqrt(4) a layer


def test_modes_are_compared_network_by_network() -> None:
    rows = [("running", 0, 90.0), ("batch128", 0, 91.0), ("running", 1, 80.0), ("batch128", 1, 79.5), ("whole", 1, 1.0)]
    table = pd.DataFrame(rows, columns=["statistics", "seed", "accuracy"]).assign(arm="bn", depth=5)
    assert whose_statistics.modes_apart(table).set_index("seed")["gap"].to_dict() == {0: 1.0, 1: -0.5}


def test_inputs_of_a_seed_count_once() -> None:
    table = pd.DataFrame({"inputs": "raw", "seed": [0, 0, 1], "depth": [2, 5, 5], "input_share": [0.1, 0.1, 0.3]})
    assert surface.shares(table) == [["raw pixels", "0.2", "–"]]


def test_labels_stay_clear_of_the_legend() -> None:
    assert folded("short\n(up = more)", 2.6) == "short\n(up = more)"
    assert max(map(len, folded("a very long label that goes on and on\n(up = more)", 2.6).split("\n"))) <= 22


def test_loss_curves_of_all_arms_end_together() -> None:
    """Batch norm's run ended at step 40, without it at 80; a diverged seed ends nobody's curve."""
    rows = [("bn", 0, 20, 1.0), ("bn", 0, 40, 0.2), ("bn", 1, 20, np.inf)]
    rows += [("none", 0, step, 1.0) for step in (20, 40, 60, 80)]
    table = pd.DataFrame(rows, columns=["arm", "seed", "step", "loss"]).assign(depth=5)
    kept = training_curves.while_all_train(table)
    assert kept.groupby("arm")["step"].max().to_dict() == {"bn": 40, "none": 40}


def test_one_layer_alone_is_told_beside_none_and_every_layer() -> None:
    steps = {("none", 1): 200, ("none", 2): 200, ("bn", 1): 100, ("bn", 2): 100, ("alone", 1): 180, ("alone", 2): 110}
    rows = [(arm, layer, 5, time, True) for (arm, layer), time in steps.items()]
    table = pd.DataFrame(rows, columns=["arm", "layer", "depth", "steps", "reached"])
    told = "In one layer alone batch norm takes 110 steps (layer 2) to 180 (layer 1); in every layer 100, in none 200"
    assert speed.of_one_layer(table, ["none", "bn", "alone"]) == told
    table.loc[table["arm"] == "none", "reached"] = False
    assert speed.of_one_layer(table, ["none", "bn", "alone"]) == ""


def test_small_pictures_place_what_never_came_and_keep_labels_apart() -> None:
    scale = mini.Scale([10.0, 100.0, math.inf], log=True)
    assert scale(10.0) < scale(100.0) < scale(math.inf) <= mini.WIDTH
    assert "never" in mini.strips("s", [mini.Row("a", [mini.Mark("bn", math.inf)])], "", "alt", log=True)
    assert mini.apart([50.0, 52.0, 90.0], 15.0, 0.0, 95.0) == [50.0, 65.0, 90.0]
    assert mini.apart([90.0, 92.0], 15.0, 0.0, 95.0) == [80.0, 95.0]
    assert cards.mini(None, "q9") == ""  # type: ignore[arg-type]


def test_saved_pairs() -> None:
    rows = [("none", 1, 20, True), ("bn", 1, 10, True), ("none", 2, None, False), ("bn", 2, 10, True)]
    rows += [("none", 3, 9, True), ("bn", 3, None, False), ("none", 4, None, False), ("bn", 4, None, False)]
    table = pd.DataFrame(rows, columns=["arm", "seed", "steps", "reached"])
    table = table.assign(depth=5, target=0.5, diverged_at=None)
    found = training_curves.ratios(table).set_index("seed")
    assert found["ratio"].to_dict() == {1: 2.0, 2: np.inf, 3: 0.0} and (found["both"] == 1).all()


def test_the_relative_drop_is_taken_of_each_networks_own_clean_accuracy() -> None:
    rows = [
        ("bn", "running", seed, family, severity, accuracy)
        for seed, own in enumerate((80.0, 100.0, 90.0))
        for family, severity, accuracy in [("clean", 0, own), ("noise", 1, own / 2), ("noise", 5, own / 4), ("blur", 2, own)]
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["arm", "statistics", "seed", "family", "severity", "accuracy"])
    found = shifts.relative_drop(table, ["noise", "blur"])
    assert found == [["noise", "–", "62", "–", "–"], ["blur", "–", "0", "–", "–"]]


def test_a_mark_stands_where_its_network_lost_so_much_in_the_order_of_the_legend() -> None:
    """Each seed's loss is from its own clean images with the same statistics; infinitely many shifts would stand apart."""
    stored, again = "running", "reestimated"
    lost = {("none", stored): 5.0, ("bn", stored): 30.0, ("bn", again): 8.0, ("layernorm", stored): 4.0}
    rows = [
        (*mode, seed, family, severity, 90 + 10 * seed - points * (severity > 0) * (1 + (family == "blur")))
        for (mode, points), seed in product(lost.items(), range(8))
        for family, severity in [("clean", 0), ("noise", 1), ("noise", 2), ("blur", 1), ("another source", 1)]
    ]
    table = pd.DataFrame(rows, columns=["arm", "statistics", "seed", "family", "severity", "accuracy"])
    (panel,) = remembering.by_shift(shifts.points_lost(table), WIDE).axes
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["noise", "blur", "another source"]
    marks = [line for line in panel.lines if line.get_marker() not in ("", "None", None)]
    places, values = ([np.asarray(get(line)) for line in marks] for get in (Line2D.get_ydata, Line2D.get_xdata))
    found = [dict(zip(y.round().astype(int), x, strict=True)) for y, x in zip(places, values, strict=True)]
    assert found == [{0: points, 1: 2 * points, 2: points} for points in lost.values()]
    stand = np.sort(places)
    assert (np.diff(stand, axis=0) > 0).all() and np.allclose(np.diff(stand, axis=1), 1)
    assert [mark.get_fillstyle() for mark in marks] == ["full", "full", "left", "full"]


def test_the_colour_share_stands_by_ground_arm_and_gain() -> None:
    rows = [
        (inputs, arm, 1.0, 5, checkpoint, (2 / 3 if checkpoint == "init" else 0.5) + i / 100, i / 100)
        for inputs in ("lecture_white", "lecture_gray")
        for arm in ("none", "bn")
        for checkpoint in ("init", "final")
        for i in range(8)
    ]
    head = ["inputs", "arm", "gain", "depth", "checkpoint", "colour_share", "change_share"]
    table = pd.DataFrame(rows, columns=head)
    deeper = table.assign(depth=20, colour_share=0.0)
    found = coloured_images.colour_share(pd.concat([table, deeper]))
    lines = product(("white", "mid-gray"), ("no normalization", "batch norm"))
    assert [row[0] for row in found] == [f"{ground} ground, {arm}, first weights × 1" for ground, arm in lines]
    assert {tuple(row[1:]) for row in found} == {("70 (67 to 74)", "54 (50 to 57)", "4 (0 to 7)")}
    assert coloured_images.colour_share(table[:0]) == []


def test_swapped_hues_stand_by_arm_and_statistics() -> None:
    rows = [("none", "running", 40 + i) for i in range(8)] + [("bn", "whole", 10.0)]
    table = pd.DataFrame(rows, columns=["arm", "statistics", "accuracy"]).assign(family="spurious_colour_swapped")
    other = table.assign(family="spurious_colour", accuracy=99.0)
    assert whose_statistics.swapped(pd.concat([table, other])) == [
        ["no normalization", "44 (40 to 47)"],
        ["batch norm, all images at hand", "10"],
    ]
    assert whose_statistics.swapped(other) == []
