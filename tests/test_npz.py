"""A user's npz: what is read, what is refused in which words, and its way through planning and the workflow."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnstudy.__main__ import main
from bnstudy.config import study as config
from bnstudy.core import store
from bnstudy.data import local
from bnstudy.data.images import read, split
from bnstudy.data.local import Unusable, digest
from bnstudy.data.npz_file import describe
from bnstudy.data.prepare import prepare
from bnstudy.pipeline import stamps
from bnstudy.pipeline.plan import Plan
from helpers.data_jobs import load, refused, spec
from helpers.project import ROOT, python


def odd(**change: Any) -> dict[str, Any]:
    """700 images of 3 x 19 x 23 in three classes of 560, 105 and 35."""
    x = np.random.default_rng(0).integers(0, 256, (700, 3, 19, 23), np.uint8)
    y = np.repeat([0, 1, 2], [560, 105, 35])
    return {k: v for k, v in {"x": x, "y": y, **change}.items() if v is not None}


X, Y = odd()["x"], odd()["y"]
UNIT = (X / 255).astype(np.float32)
READABLE = {
    "uint8": (odd(), (3, 19, 23)),
    "float32": (odd(x=UNIT), (3, 19, 23)),
    "float64, big-endian, columns first": (odd(x=np.asfortranarray((X / 255).astype(">f8"))), (3, 19, 23)),
    "float16": (odd(x=UNIT.astype(np.float16)), (3, 19, 23)),
    "no channel axis": (odd(x=X[:, 1]), (1, 19, 23)),
    "channels last": (odd(x=X.transpose(0, 2, 3, 1)), (3, 19, 23)),
    "five channels, as said": (odd(x=np.tile(X, (1, 2, 1, 1))[:, :5], layout="NCHW"), (5, 19, 23)),
    "three pixels wide, as said": (odd(x=X[..., :3], layout="NCHW"), (3, 19, 3)),
    "three pixels high, as said": (odd(x=X[:, :, :2].transpose(0, 2, 3, 1), layout="NHWC"), (3, 2, 23)),
    "labels of one byte": (odd(y=Y.astype(np.int8)), (3, 19, 23)),
    "labels big-endian": (odd(y=Y.astype(">u4")), (3, 19, 23)),
    "named classes": (odd(classes=["cat", "dog", "émeu"]), (3, 19, 23)),
}


@pytest.mark.parametrize("zipped", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("case", READABLE)
def test_npz_loads_and_splits(case: str, zipped: Callable[..., None], tmp_path: Path) -> None:
    arrays, shape = READABLE[case]
    zipped(tmp_path / "a b.npz", **arrays)
    images = load("npz", tmp_path / "a b.npz")
    assert images.x.shape == (700, *shape) and images.x.dtype == np.float32
    tolerance = 3e-4 if case == "float16" else 0
    expected = UNIT[:, 1] if shape[0] == 1 else UNIT[:, 1, : shape[1], : shape[2]]
    np.testing.assert_allclose(images.x[:, 0 if shape[0] == 1 else 1], expected, rtol=0, atol=tolerance)
    assert images.y.tolist() == Y.tolist() and images.y.dtype == np.int64
    assert images.classes == tuple(arrays.get("classes", "012"))
    parts = split(images.y, {"train": 320, "test": 160, "heldout": 160}, seed=0)
    found = {name: np.bincount(images.y[index]).tolist() for name, index in parts.items()}
    assert found == {"train": [256, 48, 16], "test": [128, 24, 8], "heldout": [128, 24, 8]}


WRONG_NPZ: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no x": (odd(x=None, images=X), ("no array x; the file holds y, images", "keys: {x: images, y: y}")),
    "a control character": ({"a\x1b[31m\n": X}, (r"the file holds a\x1b[31m\n",)),
    "no y": (odd(y=None), ("no array y",)),
    "nothing": ({}, ("no array x; the file holds nothing",)),
    "NaN": (odd(x=np.where(X == 0, np.nan, X / 255)), ("3588 numbers of x are not finite", "finite numbers only")),
    "infinite": (odd(x=np.where(X == 0, np.inf, X / 255)), ("numbers of x are not finite",)),
    "beyond float32": (odd(x=np.where(X == 0, 1e300, X / 255)), ("floats in 0.00392156863..1e+300",)),
    "floats of 0 to 255": (odd(x=X.astype(np.float32)), ("floats in 0..255, not in 0..1", "add white: 255 to data")),
    "negative": (odd(x=UNIT - 1), ("floats in -1..0",)),
    "whole numbers": (odd(x=X.astype(np.int64)), ("whole numbers with a sign, in 0..255", "add white: 255 to data")),
    "complex": (odd(x=UNIT.astype(complex)), ("x is an array of dtype <c16",)),
    "objects": (odd(x=np.array([None] * 700)), ("x is an array of Python objects (dtype object)", "array of numbers")),
    "object labels": (odd(y=Y.astype(object)), ("y is an array of Python objects", "dtype=str")),
    "object names": (odd(classes=np.array(["a", "b", None])), ("classes is an array of Python objects", "dtype=str")),
    "flat": (odd(x=X.reshape(700, -1)), ("x has the shape [700, 1311]", "[N, H, W]")),
    "five axes": (odd(x=X[:, None]), ("x has the shape [700, 1, 3, 19, 23]",)),
    "no pixels": (odd(x=X[:, :, :0]), ("there are no pixels",)),
    "no images": (odd(x=X[:0], y=Y[:0]), ("there are no pixels",)),
    "which axis": (odd(x=X[..., :3]), ("[700, 3, 19, 3]: either of axes 1 and 3", 'layout="NCHW"')),
    "no axis": (odd(x=np.tile(X, (1, 2, 1, 1))), ("[700, 6, 19, 23]: neither of axes 1 and 3", 'layout="NHWC"')),
    "layout": (odd(layout="CHWN"), ("layout is 'CHWN'", "NCHW or NHWC")),
    "layout of three axes": (odd(x=X[:, 0], layout="NCHW"), ("layout is 'NCHW'", "write NHW,")),
    "a blank channel": (odd(x=X * np.array([1, 1, 0], np.uint8)[:, None, None]), ("channel 2 has the same value",)),
    "lengths": (odd(y=Y[:-1]), ("x has 700 images, y 699 labels", "one label per image")),
    "scores": (odd(y=np.eye(3)[Y] / 2), ("shape [700, 3]", "y.argmax(1)")),
    "several labels an image": (odd(y=np.ones((700, 3), int)), ("shape [700, 3]", "one label per image")),
    "amounts": (odd(y=Y / 7), ("y holds fractions", "numpy.digitize")),
    "labels that lack": (odd(y=np.where(Y == 1, np.nan, Y)), ("labels are not finite", "known = numpy.isfinite")),
    "labels beyond the names": (odd(classes=["a", "b"]), ("with 2 classes they are 0 to 1", "leave classes out")),
    "a name without images": (odd(classes=["a", "b", "c", "d"]), ("with 4 classes they are 0 to 3",)),
    "equal names": (odd(classes=["a", "b", "a"]), ("empty or equal names",)),
    "a single class": (odd(y=Y * 0), ("all images have the same label", "two classes")),
}


@pytest.mark.parametrize("case", WRONG_NPZ)
def test_npz_refuses(case: str, tmp_path: Path) -> None:
    arrays, words = WRONG_NPZ[case]
    np.savez(tmp_path / "mine.npz", **arrays)
    refused(lambda: load("npz", tmp_path / "mine.npz"), str(tmp_path / "mine.npz"), *words)


def npz_bytes(**change: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **odd(**change))
    return stream.getvalue()


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


RAW = npz_bytes()
AT = RAW.index(b"'shape': (700, 3")
NOT_NPZ = {
    "truncated": (RAW[:-30], "not an npz file, or truncated"),
    "half": (RAW[: len(RAW) // 2], "not an npz file, or truncated"),
    "a piece cut out": (RAW[:200] + RAW[90_000:], "not an npz file, or truncated"),
    "empty": (b"", "not an npz file"),
    "npy": (npy_bytes(X), "not an npz file"),
    "text": (b"a,b\n1,2\n", "not an npz file"),
    "a damaged pixel": (RAW[:5000] + bytes([RAW[5000] ^ 1]) + RAW[5001:], "damaged or truncated (Bad CRC"),
    "a wrong magic": (RAW.replace(b"\x93NUMPY", b"\x93NUMPI", 1), "the array x cannot be read"),
    "a header that promises more": (RAW[:AT] + RAW[AT:].replace(b"(700,", b"(799,", 1), "the array x is truncated"),
    "a header that promises 10^12": (RAW[:AT] + RAW[AT:].replace(b"(700, 3", b"(9**9,3", 1), "cannot be read"),
}


@pytest.mark.parametrize("case", NOT_NPZ)
def test_a_damaged_npz_is_refused(case: str, tmp_path: Path) -> None:
    raw, words = NOT_NPZ[case]
    (tmp_path / "mine.npz").write_bytes(raw)
    refused(lambda: load("npz", tmp_path / "mine.npz"), str(tmp_path / "mine.npz"), words)


def test_a_small_file_of_very_many_labels_is_refused_unread(tmp_path: Path) -> None:
    """20 million images of one pixel take some kilobytes, packed."""
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, shape in (("x", (20_000_000, 1, 1)), ("y", (20_000_000,))):
            with file.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
                stream.write(bytes(20_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    with pytest.raises(Unusable, match="20000000 images, more than 1000000"):
        describe(tmp_path / "bomb.npz")


def test_any_damage_is_refused_or_harmless(tmp_path: Path) -> None:
    """A byte replaced anywhere outside the pixels, which are covered by a checksum."""
    rng, path = np.random.default_rng(2), tmp_path / "mine.npz"
    raw = npz_bytes(x=X[:30, :, :2, :2], y=Y[:30] + np.arange(30) % 2, classes=["a", "b"], layout="NCHW")
    for at in rng.choice(len(raw), 300):
        path.write_bytes(raw[:at] + rng.bytes(1) + raw[at + 1 :])
        try:
            load("npz", path)
        except Unusable as error:
            assert "mine.npz" in str(error)


@pytest.mark.parametrize(
    "source, path, words",
    [
        ("npz", "none.npz", "no such file or folder"),
        ("npz", ".", "this is no file"),
        ("cifar10", "none", "no such file or folder"),
        ("cifar10", "a.npz", "this is no folder"),
        ("fashion_mnist", "a.npz", "this is no folder"),
    ],
)
def test_a_path_to_the_wrong_kind_of_thing(source: str, path: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(RAW)
    refused(lambda: load(source, tmp_path / path), str(tmp_path / path), words)


def plan(folder: Path, path: Path, data: str = "") -> Plan:
    study = folder / "study.yaml"
    keys = f"source: npz, path: {json.dumps(str(path))}, pool: 1, train: 320, test: 160, heldout: 160{data}"
    study.write_text(f"study: mine\ndata: {{{keys}}}\n")
    return Plan(config.read_study(study))


def test_the_content_of_the_users_file_is_what_counts(tmp_path: Path) -> None:
    first, moved = tmp_path / "a.npz", tmp_path / "another name.npz"
    first.write_bytes(RAW)
    moved.write_bytes(RAW)
    before = plan(tmp_path, first)
    assert plan(tmp_path, moved).data == before.data
    assert plan(tmp_path, first, ", images: 690").data != before.data
    first.write_bytes(npz_bytes(x=X ^ 1))  # as many bytes, other pixels
    assert plan(tmp_path, first).data != before.data
    refused(lambda: prepare(before.images), "changed while the study ran", "run again")


def test_images_keeps_a_stratified_few(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(RAW)
    images = prepare(spec("npz", tmp_path / "a.npz", images=100))
    assert np.bincount(images.y).tolist() == [80, 15, 5] and images.x.shape == (100, 3, 19, 23)
    originals = {pixels.tobytes() for pixels in UNIT}
    assert {pixels.tobytes() for pixels in images.x} < originals


def test_a_file_too_large_to_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.npz").write_bytes(RAW)
    monkeypatch.setattr(local, "MOST_BYTES", 1000)
    refused(lambda: digest([tmp_path / "a.npz"]), "bytes are more than 1000", "fewer images")


def test_the_job_ends_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", **odd(y=None))
    store.write_json(Path("job.json"), spec("npz", tmp_path / "mine.npz"))
    command = f"bnstudy data --out data.npz --spec job.json --code {stamps.images('npz')}"
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit, match="no images from data source npz:\n(.*\n)*.*no array y; the file holds x"):
        main()
    assert {p.name for p in tmp_path.iterdir()} == {"mine.npz", "job.json"}


def test_the_workflow_takes_a_path_of_any_characters(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "file" {x} $HOME.npz'
    path.write_bytes(RAW)
    made = plan(tmp_path, path)
    for folder in ("config", "report", "profiles"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    command = ["-s", str(ROOT / "Snakefile"), "--cores", "1", made.data, "--configfile", "study.yaml"]
    done = python(tmp_path, "-m", "snakemake", *command, project=ROOT)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / made.data).x.shape == (700, 3, 19, 23)
