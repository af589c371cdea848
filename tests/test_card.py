"""Training and measuring on a card, where there is one, and what can be said of it without one."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from bnstudy.config.study import load_study
from bnstudy.core import store
from bnstudy.core.plugins import names
from bnstudy.data import digits
from bnstudy.measures.cell import TrainedCell
from bnstudy.pipeline import plan
from bnstudy.pipeline import run as in_one_process
from bnstudy.pipeline.outlook import outlook
from bnstudy.pipeline.plan import Plan
from bnstudy.training import device
from bnstudy.training.train import Run, Trained, train
from helpers.project import ROOT, checked, said, small
from helpers.trained import Source, cell_spec, training_spec

IMAGES = digits.load()
HERE = torch.cuda.is_available()
card = pytest.mark.skipif(not HERE, reason="torch finds no card on this machine")
ARMS = ["none", "bn", "once", "layernorm", "bn_frozen", "affine", "bn_detached", "bn_early", "bn_late", "bn_post"]
ARMS += ["bn_noisy", "none_noisy"]
NETS = {"mlp": 1e-6, "resmlp": 1e-6, "cnn": 1e-4, "resnet": 1e-4}
"""The largest relative difference from float64 that is allowed after 50 steps."""


def same(a: Trained, b: Trained) -> bool:
    """Whether two results are the same to the last bit."""
    pairs = [(a.loss, b.loss), (a.looks, b.looks), (a.diverged, b.diverged), (a.done, b.done)]
    assert a.checkpoints.keys() == b.checkpoints.keys()
    for name, arrays in a.checkpoints.items():
        assert arrays.keys() == b.checkpoints[name].keys()
        pairs += [(value, b.checkpoints[name][key]) for key, value in arrays.items()]
    return all(np.array_equal(x, y, equal_nan=True) for x, y in pairs)


def test_a_card_that_is_not_there_is_refused_before_any_job(monkeypatch: pytest.MonkeyPatch) -> None:
    if HERE:
        pytest.skip("there is a card on this machine")
    monkeypatch.delenv("BNSTUDY_CARD", raising=False)
    plan.card.cache_clear()
    with pytest.raises(SystemExit) as refused:
        Plan(load_study({"training": {"device": "cuda"}}))
    text = str(refused.value)
    assert text.startswith("training.device is cuda, but torch") and "device: cpu" in text
    assert text.endswith("Nothing was run.") and "Traceback" not in text


def test_a_card_is_in_the_key_of_a_cell_and_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNSTUDY_CARD", "2.11.0 on Some Card, TF32 in convolutions")
    plan.card.cache_clear()
    at = {name: Plan(load_study({"training": {"device": name}})) for name in ("cpu", "cuda")}
    job = "bn_mlp_d2to20"
    told = {name: each.evaluate(next(j for j in each.jobs if j.startswith("bn_mlp"))) for name, each in at.items()}
    assert "Some Card" in told["cuda"].torch and "Card" not in told["cpu"].torch, job
    assert (at["cpu"].gpu, at["cuda"].gpu) == (0, 1)
    assert told["cuda"].stack > told["cpu"].stack
    assert "min on 2 cores" in outlook(at["cpu"])
    assert "with torch 2.11.0 on Some Card" in outlook(at["cuda"]) and "gpu=1" in outlook(at["cuda"])
    plan.card.cache_clear()


def test_a_job_planned_for_a_card_does_not_run_without_it() -> None:
    if HERE:
        pytest.skip("there is a card on this machine")
    with pytest.raises(RuntimeError, match="what to do"):
        device.settle("cuda", "2.11.0 on Some Card, TF32 in nothing")


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settle torch for the card, without TF32."""
    device.settle("cuda", device.describe())
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    yield
    torch.use_deterministic_algorithms(False)


@card
@pytest.mark.parametrize(
    ("net", "arm"), [("mlp", "none"), ("cnn", "bn"), ("mlp", "bn"), ("cnn", "none"), ("mlp", "bn_noisy")]
)
def test_a_card_gives_the_same_bits_twice(net: str, arm: str) -> None:
    device.settle("cuda", device.describe())
    spec = training_spec(arm, depth=3, width=32, batch=64, steps=70, net=net, targets=(1.2, 0.9))
    runs = [Run(i % 5, rate) for i, rate in enumerate([0.1, 0.03, 1e6, 0.001, 0.05, 0.02, 0.1])]
    once = train(spec, runs, IMAGES, "levels", device="cuda")
    assert {"loss1.2", "final"} < once.checkpoints.keys() and once.checkpoints["loss1.2"]["have"].any()
    assert same(once, train(spec, runs, IMAGES, "levels", device="cuda"))
    assert same(*(train(spec, runs, IMAGES, "curve", device="cuda") for _ in range(2)))


@card
@pytest.mark.parametrize(
    ("net", "arm"),
    [*product(["mlp"], ARMS), *product(["cnn"], ARMS[:4]), *product(["resmlp", "resnet"], ["none", "bn"])],
)
def test_a_card_agrees_with_double_precision(net: str, arm: str, exact: None) -> None:
    """Beside a diverged neighbour, running averages included.

    A number that is zero but for rounding may pass a ReLU in one precision and not in the other. Then the gradient jumps,
    and so do all later steps, on processor cores as well: it happens to some network now and then. Hence the median.
    """
    spec = training_spec(arm, depth=4, width=32, batch=64, steps=50, net=net)
    seeds = 4 if net in ("mlp", "resmlp") else 2  # convolutions in double precision take long
    runs = [Run(0, 1e6), *(Run(seed, rate) for rate in (0.01, 0.003) for seed in range(seeds))]
    found = train(spec, runs, IMAGES, "end", device="cuda")
    wanted = train(spec, runs, IMAGES, "end", dtype=torch.float64)
    assert (wanted.diverged[1:] == 0).all() and np.array_equal(wanted.diverged, found.diverged)
    errors = apart(found, wanted)
    worst = max(errors, key=lambda name: errors[name])
    print(f"\n[precision] {net:7} {arm:12} {errors[worst]:.1e} in {worst}, loss {errors['loss']:.1e}")
    assert errors["loss"] < NETS[net]
    if errors[worst] >= NETS[net]:  # small biases are sums that cancel: float32 itself may not do better anywhere
        here = apart(train(spec, runs, IMAGES, "end"), wanted)
        assert all(error < max(NETS[net], 2 * here[name]) for name, error in errors.items()), (errors, here)


def apart(found: Trained, wanted: Trained) -> dict[str, float]:
    """Return how far the losses, and every parameter and average at the end, are from those that are wanted."""
    errors = {"loss": distance(found.loss.T, wanted.loss.T)}
    for name, value in wanted.checkpoints["final"].items():
        if name not in ("have", "step", "loss") and np.abs(value[1:]).max() > 0:
            errors[name] = distance(found.checkpoints["final"][name], value)
    return errors


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the median of ||a - b|| / ||b|| over the networks but the first, which diverged: [M, ...] twice."""
    each = [float(np.linalg.norm(x - y)) / max(float(np.linalg.norm(y)), 1e-12) for x, y in zip(a[1:], b[1:])]
    return float(np.median(each))


@card
@pytest.mark.parametrize("arm", ["none", "bn"])
def test_what_rounding_to_tf32_costs(arm: str) -> None:
    device.settle("cuda", device.describe())
    spec = training_spec(arm, depth=4, width=32, batch=64, steps=50, net="cnn")
    runs = [Run(0, 1e6), *(Run(seed, 0.003) for seed in range(4))]
    losses = [
        train(spec, runs, IMAGES, "curve", **how).loss.T for how in ({"device": "cuda"}, {"dtype": torch.float64})
    ]
    error = distance(*losses)
    print(f"\n[precision] cnn with TF32 {arm}: loss {error:.1e}")
    assert error < 1e-2


@card
@pytest.mark.parametrize("arm", ["none", "bn"])
def test_adam_on_a_card(arm: str, exact: None) -> None:
    spec = training_spec(arm, depth=3, width=32, batch=64, steps=50, optimizer="adam")
    runs = [Run(0, 1e6), *(Run(seed, 0.001) for seed in range(4))]
    found = train(spec, runs, IMAGES, "end", device="cuda")
    wanted = train(spec, runs, IMAGES, "end", dtype=torch.float64)
    assert distance(found.loss.T, wanted.loss.T) < 1e-5


@card
@pytest.mark.parametrize(("net", "arm"), [("mlp", "bn"), ("cnn", "bn"), ("mlp", "none"), ("mlp", "bn_noisy")])
def test_a_card_measures_what_processor_cores_measure(net: str, arm: str, tmp_path: Path, exact: None) -> None:
    spec = replace(training_spec(arm, depth=2, width=16, batch=64, steps=60, net=net), targets=(1.0, 0.5))
    cell = cell_spec(spec, 0.05, range(2), "levels")
    store.put(tmp_path, cell, train(spec, [Run(s, 0.05) for s in range(2)], IMAGES, "levels").checkpoints)
    off = {}
    for name in names("measures", "measure"):
        tables = []
        for where in ("cpu", "cuda"):
            source = Source()
            source.device = where
            measured = TrainedCell(tmp_path, store.key(cell), source, 0.03)
            tables.append(import_module(f"bnstudy.measures.{name}").measure(measured))
        here, there = tables
        assert list(here) == list(there) and len(here) == len(there), name
        for column in here.select_dtypes("number"):
            if len(here[column].dropna()):
                error = (there[column] - here[column]).abs() / (here[column].abs() + 1e-2)
                off[name, column] = float(error.quantile(0.9))
    assert max(off.values()) < 0.02, {at: error for at, error in off.items() if error >= 0.02}


def test_a_full_card_is_named_and_what_else_was_made_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(full: bool, out: Path) -> None:
        if full:
            raise torch.OutOfMemoryError("CUDA out of memory")
        store.write_json(out, full)

    monkeypatch.setattr(in_one_process, "perform", lambda stage, code, inputs, work, out: work())
    tasks = [
        in_one_process.Task("measure", "", tmp_path / f"{full}.json", full, [], work, [full]) for full in (True, False)
    ]
    maker = in_one_process.Maker(tmp_path, float("inf"), 1)
    with pytest.raises(SystemExit, match="measure True did not end; all else is kept.*\\n.*--cores 1"):
        maker.make(*tasks)
    assert list(maker.of) == [str(tmp_path / "False.json")]


def test_a_small_copy_of_the_full_study_runs_without_a_card(tmp_path: Path) -> None:
    """Config of the card's study as it is, but for fewer and smaller images, channels, layers, steps and seeds."""
    full = yaml.safe_load((ROOT / "config/fashion_mnist_full.yaml").read_text())
    data = {"source": "digits", "pool": 1, "train": 256, "test": 128, "heldout": 128}
    more = {"data": data, "targets": [2.2], "learning_rates": full["learning_rates"][2:]}
    (tmp_path / "small.yaml").write_text(small(full, {5: 2, 9: 3, 21: 4}, 30, **more))
    checked(tmp_path)
    (tmp_path / "config").symlink_to(ROOT / "config")
    said(tmp_path, "-m", "bnstudy", "run", "--config", "small.yaml", project=ROOT)
    rows = pd.read_csv(tmp_path / "results/small/tables/convergence.csv")
    assert set(rows["arm"]) == {"none", "bn", "bn_frozen", "once", "layernorm"}
    assert set(rows["net"]) == {"cnn", "resnet"} and set(rows["depth"]) == {2, 3, 4}
    assert set(rows[rows["reached"]]["arm"]) >= {"bn", "bn_frozen"}
