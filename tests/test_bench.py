"""The benchmark: its counts against hand counts, its contestants against each other, its rows, and that it sees a fault."""

import io
import json
import math
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bnstudy.bench import __main__ as bench
from bnstudy.bench import contestants, finished, fresh, generated, growth, growth_page, seconds, training
from bnstudy.bench.figures import IDS, Metric, line, metric
from bnstudy.bench.machine import THREADS, Machine, Used, used
from bnstudy.bench.shapes import TINY, cnn_flops, flops, spec
from bnstudy.core import seals, store
from bnstudy.data.images import read
from bnstudy.nets import cnn, mlp
from bnstudy.nets.base import Net
from bnstudy.pipeline import tables
from bnstudy.pipeline.records import SummarizeJob
from bnstudy.training import clock
from bnstudy.training.train import Run, train
from helpers.project import ROOT, said


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("bench") / "images.npz")
    contestants.images(path)
    return path


def test_a_benchmark_leaves_the_number_of_threads_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whatever this process starts later has as many threads as there are cores."""
    monkeypatch.setenv(THREADS[0], "1")
    with Machine():
        assert THREADS[0] not in os.environ
    assert os.environ[THREADS[0]] == "1"


def counted(net: Net) -> int:
    """Return the operations of a training step as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        net(torch.randn(net.models, 196, 64)).sum().backward()
    return counter.get_total_flops()


def test_operations_are_those_that_torch_counts() -> None:
    for depth, models in ((2, 1), (5, 16)):
        assert counted(mlp.build(196, 10, depth, 64, 1.0, "none", range(models))) == flops(depth, models)
    assert counted(cnn.build((1, 14, 14), 10, 8, 32, 1.0, "none", [0])) == cnn_flops() == 4_870_004_736


def test_a_cnn_is_compared_with_the_matrix_product_pass_by_pass() -> None:
    rows = {r.id: r for r in training.cnn_rows([{"none": 0.4, "bn": 0.9}, {"none": 0.5, "bn": 0.5}])}
    assert [getattr(rows["cnn_gemm"], k) for k in ("value", "low", "high", "n")] == pytest.approx([0.55, 0.5, 0.6, 2])
    assert rows["cnn_gemm_bn"].value == pytest.approx(0.7)


@pytest.mark.parametrize("arm", ["none", "bn", "once"])
def test_the_plain_loop_trains_the_same_network(arm: str, data: str) -> None:
    found = read(Path(data), 2)
    ours = train(spec(arm, 3, 12), [Run(0, contestants.RATE), Run(1, contestants.RATE)], found, keep="curve").loss
    assert ours.shape == (12, 2)
    for seed in (0, 1):
        assert np.abs(contestants.plain_run(found, arm, 3, 12, seed)[1] - ours[:, seed]).max() < 1e-4


def test_no_run_ends_before_its_steps(data: str) -> None:
    assert len(train(spec("bn", 2, 250), [Run(0, 0.1)], read(Path(data), 2), keep="curve").loss) == 250


def test_ratios_are_combined_by_the_geometric_mean_pass_by_pass() -> None:
    def timed(plain: float, gemm: float) -> training.Timed:
        return training.Timed(stacked=1.0, plain=plain, gemm=gemm)

    passes = [
        {("none", 5): timed(2, 0.5), ("none", 10): timed(8, 0.5), ("bn", 5): timed(4, 0.1), ("once", 5): timed(4, 1)},
        {("none", 5): timed(4, 0.2), ("none", 10): timed(4, 0.8), ("bn", 5): timed(4, 0.3), ("once", 5): timed(4, 1)},
        {("none", 5): timed(1, 0.2), ("none", 10): timed(1, 0.2), ("bn", 5): timed(1, 0.2), ("once", 5): timed(1, 1)},
    ]
    rows = {r.id: r for r in training.rows(passes)}
    assert [getattr(rows["plain_loop"], k) for k in ("value", "low", "high", "n")] == pytest.approx([4, 1, 4, 3])
    assert [getattr(rows["gemm_none"], k) for k in ("value", "low", "high")] == pytest.approx([0.4, 0.2, 0.5])
    assert rows["gemm_bn"].value == pytest.approx(0.2)
    assert rows["plain_loop_none_10"].value == pytest.approx(4)


def test_a_row_is_the_median_with_its_range() -> None:
    assert metric("a", "b", [3, 1, 2, 10, 2]) == Metric(id="a", what="b", value=2, low=1, high=10, n=5)
    assert metric("a", "b", []).value is None and "b" in line(metric("a", "b", []))


def test_one_process_a_run_is_compared_by_wall_time_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"all_stacked": 8.0, "one_plain": 4.0}
    monkeypatch.setattr(fresh, "fresh", lambda name, each: seconds[name])
    found = fresh.process_per_run("", TINY._replace(fresh_runs=4), lambda text: None)
    assert found.value == pytest.approx((4 / 4) / (8 / 32))


def test_a_copy_a_layer_is_seen(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants.time, "perf_counter", time.process_time)  # other processes may be at work
    linear, ratios = mlp.linear, []
    for _ in range(5):
        fast = contestants.stacked(data, "none", 20, 8, 0)
        with monkeypatch.context() as patch:  # a copy of every layer's input into another memory layout
            patch.setattr(mlp, "linear", lambda weight, h, bias: linear(weight, h.mT.contiguous().mT, bias))
            ratios.append(contestants.stacked(data, "none", 20, 8, 0) / fast)
    assert statistics.median(ratios) > 1.04


def study(folder: Path, trained: int = 2, wall: bool = True) -> Path:
    """What a finished study leaves, as far as the benchmark reads it."""
    rows = [{"seed": seed} for seed in (0, 1)]
    write = store.write_json
    write(folder / "default/sweep/a.json", {"cells": ["s1"], "trained": 1, "seconds": {"training": 6.0}, "rows": rows})
    cells = [{"cell": "e1"}, {"cell": "e2"}]
    for job in "ab":
        left = {"cells": cells, "trained": trained, "seconds": {"training": 20.0}, "rows": rows}
        write(folder / f"default/evaluate/{job}.json", left)
        write(folder / f"default/measure/{job}.json", {"tables": {}, "seconds": {"measures": 5.0}})
    write(folder / "default/provenance.json", {"wall_seconds": 40.0, "cores": 2} if wall else {})
    return folder / "default"


def test_costs_of_a_finished_study(tmp_path: Path) -> None:
    found = {r.id: r.value for r in finished.costs(study(tmp_path))}
    expected = {"measures_share": 10 / 40, "workflow_share": 1 - 56 / 80, "seconds_per_seed": 50 / 2 / 2}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("trained", "wall", "lost"), [(2, False, {"workflow_share"}), (1, True, set(finished.WHAT))])
def test_a_figure_that_nothing_supports_is_left_out(trained: int, wall: bool, lost: set, tmp_path: Path) -> None:
    rows = finished.costs(study(tmp_path, trained, wall))
    assert {r.id for r in rows if r.value is None} == lost
    assert all("run `make report` first" in r.what for r in rows if r.id in lost)
    assert all(r.value is None for r in finished.costs(tmp_path / "nowhere"))


def test_size_counts_the_study_and_its_own_networks(tmp_path: Path) -> None:
    folder = study(tmp_path)
    own = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    for name in ("s1", "e1", "e2", "of_another_study"):
        (tmp_path / "cells" / name).mkdir(parents=True)
        (tmp_path / "cells" / name / "init.npz").write_bytes(b"x" * 1000)
    gib = finished.size(folder, tmp_path / "cells", tmp_path / "data").value
    assert gib is not None and gib * 2**30 == pytest.approx(own + 3000)


def test_the_tiny_benchmark_gives_every_figure(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study(tmp_path / "results")
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("sys.argv", ["bench", "--tiny", "--out", str(tmp_path / "bench.json")])
    bench.main()
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert tuple(r["id"] for r in rows[: len(IDS)]) == IDS
    assert len({r["id"] for r in rows}) == len(rows)
    for r in rows:
        assert set(r) == {"id", "what", "value", "low", "high", "n"} and 0 < r["low"] <= r["value"] <= r["high"], r
    said = capsys.readouterr()
    assert all(name in said.out for name in IDS) and "pass 1 of 1" in said.err


def reference(files: list[Path]) -> pd.DataFrame:
    """All rows at once, numbers as Python writes eight digits: what summarizing one setting at a time must give."""
    whole = pd.concat([pd.read_parquet(f) for f in files])
    first = [*tables.CELL, "seed"]
    whole = whole[first + [c for c in whole if c not in first]].sort_values(first, kind="stable")
    return pd.read_csv(io.StringIO(whole.to_csv(index=False, float_format="%.8g")))


def test_summarizing_cell_by_cell_changes_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise, files = np.random.default_rng(0), list[Path]()
    same = {"inputs": "raw", "net": "mlp", "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2}
    for arm, depth, gain, rate, seed in [
        ("once", 10, 1.0, 0.03, 8), ("bn", 20, 1.0, 0.1, 0), ("bn", 5, 1.0, 0.1, 8), ("bn", 5, 0.41, 0.3, 0),
        ("bn", 5, 1.0, 0.03, 0), ("once", 10, 1.0, 0.03, 0), ("bn", 5, 1.0, 0.1, 0),
    ]:  # fmt: skip
        table = pd.DataFrame({"arm": arm, "depth": depth, "gain": gain, **same, "rate": rate, "seed": seed}, range(6))
        table["seed"] += np.arange(6) % 3
        table["value"] = noise.random(6) * 10.0 ** noise.integers(-9, 9, 6)
        table["count"] = [1, 2, None, 4, 5, 6] if seed else range(6)
        table["reached"] = noise.random(6) < 0.5
        files.append(tmp_path / f"{len(files)}.parquet")
        table.to_parquet(files[-1])
    files.append(tmp_path / "empty.parquet")
    table.head(0).to_parquet(files[-1])
    arguments = generated.tables(10, tmp_path / "study")
    store.write_json(tmp_path / "study/measure.json", {"tables": {"ours": [str(f) for f in files]}, "seconds": {}})
    for file in [*files, tmp_path / "study/measure.json"]:
        seals.seal(file)
    monkeypatch.chdir(tmp_path / "study")
    paths = [Path(f"{name}.json") for name in ("sweep", "evaluate", "measure", "rates")]
    job, data, old = SummarizeJob(1, ""), Path("images.npz"), Path("sweep/old.json")
    for stage in ("sweep", "evaluate", "measure"):
        store.write_json(Path(stage) / old.name, {})  # of a job of an earlier config
    tables.summarize(job, paths[:1], paths[1:2], paths[2:3], paths[3], data, Path("tables"))
    assert arguments[0] == "summarize" and not [*Path().glob(f"*/{old.name}")]
    pd.testing.assert_frame_equal(pd.read_csv("tables/ours.csv"), reference(files[:-1]), check_exact=True)
    assert Path("tables/curves.csv").read_text().count("\n") == 1 + len(clock.looks(40))


def test_a_study_made_up_has_as_many_cells_as_it_says() -> None:
    rates, blocks = 8, 1 + 3  # of tuning and of evaluation seeds
    assert generated.cells(generated.config(420)) == 420 * rates * blocks


def test_the_page_of_growth_holds_every_point() -> None:
    grown = {"seeds": 16, "depth": 5, "width": 64, "cells": 240, "rows": 1000}
    points = [growth.Point(g, n * k, Used(1.5 * k, 0.25 * k)) for g, n in grown.items() for k in (1, 7)]
    page = growth_page.page(points, growth.Sizes())
    assert all(f"| {p.size:,} | {p.used.seconds:.1f} | {p.used.gib:.2f} |" in page for p in points)
    assert "![Line charts" in page and "/tmp" not in page
    figure = growth_page.figure(points)
    assert 'role="img"><title>' in figure and "cells planned" in figure


def test_what_a_process_used_is_measured(tmp_path: Path) -> None:
    # asked by a new process: this one, which has run other tests, may be larger than what it asks about
    fat = [sys.executable, "-c", "b = bytearray(b'x') * (3 * 2**29)"]
    ask = f"from pathlib import Path; from bnstudy.bench.machine import used; print(*used({fat}, Path('.')))"
    seconds, gib = map(float, said(tmp_path, "-c", ask, project=ROOT).split())
    assert 1.5 < gib < 1.6 and seconds > 0.1
    with pytest.raises(Exception, match="returned non-zero exit status 3"):
        used([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_written_numbers_are_those_of_eight_digits() -> None:
    noise = np.random.default_rng(0)
    values = noise.normal(size=20_000) * 10.0 ** noise.integers(-12, 12, 20_000)
    np.testing.assert_array_equal(tables._rounded(values), [float(f"{v:.8g}") for v in values])
    # a product can round to a tie that the value is not, and powers of ten beyond 22 places are rounded themselves
    some = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 9.99999995, 0.999999999, 123456789.5, 1e290, 1e-290])
    np.testing.assert_allclose(tables._rounded(some), [float(f"{v:.8g}") for v in some], rtol=1.1e-8)


def test_time_is_steps_over_what_a_step_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step with batch norm takes 1.5 times as long, so that half of what 3 times fewer steps save is left."""
    monkeypatch.setattr(seconds, "_seconds", lambda setting, *rest: 1.5 if setting.setting.arm == "bn" else 1.0)
    same = {"net": "mlp", "depth": 5, "width": 64, "low": 2.4}
    table = pd.DataFrame([same | {"saving": 3.0, "high": 4.5}, same | {"saving": math.nan, "high": math.nan}])
    known, unknown = (row.line() for row in seconds.timed(table))
    assert known == "| mlp, 5 layers of 64 | 3 (2.4 to 4.5) | 1.50 (1.50 to 1.50) | 2 (1.6 to 3) |"
    assert unknown.endswith("| at least 2.4 | 1.50 (1.50 to 1.50) | at least 1.6 |")


def test_a_step_is_timed_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seconds, "STEPS", {False: 60})
    monkeypatch.setattr(seconds, "PASSES", 2)
    table = pd.DataFrame([{"net": "mlp", "depth": 5, "width": 16, "saving": 2.0, "low": 1.5, "high": 3.0}])
    (row,) = seconds.timed(table)
    assert len(row.cost) == 2 and all(0.1 < cost < 10 for cost in row.cost)
