"""Figures of synthetic studies: whole, legible, and drawn whatever a study lacks."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bnstudy.data import digits
from bnstudy.data.samples import samples
from bnstudy.report.figures import (
    cards,
    coloured_images,
    learning_rates,
    movement,
    sample_images,
    shifts,
    speed,
    starts,
    training_curves,
)  # fmt: skip
from bnstudy.report.figures.panels_of_layers import over_layers
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import NARROW, WIDE
from bnstudy.report.figures.svg import to_svg
from bnstudy.report.results import Results
from helpers import synthetic
from helpers.judging import DEPTHS

pytestmark = pytest.mark.usefixtures("drawn")


def write(folder: Path, tables: synthetic.Tables) -> Results:
    """A study's results as figures read them: its tables, and no claims."""
    synthetic.write(tables, folder / "tables")
    np.savez(folder / "tables" / "samples.npz", **samples(digits.load()))  # type: ignore[arg-type]
    judged = {"depths": DEPTHS, "targets": synthetic.TARGETS, "base": synthetic.BASE, "seeds": 8}
    (folder / "claims.json").write_text("[]")
    (folder / "ledger.json").write_text(json.dumps(judged))
    return Results(folder)


@pytest.fixture(scope="module")
def tables() -> synthetic.Tables:
    return synthetic.tables("support", seeds=8, grids=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, tables: synthetic.Tables) -> Results:
    return write(tmp_path_factory.mktemp("results"), tables)


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory, tables: synthetic.Tables) -> Results:
    return write(tmp_path_factory.mktemp("swapped"), synthetic.swap(tables))


@pytest.fixture(scope="module")
def less(tmp_path_factory: pytest.TempPathFactory, tables: synthetic.Tables) -> Results:
    return write(tmp_path_factory.mktemp("less"), synthetic.drop(tables, arm="none"))


@pytest.mark.parametrize("picture", [movement.drift, learning_rates.window])
def test_a_figure_is_themeable_and_repeatable(results: Results, picture: Callable[[Results], Picture]) -> None:
    first, second = (to_svg(picture(results).draw(WIDE), "x") for _ in range(2))
    assert first == second
    assert "var(--arm-bn,#0b62a8)" in first and "<text" in first and "DejaVu" not in first
    ids = re.findall(r'id="([^"]+)"', first)
    assert len(ids) == len(set(ids)) and all(i.startswith("x-") for i in ids)


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


def test_starts_cover_every_kind_of_network_and_turn_with_the_arms(results: Results, swapped: Results) -> None:
    one, other = starts.starts(results), starts.starts(swapped)
    assert set(one.table["net"]) == {"mlp", "resmlp"} and one.table["start"].nunique() > 5
    assert one.found != other.found and " at 0 of" in one.found + other.found


@pytest.mark.parametrize("name", list(cards.MINI))
def test_small_pictures_turn_with_the_arms_and_need_their_runs(
    name: str, results: Results, swapped: Results, less: Results
) -> None:
    one, other = cards.mini(results, name), cards.mini(swapped, name)
    assert one.startswith("<svg") and one != other and len(one) < 12_000
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\([^)]*\)", "", one))
    assert "without" not in cards.mini(less, name)


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


@pytest.mark.parametrize(
    ("depths", "count", "shown"),
    [([2, 5, 10, 20], 2, [5, 20]), ([2, 5, 10, 20], 1, [20]), ([2, 10, 20], 2, [2, 20]), ([5, 10], 2, [5, 10]), ([], 2, [])],
)  # fmt: skip
def test_figures_show_the_depths_that_the_claims_speak_of(
    tmp_path: Path, depths: list[int], count: int, shown: list[int]
) -> None:
    (tmp_path / "claims.json").write_text("[]")
    judged = {"depths": DEPTHS, "targets": [0.5], "base": {}, "seeds": 8}
    (tmp_path / "ledger.json").write_text(json.dumps(judged))
    rows = [(depth, arm) for depth in depths for arm in ("none", "bn")] + [(7, "bn")] * bool(depths)
    table = pd.DataFrame(rows, columns=["depth", "arm"])
    assert Results(tmp_path).depths(table, "arm", count) == shown
