"""Downloads: continued, whole, checked, or not there at all."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bnstudy.data import cifar10, fashion_mnist
from bnstudy.data.files import download
from bnstudy.data.local import Unusable
from helpers.data_jobs import refused
from helpers.server import Server

BODY = np.random.default_rng(1).bytes(600_000)
BYTES = len(BODY)


def whole(path: Path) -> None:
    if path.read_bytes() != BODY:
        raise Unusable(path, "wrong SHA-256", "fetch it again")


@pytest.mark.parametrize("known", [0, 1, 250_000, BYTES])
def test_a_download_continues_behind_what_is_there(known: int, tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(BODY[:known])
    with Server({"/a": BODY}) as server:
        download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
        assert server.asked == [f"bytes={known}-" if known else None]
    assert [p.name for p in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == BODY


def test_a_broken_connection_is_taken_up_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Server({"/a": BODY}, breaks=[100_000, 300_000]) as server:
        download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
        assert server.asked == [None, "bytes=100000-", "bytes=400000-"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert f"{server.url}/a: continues at 400000 bytes" in capsys.readouterr().err


def test_a_server_that_gives_up_leaves_the_part_for_the_next_run(tmp_path: Path) -> None:
    with Server({"/a": BODY}, breaks=[100_000, 0]) as server:
        with pytest.raises(OSError, match=r"(?s)cannot be fetched.*run again.*100000 bytes.*a\.part") as error:
            download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
        assert server.url in str(error.value) and "data.path" in str(error.value)
        assert [p.name for p in tmp_path.iterdir()] == ["a.part"]
        download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
        assert server.asked[-1] == "bytes=100000-"
    assert (tmp_path / "a").read_bytes() == BODY


def test_a_server_without_ranges_begins_again(tmp_path: Path) -> None:
    with Server({"/a": BODY}, breaks=[100_000], ranges=False) as server:
        download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
    assert (tmp_path / "a").read_bytes() == BODY


def test_a_wrong_file_is_deleted(tmp_path: Path) -> None:
    with Server({"/a": BODY[:-1] + b"?"}) as server:
        words = (server.url, "not what was published", "wrong SHA-256", "data.path")
        refused(lambda: download(f"{server.url}/a", tmp_path / "a", whole, BYTES), *words)
    assert not list(tmp_path.iterdir())


def test_no_server_and_no_file(tmp_path: Path) -> None:
    with Server({}) as server:
        with pytest.raises(OSError, match="Not Found"):
            download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
    with pytest.raises(OSError, match="(?s)refused.*what to do"):
        download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
    assert not list(tmp_path.iterdir())


def test_whoever_sends_more_than_the_file_has_is_not_listened_to(tmp_path: Path) -> None:
    """The size is not believed before it is seen: the server says none, and would send without end."""
    with Server({"/a": BODY * 50}) as server:
        with pytest.raises(Unusable, match=f"more than {BYTES} bytes"):
            download(f"{server.url}/a", tmp_path / "a", whole, BYTES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", [cifar10, fashion_mnist])
def test_publishers_are_asked_over_tls(source: ModuleType) -> None:
    assert source.PUBLISHER.startswith("https://")
