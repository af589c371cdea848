"""Pictures, tables and labels as people have them: read, or refused with advice that works when followed word for word."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from bnstudy.config import study as config
from bnstudy.core.cell import Splits
from bnstudy.data import folder, npz
from bnstudy.data.batches import scaling
from bnstudy.data.images import Images, read, save, split_images
from bnstudy.data.local import Reading, Unusable
from bnstudy.data.prepare import prepare
from bnstudy.data.shares import Unsplittable, shares
from bnstudy.data.shifts import SPATIAL, applicable
from bnstudy.pipeline.plan import Plan
from helpers.trained import IMAGES, training_spec

COUNT = 700
Y = np.arange(COUNT) % 3
U = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8), np.uint8)
F = U / 255
SPLIT = {"pool": 1, "train": 320, "test": 160, "heldout": 160}


MANUAL = (Path(__file__).parents[1] / "config/README.md").read_text()
SNIPPETS = re.findall(r"^(data: \{.*\})$", MANUAL, re.M) + re.findall(r"Then `(data: \{.*?\})`", MANUAL)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_each_line_of_the_manual_brings_its_images(snippet: str, tmp_path: Path) -> None:
    data = yaml.safe_load(snippet)["data"]
    pictures(tmp_path / "photos", count=640)
    np.savez(tmp_path / "mine.npz", x=U, y=Y)
    named = {"train_images": U, "train_labels": Y[:, None], "test_images": U[:200], "test_labels": Y[:200, None]}
    np.savez(tmp_path / "pathmnist.npz", **named)  # type: ignore[arg-type]
    (tmp_path / "kmnist").mkdir()
    np.savez(tmp_path / "kmnist/kmnist-train-imgs.npz", U)
    np.savez(tmp_path / "kmnist/kmnist-train-labels.npz", Y)
    found = images(tmp_path, **{**data, "path": str(tmp_path / data["path"])})
    assert len(found.x) >= 640 and len(SNIPPETS) == 5
    assert (found.tests is not None) == ("test_x" in data.get("keys", {}))


def study(folder: Path, **data: Any) -> Plan:
    """Return the plan of a study of ``mine.npz`` in ``folder``."""
    own = {"source": "npz", "path": str(folder / "mine.npz"), **SPLIT, **data}
    text: dict[str, Any] = {"study": "mine", "data": own}
    text["training"], text["grids"] = {"batch": 32}, [{"name": "main", "arms": ["none", "bn"], "depths": [2]}]
    text["claims"] = {"depths": {"shallow": 2}}
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(text))
    return Plan(config.read_study(file))


def images(folder: Path, **data: Any) -> Images:
    return prepare(study(folder, **data).images)


def said(folder: Path, **data: Any) -> str:
    with pytest.raises(SystemExit) as stop:
        study(folder, **data)
    return str(stop.value)


def advised(folder: Path, **data: Any) -> Images:
    """Return the images once the keys that the refusal proposes are in the config, word for word."""
    advice = r"add (?:to data: )?((?:keys: \{[^}]*\}|\w+: [-\w.]+)(?:, \w+: [-\w.]+)*)"
    proposed = re.search(advice, said(folder, **data))
    assert proposed, said(folder, **data)
    return images(folder, **{**data, **yaml.safe_load("{" + proposed[1] + "}")})


PIXELS: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "16 bits": ((F * 65535).astype(np.uint16), F), "true or false": (F > 0.5, (F > 0.5).astype(float)),
    "a hair outside": ((F * (1 + 2e-7) - 1e-7).astype(np.float32), F), "float64": (F, F), "one colour axis": (F[..., None], F),
}  # fmt: skip


@pytest.mark.parametrize("case", PIXELS)
def test_pixels_that_say_what_white_is(case: str, tmp_path: Path) -> None:
    stored, expected = PIXELS[case]
    np.savez(tmp_path / "mine.npz", x=stored, y=Y)
    np.testing.assert_allclose(images(tmp_path).x[:, 0], expected, atol=1e-4)


LEVELS = np.rint(F * 16)
OTHERS: dict[str, tuple[np.ndarray, np.ndarray, str]] = {
    "0 to 16": (LEVELS.astype(np.uint8), LEVELS / 16, "nearly black"), "0 to 16 floats": (LEVELS, LEVELS / 16, "not in 0..1"),
    "0 to 255 floats": (U.astype(np.float32), F, "not in 0..1"), "signed": (U.astype(np.int64), F, "whole numbers with a sign"),
    "-1 to 1": (2 * F - 1, F, "not in 0..1"), "12 bits": (np.rint(F * 4095).astype(np.uint16), F, "nearly black"),
    "true or false as 0 and 1": ((F > 0.5).astype(np.uint8), (F > 0.5).astype(float), "nearly black"),
    "standardized": ((F - F.mean()) / F.std(), F, "not in 0..1"), "15 levels": (np.rint(F * 15).astype(np.uint8), np.rint(F * 15) / 15, "nearly black"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_pixels_of_another_range_are_refused_while_planning_and_the_advice_works(case: str, tmp_path: Path) -> None:
    stored, expected, fault = OTHERS[case]
    np.savez(tmp_path / "mine.npz", x=stored, y=Y)
    assert fault in said(tmp_path)
    np.testing.assert_allclose(advised(tmp_path).x[:, 0], expected, atol=2e-4)


def test_dark_pictures_that_are_meant_so_stay_dark(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=U // 5, y=Y)
    assert "add white: 255" in said(tmp_path)
    np.testing.assert_allclose(images(tmp_path, white=255).x[:, 0], (U // 5) / 255, atol=1e-6)


def test_a_black_above_the_pixels_is_set_back(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=U, y=Y)
    assert "write black: 0, white: 255" in said(tmp_path, black=20, white=10)
    np.testing.assert_allclose(advised(tmp_path, black=20, white=255).x[:, 0], F, atol=1e-6)


LABELS: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {
    "a column": (Y[:, None], ("0", "1", "2")), "one-hot": (np.eye(3)[Y], ("0", "1", "2")), "one-hot whole": (np.eye(3, dtype=int)[Y], ("0", "1", "2")),
    "text": (np.array(["cat", "dog", "emu"])[Y], ("cat", "dog", "emu")), "bytes": (np.array([b"a", b"b", b"c"])[Y], ("a", "b", "c")),
    "from 1": (Y + 1, ("1", "2", "3")), "a gap": (np.where(Y == 1, 11, Y), ("0", "2", "11")), "whole floats": (Y.astype(float), ("0", "1", "2")),
    "signs": (np.where(Y > 0, 1, -1), ("-1", "1")), "true or false": (Y > 0, ("0", "1")),
}  # fmt: skip


@pytest.mark.parametrize("case", LABELS)
def test_labels_as_people_store_them(case: str, tmp_path: Path) -> None:
    stored, names = LABELS[case]
    np.savez(tmp_path / "mine.npz", x=U, y=stored)
    found = images(tmp_path)
    assert found.classes == names and found.y.dtype == np.int64
    expected = np.unique(Y, return_inverse=True)[1] if len(names) == 3 else (Y > 0).astype(int)
    assert (found.y == (np.array([0, 2, 1])[Y] if case == "a gap" else expected)).all()


PUBLISHED = {
    "MedMNIST": ("train_images", "train_labels", "test_images", "test_labels"),
    "Keras": ("x_train", "y_train", "x_test", "y_test"),
    "capitals": ("X", "Y", None, None),
    "images and labels": ("images", "labels", None, None),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_layouts_come_in_with_the_keys_that_the_refusal_proposes(case: str, tmp_path: Path) -> None:
    x, y, test_x, test_y = PUBLISHED[case]
    arrays = {x: U, y: Y[:, None]} | ({test_x: 255 - U[:210], test_y: Y[:210, None]} if test_x else {})
    np.savez(tmp_path / "mine.npz", **arrays)  # type: ignore[arg-type]
    found = advised(tmp_path)
    assert len(found.x) == (910 if test_x else COUNT)
    if test_x:
        assert found.tests is not None and found.tests.sum() == 210
        parts = split_images(found, {"heldout": 160, "test": 160, "train": 320}, seed=3)
        assert found.tests[parts["test"]].all() and not found.tests[parts["train"]].any()
        assert not found.tests[parts["heldout"]].any() and len(set(np.concatenate([*parts.values()]))) == 640
        save(found, tmp_path / "stored.npz")
        np.testing.assert_array_equal(read(tmp_path / "stored.npz").tests, found.tests)


def test_images_and_labels_in_files_of_their_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "imgs.npz", U)
    np.savez(tmp_path / "labels.npz", Y)
    plan = study(tmp_path, path=str(tmp_path), keys={"x": "imgs.npz:arr_0", "y": "labels.npz:arr_0"})
    assert (prepare(plan.images).y == Y).all()
    np.savez(tmp_path / "labels.npz", 2 - Y)
    assert study(tmp_path, path=str(tmp_path), keys={"x": "imgs.npz:arr_0", "y": "labels.npz:arr_0"}).data != plan.data


def test_a_table_has_a_channel_per_feature_and_no_shift_of_pixels(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal([5.0, -300.0, 0.1, 7.0], [1.0, 50.0, 0.01, 2.0], (150, 4))
    np.savez(tmp_path / "mine.npz", x=rows, y=np.arange(150) % 3)
    small = {"train": 64, "test": 43, "heldout": 43}
    assert "add kind: table to data" in said(tmp_path, **small)
    found = advised(tmp_path, **small)
    assert found.x.shape == (150, 4, 1, 1) and found.x.min() == 0 and found.x.max() == 1
    np.testing.assert_allclose(np.corrcoef(found.x[:, 1, 0, 0], rows[:, 1])[0, 1], 1, atol=1e-6)
    assert set(applicable(torch.from_numpy(found.x))).isdisjoint(SPATIAL)
    assert set(SPATIAL) < set(applicable(torch.from_numpy(IMAGES.x)))
    spec = training_spec("none", 20, splits=Splits(heldout=43, test=43, train=64), depth=2, width=16, batch=32)
    drawn = scaling(found, spec, 0)
    train = (found.x[drawn.splits["train"]].reshape(64, -1) - drawn.origin) * drawn.scale
    np.testing.assert_allclose(train.std(0), 1, atol=1e-4)
    np.savez(tmp_path / "mine.npz", x=rows[:, None], y=np.arange(150) % 3)
    assert "a single row or column" in said(tmp_path, **small)
    assert (advised(tmp_path, **small).x == found.x).all()
    np.savez(tmp_path / "mine.npz", x=U, y=Y)
    assert "at least 128" in said(tmp_path, **small)


def test_a_table_takes_no_network_of_images(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=F.reshape(COUNT, -1), y=Y)
    file = tmp_path / "study.yaml"
    study(tmp_path, kind="table")
    text = yaml.safe_load(file.read_text())
    grid = {"name": "main", "arms": ["none"], "depths": [2], "inputs": ["scaled"]}
    mine = {"kinds": {"mine": {"net": "cnn"}}, "grids": [{**grid, "kinds": ["mine"]}], "claims": {"depths": {}}}
    for wrong in ({"network": {"family": "cnn"}}, mine):
        file.write_text(yaml.safe_dump(text | wrong))
        with pytest.raises(SystemExit, match="a table has no pixels") as refused:
            config.read_study(file)
        assert "nothing to paint" not in str(refused.value)  # scaling paints nothing


def pictures(folder: Path, colour: bool = False, count: int = 330, **sizes: tuple[int, int]) -> None:
    for i in range(count):
        name = "abc"[i % 3]
        (folder / name).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(U[i])
        if colour and i == 5:
            picture = Image.merge("RGB", [picture, picture, Image.fromarray(255 - U[i])])
        if name in sizes:
            picture = picture.resize(sizes[name])
        picture.save(folder / name / f"{i:03}.png")


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    pictures(tmp_path / "photos")
    (tmp_path / "photos/a/notes.txt").write_text("no picture")
    sizes = {"source": "folder", "path": str(tmp_path / "photos"), "train": 64, "test": 128, "heldout": 128}
    plan = study(tmp_path, **sizes)
    found = prepare(plan.images)
    assert found.x.shape == (330, 1, 8, 8) and found.classes == ("a", "b", "c")
    places = [i for name in range(3) for i in range(330) if i % 3 == name]
    np.testing.assert_allclose(found.x[:, 0], F[places], atol=1e-6)
    assert found.y.tolist() == [i % 3 for i in places]
    (tmp_path / "photos/a/000.png").rename(tmp_path / "photos/b/000.png")
    assert study(tmp_path, **sizes).data != plan.data, "a picture's folder is its class"
    pictures(tmp_path / "coloured", colour=True)
    assert images(tmp_path, **sizes | {"path": str(tmp_path / "coloured")}).x.shape == (330, 3, 8, 8)


def test_pictures_of_many_sizes_become_squares(tmp_path: Path) -> None:
    pictures(tmp_path / "photos", b=(20, 12))
    sizes = {"source": "folder", "path": str(tmp_path / "photos"), "train": 64, "test": 128, "heldout": 128}
    with pytest.raises(ValueError, match="2 sizes, from 8x8 to 20x12 pixels\n.*add size: 32 to data"):
        images(tmp_path, **sizes)
    assert images(tmp_path, **sizes, size=32).x.shape == (330, 1, 32, 32)


def test_a_folder_without_classes_and_a_broken_picture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    sizes = {"source": "folder", "path": str(tmp_path / "photos"), "train": 64, "test": 128, "heldout": 128}
    assert "a folder of its own" in said(tmp_path, **sizes)
    pictures(tmp_path / "photos")
    (tmp_path / "photos/c/329.png").write_bytes(b"\x89PNG cut short")
    with pytest.raises(ValueError, match=r"329\.png: no picture, or damaged"):
        images(tmp_path, **sizes)


def test_an_official_test_split_in_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "photos/train")
    pictures(tmp_path / "photos/test")
    sizes = {"source": "folder", "path": str(tmp_path / "photos"), "train": 160, "test": 300, "heldout": 160}
    found = images(tmp_path, **sizes)
    assert found.tests is not None and found.tests.tolist() == [False] * 330 + [True] * 330


@pytest.mark.parametrize("counts", [(1794, 3), (560, 105, 2), (30, 30, 1500)])
def test_the_remedy_for_a_rare_class_works(counts: tuple[int, ...]) -> None:
    sizes = {"heldout": 128, "test": 128, "train": 320}
    with pytest.raises(Unsplittable) as error:
        shares(counts, sizes | {"test": 5} if counts[0] == 30 else sizes)
    rare = re.search(r"class (\d+) has .*give the class (\d+) images", str(error.value))
    assert rare is None or shares([int(rare[2]) if i == int(rare[1]) else n for i, n in enumerate(counts)], sizes)
    larger = re.search(r"set (\w+) to (\d+)", str(error.value))
    assert larger is None or shares(counts, {**sizes, larger[1]: int(larger[2])})


def test_splits_are_no_classes(tmp_path: Path) -> None:
    """Folders train, val and test were once taken for three classes; what begins with a point is no picture."""
    for part, count in (("Training", 60), ("val", 12), ("test", 18)):
        pictures(tmp_path / "photos" / part, count=count)
    (tmp_path / "photos/val/a/._0000.png").write_bytes(b"\0\5\26\7")
    found = folder.load(tmp_path / "photos", Reading())
    assert len(found.x) == 90 and found.tests is not None and found.tests.sum() == 18
    assert not {"val", "test", "Training"} & set(found.classes)


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_dark_pictures_say_what_is_white(kind: type, bits: int, tmp_path: Path) -> None:
    stored = np.arange(64).reshape(8, 8) % 17
    for name in ("a", "b"):
        (tmp_path / "dark" / name).mkdir(parents=True)
        Image.fromarray(stored.astype(kind)).save(tmp_path / "dark" / name / "1.png")
    with pytest.raises(Unusable, match=f"16 of {bits}: nearly black") as error:
        folder.load(tmp_path / "dark", Reading())
    assert f"add white: 16 to data; if the pictures are meant to be so dark, add white: {bits}" in str(error.value)
    np.testing.assert_allclose(folder.load(tmp_path / "dark", Reading(white=16)).x[0, 0], stored / 16, atol=1e-6)
    assert folder.load(tmp_path / "dark", Reading(white=bits)).x.max() == np.float32(16 / bits)
    with pytest.raises(Unusable, match="write white: 16"):
        folder.load(tmp_path / "dark", Reading(white=8))


def test_what_shows_in_transparency_alone_is_refused(tmp_path: Path) -> None:
    black, shape = Image.new("L", (8, 8)), Image.fromarray(U[0])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.merge("RGBA", [black, black, black, shape]).save(tmp_path / name / "1.png")
    with pytest.raises(Unusable, match="every pixel of every picture is black"):
        folder.load(tmp_path, Reading())


def test_fractions_divided_twice_are_refused_and_the_advice_works(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=(F / 255).astype(np.float32), y=Y)
    with pytest.raises(SystemExit, match="nearly black") as error:
        study(tmp_path)
    advice = re.search(r"add white: (\S+) to data", str(error.value))
    assert advice
    np.testing.assert_allclose(images(tmp_path, white=float(advice[1])).x[:, 0], F, atol=1e-5)


def test_labels_that_are_empty_texts_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=U, y=np.array(["cat", "dog", " "])[Y])
    with pytest.raises(SystemExit, match="233 labels are empty texts"):
        study(tmp_path)


def test_files_that_are_no_npz_are_told_what_makes_one(tmp_path: Path) -> None:
    """The advice for text with commas is followed word for word."""
    file, table = tmp_path / "mine.npz", np.c_[F.reshape(COUNT, -1), Y]
    for raw, advice in ((gzip.compress(b"x"), "gunzip"), (b"\x93NUMPY\1\0", "numpy.load"), (b"PK", "numpy.savez")):
        file.write_bytes(raw)
        with pytest.raises(SystemExit, match=advice):
            study(tmp_path)
    np.savetxt(tmp_path / "rows.csv", table, delimiter=",", header=",".join(map(str, range(65))), comments="")
    with pytest.raises(Unusable) as error:
        npz.load(tmp_path / "rows.csv", Reading(kind="table"))
    code = re.search(r"last column: (.*), and kind: table", error.value.remedy)
    assert code
    exec(code[1].replace('("', f'("{tmp_path}/'), {"numpy": np})
    found = npz.load(file, Reading(kind="table"))
    assert found.x.shape == (COUNT, 64, 1, 1) and found.classes == ("0", "1", "2")
