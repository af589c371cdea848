"""Coloured images: the lecture split, its twins and ceilings, spurious colour; measured and judged."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from bnstudy.claims.endpoints.accuracy import lecture_difference
from bnstudy.claims.lookup import JudgedKind, Lookup, NotEvaluable
from bnstudy.data.batches import part
from bnstudy.data.colour import (
    DARK,
    HUES,
    PAINTED,
    agreement,
    colour_at,
    dark,
    gray_twin,
    paint,
    spurious,
    vivid,
    wheel,
)
from bnstudy.data.images import Images, split
from bnstudy.data.inputs import pixels, shape
from bnstudy.measures import colour, painted, shift
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.painted import lecture, spurious_colour
from bnstudy.measures.view import SeedView
from bnstudy.training.train import build
from helpers.trained import IMAGES, cell, training_spec

LECTURE = ("lecture_white", "lecture_gray")
RED, CYAN = torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 1])


def test_the_formula_on_a_small_image() -> None:
    """Worked by hand: ground + ink (colour - ground), channel by channel."""
    x = torch.tensor([[[[0.0, 0.5, 1.0]]], [[[1.0, 0.25, 0.0]]]])
    c = torch.tensor([[0.25, 0.0, 0.125], [1.0, 0.5, 0.0]])
    white = torch.tensor([[[[1, 0.625, 0.25]], [[1, 0.5, 0]], [[1, 0.5625, 0.125]]],
                          [[[1, 1, 1]], [[0.5, 0.875, 1]], [[0, 0.75, 1]]]])  # fmt: skip
    assert torch.equal(paint(x, c, 1.0), white)
    gray = torch.tensor([[[0.5, 0.375, 0.25]], [[0.5, 0.25, 0]], [[0.5, 0.3125, 0.125]]])
    assert torch.equal(paint(x[:1], c[0], 0.5)[0], gray)
    coloured = torch.stack([x[0, 0], x[0, 0] / 2, x[0, 0] * 0]).unsqueeze(0)  # an image that has colours already
    assert torch.allclose(paint(coloured, c[0], 1.0), paint(x[:1] / 2, c[0], 1.0))


def test_the_six_hues_and_the_way_to_them() -> None:
    names = "red yellow green cyan blue magenta".split()
    rgb = {"red": "100", "yellow": "110", "green": "010", "cyan": "011", "blue": "001", "magenta": "101"}
    assert HUES.tolist() == [[float(v) for v in rgb[name]] for name in names]
    for hue in HUES:
        assert colour_at(0, hue).tolist() == [DARK / 2] * 3 and torch.equal(colour_at(5, hue), hue)
    assert colour_at(2, RED).tolist() == pytest.approx([0.125 + 0.4 * 0.875, 0.075, 0.075])
    assert len({tuple(h.tolist()) for h in wheel(10)}) == 10
    assert (wheel(10).amax(1) == 1).all() and (wheel(10).amin(1) == 0).all()


@pytest.mark.parametrize("ground", [1.0, 0.5, 0.0])
def test_nothing_clips_for_any_colour_and_severity(ground: float) -> None:
    ink = torch.linspace(0, 1, 101, dtype=torch.float64).view(1, 1, 1, -1)
    corners = [torch.tensor([a, b, c]) for a in (0, DARK) for b in (0, DARK) for c in (0, DARK)]
    for c in [*corners, *(colour_at(s, h) for s in range(6) for h in HUES)]:
        y = paint(ink, c, ground)[0, :, 0]
        assert y.min() >= 0 and y.max() <= 1
        torch.testing.assert_close(y[:, 0], torch.full((3,), ground, dtype=torch.float64), rtol=0, atol=0)
        torch.testing.assert_close(y[:, -1], c.double(), rtol=0, atol=1e-15)
        steps = y.diff(dim=1)  # equal steps of ink are equal steps of colour: neither clipped nor rounded
        torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=0, atol=1e-12)


def test_only_on_gray_does_contrast_change_its_sign_and_from_2_14_on() -> None:
    for severity in range(6):
        for hue in HUES:
            assert (colour_at(severity, hue) <= 1).all()
            bright = colour_at(severity, hue)[hue == 1]
            assert ((bright > 0.5) == (severity > 2.14)).all()


@pytest.mark.parametrize("kind", LECTURE)
def test_training_colours_are_dark_and_the_same_for_every_arm(kind: str) -> None:
    made = {}
    for arm in ("none", "bn"):
        spec = training_spec(arm, depth=4, width=32, batch=64, steps=1, inputs=kind)
        made[arm] = [part(IMAGES, spec, seed, "train")[0] for seed in (0, 1)]
    assert all(np.array_equal(a, b) for a, b in zip(*made.values()))
    chosen = dark(torch.from_numpy(IMAGES.y), 10, 0)
    assert 0 <= chosen.min() and chosen.max() <= DARK and chosen.mean() == pytest.approx(DARK / 2, abs=0.004)
    assert chosen.std(0).tolist() == pytest.approx([DARK / 12**0.5] * 3, rel=0.05)
    assert not torch.equal(chosen, dark(torch.from_numpy(IMAGES.y), 10, 1))
    full = np.ones_like(IMAGES.x[:, :, :1, :1])  # where there is ink alone, the image has the colour itself
    seen = pixels(Images(full, IMAGES.y, IMAGES.classes), kind, 0)[:, :, 0, 0]
    np.testing.assert_allclose(seen, chosen.numpy(), atol=1e-7)


def test_painted_images_are_standardized_by_the_training_images_of_the_seed() -> None:
    spec = training_spec("none", depth=4, width=32, batch=64, steps=1, inputs="lecture_gray")
    x = part(IMAGES, spec, 1, "train")[0].reshape(-1, 3, 64)
    assert x.mean((0, 2)) == pytest.approx(np.zeros(3), abs=1e-5) and x.std((0, 2)) == pytest.approx(1, abs=1e-5)
    raw, index = pixels(IMAGES, "lecture_gray", 1), split(IMAGES.y, asdict(spec.splits), 1)
    mean, sd = raw[index["train"]].mean((0, 2, 3)), raw[index["train"]].std((0, 2, 3))
    expected = (raw[index["test"]] - mean[:, None, None]) / sd[:, None, None]
    np.testing.assert_allclose(part(IMAGES, spec, 1, "test")[0], expected.reshape(256, -1), atol=2e-5)


def test_networks_of_the_lecture_split_have_588_inputs_at_14_pixels() -> None:
    images = Images(np.zeros((20, 1, 14, 14), np.float32), np.arange(20) % 10, IMAGES.classes)
    for kind in PAINTED:
        spec = training_spec("none", depth=4, width=32, batch=64, steps=1, inputs=kind)
        assert shape(images, kind) == (3, 14, 14) and build(spec, images, [0, 1]).weights[0].shape == (2, 32, 588)
    assert shape(images, "standardized") == shape(images, "raw") == (1, 14, 14)
    rgb = Images(np.zeros((20, 3, 14, 14), np.float32), images.y, images.classes)
    assert shape(rgb, "standardized") == shape(rgb, "lecture_white") == (3, 14, 14)


def test_a_view_sees_what_the_network_was_trained_on_unless_told_other_colours() -> None:
    c = cell("bn", inputs="lecture_gray")
    view, order = SeedView(c, "test"), []
    x, y = c.split("test")
    ours = view(torch.from_numpy(IMAGES.x))
    for m, seed in enumerate(c.seeds):
        index = split(IMAGES.y, asdict(c.spec.splits), seed)["test"].tolist()
        order.append([index.index(i) for i in view.index[m].tolist()])
        torch.testing.assert_close(ours[m], x[m][:, order[m]], rtol=0, atol=1e-5)
        assert torch.equal(view.labels[m], y[m][order[m]])
    cyan = view(torch.from_numpy(IMAGES.x), CYAN.expand(256, 3))
    assert not torch.allclose(cyan, ours)
    assert torch.allclose(cyan, view(torch.from_numpy(IMAGES.x), CYAN.expand(3, 256, 3)))


class Recorder:
    """Stands for a view and for its network: the logits are the colours asked for."""

    norms: list[nn.Module] = []

    def __init__(self, c: TrainedCell) -> None:
        self.labels = SeedView(c, "test").labels

    def __call__(self, pool: Tensor, colours: Tensor | None = None) -> Tensor:
        """Return the colours as a view would return images, and any input as a network would return logits."""
        return pool if colours is None else colours.expand(len(self.labels), -1, 3).mT

    def set_statistics(self, *args: object, **kwargs: object) -> None:
        pass


Told = dict[tuple[str, int, str], tuple[Tensor, Tensor]]
"""(family, severity, statistics) -> (colours [M, n * passes, 3] in the order of batches, labels)."""


def told(kind: str, split_of: Callable[..., Iterator[painted.Tested]] = lecture) -> Told:
    """Return what a split would show to networks."""
    c = cell("bn", inputs=kind)
    both = Recorder(c)
    return {(t.shift, t.severity, t.statistics): (t.logits.mT, t.labels) for t in split_of(c, both, both, True)}


@pytest.mark.parametrize("kind", LECTURE)
def test_every_test_image_has_every_hue_so_no_hue_tells_the_class(kind: str) -> None:
    tested = told(kind)
    assert {f for f, _, _ in tested} == {kind, f"{kind}_twin"} and {s for _, s, _ in tested} == set(range(6))
    for severity in range(1, 6):
        hues = {tuple(colour_at(severity, h).tolist()): i for i, h in enumerate(HUES)}
        for statistics in ("running", "hue32", "mixed32"):
            colours, labels = tested[kind, severity, statistics]
            assert colours.shape == (3, 6 * 256, 3)
            which = torch.tensor([[hues[tuple(c.tolist())] for c in of_seed] for of_seed in colours])
            for of_seed, label in zip(which, labels):
                each_image = of_seed.view(6, 256).T.sort(1).values
                assert torch.equal(each_image, torch.arange(6).expand(256, 6))
                table = torch.stack([of_seed[label == k].bincount(minlength=6) for k in range(10)])
                assert torch.equal(table, table[:, :1].expand(10, 6))
            batches = which.view(3, -1, 32)
            kinds = batches.sort(2).values.diff(dim=2).ne(0).sum(2) + 1
            assert (kinds == (6 if statistics == "mixed32" else 1)).all()
    dark_gray = tested[kind, 0, "hue32"][0]
    assert dark_gray.shape == (3, 256, 3) and (dark_gray == DARK / 2).all()


def test_a_twin_has_the_channel_mean_and_no_colour() -> None:
    tested, x = told("lecture_white"), torch.rand(1, 1, 5, 5, dtype=torch.float64)
    for severity in range(6):
        for statistics in ("running", "hue32", "mixed32"):
            colours, twins = (tested[f, severity, statistics][0] for f in ("lecture_white", "lecture_white_twin"))
            torch.testing.assert_close(twins.mean(2), colours.mean(2))
            assert torch.equal(twins.amax(2), twins.amin(2))
    for hue in HUES:
        image, twin = (paint(x, c.double(), 0.5)[0] for c in (colour_at(4, hue), gray_twin(colour_at(4, hue))))
        torch.testing.assert_close(twin, image.mean(0).expand(3, 5, 5), rtol=0, atol=1e-7)


def test_the_hues_of_a_ceiling_are_those_of_severity_5_and_no_label_tells_them() -> None:
    labels = torch.from_numpy(IMAGES.y)
    drawn = vivid(labels, 10, 3)
    assert {tuple(c.tolist()) for c in drawn} == {tuple(h.tolist()) for h in HUES}
    which = (drawn[:, None] == HUES).all(2).long().argmax(1)
    table = torch.stack([which[labels == k].bincount(minlength=6) for k in range(10)]).double()
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    assert ((table - expected) ** 2 / expected).sum() < 80.08  # chi squared with 45 degrees of freedom, p = .001


@pytest.mark.parametrize("arm, statistics", [("none", ["running"]), ("bn", ["hue32", "mixed32", "running"])])
def test_rows_of_the_measure(arm: str, statistics: list[str]) -> None:
    c = cell(arm, inputs="lecture_white")
    table = shift.measure(c)
    assert sorted(table["statistics"].unique()) == statistics
    assert list(table)[:4] == ["seed", "family", "severity", "statistics"]
    assert len(table) == 2 * 6 * len(statistics) * 3 and not table.isna().any().any()
    rows = table[(table["family"] == "lecture_white") & (table["statistics"] == "running")].set_index("seed")
    net, view = c.net("final", "running"), SeedView(c, "test")
    right = []
    for hue in HUES:  # the mean over hues, here one hue at a time
        logits = net(view(torch.from_numpy(IMAGES.x), colour_at(3, hue).expand(256, 3)))
        right.append((logits.argmax(1) == view.labels).float().mean(1))
    expected = 100 * torch.stack(right).mean(0)
    assert rows[rows["severity"] == 3]["accuracy"].tolist() == pytest.approx(expected.tolist(), abs=1e-3)
    same = table[table["severity"] == 0].groupby(["seed", "family"])["accuracy"]
    if arm == "bn":
        wide = table[table["severity"] == 0].pivot(index=["seed", "family"], columns="statistics", values="accuracy")
        assert (wide["hue32"] == wide["mixed32"]).all() and (wide["hue32"] != wide["running"]).any()
    else:
        assert (same.nunique() == 1).all()


def test_batches_of_mixed_hues_use_the_statistics_of_those_32_images() -> None:
    c = cell("bn", inputs="lecture_gray")
    net, view = c.net("final"), SeedView(c, "test")
    tested = {(t.shift, t.severity, t.statistics): t.logits for t in lecture(c, net, view, True)}
    hues = HUES[(torch.arange(256) + 2) % 6]
    x = view(torch.from_numpy(IMAGES.x), colour_at(4, hues))
    net.set_statistics("batch", update=False)
    logits = torch.cat([net(b) for b in x.split(32, 2)], 2)
    torch.testing.assert_close(tested["lecture_gray", 4, "mixed32"][..., 512:768], logits, rtol=1e-4, atol=1e-4)


def judged(rows: dict[tuple[str, str, int], int], ceiling: list[int] | None = None, severity: int = 5) -> pd.DataFrame:
    """The contrast for hand-made accuracies {(arm, statistics, severity): points}."""
    fixed = {"depth": 5, "gain": 1.0, "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2, "rate": 0.1}
    made = [
        {**fixed, "arm": a, "inputs": "lecture_gray", "family": "lecture_gray", "statistics": st, "severity": s, "seed": seed, "accuracy": v + seed}
        for (a, st, s), v in rows.items() for seed in (0, 1)
    ]  # fmt: skip
    arms = [("none", "lecture_gray"), ("bn", "lecture_gray")]
    if ceiling is not None:
        arms.append(("none", "lecture_gray_ceiling"))
        made += [{**made[0], "inputs": "lecture_gray_ceiling", "severity": severity, "seed": i, "accuracy": v} for i, v in enumerate(ceiling)]  # fmt: skip
    rates = [{**fixed, "arm": a, "inputs": i, "role": "best@0.5", "evaluable": True, "reason": ""} for a, i in arms]
    own = JudgedKind(base={}, depths={"shallow": 5}, targets=(0.5,), seeds=2)
    at = Lookup({"shift": pd.DataFrame(made), "rates": pd.DataFrame(rates)}, own)
    spec = {"depth": "shallow", "inputs": "lecture_gray", "family": "lecture_gray", "arms": ["none", "bn"]}
    return lecture_difference(at, {**spec, "statistics": "hue32", "severity": severity})


HAND = {
    ("none", "running", 0): 90, ("none", "running", 3): 80, ("none", "running", 5): 40,
    ("bn", "hue32", 0): 88, ("bn", "hue32", 3): 85, ("bn", "hue32", 5): 68,
    ("bn", "running", 0): 95, ("bn", "running", 3): 75, ("bn", "running", 5): 30,
}  # fmt: skip


def test_a_drop_is_from_severity_0_with_the_same_statistics() -> None:
    assert judged(HAND)["lower"].tolist() == [50 - 20] * 2
    assert judged(HAND, severity=3)["upper"].tolist() == [10 - 3] * 2


def test_a_severity_that_nobody_can_read_is_not_evaluable() -> None:
    assert judged(HAND, ceiling=[79, 81])["lower"].tolist() == [30, 30]  # a median of 80 is enough
    with pytest.raises(NotEvaluable, match="severity 5 cannot be read: .* get 79% right, below 80%"):
        judged(HAND, ceiling=[78, 80])


def test_the_colour_share_of_weights() -> None:
    torch.manual_seed(0)
    free = torch.randn(4, 64, 3 * 196)
    assert colour.colour_share(free).tolist() == pytest.approx([2 / 3] * 4, abs=0.01)
    gray = torch.randn(4, 64, 1, 196).expand(4, 64, 3, 196).flatten(2)
    assert colour.colour_share(gray).tolist() == pytest.approx([0] * 4, abs=1e-6)
    each = free.view(4, 64, 3, 196)
    chromatic = (each - each.mean(2, keepdim=True)).flatten(2)
    assert colour.colour_share(chromatic).tolist() == pytest.approx([1] * 4, abs=1e-6)
    share = chromatic.square().sum((1, 2)) / (chromatic.square() + 4 * gray.square()).sum((1, 2))
    assert colour.colour_share((chromatic + 2 * gray) * 7).tolist() == pytest.approx(share.tolist())


def test_the_measure_of_colour() -> None:
    table = colour.measure(cell("none", inputs="lecture_white")).set_index(["checkpoint", "seed"])
    assert table.loc["init", "colour_share"].tolist() == pytest.approx([2 / 3] * 3, abs=0.03)
    assert table.loc["init", "change_share"].isna().all() and (table.loc["final", "change_share"] < 0.5).all()
    assert (table.loc["final", "colour_share"] < table.loc["init", "colour_share"]).all()
    assert colour.measure(cell("none")).empty


def test_spurious_colours_agree_with_the_class_as_often_as_they_should() -> None:
    labels = torch.arange(10).repeat(2000)
    for severity, share in enumerate((0.9, 0.74, 0.58, 0.42, 0.26, 0.1)):
        assert agreement(severity, 10) == pytest.approx(share)
        drawn = spurious(labels, 10, 1, severity)
        which = (drawn[:, None] == wheel(10)).all(2).long().argmax(1)
        assert (which == labels).double().mean() == pytest.approx(share, abs=0.01)
        off = (which - labels)[which != labels] % 10
        assert off.bincount(minlength=10)[1:].double().std() / off.bincount(minlength=10)[1:].double().mean() < 0.15
    assert not torch.equal(spurious(labels, 10, 1), spurious(labels, 10, 2))


def test_the_tests_of_spurious_colour_are_drawn_apart_from_its_training() -> None:
    tested = told("spurious_colour", spurious_colour)
    colours, labels = tested["spurious_colour_swapped", 5, "whole"]
    assert torch.equal(colours, wheel(10)[(labels + 5) % 10])
    colours, labels = tested["spurious_colour", 0, "running"]
    agree = (colours == wheel(10)[labels]).all(2).double().mean(1)
    assert agree.tolist() == pytest.approx([0.9] * 3, abs=0.06)
    first, seed = labels[0], cell("bn", inputs="spurious_colour").seeds[0]
    assert not torch.equal(colours[0], spurious(first, 10, seed))


def test_no_statistics_mend_a_spurious_colour() -> None:
    table = shift.measure(cell("bn", inputs="spurious_colour")).groupby(["family", "statistics", "severity"])
    median = table["accuracy"].median()
    for statistics in ("running", "batch32", "whole"):
        by_severity = median["spurious_colour", statistics]
        assert by_severity[0] - by_severity[5] > 15
        assert median["spurious_colour_swapped", statistics, 5] < by_severity[5]
