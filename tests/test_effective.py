"""Effective robustness against lines that are known, and where there is none."""

import numpy as np
import pandas as pd
import pytest
import torch

from bnstudy.data.images import Images
from bnstudy.data.samples import samples
from bnstudy.data.shifts import shift
from bnstudy.pipeline.effective import HOLDS, RUNS, line, logit, robustness
from helpers.synthetic import BASE
from helpers.trained import IMAGES

SETTING = {"gain": 1.0, "inputs": "standardized", **BASE, "rate": 0.1}


def percent(value: object) -> np.ndarray:
    return 100 / (1 + np.exp(-np.asarray(value, float)))


Rows = list[dict[str, object]]


def network(arm: str, depth: int, seed: int, statistics: str, clean: object, shifted: object, **other: object) -> Rows:
    where = {**SETTING, "arm": arm, "depth": depth, "seed": seed, "statistics": statistics, **other}
    return [
        {**where, "family": "clean", "severity": 0, "accuracy": clean},
        {**where, "family": "blur", "severity": 2, "accuracy": shifted},
    ]


def table(noise: float = 0.0, runs: int = 12, rows: Rows | None = None) -> pd.DataFrame:
    """Networks without normalization on the line 0.8 x - 1, and one with batch norm 10 points above it."""
    draw, networks = np.random.default_rng(0), []
    for seed, x in enumerate(np.linspace(1, 3, runs)):
        y = 0.8 * x - 1 + noise * draw.standard_normal()
        networks += network("none", 2 + seed % 2, seed, "running", percent(x), percent(y))
    networks += network("bn", 5, 0, "running", percent(2.5), percent(1.0) + 10)
    networks += network("bn", 5, 0, "batch32", percent(2.0), percent(0.6) - 5)
    return pd.DataFrame(networks + (rows or []))


def test_residuals_from_a_known_line() -> None:
    found = robustness(table()).set_index(["arm", "statistics", "seed"]).sort_index()
    assert found["r2"].tolist() == pytest.approx([1] * 14) and (found["runs"] == 12).all()
    assert found.loc["none", "effective"].tolist() == pytest.approx([0] * 12, abs=1e-9)
    assert found.loc[("bn", "running", 0), "effective"] == pytest.approx(10)
    assert found.loc[("bn", "batch32", 0), "effective"] == pytest.approx(-5)  # on its own clean accuracy
    assert found.loc[("bn", "running", 0), "expected"] == pytest.approx(percent(1.0))


def test_no_number_where_the_line_does_not_hold() -> None:
    loose = robustness(table(noise=3.0))
    assert (loose["r2"] < HOLDS).all() and loose["effective"].isna().all() and loose["accuracy"].notna().all()
    few = robustness(table(runs=RUNS - 1))
    assert few["r2"].tolist() == pytest.approx([1] * len(few)) and few["effective"].isna().all()
    alone = table()
    alone = robustness(alone[alone["arm"] == "bn"])
    assert (alone["runs"] == 0).all() and alone["effective"].isna().all() and alone["r2"].isna().all()


def test_a_network_that_learned_nothing_does_not_draw_the_line() -> None:
    failed = robustness(table(noise=3.0, rows=network("none", 20, 50, "running", 1, 1)))
    assert (failed["r2"] < HOLDS).all() and (failed["runs"] == 12).all()


def test_what_has_no_place_on_the_line_is_left_out() -> None:
    others = network("none", 5, 40, "running", 99, 1, inputs="raw") + network("bn", 5, 0, "batch8", 50, 1)
    others += [{**row, "family": "label"} for row in network("none", 2, 0, "running", 99, 1)[1:]]
    pd.testing.assert_frame_equal(robustness(table(rows=others)), robustness(table()))
    apart = network("none", 5, 42, "running", 99, 1, pool=1)  # other images have a line of their own
    pooled = robustness(table(rows=apart))
    ours = pooled[pooled["pool"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(ours, robustness(table()).reset_index(drop=True))
    assert robustness(table().query("family == 'clean'")).empty


def test_the_line_itself() -> None:
    x, y = np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 4, 8])
    slope, intercept, r2 = line(x, y)
    assert [slope, intercept] == pytest.approx(np.polyfit(x, y, 1)) and r2 == pytest.approx(1 - 1.8 / 26)
    assert line(x * 0, y) == (0.0, 4.0, 0.0)
    assert logit([50, 100, 0]).tolist() == pytest.approx([0, 6.906755, -6.906755])


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_samples_of_images_of_other_channels_are_their_mean(channels: int) -> None:
    x = np.repeat(IMAGES.x, channels, axis=1)
    x[:, 0] = 0
    found = samples(Images(x, IMAGES.y, IMAGES.classes))
    first = int(np.flatnonzero(IMAGES.y == 5)[0])
    ink = np.round(255 * x[first].mean(0)).astype(np.uint8)
    assert found["noise"].shape == (6, 8, 8, 3) and (found["blur"][0] == ink[..., None]).all()


def test_samples_are_an_image_of_the_study_shifted() -> None:
    found = samples(IMAGES)
    first = int(np.flatnonzero(IMAGES.y == 5)[0])
    assert found["blur"].shape == (6, 8, 8, 3) and found["lecture_gray"].shape == (6, 6, 8, 8, 3)
    assert all(v.dtype == np.uint8 for v in found.values()) and len(found) == 10
    ink = np.round(255 * IMAGES.x[first, 0])
    assert all((found[f][0] == ink[..., None]).all() for f in found if not f.startswith("lecture"))
    assert (found["inversion"][5] == 255 - found["inversion"][0]).all()
    pool = torch.from_numpy(IMAGES.x)
    assert (found["contrast"][4][..., 0] == np.round(255 * shift(pool, "contrast", 4, 0)[first, 0].numpy())).all()
    red = np.round(255 * np.stack([np.ones((8, 8)), 1 - IMAGES.x[first, 0], 1 - IMAGES.x[first, 0]], -1))
    assert abs(found["lecture_white"][5, 0] - red).max() <= 1
    assert (found["lecture_white"][0] == found["lecture_white"][0, :1]).all()  # severity 0: no hue yet
