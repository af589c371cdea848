"""Convolutional networks and skip connections: plain torch.nn, closed forms, every arm, every measure, the planning."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bnstudy.config.study import StudyConfig
from bnstudy.core import store
from bnstudy.core.cell import Splits, TrainingSpec, by_cell
from bnstudy.core.plugins import names
from bnstudy.data.images import Images, save
from bnstudy.measures.cell import StudyImages, TrainedCell
from bnstudy.measures.steps import layers
from bnstudy.nets.cnn import SIDE, strides
from bnstudy.pipeline.plan import Plan
from bnstudy.training.train import Run, build, train
from helpers.plain import EXACT, check_run
from helpers.trained import IMAGES, Source, cell, cell_spec, training_spec

NETS = ("cnn", "resnet", "resmlp")
ARMS = names("arms", "build")
NOISE = np.random.default_rng(0)
ODD = Images(NOISE.random((400, 2, 19, 23), np.float32), NOISE.integers(0, 3, 400), ("a", "b", "c"))
"""Images of two channels and odd sizes, which a convolutional network halves once."""


def spec(net: str, arm: str, depth: int = 5, **more: Any) -> TrainingSpec:
    splits = Splits(train=128, test=128, heldout=128)
    same = {"net": net, "depth": depth, "width": 8, "batch": 16, "steps": 30, "targets": (0.5,), "splits": splits}
    return training_spec(arm, **{**same, **more})


@pytest.mark.parametrize(
    ("net", "arm", "depth", "width"),
    [(net, arm, 5, 8) for net in NETS for arm in EXACT] + [("cnn", arm, 8, 32) for arm in ("none", "bn")],
)
def test_a_run_equals_plain_torch(net: str, arm: str, depth: int, width: int) -> None:
    s = spec(net, arm, depth, width=width, steps=30 if width == 8 else 8)
    run = Run(1, 0.03)
    result = train(s, [run], ODD, keep="levels", dtype=torch.float64)
    losses = check_run(result, 0, s, run, ODD, 1e-9)
    assert abs(losses[-1] - losses[0]) > 1e-3


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("net", NETS)
def test_a_stack_of_two_is_two_networks(net: str, arm: str) -> None:
    s, runs = spec(net, arm, depth=3, steps=4), [Run(0, 0.03), Run(5, 0.1)]
    both = train(s, runs, ODD, keep="levels", dtype=torch.float64)
    assert np.isfinite(both.loss).all()
    for i, run in enumerate(runs):
        alone = train(s, [run], ODD, keep="levels", dtype=torch.float64)
        assert np.abs(alone.loss[:, 0] - both.loss[:, i]).max() < 1e-9
        for k, v in alone.checkpoints["final"].items():
            assert np.allclose(v[0], both.checkpoints["final"][k][i], rtol=0, atol=1e-9), k


@pytest.mark.parametrize("net", ("mlp", *NETS))
def test_a_seed_draws_the_same_weights_whatever_the_arm_and_the_skip_connections(net: str) -> None:
    other = {"mlp": "resmlp", "resmlp": "mlp", "cnn": "resnet", "resnet": "cnn"}[net]
    first, second = build(spec(net, "none"), ODD, [3]), build(spec(other, "bn"), ODD, [2, 3])
    for a, b in zip([*first.weights, first.head], [*second.weights, second.head]):
        assert torch.equal(a[0], b[1]) and not torch.equal(b[0], b[1])
    fan_in = first.weights[1][0, 0].numel()
    assert float(first.weights[1].detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.3)


@pytest.mark.parametrize("arm", ["none", "bn", "bn_early", "bn_post"])
@pytest.mark.parametrize("net", ("mlp", *NETS))
def test_a_network_cut_in_two_is_the_same_network(net: str, arm: str) -> None:
    ours = build(spec(net, arm), ODD, [0, 1])
    for p in ours.parameters():
        p.data += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel()))
    ours.set_statistics("batch", update=False)
    atol = 0 if net == "mlp" else 1e-5
    x = torch.randn(2, ODD.x[0].size, 16, generator=torch.Generator().manual_seed(0))
    for cut in range(1, 5):
        early, late = ours.section(1, cut), ours.section(cut + 1, 5)
        assert torch.allclose(late(list(early.states(x))[-1]), ours(x), rtol=0, atol=atol), cut
        assert {id(p) for module in (early, late) for p in module.parameters()} == {id(p) for p in ours.parameters()}
    assert sorted(id(p) for group in layers(ours) for p in group) == sorted(id(p) for p in ours.parameters())
    seen: dict = {}
    shown = ours(x, sites=lambda layer, site, h: seen.update({(layer, site): h}))
    assert torch.allclose(shown, ours(x), rtol=0, atol=1e-5)
    for layer, state in enumerate(ours.states(x), 1):
        assert torch.allclose(state.h, seen[layer, "next"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("arm", ["none", "bn", "bn_post"])
@pytest.mark.parametrize("net", ["resnet", "resmlp"])
def test_blocks_without_weights_pass_their_input_on(net: str, arm: str) -> None:
    ours = build(spec(net, arm, depth=7), IMAGES, [0, 1])
    for weight in ours.weights[1:]:
        weight.data.zero_()
    h = [state.h for state in ours.states(torch.randn(2, 64, 16))]
    for last in (2, 4, 6):
        assert torch.equal(h[last], h[0]) and not h[last - 1].any()
    assert h[0].any()


@pytest.mark.parametrize("size", [(8, 8), (14, 14), (28, 28), (32, 32), (19, 23), (65, 33)])
@pytest.mark.parametrize("depth", [2, 5, 8])
def test_images_are_halved_early_and_whatever_their_size(size: tuple[int, int], depth: int) -> None:
    for net in ("cnn", "resnet"):
        ours = import_module(f"bnstudy.nets.{net}").build((1, *size), 3, depth, 4, 1.0, "bn", [0])
        shapes = [tuple(state.h.shape[3:]) for state in ours.states(torch.randn(1, size[0] * size[1], 2))]
        expected = [size]
        for _ in range(depth - 1):
            height, width = expected[-1]
            expected.append(((height + 1) // 2, (width + 1) // 2) if max(height, width) > SIDE else (height, width))
        assert shapes == expected and (max(shapes[-1]) <= SIDE or depth == 2)
    assert strides(*size, depth)[0] == 1


def test_statistics_of_a_channel_have_the_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of one weight w in their middle: a channel is w x + b, with mean w E(x) + b and variance w^2 Var(x)."""
    for arm in ("none", "bn"):
        c = cell(arm, 2, net="cnn", width=16, models=2)
        net, x = c.net("init"), c.probe
        scale, shift = torch.linspace(1, 3, 16) * torch.tensor([[1.0], [-1.5]]), torch.linspace(1, 4, 16)
        net.weights[0].data.zero_()
        net.weights[0].data[:, :, 0, 1, 1] = scale
        if arm == "none":
            net.biases[0].data[:] = shift
        monkeypatch.setattr(c, "net", lambda checkpoint, net=net: net)
        assert x.shape == (2, 64, 128)
        _, sites = next(iter(c.activations("init")))
        offset = shift if arm == "none" else 0
        assert sites["linear"].shape == (2, 16, 128 * 64)
        assert torch.allclose(sites["linear"].mean(2), scale * x.mean((1, 2))[:, None] + offset, atol=1e-4)
        assert torch.allclose(sites["linear"].var(2), scale**2 * x.flatten(1).var(1)[:, None], rtol=1e-4)
        if arm == "bn":
            assert torch.allclose(sites["xhat"].mean(2), torch.zeros(2, 16), atol=1e-5)
            assert torch.allclose(sites["xhat"].var(2, correction=0), torch.ones(2, 16), atol=1e-2)
        moments = import_module("bnstudy.measures.moments").measure(c)
        row = moments.query("site == 'linear' and layer == 1 and seed == 1 and checkpoint == 'init'").iloc[0]
        assert row.variance == pytest.approx(float((scale[1] ** 2).mean() * x[1].var(correction=0)), rel=1e-4)


def test_drift_is_measured_between_the_study_s_own_levels(tmp_path: Path) -> None:
    training = spec("resmlp", "bn", depth=2, steps=40, targets=(0.97, 0.9))
    s = cell_spec(training, rate=0.1, seeds=(0,), keep="levels")
    name = store.key(s)
    store.put(tmp_path, s, train(s, [Run(0, 0.1)], ODD, keep="levels").checkpoints)
    c = TrainedCell(tmp_path, name, Source(ODD))
    assert c.levels() == ["init", "loss1.0", "loss0.97"]
    for measure in ("drift", "affine"):
        table = import_module(f"bnstudy.measures.{measure}").measure(c)
        assert len(table.query("start == 'loss1.0' and end == 'loss0.97'"))
        assert len(table.query("start == 'loss0.97' and end == 'final'"))


OPEN = {"steps", "hessian_top", "shape", "left"}
"""Columns that may be empty throughout: not reached, not found, no unit alive, nothing changed."""


@pytest.mark.parametrize(
    ("net", "arm", "inputs"),
    [("cnn", "none", "standardized"), ("cnn", "bn_post", "lecture_gray"), ("resnet", "bn", "standardized"),
     ("resmlp", "bn", "lecture_white")],
)  # fmt: skip
def test_every_measure_runs(net: str, arm: str, inputs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    c = cell(arm, 3, net=net, inputs=inputs, models=1, width=16)
    assert c.have("loss0.5").all()
    save(IMAGES, tmp_path / "images.npz")
    monkeypatch.setattr(c, "source", StudyImages(tmp_path / "images.npz"))
    for name in names("measures", "measure"):
        table = import_module(f"bnstudy.measures.{name}").measure(c)
        if arm == "none" and name in ("affine", "xhat"):
            continue  # has no rows without gamma, or without x-hat
        if name in ("colour", "painted") and inputs == "standardized":
            continue
        assert len(table) and set(table["seed"]) == {0}, name
        numbers = table.select_dtypes("number").drop(columns=[k for k in OPEN if k in table])
        assert not np.isinf(numbers.to_numpy(float)).any() and (numbers.notna().mean() >= 0.5).all(), name


def test_networks_that_train_alone_are_planned_so() -> None:
    grid = {"name": "main", "arms": ["none", "bn"], "depths": [4], "nets": ["mlp", "cnn", "resnet"]}
    study = {"grids": [grid], "claims": {"depths": {"shallow": 4}}, "seeds": {"evaluation": 10}}
    plan = Plan(StudyConfig.model_validate_json(json.dumps(study)))
    assert sorted(plan.jobs) == sorted(f"{arm}_{net}_d4" for arm in ("none", "bn") for net in grid["nets"])
    for net, sizes in (("mlp", [8, 2]), ("cnn", [1] * 10), ("resnet", [1] * 10)):
        job = plan.evaluate(f"bn_{net}_d4")
        assert {s.setting.net for s in job.settings} == {net}
        assert [len(seeds) for seeds in by_cell(job.settings[0].seeds, job.stack)] == sizes
    code = {job: plan.evaluate(job).code for job in plan.jobs}
    assert len(set(code.values())) == 6
