"""Fashion-MNIST and CIFAR-10 from files: what is read, and what is refused in which words."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnstudy.data import cifar10, fashion_mnist
from bnstudy.data.local import ImagesSpec
from bnstudy.data.prepare import prepare
from helpers.data_jobs import load, refused
from helpers.server import Server


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


INSTALLED = fashion_mnist.DEBIAN.is_dir()
DEBIAN = pytest.mark.skipif(not INSTALLED, reason="Debian's package dataset-fashion-mnist is not installed")
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
    images = prepare(ImagesSpec("fashion_mnist"))
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
WRONG_FASHION: dict[str, tuple[Any, ...]] = {
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
        first, again = prepare(ImagesSpec("fashion_mnist")), prepare(ImagesSpec("fashion_mnist"))
        assert len(server.asked) == 4
    np.testing.assert_array_equal(first.x, again.x)
    assert {p.name for p in (tmp_path / "downloads/fashion_mnist").iterdir()} == set(fashion_mnist.FILES[0])


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


NO_BINS = dict.fromkeys(BINS)
FEW = archive({"test_batch.bin": BINS["test_batch.bin"]})
WRONG_CIFAR10: dict[str, tuple[dict[str, bytes | None], tuple[str, ...]]] = {
    "truncated": ({"data_batch_2.bin": BINS["data_batch_2.bin"][:-1]}, ("data_batch_2.bin: truncated", "61459 bytes")),
    "empty": ({"test_batch.bin": b""}, ("test_batch.bin: truncated", "0 bytes", "3073")),
    "a label": ({"data_batch_1.bin": b"\x11" + bytes(3072)}, ("data_batch_1.bin: image 0 has the label 17", "0 to 9")),
    "a missing file": ({"data_batch_5.bin": None}, ("the folder lacks data_batch_5.bin", "cifar-10-binary.tar.gz")),
    "no archive": ({**NO_BINS, "cifar-10-binary.tar.gz": b"<html>404"}, ("tar.gz: damaged", "whole copy")),
    "half": ({**NO_BINS, "cifar-10-binary.tar.gz": ARCHIVE[:200]}, ("tar.gz: damaged, truncated",)),
    "few": ({**NO_BINS, "cifar-10-binary.tar.gz": FEW}, ("the archive lacks data_batch_1.bin", "as published")),
}


@pytest.mark.parametrize("case", WRONG_CIFAR10)
def test_cifar10_refuses(case: str, tmp_path: Path) -> None:
    change, words = WRONG_CIFAR10[case]
    for name, raw in {**BINS, **change}.items():
        if raw is not None:
            (tmp_path / name).write_bytes(raw)
    refused(lambda: load("cifar10", tmp_path), *words)


def test_cifar10_of_the_published_size_is_compared_with_the_published_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cifar10, "PUBLISHED", 20)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(ARCHIVE)
    refused(lambda: load("cifar10", tmp_path), "wrong MD5", cifar10.MD5, "replace it by the published file")
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(ARCHIVE).hexdigest())
    assert len(load("cifar10", tmp_path).x) == 120
    for name, raw in BINS.items():
        (tmp_path / name).write_bytes(raw)
    assert len(load("cifar10", tmp_path).x) == 120
    assert "no checksums of the single files are published" in capsys.readouterr().err


def test_cifar10_refuses_another_archive_from_the_publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "DOWNLOADS", tmp_path)
    with Server({"/a": ARCHIVE}) as server:
        monkeypatch.setattr(cifar10, "PUBLISHER", f"{server.url}/a")
        refused(lambda: prepare(ImagesSpec("cifar10")), "wrong MD5", cifar10.MD5)
        assert not list((tmp_path / "cifar10").iterdir())
        monkeypatch.setattr(cifar10, "MD5", hashlib.md5(ARCHIVE).hexdigest())
        refused(lambda: prepare(ImagesSpec("cifar10")), "wrong SHA256", cifar10.SHA256)
        monkeypatch.setattr(cifar10, "SHA256", hashlib.sha256(ARCHIVE).hexdigest())
        assert len(prepare(ImagesSpec("cifar10")).x) == 120
    assert [p.name for p in (tmp_path / "cifar10").iterdir()] == ["cifar-10-binary.tar.gz"]
