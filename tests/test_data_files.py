"""Data sources that read files: Fashion-MNIST, CIFAR-10, a user's npz; downloads; what is refused, and in which words."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnstudy import config, store
from bnstudy.data import cifar10, fashion_mnist, local
from bnstudy.data.files import download
from bnstudy.data.images import Images, read, split
from bnstudy.data.local import Unusable, digest, files
from bnstudy.data.prepare import prepare
from bnstudy.plan import Plan
from server import Server

ROOT = Path(__file__).parents[1]


def spec(source: str, path: Path, **more: Any) -> dict[str, Any]:
    """A job's specification, as planning makes it."""
    return {"source": source, "path": str(path), "sha256": digest(files(source, path)), **more}


def load(source: str, path: Path) -> Images:
    return prepare(spec(source, path))


def refused(load: Callable[[], object], *words: str) -> None:
    with pytest.raises(Unusable) as error:
        load()
    assert [word for word in (*words, "what to do: ") if word not in str(error.value)] == [], str(error.value)


# Fashion-MNIST ------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def made() -> list[bytes]:
    """The four files of FILES, with 60 and 20 images."""
    rng = np.random.default_rng(0)
    raw = []
    for n in (60, 20):
        raw += [idx(rng.integers(0, 256, (n, 28, 28), np.uint8)), idx((np.arange(n) % 10).astype(np.uint8))]
    return raw


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the four files, of which some may be replaced; those as made pass for the published ones."""
    monkeypatch.setattr(fashion_mnist, "SHA256", tuple(hashlib.sha256(raw).hexdigest() for raw in made()))

    def write(change: dict[int, bytes | None] | None = None, zipped: bool = True) -> Path:
        for i, raw in enumerate(made()):
            new = (change or {}).get(i, gzip.compress(raw) if zipped else raw)
            if new is not None:
                (tmp_path / fashion_mnist.FILES[0 if zipped else 1][i]).write_bytes(new)
        return tmp_path

    return write


DEBIAN = pytest.mark.skipif(
    not fashion_mnist.DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed"
)
PUBLISHED = {
    "train-images-idx3-ubyte": (1504176606, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels-idx1-ubyte": (1504176606, "25c81989df183df01b3e8a0aad5dffbe"),
    "t10k-images-idx3-ubyte": (1504176627, "bef4ecab320f06d8554ea6380940ec79"),
    "t10k-labels-idx1-ubyte": (1504176627, "bb300cfdad3c16e7a12a480ee83cd310"),
}
"""Of the .gz as published: the time in its header (31 August 2017), and its MD5 as the publisher's page gives it."""


@DEBIAN
@pytest.mark.parametrize("name", PUBLISHED)
def test_debians_files_are_the_published_ones_but_for_name_and_date(name: str) -> None:
    time, md5 = PUBLISHED[name]
    header = b"\x1f\x8b\x08\x08" + time.to_bytes(4, "little") + b"\0\x03" + name.encode() + b"\0"
    raw = (fashion_mnist.DEBIAN / f"{name}.gz").read_bytes()
    assert hashlib.md5(header + raw[10:]).hexdigest() == md5


@DEBIAN
def test_fashion_mnist_of_debian_is_the_published_one() -> None:
    images = prepare({"source": "fashion_mnist"})
    assert images.x.shape == (70_000, 1, 28, 28) and images.x.dtype == np.float32
    assert np.bincount(images.y).tolist() == [7000] * 10
    # Mean and sd of the training pixels as the literature has them.
    assert images.x[:60_000].mean(dtype=float) == pytest.approx(0.2860, abs=5e-5)
    assert images.x[:60_000].std(dtype=float) == pytest.approx(0.3530, abs=5e-5)
    # Trousers are narrow, bags wide, sneakers low: the labels belong to these images.
    sides, top = images.x[:, 0, :, :4].mean((1, 2)), images.x[:, 0, :8].mean((1, 2))
    assert sides[images.y == 1].mean() < 0.01 < 0.1 < sides[images.y == 8].mean()
    assert top[images.y == 7].mean() < 0.01 < 0.1 < top[images.y == 9].mean()


@pytest.mark.parametrize("zipped", [True, False])
def test_fashion_mnist_from_a_folder(fashion: Callable[..., Path], zipped: bool) -> None:
    images = load("fashion_mnist", fashion(zipped=zipped))
    pixels = np.frombuffer(made()[2], np.uint8, offset=16).reshape(20, 1, 28, 28)
    np.testing.assert_array_equal(images.x[60:], (pixels / 255).astype(np.float32))
    assert images.y.tolist() == [*range(10)] * 8 and images.classes[9] == "ankle boot"


ZIPPED = gzip.compress(made()[0])
WRONG_FASHION = {
    "truncated gz": ({0: ZIPPED[:-100]}, "train-images-idx3-ubyte.gz", "damaged or truncated", "whole copy"),
    "damaged gz": ({0: ZIPPED[:200] + b"?" + ZIPPED[201:]}, "train-images-idx3-ubyte.gz", "damaged", "whole copy"),
    "truncated": ({0: made()[0][:-1]}, "truncated: 47055 bytes, where 60 x 28 x 28 values take 47056"),
    "too long": ({1: made()[1] + b"0"}, "train-labels-idx1-ubyte.gz: too long"),
    "only a beginning": ({1: made()[1][:6]}, "truncated"),
    "empty": ({1: b""}, "wrong magic number (empty file)"),
    "wrong magic": ({0: b"\x89PNG" + bytes(50)}, "wrong magic number 89 50 4e 47", "begins 00 00 08 03"),
    "labels for images": ({2: made()[3]}, "t10k-images-idx3-ubyte.gz", "wrong magic number 00 00 08 01"),
    "another content": ({3: made()[3][:-1] + b"\0"}, "t10k-labels-idx1-ubyte.gz", "wrong SHA256", "npz"),
    "a missing file": ({1: None}, "the folder lacks train-labels-idx1-ubyte.gz", "put in all of: train-images"),
}


@pytest.mark.parametrize("case", WRONG_FASHION)
def test_fashion_mnist_refuses(case: str, fashion: Callable[..., Path]) -> None:
    change, *words = WRONG_FASHION[case]
    refused(lambda: load("fashion_mnist", fashion(change)), *words)


@pytest.mark.parametrize(
    "i, array, words",
    [
        (0, np.zeros((60, 28, 27), np.uint8), "of 28x27 pixels"),
        (0, np.zeros((59, 28, 28), np.uint8), "79 images of 28x28 pixels and 80 labels"),
        (1, np.full(60, 10, np.uint8), "labels [10] lie outside 0..9"),
    ],
)
def test_fashion_mnist_checks_shapes_and_labels_too(
    i: int, array: np.ndarray, words: str, fashion: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    change = {i: idx(array)}
    if i == 0:
        change[2] = idx(np.zeros((20, *array.shape[1:]), np.uint8))
    sums = [hashlib.sha256(change.get(j, raw)).hexdigest() for j, raw in enumerate(made())]
    monkeypatch.setattr(fashion_mnist, "SHA256", sums)
    with pytest.raises(ValueError) as error:
        load("fashion_mnist", fashion(change))
    assert words in str(error.value)


def test_fashion_mnist_is_fetched_once(
    fashion: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = {f"/{name}": gzip.compress(raw) for name, raw in zip(fashion_mnist.FILES[0], made())}
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(fashion_mnist, "DOWNLOADS", tmp_path / "downloads")
    with Server(served) as server:
        monkeypatch.setattr(fashion_mnist, "PUBLISHER", server.url + "/")
        first, again = prepare({"source": "fashion_mnist"}), prepare({"source": "fashion_mnist"})
        assert len(server.asked) == 4
    np.testing.assert_array_equal(first.x, again.x)
    assert {p.name for p in (tmp_path / "downloads/fashion_mnist").iterdir()} == set(fashion_mnist.FILES[0])


# Downloads ----------------------------------------------------------------------------------------------------

BODY = np.random.default_rng(1).bytes(600_000)
BYTES = len(BODY)


def whole(path: Path) -> None:
    if path.read_bytes() != BODY:
        raise Unusable(path, "wrong SHA-256", "fetch it again")


@pytest.mark.parametrize("known", [0, 1, 250_000, BYTES])
def test_a_download_continues_behind_what_is_there(known: int, tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(BODY[:known])
    with Server({"/a": BODY}) as server:
        download(f"{server.url}/a", tmp_path / "a", whole)
        assert server.asked == [f"bytes={known}-" if known else None]
    assert [p.name for p in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == BODY


def test_a_broken_connection_is_taken_up_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Server({"/a": BODY}, breaks=[100_000, 300_000]) as server:
        download(f"{server.url}/a", tmp_path / "a", whole)
        assert server.asked == [None, "bytes=100000-", "bytes=400000-"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert f"{server.url}/a: continues at 400000 bytes" in capsys.readouterr().err


def test_a_server_that_gives_up_leaves_the_part_for_the_next_run(tmp_path: Path) -> None:
    with Server({"/a": BODY}, breaks=[100_000, 0]) as server:
        with pytest.raises(OSError, match=r"(?s)cannot be fetched.*run again.*100000 bytes.*a\.part") as error:
            download(f"{server.url}/a", tmp_path / "a", whole)
        assert server.url in str(error.value) and "data.path" in str(error.value)
        assert [p.name for p in tmp_path.iterdir()] == ["a.part"]
        download(f"{server.url}/a", tmp_path / "a", whole)
        assert server.asked[-1] == "bytes=100000-"
    assert (tmp_path / "a").read_bytes() == BODY


def test_a_server_without_ranges_begins_again(tmp_path: Path) -> None:
    with Server({"/a": BODY}, breaks=[100_000], ranges=False) as server:
        download(f"{server.url}/a", tmp_path / "a", whole)
    assert (tmp_path / "a").read_bytes() == BODY


def test_a_wrong_file_is_deleted(tmp_path: Path) -> None:
    with Server({"/a": BODY[:-1] + b"?"}) as server:
        refused(
            lambda: download(f"{server.url}/a", tmp_path / "a", whole),
            server.url,
            "not what was published",
            "wrong SHA-256",
            "data.path",
        )
    assert not list(tmp_path.iterdir())


def test_no_server_and_no_file(tmp_path: Path) -> None:
    with Server({}) as server:
        with pytest.raises(OSError, match="Not Found"):
            download(f"{server.url}/a", tmp_path / "a", whole)
    with pytest.raises(OSError, match="(?s)refused.*what to do"):
        download(f"{server.url}/a", tmp_path / "a", whole)
    assert not list(tmp_path.iterdir())


# CIFAR-10 -----------------------------------------------------------------------------------------------------


def batches() -> list[bytes]:
    """Six files of 20 images: red rises along rows, green along columns, blue from file to file."""
    image = np.zeros((3, 32, 32), np.uint8)
    image[0], image[1] = np.arange(32)[:, None], np.arange(32)[None]
    files = []
    for file in range(6):
        image[2] = 200 + file
        files.append(b"".join(bytes([n % 10]) + image.tobytes() for n in range(20)))
    return files


def archive(contents: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, raw in contents.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return stream.getvalue()


BINS = dict(zip(cifar10.FILES[0], batches()))
ARCHIVE = archive({"readme.html": b"<html>", **dict(reversed(BINS.items()))})


@pytest.mark.parametrize("contents", [BINS, {"cifar-10-binary.tar.gz": ARCHIVE}], ids=["bin", "tar.gz"])
def test_cifar10_from_a_folder(contents: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, raw in contents.items():
        (tmp_path / name).write_bytes(raw)
    images = load("cifar10", tmp_path)
    assert images.x.shape == (120, 3, 32, 32) and images.y.tolist() == [*range(10)] * 12
    red, green, _ = images.x[7]
    assert red[5, 20] == np.float32(5 / 255) and green[5, 20] == np.float32(20 / 255)
    assert (images.x[::20, 2, 0, 0] * 255).round().tolist() == [200, 201, 202, 203, 204, 205]
    assert "120 images: this is not the published CIFAR-10, which has 60000" in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == set(contents)  # nothing is unpacked


WRONG_CIFAR10: dict[str, tuple[dict[str, bytes | None], tuple[str, ...]]] = {
    "truncated": ({"data_batch_2.bin": BINS["data_batch_2.bin"][:-1]}, ("data_batch_2.bin: truncated", "61459 bytes")),
    "empty": ({"test_batch.bin": b""}, ("test_batch.bin: truncated", "0 bytes", "3073")),
    "a label": ({"data_batch_1.bin": b"\x11" + bytes(3072)}, ("data_batch_1.bin: image 0 has the label 17", "0 to 9")),
    "a missing file": ({"data_batch_5.bin": None}, ("the folder lacks data_batch_5.bin", "cifar-10-binary.tar.gz")),
    "no archive": ({**dict.fromkeys(BINS), "cifar-10-binary.tar.gz": b"<html>404"}, ("tar.gz: damaged", "whole copy")),
    "half": ({**dict.fromkeys(BINS), "cifar-10-binary.tar.gz": ARCHIVE[:200]}, ("tar.gz: damaged, truncated",)),
    "too little in it": (
        {**dict.fromkeys(BINS), "cifar-10-binary.tar.gz": archive({"test_batch.bin": BINS["test_batch.bin"]})},
        ("the archive lacks data_batch_1.bin", "as published"),
    ),
}


@pytest.mark.parametrize("case", WRONG_CIFAR10)
def test_cifar10_refuses(case: str, tmp_path: Path) -> None:
    change, words = WRONG_CIFAR10[case]
    for name, raw in {**BINS, **change}.items():
        if raw is not None:
            (tmp_path / name).write_bytes(raw)
    refused(lambda: load("cifar10", tmp_path), *words)


def test_cifar10_refuses_another_archive_from_the_publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "DOWNLOADS", tmp_path)
    with Server({"/a": ARCHIVE}) as server:
        monkeypatch.setattr(cifar10, "PUBLISHER", f"{server.url}/a")
        refused(lambda: prepare({"source": "cifar10"}), "wrong MD5", cifar10.MD5)
        assert not list((tmp_path / "cifar10").iterdir())
        monkeypatch.setattr(cifar10, "MD5", hashlib.md5(ARCHIVE).hexdigest())
        refused(lambda: prepare({"source": "cifar10"}), "wrong SHA256", cifar10.SHA256)
        monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(ARCHIVE).hexdigest())
        assert len(prepare({"source": "cifar10"}).x) == 120
    assert [p.name for p in (tmp_path / "cifar10").iterdir()] == ["cifar-10-binary.tar.gz"]


# npz ----------------------------------------------------------------------------------------------------------


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
    assert {name: np.bincount(images.y[index]).tolist() for name, index in parts.items()} == {
        "train": [256, 48, 16],
        "test": [128, 24, 8],
        "heldout": [128, 24, 8],
    }


WRONG_NPZ: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no x": (odd(x=None, images=X), ("no array x; the file holds y, images", "numpy.savez")),
    "a control character": ({"a\x1b[31m\n": X}, (r"the file holds a\x1b[31m\n",)),
    "no y": (odd(y=None), ("no array y",)),
    "nothing": ({}, ("no array x; the file holds nothing",)),
    "NaN": (odd(x=np.where(X == 0, np.nan, X / 255)), ("pixels are not finite", "store numbers only")),
    "infinite": (odd(x=np.where(X == 0, np.inf, X / 255)), ("pixels are not finite",)),
    "beyond float32": (odd(x=np.where(X == 0, 1e300, X / 255)), ("pixels are not finite",)),
    "floats of 0 to 255": (odd(x=X.astype(np.float32)), ("floats in 0..255, not in 0..1", "divide")),
    "negative": (odd(x=UNIT - 1), ("floats in -1..0",)),
    "whole numbers": (odd(x=X.astype(np.int64)), ("x is an array of dtype <i8", "uint8 (0 to 255)")),
    "complex": (odd(x=UNIT.astype(complex)), ("x is an array of dtype <c16",)),
    "objects": (odd(x=np.array([None] * 700)), ("x is an array of Python objects (dtype object)", "uint8")),
    "object labels": (odd(y=Y.astype(object)), ("y is an array of Python objects", "numpy.int64")),
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
    "lengths": (odd(y=Y[:-1]), ("x has 700 images, y 699 labels", "one label an image")),
    "one-hot": (odd(y=np.eye(3, dtype=int)[Y]), ("shape [700, 3]", "ravel")),
    "float labels": (odd(y=Y.astype(float)), ("y is an array of dtype <f8", "astype(numpy.int64)")),
    "negative labels": (odd(y=Y - 1), ("labels lie in -1..1", "return_inverse")),
    "labels from 1": (odd(y=Y + 1), ("no image of class 0", "return_inverse")),
    "labels beyond the names": (odd(classes=["a", "b"]), ("labels lie in 0..2; with 2 classes they lie in 0..1",)),
    "labels beyond reason": (odd(y=Y + 10**12), ("labels lie in 1000000000000..", "in 0..699")),
    "a name without images": (odd(classes=["a", "b", "c", "d"]), ("no image of class d",)),
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


# From a study to its data -------------------------------------------------------------------------------------


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
    refused(lambda: prepare(before.data_spec), "changed while the study ran", "run again")


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


def test_the_job_ends_with_a_message(tmp_path: Path) -> None:
    path, out = tmp_path / "mine.npz", tmp_path / "data.npz"
    np.savez(path, **odd(y=None))
    command = [sys.executable, "-m", "bnstudy", "data", "--out", str(out), "--spec", store.canonical(spec("npz", path))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no images from data source npz" in done.stderr and "no array y; the file holds x" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["mine.npz"]


def test_the_workflow_takes_a_path_of_any_characters(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "file" {x} $HOME.npz'
    path.write_bytes(RAW)
    made = plan(tmp_path, path)
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "1", "-d", str(tmp_path)]
    for folder in ("config", "report", "profiles"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command += [made.data, "--configfile", str(tmp_path / "study.yaml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / made.data).x.shape == (700, 3, 19, 23)
