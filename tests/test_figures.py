"""Figures: told apart by everyone, legible at both widths, themeable, and honest about what is missing."""

import json
import math
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from coloraide import Color
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from bnstudy.data import digits
from bnstudy.data.colour import HUES, colour_at
from bnstudy.data.samples import samples
from bnstudy.report.figures import (
    activations,
    cards,
    clean_images,
    coloured_images,
    early_change,
    gradients,
    learning_rates,
    mini,
    movement,
    remembering,
    sample_images,
    shifts,
    skip_connections,
    speed,
    starts,
    surface,
    training_curves,
    whose_statistics,
)  # fmt: skip
from bnstudy.report.figures.axes import folded
from bnstudy.report.figures.panels_of_layers import over_layers
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import GUESTS, LOOKS, NARROW, OTHER, ROLES, WIDE, drawing, look
from bnstudy.report.figures.summary import interval, median, time_summary
from bnstudy.report.figures.svg import themed, to_svg
from bnstudy.report.page.ruler import WIDTH, Example, ruler
from bnstudy.report.results import CheckRow, Results
from helpers import synthetic


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    with drawing():
        yield


SIGHT = ("protan", "deutan", "tritan")


def distance(a: str, b: str) -> float:
    """Return the least CIEDE2000 between two colours over normal sight and three simulated ones (Machado et al. 2009)."""
    pair = (Color(a), Color(b))
    seen = [pair, *([colour.filter(kind, method="machado") for colour in pair] for kind in SIGHT)]
    return min(x.delta_e(y, method="2000") for x, y in seen)


@pytest.mark.parametrize(
    ("theme", "base", "together", "contrast"), [("light", 15.9, 20.4, 3.1), ("dark", 12.6, 15.1, 3.9)]
)
def test_arms_are_told_apart(theme: str, base: float, together: float, contrast: float) -> None:
    colours = {arm: getattr(entry, theme) for arm, entry in LOOKS.items()}
    for arm in colours.keys() - {"none", "bn"}:
        assert min(distance(colours[arm], colours[b]) for b in ("none", "bn")) >= base, arm
    for a, b in GUESTS:
        assert distance(colours[a], colours[b]) >= together, (a, b)
    paper = {role.name: getattr(role, theme) for role in ROLES.values()}["paper"]
    for colour in (*colours.values(), OTHER[theme]):
        assert Color(colour).contrast(paper) >= contrast - 0.1, colour


def test_arms_differ_without_colour() -> None:
    assert len({entry.marker for entry in LOOKS.values()}) == len(LOOKS)
    for pair in GUESTS:
        looks = [LOOKS[a] for a in ("none", "bn", *pair)]
        for a, b in combinations(looks, 2):
            assert a.marker != b.marker and (a.dash != b.dash or a.width != b.width or a.marker != b.marker)
    assert look("a_users_arm").light == OTHER["light"] and look("a_users_arm").marker not in {
        e.marker for e in LOOKS.values()
    }


def test_groups_hold_every_arm_four_a_panel() -> None:
    arms = [*LOOKS, "mine"]
    found = speed.groups(arms)
    assert {a for group in found.values() for a in group} == set(arms)
    assert all(len(group) <= 4 and group[:2] == ["none", "bn"] for group in found.values())
    assert speed.groups([]) == {} and speed.groups(["bn"]) == {"": ["bn"]}


def test_interval_and_median_take_infinity() -> None:
    values = np.array([*range(1, 15), np.inf, np.inf])
    assert interval(values) == (4.0, 13.0)  # ranks 4 and 13 of 16: 2 BinomCDF(3; 16, 1/2) = .021
    assert median(values) == 8.5
    assert median([1, np.inf]) == np.inf and median([np.inf] * 3) == np.inf and median([1, 2, np.inf]) == 2
    assert all(np.isnan(interval([1.0, 2, 3, 4, 5])))


def test_time_summary_counts_what_failed() -> None:
    rows = {
        "arm": "bn",
        "steps": [10, None, 30, None],
        "reached": [True, False, True, False],
        "diverged_at": [None, 7, None, None],
    }
    one = time_summary(pd.DataFrame(rows), ["arm"]).iloc[0]
    assert (one["failed"], one["diverged"], one["n"], one["median"]) == (2, 1, 4, np.inf)


def test_theme_of_a_figure() -> None:
    svg = '<?xml?><svg width="10pt" height="5pt"><g id="a" fill="#010203" stroke="#0b62a8"/><use href="#a"/><path clip-path="url(#a)" fill="#1a1a1a"/></svg>'
    done = themed(svg, "fig")
    assert 'fill="var(--ink,#1a1a1a)"' in done and 'stroke="var(--arm-bn,#0b62a8)"' in done
    assert 'fill="var(--arm-none,#1a1a1a)"' in done and "var(--var" not in done
    assert 'id="fig-a"' in done and 'href="#fig-a"' in done and "url(#fig-a)" in done and "10pt" not in done
    with pytest.raises(ValueError, match="#ff0000"):
        themed(svg.replace("#010203", "#ff0000"), "fig")


def contrast(
    estimate: float | None, low: float | None, high: float | None, sesoi: float = 1.0, region: str = "more"
) -> Example:
    return Example(region=region, sesoi=sesoi, estimate=estimate, ci_low=low, ci_high=high)


def test_ruler_draws_the_rule() -> None:
    def at(value: float) -> float:
        return round((value + 6) / 12 * WIDTH, 1)

    drawn = ruler([contrast(2, 1.5, 3)])
    assert f'<rect x="{at(1)}"' in drawn and f"M{at(1.5)} 8H{at(3)}" in drawn and f'cx="{at(2)}"' in drawn
    assert f'width="{round(at(1) - at(-1), 1)}"' in ruler([contrast(0, -0.5, 0.5, region="within")])
    assert "l-7 -4v8z" in ruler([contrast(2, 1.5, None)]) and "l7 -4v8z" in ruler(
        [contrast(None, None, 3)],
    )
    assert 'stroke-dasharray="4 4"' in ruler([contrast(None, None, None)])
    assert f'<rect x="{at(0)}"' in ruler([contrast(0.2, 0.1, 0.4, sesoi=0.0)])
    assert ruler([contrast(-2, -3, -1.5, region="less")]) == ruler([contrast(2, 1.5, 3)])
    two = ruler([contrast(2, 1, 3), contrast(0.5, 0.4, 0.6, sesoi=0.25)])
    assert two.count("<circle") == 2 and two.count(f'cx="{at(2)}"') == 2  # each in its own smallest effect


def write(folder: Path, tables: synthetic.Tables) -> Results:
    """A study's results as figures read them: its tables, and no claims."""
    synthetic.write(tables, folder / "tables")
    np.savez(folder / "tables" / "samples.npz", **samples(digits.load()))  # type: ignore[arg-type]
    depths = {"shallow": 5, "middle": 10, "deep": 20}
    judged = {"depths": depths, "targets": synthetic.TARGETS, "base": synthetic.BASE, "seeds": 8}
    (folder / "claims.json").write_text("[]")
    (folder / "ledger.json").write_text(json.dumps(judged))
    return Results(folder)


@pytest.fixture(scope="module")
def tables() -> synthetic.Tables:
    return synthetic.tables("support", seeds=8, grids=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, tables: synthetic.Tables) -> Results:
    return write(tmp_path_factory.mktemp("results"), tables)


PICTURES = [
    movement.drift, movement.drift_by_stage, movement.affine, movement.drift_steps, movement.noisy, movement.growth,
    activations.input_offset, activations.variance, activations.kurtosis,
    shifts.severity, shifts.xhat, shifts.effective, remembering.remembering, coloured_images.lecture, coloured_images.samples,
    whose_statistics.on_clean, whose_statistics.control, whose_statistics.batch_sizes, whose_statistics.modes,
    learning_rates.window, learning_rates.window_by_gain, training_curves.survival, training_curves.losses, training_curves.saved, starts.starts,
    speed.detached, speed.post, speed.by_gain, speed.by_inputs, speed.by_batch, speed.halves,
    gradients.ics, gradients.norms, surface.gradient_change, skip_connections.steps, skip_connections.gradients,
    early_change.reach, early_change.share_left, early_change.recovery,
    clean_images.loss_at_level, clean_images.before_or_after,
]  # fmt: skip
"""Every figure but those of steps by depth, of which there is one per group of arms."""


@pytest.mark.parametrize(
    "picture", [*PICTURES, speed.by_depths], ids=lambda f: f"{f.__module__.split('.')[-1]}.{f.__name__}"
)
def test_texts_never_overlap_and_stay_inside(
    results: Results, picture: Callable[[Results], Picture | list[Picture]]
) -> None:
    made = picture(results)
    for one, width in product(made if isinstance(made, list) else [made], (WIDE, NARROW)):
        name, figure = one.id, one.draw(width)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = []
        texts: list[Any] = figure.findobj(
            lambda a: isinstance(a, Text) and a.get_visible() and bool(a.get_text().strip())
        )
        for text in texts:
            box = text.get_window_extent(canvas.get_renderer())
            if box.width > 0:
                boxes.append((text.get_text(), box))
        shown = [(t, b) for t, b in boxes if not _hidden_tick(figure, t, b)]
        for (a, x), (b, y) in combinations(shown, 2):
            cross = min(x.x1, y.x1) - max(x.x0, y.x0), min(x.y1, y.y1) - max(x.y0, y.y0)
            assert min(cross) <= 0.5, f"{name} at {width} in: {a!r} over {b!r}"
        for legend in figure.legends:  # its lines and marks too, and clear of the y label, centred on the figure
            frame = legend.get_window_extent(canvas.get_renderer())
            for text in (figure._supylabel, figure._supxlabel):  # type: ignore[attr-defined]
                box = text.get_window_extent(canvas.get_renderer())
                assert not frame.overlaps(box), f"{name} at {width} in: legend over {text.get_text()!r}"
        for text, box in shown:
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, text


def _hidden_tick(figure: Figure, text: str, box: Bbox) -> bool:
    """Return whether a text is a tick label outside its axis's view: such labels exist as objects but are not drawn."""
    for axes in figure.axes:
        both: tuple[Any, ...] = (axes.xaxis, axes.yaxis)
        for axis in both:
            drawn = {id(t.label1) for t in axis._update_ticks() if t.label1.get_visible()} if axes.axison else set()
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                for label in (tick.label1, tick.label2):
                    if label.get_text() == text and id(label) not in drawn:
                        if np.allclose(label.get_window_extent().extents, box.extents):
                            return True
    return False


@pytest.mark.parametrize("picture", [movement.drift, learning_rates.window])
def test_a_figure_is_themeable_and_repeatable(results: Results, picture: Callable[[Results], Picture]) -> None:
    first, second = (to_svg(picture(results).draw(WIDE), "x") for _ in range(2))
    assert first == second
    assert "var(--arm-bn,#0b62a8)" in first and "<text" in first and "DejaVu" not in first
    ids = re.findall(r'id="([^"]+)"', first)
    assert len(ids) == len(set(ids)) and all(i.startswith("x-") for i in ids)


def test_texts_keep_their_digits_and_places_lose_theirs() -> None:
    figure = Figure(figsize=(2, 2))
    figure.text(0.123456, 0.5, "0.125")
    svg = to_svg(figure, "x")
    assert ">0.125<" in svg and not re.search(r"\d\.\d{3}", svg.replace(">0.125<", ""))


def test_a_sprite_keeps_its_pixels_and_leaves_its_gaps_to_the_page() -> None:
    a, b = np.full((2, 3, 3), 7, np.uint8), np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    made = sample_images.sprite([[a, b], [b, a]])
    assert made.shape == (5, 7, 4) and (made[:2, :3, :3] == a).all() and (made[3:, :3, :3] == b).all()
    assert (made[2, :, 3] == 0).all() and (made[:, 3, 3] == 0).all() and (made[..., 3] == 255).sum() == 4 * 6
    with pytest.raises(ValueError, match="as many images"):
        sample_images.sprite([[a], [a, b]])


def test_images_are_inside_the_svg_at_their_own_size(results: Results) -> None:
    """One pixel a pixel, so a page of 14 x 14 images stays small; the browser enlarges them."""
    svg = to_svg(sample_images.by_hue(results.samples, WIDE), "s")
    pictures = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    assert len(svg) < 60_000
    for picture, ground in zip(pictures, sample_images.GROUNDS, strict=True):
        found = np.asarray(Image.open(BytesIO(b64decode(picture))))
        expected = sample_images.sprite([list(row) for row in samples(digits.load())[ground]])
        assert found.shape == expected.shape
        assert any((way == expected).all() for way in (found, found[::-1]))


def test_the_names_and_colours_of_hues_are_those_of_the_images() -> None:
    table = sample_images.colours()
    for row in table.itertuples():
        hue = HUES[[*sample_images.HUES].index(row.hue)]
        assert [row.red, row.green, row.blue] == pytest.approx(colour_at(row.severity, hue).tolist())
    assert len(table) == 36


@pytest.mark.filterwarnings("error")
def test_a_table_with_whole_gains_alone_still_finds_its_rates(tmp_path: Path, tables: synthetic.Tables) -> None:
    """Written as 1, not 1.0: beside a rates.csv that has a gain of 0.41."""
    plain = tables["shift"][tables["shift"]["gain"] == 1.0]
    few = {"rates": tables["rates"], "convergence": tables["convergence"], "shift": plain}
    assert len(write(tmp_path, few).at("shift")) > 1000


def test_rows_at_a_rate_that_is_not_evaluable_are_left_out(tmp_path: Path, tables: synthetic.Tables) -> None:
    rates = tables["rates"].assign(evaluable=tables["rates"]["arm"] != "bn")
    kept = write(tmp_path, {"rates": rates, "convergence": tables["convergence"]}).at("convergence", target=0.5)
    assert "none" in set(kept["arm"]) and "bn" not in set(kept["arm"])


def test_a_new_shift_has_a_panel_of_its_own(tmp_path: Path, tables: synthetic.Tables) -> None:
    new = {
        name: pd.concat([tables[name], tables[name].query("family == 'noise'").assign(family="fog")])
        for name in ("shift", "shift_size")
    }
    study = write(tmp_path, {**tables, **new})
    titles = [axes.get_title(loc="left") for axes in shifts.severity(study).draw(WIDE).axes]
    assert {"fog", "inversion"} <= set(titles) and "clean" not in titles and "label" not in titles
    assert "fog" in [row[0] for row in shifts.losses(study).rows]


def test_only_a_grounds_own_ceiling_at_severity_5_is_drawn(tables: synthetic.Tables) -> None:
    found = coloured_images.ceilings(tables["shift"])
    assert set(found["family"]) == {"lecture_white", "lecture_gray"} and set(found["severity"]) == {5}
    assert (found["accuracy"] == 95).all() and set(found["arm"]) == {"none"}


def test_nobody_arrives(tmp_path: Path, tables: synthetic.Tables) -> None:
    """Budgets that nobody meets: rails and counts, no crash, no line."""
    study = write(tmp_path, {**tables, "convergence": tables["convergence"].assign(reached=False, steps=np.nan)})
    for make in (learning_rates.window, training_curves.survival, speed.by_gain, speed.by_inputs, movement.drift_steps):
        assert "<svg" in to_svg(make(study).draw(NARROW), "n")
    assert ">8<" in re.sub(r"\s+", "", to_svg(speed.by_depths(study)[0].draw(WIDE), "d"))
    assert training_curves.saved(study).table.empty


def test_a_network_that_never_arrives_has_no_drift_and_is_counted() -> None:
    keys = {"depth": 5, "gain": 0.41, "layer": 2}
    drift = pd.DataFrame([{"arm": "bn", "seed": s, "moments": 0.2, **keys} for s in (0, 1)])
    steps = [("bn", 0, 10, True), ("bn", 1, 12, True), ("none", 0, None, False), ("none", 1, 30, True)]
    steps = pd.DataFrame(steps, columns=["arm", "seed", "steps", "reached"]).assign(depth=5, gain=0.41)
    found = movement.drift_and_steps(drift, steps)
    assert found[["arm", "seed"]].to_numpy().tolist() == [["bn", 0], ["bn", 1], ["none", 0]]
    figure = movement.drift_against_steps(found, ["none", "bn"], WIDE, halfway=True)
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert texts == ["not reached by", "1"]
    assert movement.drift_against_steps(found[:2], ["bn"], WIDE).axes[0].texts[0].get_text() == "reached by all"


def test_half_of_the_gain_is_the_geometric_mean() -> None:
    rows = [("none", 400.0), ("bn", 100.0)]
    table = pd.DataFrame(rows, columns=["arm", "time"]).assign(depth=5, gain=0.41, seed=0, drift=0.2)
    panel = movement.drift_against_steps(table, ["none", "bn"], WIDE, halfway=True).axes[0]
    assert any(np.allclose(line.get_ydata(), 200) for line in panel.lines)


def test_growth_is_told_against_the_first_layer() -> None:
    table = pd.DataFrame(
        {"arm": "bn", "depth": 20, "seed": [0, 0, 1, 1], "layer": [3, 2, 2, 3], "value": [6.0, 2, 4, 4]}
    )
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
    assert all(
        len(line) <= 22 for line in folded("a very long label that goes on and on\n(up = more)", 2.6).split("\n")
    )


def test_loss_curves_of_all_arms_end_together() -> None:
    """Batch norm's run ended at step 40, without it at 80; a diverged seed ends nobody's curve."""
    rows = [("bn", 0, 20, 1.0), ("bn", 0, 40, 0.2), ("bn", 1, 20, np.inf)]
    rows += [("none", 0, step, 1.0) for step in (20, 40, 60, 80)]
    table = pd.DataFrame(rows, columns=["arm", "seed", "step", "loss"]).assign(depth=5)
    kept = training_curves.while_all_train(table)
    assert kept.groupby("arm")["step"].max().to_dict() == {"bn": 40, "none": 40}


def test_starts_cover_every_kind_of_network_and_turn_with_the_arms(tmp_path: Path, tables: synthetic.Tables) -> None:
    one = starts.starts(write(tmp_path / "a", tables))
    other = starts.starts(write(tmp_path / "b", synthetic.swap(tables)))
    assert set(one.table["net"]) == {"mlp", "resmlp"} and one.table["start"].nunique() > 5
    assert one.how != other.how and "lower in 0 of" in one.how + other.how


@pytest.mark.parametrize("name", list(cards.MINI))
def test_small_pictures_turn_with_the_arms_and_need_their_runs(
    name: str, results: Results, tables: synthetic.Tables, tmp_path: Path
) -> None:
    one, other = cards.mini(results, name), cards.mini(write(tmp_path / "swap", synthetic.swap(tables)), name)
    assert one.startswith("<svg") and one != other and len(one) < 12_000
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\([^)]*\)", "", one))
    lacking = cards.mini(write(tmp_path / "less", synthetic.drop(tables, arm="none")), name)
    assert "without" not in lacking


def test_small_pictures_place_what_never_came_and_keep_labels_apart() -> None:
    scale = mini.Scale([10.0, 100.0, math.inf], log=True)
    assert scale(10.0) < scale(100.0) < scale(math.inf) <= mini.WIDTH
    assert "never" in mini.strips("s", [mini.Row("a", [mini.Mark("bn", math.inf)])], "", "alt", log=True)
    assert mini.apart([50.0, 52.0, 90.0], 15.0, 0.0, 95.0) == [50.0, 65.0, 90.0]
    assert mini.apart([90.0, 92.0], 15.0, 0.0, 95.0) == [80.0, 95.0]
    with pytest.raises(ValueError, match="no small picture 'q9'"):
        cards.mini(None, "q9")  # type: ignore[arg-type]


def test_saved_pairs() -> None:
    rows = [("none", 1, 20, True), ("bn", 1, 10, True), ("none", 2, None, False), ("bn", 2, 10, True)]
    rows += [("none", 3, 9, True), ("bn", 3, None, False), ("none", 4, None, False), ("bn", 4, None, False)]
    table = pd.DataFrame(rows, columns=["arm", "seed", "steps", "reached"]).assign(
        depth=5, target=0.5, diverged_at=None
    )
    found = training_curves.ratios(table).set_index("seed")
    assert found["ratio"].to_dict() == {1: 2.0, 2: np.inf, 3: 0.0} and (found["both"] == 1).all()


def test_nobody_reaches_the_target_still_draws(tables: synthetic.Tables) -> None:
    """Drift between checkpoints that no run reached, and no run's steps: the rails alone."""
    steps = tables["convergence"].query("target == 0.5 and depth == 5 and arm in ['none', 'bn'] and gain == 1").copy()
    steps = steps.drop_duplicates(["arm", "seed"]).assign(reached=False, steps=pd.NA)
    drift = tables["drift"].query("depth == 5 and arm in ['none', 'bn']").head(0)
    both = movement.drift_and_steps(drift, steps)
    assert len(both) and both["drift"].isna().all()
    for width in (WIDE, NARROW):
        assert movement.drift_against_steps(both, ["none", "bn"], width).axes


@pytest.mark.filterwarnings("error")
def test_two_checkpoints_that_are_one_still_draw(tables: synthetic.Tables) -> None:
    """Both losses fell below their levels at one step: no drift at all, and no place on a log axis."""
    still = tables["drift"].query("depth == 5 and arm in ['none', 'bn'] and site == 'next' and start == 'loss1.0'")
    assert over_layers({"": still.assign(moments=0.0)}, "moments", ["none", "bn"], "drift", WIDE).axes


def test_the_relative_drop_is_taken_of_each_networks_own_clean_accuracy() -> None:
    rows = [
        ("bn", "running", seed, family, severity, accuracy)
        for seed, own in enumerate((80.0, 100.0, 90.0))
        for family, severity, accuracy in [
            ("clean", 0, own),
            ("noise", 1, own / 2),
            ("noise", 5, own / 4),
            ("blur", 2, own),
        ]
    ]
    table = pd.DataFrame(rows, columns=["arm", "statistics", "seed", "family", "severity", "accuracy"])
    assert shifts.relative_drop(table, ["noise", "blur"]) == [
        ["noise", "–", "62", "–", "–"],
        ["blur", "–", "0", "–", "–"],
    ]


def test_a_mark_stands_where_its_network_lost_so_much_in_the_order_of_the_legend() -> None:
    """Each seed's loss is from its own clean images with the same statistics; infinitely many shifts would stand apart."""
    lost = {
        ("none", "running"): 5.0,
        ("bn", "running"): 30.0,
        ("bn", "reestimated"): 8.0,
        ("layernorm", "running"): 4.0,
    }
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
    assert [row[0] for row in found] == [
        f"{ground} ground, {arm}, first weights × 1"
        for ground in ("white", "mid-gray")
        for arm in ("no normalization", "batch norm")
    ]
    assert {tuple(row[1:]) for row in found} == {("70 (67 to 74)", "54 (50 to 57)", "4 (0 to 7)")}
    assert coloured_images.colour_share(table[:0]) == []


@pytest.mark.parametrize(
    ("depths", "count", "shown"),
    [
        ([2, 5, 10, 20], 2, [5, 20]),
        ([2, 5, 10, 20], 1, [20]),
        ([2, 10, 20], 2, [2, 20]),
        ([5, 10], 2, [5, 10]),
        ([], 2, []),
    ],
)
def test_figures_show_the_depths_that_the_claims_speak_of(
    tmp_path: Path, depths: list[int], count: int, shown: list[int]
) -> None:
    (tmp_path / "claims.json").write_text("[]")
    judged = {"depths": {"shallow": 5, "middle": 10, "deep": 20}, "targets": [0.5], "base": {}, "seeds": 8}
    (tmp_path / "ledger.json").write_text(json.dumps(judged))
    rows = [(depth, arm) for depth in depths for arm in ("none", "bn")] + [(7, "bn")] * bool(depths)
    table = pd.DataFrame(rows, columns=["depth", "arm"])
    assert Results(tmp_path).depths(table, "arm", count) == shown


def test_swapped_hues_stand_by_arm_and_statistics() -> None:
    rows = [("none", "running", 40 + i) for i in range(8)] + [("bn", "whole", 10.0)]
    table = pd.DataFrame(rows, columns=["arm", "statistics", "accuracy"]).assign(family="spurious_colour_swapped")
    other = table.assign(family="spurious_colour", accuracy=99.0)
    assert whose_statistics.swapped(pd.concat([table, other])) == [
        ["no normalization", "44 (40 to 47)"],
        ["batch norm, all images at hand", "10"],
    ]
    assert whose_statistics.swapped(other) == []
