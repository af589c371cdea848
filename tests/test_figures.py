"""Figures: told apart by everyone, legible at both widths, themeable, and honest about what is missing."""

import json
import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from coloraide import Color

from bnstudy.data import digits
from bnstudy.data.samples import samples
from bnstudy.report.figures import early, gradients, q1, q2, q2_batches, q3, q4, u
from bnstudy.report.figures import samples as pixels
from bnstudy.report.figures.axes import folded
from bnstudy.report.figures.ruler import WIDTH, ruler
from bnstudy.report.figures.style import GUESTS, LOOKS, NARROW, OTHER, ROLES, WIDE, look
from bnstudy.report.figures.summary import interval, median, time_summary
from bnstudy.report.figures.svg import themed, to_svg
from helpers import synthetic

SIGHT = ("protan", "deutan", "tritan")


def distance(a: str, b: str) -> float:
    """Return the least CIEDE2000 over normal and simulated sight (Machado, Oliveira and Fernandes 2009)."""
    pairs = [(Color(a), Color(b))]
    pairs += [tuple(Color(c).filter(sight, method="machado").clip("srgb") for c in (a, b)) for sight in SIGHT]
    return min(float(one.delta_e(other, method="2000")) for one, other in pairs)


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
        assert Color(colour).contrast(Color(paper)) >= contrast - 0.1


def test_arms_differ_without_colour():
    assert len({entry.marker for entry in LOOKS.values()}) == len(LOOKS)
    for pair in GUESTS:
        looks = [LOOKS[a] for a in ("none", "bn", *pair)]
        for a, b in combinations(looks, 2):
            assert a.marker != b.marker and (a.dash != b.dash or a.width != b.width or a.marker != b.marker)
    assert look("a_users_arm").light == OTHER["light"] and look("a_users_arm").marker not in {
        e.marker for e in LOOKS.values()
    }


def test_groups_hold_every_arm_four_a_panel():
    arms = [*LOOKS, "mine"]
    found = q3.groups(arms)
    assert {a for group in found.values() for a in group} == set(arms)
    assert all(len(group) <= 4 and group[:2] == ["none", "bn"] for group in found.values())
    assert q3.groups([]) == {} and q3.groups(["bn"]) == {"": ["bn"]}


def test_interval_and_median_take_infinity():
    values = np.array([*range(1, 15), np.inf, np.inf])
    assert interval(values) == (4.0, 13.0)  # ranks 4 and 13 of 16: 2 BinomCDF(3; 16, 1/2) = .021
    assert median(values) == 8.5
    assert median([1, np.inf]) == np.inf and median([np.inf] * 3) == np.inf and median([1, 2, np.inf]) == 2
    assert all(np.isnan(interval([1.0, 2, 3, 4, 5])))


def test_time_summary_counts_what_failed():
    rows = {
        "arm": "bn",
        "steps": [10, None, 30, None],
        "reached": [True, False, True, False],
        "diverged_at": [None, 7, None, None],
    }
    one = time_summary(pd.DataFrame(rows), ["arm"]).iloc[0]
    assert (one["failed"], one["diverged"], one["n"], one["median"]) == (2, 1, 4, np.inf)


def test_theme_of_a_figure():
    svg = '<?xml?><svg width="10pt" height="5pt"><g id="a" fill="#010203" stroke="#0b62a8"/><use href="#a"/><path clip-path="url(#a)" fill="#1a1a1a"/></svg>'
    done = themed(svg, "fig")
    assert 'fill="var(--ink,#1a1a1a)"' in done and 'stroke="var(--arm-bn,#0b62a8)"' in done
    assert 'fill="var(--arm-none,#1a1a1a)"' in done and "var(--var" not in done
    assert 'id="fig-a"' in done and 'href="#fig-a"' in done and "url(#fig-a)" in done and "10pt" not in done
    with pytest.raises(ValueError, match="#ff0000"):
        themed(svg.replace("#010203", "#ff0000"), "fig")


def setting(estimate, low, high, sesoi=1.0, region="more"):
    return {"region": region, "estimate": estimate, "ci_low": low, "ci_high": high, "sesoi": sesoi}


def test_ruler_draws_the_rule():
    def at(value):
        return round((value + 6) / 12 * WIDTH, 1)

    drawn = ruler([setting(2, 1.5, 3)])
    assert f'<rect x="{at(1)}"' in drawn and f"M{at(1.5)} 8H{at(3)}" in drawn and f'cx="{at(2)}"' in drawn
    assert f'width="{round(at(1) - at(-1), 1)}"' in ruler([setting(0, -0.5, 0.5, region="within")])
    assert "l-7 -4v8z" in ruler([setting(2, 1.5, None)]) and "l7 -4v8z" in ruler(
        [setting(None, None, 3)],
    )
    assert 'stroke-dasharray="4 4"' in ruler([setting(None, None, None)])
    assert f'<rect x="{at(0)}"' in ruler([setting(0.2, 0.1, 0.4, sesoi=0.0)])
    assert ruler([setting(-2, -3, -1.5, region="less")]) == ruler([setting(2, 1.5, 3)])
    two = ruler([setting(2, 1, 3), setting(0.5, 0.4, 0.6, sesoi=0.25)])
    assert two.count("<circle") == 2 and two.count(f'cx="{at(2)}"') == 2  # each in its own smallest effect


@pytest.fixture(scope="module")
def tables():
    return synthetic.tables("support", seeds=8, grids=True)


@pytest.fixture(scope="module")
def drawings(tables):
    return pictures(tables)


def pictures(t):
    """Every figure function on a study's tables: name -> draw(width)."""
    base = {"gain": 1.0, "inputs": "standardized", **synthetic.BASE}

    def best(name, **where):
        chosen = t["rates"].query("role == 'best@0.5'")[[*synthetic.SETTING, "rate"]]
        table = t[name].merge(chosen, on=[*synthetic.SETTING, "rate"])
        for column, value in {**base, **where}.items():
            table = table if value is None else table[table[column] == value]
        return table

    four = ["none", "bn", "bn_frozen", "once"]
    drift = best("drift", start="loss1.0", end="loss0.5")
    following = drift[(drift["site"] == "next") & drift["depth"].isin([5, 20])]
    steps, motion = (
        best("convergence", target=0.5),
        best("affine", end="loss0.5").assign(motion=lambda r: r["change_rms"]),
    )
    shift, xhat = best("shift", depth=5), best("xhat", arm="bn")
    every = best("shift", depth=5, inputs=None)
    grid = t["convergence"].query(
        "gain == 1 and inputs == 'standardized' and target == 0.5 and depth in [5, 20] and arm in ['none', 'bn']"
    )
    pushed = best("drift", start="loss1.0", end="loss0.5", site="next", gain=None).query("gain in [0.41, 0.71]")
    noisy = q1.drift_and_steps(pushed, best("convergence", target=0.5, gain=None).query("gain in [0.41, 0.71]"))
    slopes, pokes = best("gradients", depth=10), best("intervention", depth=10)
    ics = best("ics", depth=10).query("checkpoint in ['init', 'loss0.5']")
    grown = q4.relative_to_first(best("ics", depth=20, matching="step", checkpoint="loss0.5"), "relative")
    levels = best("levels", checkpoint="loss0.5").assign(network=lambda r: "depth " + r["depth"].astype(str))
    clean = best("shift", family="clean")
    both, saved = q1.drift_and_steps(following, steps), q4.saved(best("convergence"))
    return {
        "drift": lambda w: q1.drift_by_layer(following, four, w),
        "stage": lambda w: q1.drift_by_stage(drift[drift["depth"] == 20], four, w),
        "cross": lambda w: q1.drift_against_steps(both, four, w),
        "motion": lambda w: q1.affine_motion(motion, ["bn", "once", "affine"], w),
        "offset": lambda w: q1.input_offset(best("moments", checkpoint="loss0.5", site="next"), four, w),
        "severity": lambda w: q2.accuracy_by_severity(shift, w),
        "xhat": lambda w: q2.xhat_mismatch(xhat[xhat["depth"].isin([5, 20])], w),
        "clean": lambda w: q2.statistics_on_clean(best("shift", family="clean"), w),
        "window": lambda w: q3.window(grid, ["none", "bn"], w),
        "survival": lambda w: q3.survival(steps[steps["depth"].isin([5, 20])], four, w),
        "depth": lambda w: q3.steps_by_depth(steps, four, w),
        "gain": lambda w: q3.steps_by_gain(best("convergence", target=0.5, gain=None), ["none", "bn", "once"], w),
        "inputs": lambda w: q3.steps_by_inputs(best("convergence", target=0.5, inputs=None, depth=5), ["none", "bn"], w),
        "curves": lambda w: q3.loss_curves(best("curves").query("depth in [5, 20]"), ["none", "bn"], w),
        "variance": lambda w: q4.variance_by_layer(best("moments", checkpoint="step100", site="next", gain=None, depth=10), four, w),
        "saved": lambda w: q4.steps_saved(saved, w),
        "lecture": lambda w: q2_batches.by_severity(
            q2_batches.of(every, q2_batches.GROUNDS, q2_batches.LECTURE), q2_batches.GROUNDS, q2_batches.LECTURE, w,
            q2_batches.ceilings(every),
        ),
        "control": lambda w: q2_batches.by_severity(
            q2_batches.of(every, q2_batches.CONTROLS, q2_batches.CONTROL), q2_batches.CONTROLS, q2_batches.CONTROL, w
        ),
        "size": lambda w: q2_batches.by_size(best("shift", arm="bn"), w),
        "effective": lambda w: q2_batches.effective(best("effective_robustness", arm="bn").dropna(), w),
        "samples": lambda w: pixels.by_family(samples(digits.load({})), w),
        "coloured": lambda w: pixels.lecture(samples(digits.load({})), w),
        "noisy": lambda w: q1.drift_against_steps(noisy, ["none", "bn", "bn_frozen", "bn_noisy"], w, halfway=True),
        "ics": lambda w: gradients.ics_by_layer(ics, ["none", "bn"], w),
        "gradients": lambda w: gradients.gradient_by_layer(slopes, ["none", "bn"], w, {"none": 1.0, "bn": 1.493}),
        "landscape": lambda w: gradients.gradient_change(best("landscape"), ["none", "bn"], w),
        "reach": lambda w: early.reach(pokes.query("dose == 0.01 and kind == 'gradient'"), ["none", "bn"], w),
        "doses": lambda w: early.by_dose(pokes.query("layer == 11"), ["none", "bn"], w),
        "left": lambda w: early.share_left(pokes.query("dose == 0.01"), ["none", "bn"], w),
        "recovery": lambda w: early.recovery(best("adaptation"), ["none", "bn"], w),
        "growth": lambda w: q4.growth(grown.assign(measure="change of the gradient"), ["none", "bn"], w),
        "halves": lambda w: q3.steps_by_network(best("convergence", target=0.5, gain=None).query("arm in ['bn_early', 'bn_late', 'bn'] and (depth == 20 or depth == 10 and gain == 0.71)"), ["bn", "bn_early", "bn_late"], w),
        "skips": lambda w: q3.steps_by_network(best("convergence", target=0.5, net=None).query("arm in ['none', 'bn'] and depth in [10, 20]"), ["none", "bn"], w),
        "batch": lambda w: u.steps_by_batch(best("convergence", target=0.5, batch=None, depth=5), ["none", "bn"], w),
        "levels": lambda w: u.loss_at_level(levels, ["none", "bn"], w),
        "modes": lambda w: u.gap_by_depth(u.modes_apart(clean[clean["arm"] == "bn"]), ["bn"], w),
        "accuracy": lambda w: u.accuracy_by_depth(clean.query("statistics == 'running'"), ["none", "bn", "bn_post"], w),
        "kurtosis": lambda w: u.kurtosis(best("moments", checkpoint="loss0.5", site="linear"), ["none", "bn"], w),
    }  # fmt: skip


NAMES = "drift stage cross motion offset severity xhat clean window survival depth gain inputs curves variance saved noisy ics "
NAMES = (
    NAMES + "gradients landscape reach doses left recovery growth halves skips batch levels modes accuracy kurtosis "
    "lecture control size effective samples coloured"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_texts_never_overlap_and_stay_inside(drawings, name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    for width in (WIDE, NARROW):
        figure = drawings[name](width)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = []
        for text in figure.findobj(lambda a: isinstance(a, Text) and a.get_visible() and a.get_text().strip()):
            box = text.get_window_extent(canvas.get_renderer())
            if box.width > 0:
                boxes.append((text.get_text(), box))
        shown = [(t, b) for t, b in boxes if not _hidden_tick(figure, t, b)]
        for (a, x), (b, y) in combinations(shown, 2):
            cross = min(x.x1, y.x1) - max(x.x0, y.x0), min(x.y1, y.y1) - max(x.y0, y.y0)
            assert min(cross) <= 0.5, f"{name} at {width} in: {a!r} over {b!r}"
        for (
            legend
        ) in figure.legends:  # its lines and marks too, and clear of the y label, which is centred on the figure
            frame = legend.get_window_extent(canvas.get_renderer())
            for text in (figure._supylabel, figure._supxlabel):
                box = text.get_window_extent(canvas.get_renderer())
                assert not frame.overlaps(box), f"{name} at {width} in: legend over {text.get_text()!r}"
        for text, box in shown:
            assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, text


def _hidden_tick(figure, text, box):
    """Tick labels outside an axis's view exist as objects but are not drawn."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            drawn = {id(t.label1) for t in axis._update_ticks() if t.label1.get_visible()} if axes.axison else set()
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                for label in (tick.label1, tick.label2):
                    if label.get_text() == text and id(label) not in drawn:
                        if np.allclose(label.get_window_extent().extents, box.extents):
                            return True
    return False


@pytest.mark.parametrize("name", ["drift", "window"])
def test_a_figure_is_themeable_and_repeatable(drawings, name):
    first, second = (to_svg(drawings[name](WIDE), "x") for _ in range(2))
    assert first == second
    assert "var(--arm-bn,#0b62a8)" in first and "<text" in first and "DejaVu" not in first
    ids = re.findall(r'id="([^"]+)"', first)
    assert len(ids) == len(set(ids)) and all(i.startswith("x-") for i in ids)


def test_a_sprite_keeps_its_pixels_and_leaves_its_gaps_to_the_page():
    a, b = np.full((2, 3, 3), 7, np.uint8), np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    made = pixels.sprite([[a, b], [b, a]])
    assert made.shape == (5, 7, 4) and (made[:2, :3, :3] == a).all() and (made[3:, :3, :3] == b).all()
    assert (made[2, :, 3] == 0).all() and (made[:, 3, 3] == 0).all() and (made[..., 3] == 255).sum() == 4 * 6
    with pytest.raises(ValueError, match="as many images"):
        pixels.sprite([[a], [a, b]])


def test_images_are_inside_the_svg_at_their_own_size(drawings):
    """One pixel a pixel, so a page of 14 x 14 images stays small; the browser enlarges them."""
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    svg = to_svg(drawings["samples"](WIDE), "s")
    (found,) = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    found = np.asarray(Image.open(BytesIO(b64decode(found))))
    expected = pixels.sprite([list(v) for k, v in samples(digits.load({})).items() if k not in pixels.GROUNDS])
    assert found.shape == expected.shape and len(svg) < 60_000
    assert any((way == expected).all() for way in (found, found[::-1]))


def test_the_names_and_colours_of_hues_are_those_of_the_images():
    from bnstudy.data.colour import HUES, colour_at

    table = pixels.colours()
    for row in table.itertuples():
        hue = HUES[pixels.HUES.index(row.hue)]
        assert [row.red, row.green, row.blue] == pytest.approx(colour_at(row.severity, hue).tolist())
    assert len(table) == 36


@pytest.mark.filterwarnings("error")
def test_a_table_with_whole_gains_alone_still_finds_its_rates(tmp_path, tables):
    """Written as 1, not 1.0: beside a rates.csv that has a gain of 0.41."""
    from bnstudy.report.results import Results

    plain = tables["shift"][tables["shift"]["gain"] == 1.0]
    synthetic.write(
        {"rates": tables["rates"], "convergence": tables["convergence"], "shift": plain}, tmp_path / "tables"
    )
    (tmp_path / "claims.json").write_text("[]")
    (tmp_path / "ledger.json").write_text(json.dumps({"targets": synthetic.TARGETS, "base": synthetic.BASE}))
    assert len(Results(tmp_path).at("shift")) > 1000


def test_only_a_grounds_own_ceiling_at_severity_5_is_drawn(tables):
    found = q2_batches.ceilings(tables["shift"])
    assert set(found["family"]) == {"lecture_white", "lecture_gray"} and set(found["severity"]) == {5}
    assert (found["accuracy"] == 95).all() and set(found["arm"]) == {"none"}


def test_nobody_arrives(tables):
    """Budgets that nobody meets: rails and counts, no crash, no line."""
    t = dict(tables)
    t["convergence"] = t["convergence"].assign(reached=False, steps=np.nan)
    drawn = pictures(t)
    for name in ("window", "survival", "depth", "gain", "inputs", "cross"):
        assert "<svg" in to_svg(drawn[name](NARROW), name)
    assert ">8<" in re.sub(r"\s+", "", to_svg(drawn["depth"](WIDE), "d"))
    assert q4.saved(t["convergence"].query("gain == 1")).empty


def test_a_network_that_never_arrives_has_no_drift_and_is_counted():
    keys = {"depth": 5, "gain": 0.41, "layer": 2}
    drift = pd.DataFrame([{"arm": "bn", "seed": s, "moments": 0.2, **keys} for s in (0, 1)])
    steps = [("bn", 0, 10, True), ("bn", 1, 12, True), ("none", 0, None, False), ("none", 1, 30, True)]
    steps = pd.DataFrame(steps, columns=["arm", "seed", "steps", "reached"]).assign(depth=5, gain=0.41)
    found = q1.drift_and_steps(drift, steps)
    assert found[["arm", "seed"]].to_numpy().tolist() == [["bn", 0], ["bn", 1], ["none", 0]]
    figure = q1.drift_against_steps(found, ["none", "bn"], WIDE, halfway=True)
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert texts == ["not reached by", "1"]
    assert q1.drift_against_steps(found[:2], ["bn"], WIDE).axes[0].texts[0].get_text() == "reached by all"


def test_half_of_the_gain_is_the_geometric_mean():
    rows = [("none", 400.0), ("bn", 100.0)]
    table = pd.DataFrame(rows, columns=["arm", "time"]).assign(depth=5, gain=0.41, seed=0, drift=0.2)
    panel = q1.drift_against_steps(table, ["none", "bn"], WIDE, halfway=True).axes[0]
    assert any(np.allclose(line.get_ydata(), 200) for line in panel.lines)


def test_growth_is_told_against_the_first_layer():
    table = pd.DataFrame(
        {"arm": "bn", "depth": 20, "seed": [0, 0, 1, 1], "layer": [3, 2, 2, 3], "value": [6.0, 2, 4, 4]}
    )
    found = q4.relative_to_first(table, "value").set_index(["seed", "layer"])["growth"]
    assert found.to_dict() == {(0, 3): 3.0, (0, 2): 1.0, (1, 2): 1.0, (1, 3): 1.0}


def test_theory_comes_from_the_checks():
    checks = [
        {"id": "E5", "name": f"growth of the squared gradient a layer, batch {b}", "expected": b / 40} for b in (32, 64)
    ]
    assert gradients.theory(checks, {"batch": 64}) == {"none": 1.0, "bn": 1.6}
    assert gradients.theory(checks, {"batch": 128}) == {"none": 1.0}
    table = pd.DataFrame(
        {"depth": 3, "checkpoint": "init", "gain": 1.0, "arm": "bn", "seed": 0, "layer": [1, 2, 3], "norm": [3.0, 2, 1]}
    )
    panel = gradients.gradient_by_layer(table, ["bn"], WIDE, {"bn": 4.0}).axes[0]
    assert any(np.allclose(line.get_ydata(), [4, 2, 1]) for line in panel.lines)  # the norm grows by sqrt(4) a layer


def test_modes_are_compared_network_by_network():
    rows = [("running", 0, 90.0), ("batch128", 0, 91.0), ("running", 1, 80.0), ("batch128", 1, 79.5), ("whole", 1, 1.0)]
    table = pd.DataFrame(rows, columns=["statistics", "seed", "accuracy"]).assign(arm="bn", depth=5)
    assert u.modes_apart(table).set_index("seed")["gap"].to_dict() == {0: 1.0, 1: -0.5}


def test_inputs_of_a_seed_count_once():
    table = pd.DataFrame({"inputs": "raw", "seed": [0, 0, 1], "depth": [2, 5, 5], "input_share": [0.1, 0.1, 0.3]})
    assert gradients.shares(table) == [["raw pixels", "0.2", "–"]]


def test_labels_stay_clear_of_the_legend():
    assert folded("short\n(up = more)", 2.6) == "short\n(up = more)"
    assert all(
        len(line) <= 22 for line in folded("a very long label that goes on and on\n(up = more)", 2.6).split("\n")
    )


def test_saved_pairs():
    rows = [("none", 1, 20, True), ("bn", 1, 10, True), ("none", 2, None, False), ("bn", 2, 10, True)]
    rows += [("none", 3, 9, True), ("bn", 3, None, False), ("none", 4, None, False), ("bn", 4, None, False)]
    table = pd.DataFrame(rows, columns=["arm", "seed", "steps", "reached"]).assign(
        depth=5, target=0.5, diverged_at=None
    )
    found = q4.saved(table).set_index("seed")
    assert found["ratio"].to_dict() == {1: 2.0, 2: np.inf, 3: 0.0} and (found["both"] == 1).all()


def test_nobody_reaches_the_target_still_draws(tables):
    """Drift between checkpoints that no run reached, and no run's steps: the rails alone."""
    steps = tables["convergence"].query("target == 0.5 and depth == 5 and arm in ['none', 'bn'] and gain == 1").copy()
    steps = steps.drop_duplicates(["arm", "seed"]).assign(reached=False, steps=pd.NA)
    drift = tables["drift"].query("depth == 5 and arm in ['none', 'bn']").head(0)
    both = q1.drift_and_steps(drift, steps)
    assert len(both) and both["drift"].isna().all()
    for width in (WIDE, NARROW):
        assert q1.drift_against_steps(both, ["none", "bn"], width).axes


@pytest.mark.filterwarnings("error")
def test_two_checkpoints_that_are_one_still_draw(tables):
    """Both losses fell below their levels at one step: no drift at all, and no place on a log axis."""
    still = tables["drift"].query("depth == 5 and arm in ['none', 'bn'] and site == 'next' and start == 'loss1.0'")
    assert q1.drift_by_layer(still.assign(moments=0.0), ["none", "bn"], WIDE).axes


def test_the_relative_drop_is_taken_of_each_networks_own_clean_accuracy():
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
    assert q2.relative_drop(table) == [["noise", "–", "62", "–", "–"], ["blur", "–", "0", "–", "–"]]


def test_the_colour_share_stands_by_ground_arm_and_gain():
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
    found = q2_batches.colour_share(pd.concat([table, deeper]))
    assert [row[0] for row in found] == [
        f"{ground} ground, {arm}, gain 1"
        for ground in ("white", "mid-gray")
        for arm in ("no normalization", "batch norm")
    ]
    assert {tuple(row[1:]) for row in found} == {("70 (67 to 74)", "54 (50 to 57)", "4 (0 to 7)")}
    assert q2_batches.colour_share(table[:0]) == []


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
def test_figures_show_the_depths_that_the_claims_speak_of(tmp_path, depths: list[int], count: int, shown: list[int]):
    from bnstudy.report.results import Results

    (tmp_path / "claims.json").write_text("[]")
    (tmp_path / "ledger.json").write_text('{"depths": {"shallow": 5, "middle": 10, "deep": 20}}')
    rows = [(depth, arm) for depth in depths for arm in ("none", "bn")] + [(7, "bn")] * bool(depths)
    table = pd.DataFrame(rows, columns=["depth", "arm"])
    assert Results(tmp_path).depths(table, count=count) == shown


def test_swapped_hues_stand_by_arm_and_statistics():
    rows = [("none", "running", 40 + i) for i in range(8)] + [("bn", "whole", 10.0)]
    table = pd.DataFrame(rows, columns=["arm", "statistics", "accuracy"]).assign(family="spurious_colour_swapped")
    other = table.assign(family="spurious_colour", accuracy=99.0)
    assert q2_batches.swapped(pd.concat([table, other])) == [
        ["no normalization", "44 (40 to 47)"],
        ["batch norm, all images at hand", "10"],
    ]
    assert q2_batches.swapped(other) == []
