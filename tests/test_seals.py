"""What is stored is verified when it is read: what differs counts as missing, is named, and nothing is deleted in part."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnstudy.core import fingerprints, seals, store
from bnstudy.pipeline import alive, outlook
from bnstudy.pipeline.perform import perform
from helpers.project import ROOT
from helpers.trained import cell_spec, training_spec

SPEC = cell_spec(training_spec("bn", depth=2, width=32, batch=32, steps=9), 0.1, (0, 1), "curve")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.json"
    store.write_json(path, {"a": 1})
    seals.seal(path)
    return path


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    store.put(tmp_path / "cells", SPEC, {"curve": {"loss": np.arange(6.0)}, "final": {"w": np.ones(3)}})
    return tmp_path / "cells"


def flip(path: Path, bit: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)


def test_every_flipped_bit_of_a_file_or_of_its_digest_is_seen(file: Path) -> None:
    assert seals.fault(file) == ""
    for path in (file, file.with_name("sweep.json.sha256")):
        for bit in range(8 * path.stat().st_size - 8):  # the last newline may be any
            flip(path, bit)
            assert seals.fault(file), (path, bit)
            flip(path, bit)
    assert seals.fault(file) == ""


def test_every_flipped_bit_of_a_cell_is_seen_or_changes_no_number(cells: Path) -> None:
    name = store.key(SPEC)
    before = store.get(cells, name)
    for path in sorted((cells / name).iterdir()):
        for bit in range(0, 8 * path.stat().st_size, 11 if path.name == "cell.json" else 499):
            flip(path, bit)
            if not seals.fault(cells / name, cell=True):
                assert path.name == "cell.json" and store.get(cells, name) == before, bit  # a space for another
            flip(path, bit)
    assert seals.fault(cells / name, cell=True) == ""


@pytest.mark.parametrize("what", ["cell.json", "curve.npz"])
def test_a_cell_without_a_file_counts_as_missing_and_can_be_stored_again(cells: Path, what: str) -> None:
    (cells / store.key(SPEC) / what).unlink()
    assert not seals.sound(cells / store.key(SPEC), cell=True)
    store.put(cells, SPEC, {"curve": {"loss": np.arange(6.0)}})
    assert seals.sound(cells / store.key(SPEC), cell=True)


@pytest.mark.parametrize("change", ["delete", "add", "edit"])
def test_a_folder_is_sealed_with_all_that_is_in_it(tmp_path: Path, change: str) -> None:
    tables = tmp_path / "tables"
    for name in "ab":
        store.write_text(tables / f"{name}.csv", name)
    seals.seal(tables)
    assert seals.sound(tables)
    if change == "delete":
        (tables / "a.csv").unlink()
    else:
        (tables / ("c.csv" if change == "add" else "b.csv")).write_text("c")
    assert not seals.sound(tables) and not tables.exists() and (tmp_path / "tables.damaged/b.csv").exists()


def test_digests_are_those_of_sha256sum(file: Path) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    subprocess.run(["sha256sum", "--check", "sweep.json.sha256"], cwd=file.parent, check=True, capture_output=True)


def test_a_job_refuses_a_damaged_input_and_names_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(file, 0)
    out = file.with_name("rates.json")
    with pytest.raises(SystemExit, match="same command again"):
        perform("choose", fingerprints.stamp("bnstudy.core.rng"), [file], lambda: out.write_text("x"), out)
    assert not out.exists() and not file.exists() and "sweep.json is not what was written" in capsys.readouterr().err


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "\nEDITED = 1\n")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of a user's own, on which something depends."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("A = 1\n")
    fingerprints._source.cache_clear()
    return tmp_path / "mine.py"


def test_what_edited_code_made_is_not_sealed(module: Path) -> None:
    stamp, out = fingerprints.stamp("mine"), module.with_name("out.json")
    perform("choose", stamp, [], lambda: out.write_text("x"), out)
    assert seals.fault(out) == ""
    out.write_text("y")
    with pytest.raises(SystemExit, match="mine was edited"):
        perform("choose", stamp, [], lambda: edit(module), out)
    assert seals.fault(out)


@pytest.mark.parametrize("text", ["A = 1  # a remark\n", "A = 2\n", "A = (\n", None])
def test_code_is_edited_where_it_does_something_else(module: Path, text: str | None) -> None:
    stamp = fingerprints.stamp("mine")
    assert not fingerprints.edited(stamp)
    module.write_text(text) if text else module.unlink()
    assert fingerprints.edited(stamp) == (text != "A = 1  # a remark\n")


def test_one_process_makes_a_study(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from bnstudy.pipeline import alive; alive.hold(Path(sys.argv[1])); print('it holds', flush=True); input()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", script, str(tmp_path / "nano")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as first:
        assert first.stdout and first.stdout.readline() == b"it holds\n"
        second = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert second.returncode == 1 and f"being made already, by process {first.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        with pytest.raises(SystemExit, match="Nothing was deleted"):
            outlook.prune(tmp_path)
        first.kill()
    for _ in range(2):
        alive.hold(tmp_path / "nano")  # of a process that was killed nothing is left


@pytest.mark.parametrize("said", ["-n", "-np", "--dry-run", "--summary", "--dag", "--report r.html", "--unlock"])
def test_who_only_looks_needs_no_lock(said: str) -> None:
    assert not alive.works(["--cores", "2", *said.split(), "--configfile", "config/new.yaml"])
    assert alive.works(["--cores", "2", "-j", "1", "--configfile", "config/new.yaml"])


@pytest.fixture
def old(cells: Path, tmp_path: Path) -> list[Path]:
    """Cells that no study refers to, from two days ago; of the first one does."""
    for rate in (0.2, 0.3):
        store.put(cells, replace(SPEC, rate=rate), {"curve": {"loss": np.ones(2)}})
    found = sorted(cells.iterdir())
    for path in found:
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    index = tmp_path / "nano/sweep/a.json"
    store.write_json(index, {"cells": [found[0].name]})
    seals.seal(index)
    return found


def test_prune_spares_what_is_used_or_young(old: list[Path], tmp_path: Path) -> None:
    os.utime(old[1])
    assert outlook.prune(tmp_path) == 1 and sorted(old[0].parent.iterdir()) == old[:2]


def test_what_prune_was_killed_at_counts_as_missing(
    old: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path) -> None:
        (path / "curve.npz").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        outlook.prune(tmp_path)
    assert sum((path / "cell.json").exists() for path in old) == 2
    assert all(seals.fault(path, cell=True) == "" for path in old if path.exists())


def test_prune_deletes_nothing_where_it_cannot_tell(old: list[Path], tmp_path: Path) -> None:
    flip(tmp_path / "nano/sweep/a.json", 9)
    with pytest.raises(SystemExit, match="Nothing was deleted"):
        outlook.prune(tmp_path)
    assert all(path.exists() for path in old)


def test_a_sealed_file_never_appears_without_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another study that looks at any moment finds no file, or a sound one: it never sets aside what is being written."""
    path, rename = tmp_path / "table.parquet", os.replace

    def look(old: Path, new: Path) -> None:
        rename(old, new)
        assert not path.exists() or seals.sound(path)

    monkeypatch.setattr(os, "replace", look)
    with seals.sealing(path) as unfinished:
        unfinished.write_bytes(b"numbers")
    assert seals.sound(path) and not list(tmp_path.glob("*.damaged"))
