"""Images: what the sources deliver, pooling, splitting, storing."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnstudy.core.cell import Splits
from bnstudy.data import digits, images, mnist5k, prepare
from bnstudy.data.batches import part
from bnstudy.data.images import Images, checked, pool, split
from bnstudy.data.local import ImagesSpec
from bnstudy.data.shares import Unsplittable, shares
from helpers.trained import training_spec


def test_mnist5k_is_balanced_and_pooled_when_read(tmp_path: Path) -> None:
    images.save(mnist5k.load(), tmp_path / "a.npz")
    assert images.read(tmp_path / "a.npz").x.shape == (5000, 1, 28, 28)
    loaded = images.read(tmp_path / "a.npz", 2)
    assert loaded.x.shape == (5000, 1, 14, 14) and loaded.x.dtype == np.float32
    assert np.bincount(loaded.y).tolist() == [500] * 10
    assert loaded.classes == tuple("0123456789")
    # A one is a narrow upright stroke, a zero has a hole: the labels belong to these images.
    centre = loaded.x[:, 0, 6:8, 6:8].mean((1, 2))
    assert centre[loaded.y == 1].mean() > 0.6 > 0.1 > centre[loaded.y == 0].mean()


def test_mnist5k_knows_another_source_of_the_same_classes(tmp_path: Path) -> None:
    """Ink is bright on a ground of 0 in both, so that neither is the other's negative; nothing but the size is changed."""
    spec = ImagesSpec(source="mnist5k")
    own = prepare.prepare(spec)
    images.save(own, tmp_path / "a.npz", prepare.other(spec, own))
    stored = images.read_other(tmp_path / "a.npz")
    assert stored is not None and np.array_equal(stored.x, digits.load().x)
    assert np.array_equal(stored.y, digits.load().y) and stored.classes == own.classes
    for x in (images.read(tmp_path / "a.npz", 2).x, images.resized(stored, 14, 14).x):
        assert x.shape[1:] == (1, 14, 14) and x.dtype == np.float32 and 0 <= x.min() < 0.01 and 0.9 < x.max() <= 1
        assert x[..., [0, 0, -1, -1], [0, -1, 0, -1]].mean() < 0.05 < 0.1 < x.mean() < 0.5
    assert prepare.other(ImagesSpec(source="digits"), digits.load()) is None
    images.save(own, tmp_path / "b.npz")
    assert images.read_other(tmp_path / "b.npz") is None


def test_another_source_must_have_the_same_classes() -> None:
    own = digits.load()._replace(classes=tuple("abcdefghij"))
    with pytest.raises(ValueError, match="data source mnist5k: load_other returns images of other classes or channels"):
        prepare.other(ImagesSpec(source="mnist5k"), own)


def test_resized_images_keep_a_level_and_a_ramp() -> None:
    """Bilinear between the centres of pixels: a ramp of 4 pixels stretched to 8 is a ramp of half the slope inside."""
    ramp = np.tile(np.arange(4, dtype=np.float32) / 4, (2, 1, 4, 1))
    made = Images(ramp, np.array([0, 1]), ("a", "b"))
    wide = images.resized(made, 4, 8)
    np.testing.assert_allclose(wide.x[0, 0, 2, 1:7], (np.arange(1, 7) - 0.5) / 8, atol=1e-6)
    level = images.resized(made._replace(x=np.full_like(ramp, 0.3)), 3, 2)
    np.testing.assert_allclose(level.x, 0.3, atol=1e-6)
    assert level.x.shape == (2, 1, 3, 2) and wide.classes == made.classes


def test_digits_are_in_the_unit_range() -> None:
    loaded = digits.load()
    assert loaded.x.shape == (1797, 1, 8, 8) and loaded.x.max() == 1 and loaded.x.min() == 0


def test_pool_averages_blocks() -> None:
    x = np.arange(2 * 1 * 4 * 6, dtype=np.float32).reshape(2, 1, 4, 6)
    pooled = pool(x, 2)
    assert pooled.shape == (2, 1, 2, 3) and pooled.dtype == np.float32
    assert pooled[1, 0, 1, 2] == x[1, 0, 2:4, 4:6].mean()
    np.testing.assert_array_equal(pool(x, 1), x)


def test_colour_and_oblong_images_go_through() -> None:
    scale = np.array([1, 0.5, 0.1], np.float32)[:, None, None]
    x = np.random.default_rng(0).random((700, 3, 18, 24), np.float32) * scale
    y = np.repeat([0, 1, 2], [560, 105, 35])
    pooled = pool(x, 3)
    assert pooled.shape == (700, 3, 6, 8) and pooled[5, 2, 1, 2] == pytest.approx(x[5, 2, 3:6, 6:9].mean())
    splits = Splits(train=320, test=160, heldout=160)
    spec = training_spec("none", depth=2, width=8, batch=16, steps=1, splits=splits)
    inputs, labels = part(Images(pooled, y, ("a", "b", "c")), spec, 0, "train")
    assert inputs.shape == (320, 3 * 6 * 8) and np.bincount(labels).tolist() == [256, 48, 16]
    colours = inputs.reshape(320, 3, -1)
    np.testing.assert_allclose(colours.mean((0, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(colours.std((0, 2)), 1, rtol=1e-5)


def test_pool_says_which_factors_would_do() -> None:
    with pytest.raises(ValueError, match=r"3 does not divide images of 28x28 pixels; allowed here: 1, 2, 4, 7, 14, 28"):
        pool(np.zeros((1, 1, 28, 28), np.float32), 3)
    with pytest.raises(ValueError, match="allowed here: 1, 2 "):
        pool(np.zeros((1, 1, 4, 6), np.float32), 0)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.data())
@settings(max_examples=150, deadline=None)
def test_split_is_exact_disjoint_and_proportional(counts: list[int], data: st.DataObject) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    train = data.draw(st.integers(1, max(1, len(y) - 2)))
    test = data.draw(st.integers(1, max(1, len(y) - train - 1)))
    sizes = {"train": train, "test": test, "heldout": len(y) - train - test}
    try:
        parts = split(y, sizes, seed=3)
    except ValueError:
        table = np.outer(counts, list(sizes.values())) / len(y)
        assert table.min() < 1 or min(sizes.values()) < 1
        return
    assert {name: len(index) for name, index in parts.items()} == sizes
    everything = np.concatenate(list(parts.values()))
    assert len(np.unique(everything)) == len(everything) and everything.dtype == np.int64
    for index in parts.values():
        share = np.array(counts) * len(index) / len(y)
        assert np.abs(np.bincount(y[index], minlength=len(counts)) - share).max() <= 1


def test_split_serves_a_nearly_exhausted_pool() -> None:
    # Rounding each part by itself would ask four classes for 295 + 103 + 103 = 501 of their 500 images.
    y = np.repeat(np.arange(10), 500)
    parts = split(y, {"train": 2944, "test": 1024, "heldout": 1024}, seed=0)
    assert [set(np.bincount(y[parts[n]]).tolist()) for n in ("train", "test")] == [{294, 295}, {102, 103}]


def test_split_is_a_function_of_the_seed_and_not_ordered_by_class() -> None:
    y = np.repeat(np.arange(10), 50)
    sizes = {"train": 300, "test": 100, "heldout": 50}
    first, again, other = split(y, sizes, 1), split(y, sizes, 1), split(y, sizes, 2)
    for name in sizes:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])
    assert set(first["train"]) != set(other["train"])
    # Batches ordered by class would make batch statistics those of one class.
    assert all(len(np.unique(y[first["test"]][start : start + 25])) > 5 for start in range(0, 100, 25))


def test_split_names_the_class_that_is_too_small() -> None:
    y = np.array([0] * 50 + [1] * 2)
    with pytest.raises(ValueError, match="class 1 has 2 of 52 images, too few for one among the 10 of heldout"):
        split(y, {"train": 30, "test": 10, "heldout": 10}, 0)


def test_split_refuses_more_than_there_is() -> None:
    with pytest.raises(ValueError, match=r"test 20 \+ train 40 = 60 images.*there are 50"):
        split(np.zeros(50, int), {"train": 40, "test": 20}, 0)


def test_saved_images_come_back_and_leave_no_other_file(tmp_path: Path) -> None:
    loaded = digits.load()
    images.save(loaded, tmp_path / "deep" / "a.npz")
    images.save(loaded, tmp_path / "deep" / "b.npz")
    again = images.read(tmp_path / "deep" / "a.npz")
    np.testing.assert_array_equal(again.x, loaded.x)
    np.testing.assert_array_equal(again.y, loaded.y)
    assert again.classes == loaded.classes and again.x.dtype == np.float32
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["a.npz", "b.npz"]
    assert (tmp_path / "deep" / "a.npz").read_bytes() == (tmp_path / "deep" / "b.npz").read_bytes()


def test_a_failed_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError):
        images.save(digits.load(), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_read_executes_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", x=np.array([object()]), y=np.zeros(1), classes=np.array(["a"]))
    with pytest.raises(ValueError, match="pickle"):
        images.read(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x, y: (x.astype(np.float64), y), "float32"),
        (lambda x, y: (x[:, 0], y), r"\[N, C, H, W\]"),
        (lambda x, y: (x, y[:-1]), "y must be"),
        (lambda x, y: (x * np.float32(255), y), r"in 0\.\.1, not in 255\.\.255"),
        (lambda x, y: (np.where(x == 1, np.float32(np.nan), x), y), "not finite"),
        (lambda x, y: (x, y + 1), r"labels \[2\] lie outside"),
        (lambda x, y: (x, y * 0), "no image of class b"),
    ],
)
def test_checked_names_source_and_fault(change: Callable[..., tuple[np.ndarray, np.ndarray]], message: str) -> None:
    x, y = np.ones((4, 1, 2, 2), np.float32), np.array([0, 1, 0, 1])
    assert checked(Images(x, y, ("a", "b")), "toy").x is x
    with pytest.raises(ValueError, match=message) as error:
        checked(Images(*change(x, y), ("a", "b")), "toy")
    assert "toy" in str(error.value)


def test_which_images_a_seed_draws_depends_on_no_order_of_the_parts() -> None:
    """Who listed the parts in another order would test on images that were trained on. The bits are those of the sorted
    names, with which every study was split so far."""
    y = np.arange(100) % 2
    sizes = {"train": 61, "test": 4, "heldout": 15}
    parts = [images.split(y, dict(order), 3) for order in permutations(sizes.items())]
    for name in sizes:
        assert all(np.array_equal(each[name], parts[0][name]) for each in parts)
    assert list(parts[0]) == sorted(sizes) == list(vars(Splits(train=6, test=4, heldout=4)))
    assert images.split(y, {"train": 6, "test": 4, "heldout": 4}, 3)["test"].tolist() == [49, 68, 34, 97]


def test_what_can_be_split_depends_on_no_order_of_the_parts() -> None:
    """Classes that can be split in the order of the names alone, and in another order alone."""
    for counts, train, test, heldout in (([1588, 11, 5], 448, 175, 176), ([1601, 10, 6, 10], 384, 183, 301)):
        found = set()
        for order in permutations({"train": train, "test": test, "heldout": heldout}.items()):
            try:
                found.add(str(shares(counts, dict(order))))
            except Unsplittable as error:
                found.add(str(error))
        assert len(found) == 1


def test_each_treatment_changes_one_thing_of_what_a_network_sees() -> None:
    """Unequal ranges at the scale of standardized inputs (over the training images), and the scale alone."""
    seen = {}
    for kind in ("standardized", "mixed", "scaled"):
        spec = training_spec("none", depth=2, width=8, batch=8, steps=1, inputs=kind)
        seen[kind] = part(digits.load(), spec, 0, "train")[0].astype(np.float64)
    squares = {kind: np.square(x).mean() for kind, x in seen.items()}
    assert squares == pytest.approx({"standardized": 1, "mixed": 1, "scaled": 64**2}, rel=1e-5)
    np.testing.assert_allclose(seen["scaled"], 64 * seen["standardized"], rtol=1e-6)
    largest = seen["mixed"].max(0)
    assert largest.max() > 10 * np.median(largest[largest > 0])
