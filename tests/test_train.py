"""The stacked trainer against plain torch.nn, and the independence of a run from its stack."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bnstudy.arms import noise
from bnstudy.core import store
from bnstudy.core.cell import Keep, TrainingSpec
from bnstudy.core.plugins import names
from bnstudy.data import digits
from bnstudy.data.batches import order, part
from bnstudy.measures.cell import TrainedCell
from bnstudy.training.convergence import steps_to
from bnstudy.training.train import Run, build, train, train_on
from helpers.trained import Source, cell_spec, training_spec

torch.set_num_threads(1)  # as jobs have it: with more, the shapes in a stack decide how sums are split
IMAGES = digits.load()


def spec(
    arm: str,
    width: int = 32,
    batch: int = 32,
    steps: int = 50,
    depth: int = 3,
    optimizer: str = "sgd",
    targets: tuple[float, ...] = (0.5, 0.25),
) -> TrainingSpec:
    return training_spec(arm, depth=depth, width=width, batch=batch, steps=steps, optimizer=optimizer, targets=targets)


class Constant(nn.Module):
    """`once` and `affine` in plain torch: gamma (h - mean) / sqrt(var + eps) + beta with constants."""

    def __init__(self, width: int, once: bool) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.once = once
        self.constants: tuple[torch.Tensor, torch.Tensor] | tuple[float, float] | None = None

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        if self.constants is None:
            var, mean = torch.var_mean(h.detach(), 0, correction=0)
            self.constants = (mean, torch.sqrt(var + 1e-5)) if self.once else (0.0, 1.0)
        return self.weight * (h - self.constants[0]) / self.constants[1] + self.bias


class Detached(nn.BatchNorm1d):
    """nn.BatchNorm1d with its statistics taken out of the graph; its averages are moved by the parent class."""

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            super().forward(h)
        var, mean = torch.var_mean(h.detach(), 0, correction=0)
        return self.weight * ((h - mean) / torch.sqrt(var + 1e-5)) + self.bias


def norm_of(arm: str, width: int, layer: int, layers: int) -> nn.Module | None:
    """The torch module of an arm at one hidden layer; None where it has none."""
    if arm in ("bn_early", "bn_late"):
        return nn.BatchNorm1d(width) if (arm == "bn_early") == (layer <= layers // 2) else None
    if arm in ("once", "affine"):
        return Constant(width, arm == "once")
    plainly = {"bn": nn.BatchNorm1d, "bn_post": nn.BatchNorm1d, "bn_detached": Detached, "layernorm": nn.LayerNorm}
    if arm == "bn_frozen":
        return nn.BatchNorm1d(width, affine=False)
    return plainly[arm](width) if arm in plainly else None


def plain(s: TrainingSpec, run: Run) -> tuple[np.ndarray, nn.Sequential]:
    """The same run by one torch.nn network alone, in float64: its losses and the trained network."""
    arm, width = s.setting.arm, s.setting.width
    ours = build(s, IMAGES, [run.seed], torch.float64)
    layers: list[nn.Module] = []
    for i, weight in enumerate(ours.weights, 1):
        norm = norm_of(arm, width, i, len(ours.weights))
        lin = nn.Linear(weight.shape[2], width, bias=norm is None or arm == "bn_post").double()
        lin.weight.data = weight.data[0].clone()
        if lin.bias is not None:
            lin.bias.data.zero_()
        after = [nn.ReLU()] if norm is None else [nn.ReLU(), norm] if arm == "bn_post" else [norm, nn.ReLU()]
        layers += [lin, *(m.double() for m in after)]
    head = nn.Linear(width, 10).double()
    head.weight.data, head.bias.data = ours.head.data[0].clone(), torch.zeros(10, dtype=torch.float64)
    net = nn.Sequential(*layers, head)
    x, y = (torch.from_numpy(a) for a in part(IMAGES, s, run.seed, "train"))
    index = order([run.seed], len(x), s.setting.batch, s.steps)[:, 0]
    if arm == "once":
        net(x.double()[index[0]])  # constants of the first batch
    if s.setting.optimizer == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=run.rate)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=run.rate, momentum=s.momentum)
    losses = []
    for i in index:
        loss = nn.functional.cross_entropy(net(x.double()[i]), y[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), net


EXACT = [
    "none", "bn", "bn_frozen", "once", "affine", "bn_detached", "layernorm", "bn_early", "bn_late", "bn_post",
]  # fmt: skip
NOISY = ["bn_noisy", "bn_noisy_half", "bn_noisy_quarter", "none_noisy"]


def test_every_arm_is_tested() -> None:
    assert sorted(names("arms", "build")) == sorted(EXACT + NOISY)


@pytest.mark.parametrize("arm", EXACT)
def test_a_stacked_run_equals_plain_torch(arm: str) -> None:
    s = spec(arm)
    runs = [Run(0, 0.03), Run(1, 1e6), Run(2, 0.1)]  # the middle one diverges wherever rates matter
    result = train(s, runs, IMAGES, keep="levels", dtype=torch.float64)
    for i in (0, 2):
        losses, net = plain(s, runs[i])
        assert np.abs(result.loss[:, i] - losses).max() < 1e-5
        norms = [m for m in net if isinstance(m, nn.BatchNorm1d)]
        for name in ("running_mean", "running_var"):
            ours = [v[i] for k, v in result.checkpoints["final"].items() if k.endswith(name)]
            assert len(ours) == len(norms) and bool(norms) == arm.startswith("bn")
            for value, norm in zip(ours, norms):
                assert np.abs(value - getattr(norm, name).numpy()).max() < 1e-5
    if arm == "none":
        assert result.diverged[1] > 0


@pytest.mark.parametrize("arm", ["none", "bn", "once"])
def test_a_stacked_run_equals_plain_torch_with_adam(arm: str) -> None:
    s = spec(arm, optimizer="adam")
    runs = [Run(0, 0.003), Run(1, 1e6), Run(2, 0.01)]
    result = train(s, runs, IMAGES, keep="levels", dtype=torch.float64)
    for i in (0, 2):
        assert np.abs(result.loss[:, i] - plain(s, runs[i])[0]).max() < 1e-5


@pytest.mark.parametrize("arm", [*EXACT, *NOISY])
def test_the_first_networks_are_built_again_from_their_seeds(arm: str, tmp_path: Path) -> None:
    """As steps of rate 0 leave them; only what the first batch set is stored (`once`)."""
    s = cell_spec(spec(arm, steps=1), rate=0.1, seeds=(3, 4), keep="end")
    kept = train(s, [Run(3, 0.1), Run(4, 0.1)], IMAGES, keep="end").checkpoints
    assert set(kept) == {"init", "final"}
    assert ({"have"} < set(kept["init"])) == (arm == "once")
    store.put(tmp_path, s, kept)
    found = TrainedCell(tmp_path, store.key(s), Source()).net("init")
    untrained = train(s, [Run(3, 0.0), Run(4, 0.0)], IMAGES, keep="end").checkpoints["final"]
    moved = {"running_mean", "running_var"}  # the averages follow every batch, at any rate
    for name, value in found.state_dict().items():
        if name.rpartition(".")[2] not in moved:
            assert np.array_equal(value, untrained[name]), name


def test_without_checkpoints_training_ends_when_every_run_is_done() -> None:
    s = spec("bn", steps=200, targets=(1.0, 0.8))
    runs = [Run(0, 0.1), Run(1, 0.03), Run(2, 1e6)]
    whole, short = train(s, runs, IMAGES, keep="levels"), train(s, runs, IMAGES, keep="curve")
    assert len(short.loss) == short.done.max() < len(whole.loss) == 200
    for run, done in enumerate(short.done):
        assert np.array_equal(short.loss[:done, run], whole.loss[:done, run], equal_nan=True)
        assert np.array_equal(
            short.loss[done:, run], np.repeat(short.loss[done - 1, run], len(short.loss) - done), True
        )
    assert np.array_equal(short.done, whole.done)
    for target in s.targets:
        steps = [steps_to(r.loss, r.diverged, target) for r in (whole, short)]
        assert np.array_equal(steps[0], steps[1]) and np.isfinite(steps[0][:2]).all()
    slow = train(s, [Run(0, 1e-6)], IMAGES, keep="curve")
    assert len(slow.loss) == slow.done[0] == 200


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("arm", ["none", "bn", "once", "bn_noisy"])
def test_who_leaves_the_stack_changes_nothing_for_those_who_stay(arm: str, optimizer: str) -> None:
    s = spec(arm, steps=80, optimizer=optimizer, targets=(1.2, 0.9))
    best = {"sgd": 0.1, "adam": 0.01}[optimizer]
    runs = [Run(0, 1e6), Run(1, best), Run(2, best / 300), Run(3, best), Run(4, best / 3), Run(5, best / 1000)]
    whole = train(s, runs, IMAGES, keep="curve")
    assert len(set(whole.done)) >= 4 and whole.done.max() == 80
    for place, run in enumerate(runs):
        alone = train(s, [run], IMAGES, keep="curve")
        end = whole.done[place]
        assert (alone.done[0], alone.diverged[0]) == (end, whole.diverged[place])
        assert np.array_equal(alone.loss[:end, 0], whole.loss[:end, place], equal_nan=True), place


@pytest.mark.parametrize("arm", EXACT + NOISY)
@pytest.mark.parametrize(("width", "batch"), [(32, 32), (64, 64), (48, 16)])
def test_bits_of_a_run_do_not_depend_on_its_stack(arm: str, width: int, batch: int) -> None:
    s = spec(arm, width, batch, steps=30)
    many = [Run(seed, rate) for seed in range(4) for rate in (0.03, 1e6, 0.1)]
    whole = train(s, many, IMAGES, keep="levels")
    for some in (many[:1], many[5:8], many[2:11]):
        alone = train(s, some, IMAGES, keep="levels")
        at = [many.index(r) for r in some]
        assert np.array_equal(alone.loss, whole.loss[:, at], equal_nan=True)
        for k, v in alone.checkpoints["final"].items():
            assert np.array_equal(v, whole.checkpoints["final"][k][at], equal_nan=True), k


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("arm", ["none", "bn", "once", "bn_noisy"])
@pytest.mark.parametrize("keep", ["curve", "levels"])
def test_training_that_paused_is_training_that_did_not(arm: str, optimizer: str, keep: Keep) -> None:
    s = spec(arm, optimizer=optimizer, targets=(1.2, 0.9))
    best = {"sgd": 0.1, "adam": 0.01}[optimizer]
    runs = [Run(0, 1e6), Run(1, best), Run(2, best / 300), Run(3, best / 3)]
    for budget, paused in zip((25, 26, 80), train_on(s, runs, IMAGES, keep, [25, 26, 80]), strict=True):
        whole = train(replace(s, steps=budget), runs, IMAGES, keep)
        assert np.array_equal(paused.loss, whole.loss, equal_nan=True) and len(whole.loss) == budget
        assert np.array_equal(paused.done, whole.done) and np.array_equal(paused.diverged, whole.diverged)
        assert paused.checkpoints.keys() == whole.checkpoints.keys()
        for name, arrays in whole.checkpoints.items():
            assert all(np.array_equal(v, paused.checkpoints[name][k], equal_nan=True) for k, v in arrays.items()), name


def test_a_probe_changes_nothing() -> None:
    net = build(spec("bn"), IMAGES, [0, 1])
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.set_statistics("batch", update=False)
    net(torch.randn(2, 64, 50), sites=lambda *a: None)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize(("arm", "dose"), [("bn_noisy", 1.0), ("bn_noisy_half", 0.5), ("bn_noisy_quarter", 0.25)])
def test_noise_is_that_of_the_paper_shrunk_by_the_dose(arm: str, dose: float) -> None:
    clean, noisy = (build(spec(a, width=256, depth=2), IMAGES, [0]) for a in ("bn", arm))
    x, seen = torch.randn(1, 64, 4000), {}
    for net in (clean, noisy):
        net.set_statistics("batch", update=False)
    noisy.set_noise([0], 7)
    for name, net in (("clean", clean), ("noisy", noisy)):
        net(x, sites=lambda layer, site, h, name=name: seen.update({(name, layer, site): h}))
    a, b = seen["clean", 1, "affine"][0], seen["noisy", 1, "affine"][0]
    mean, sd = b.mean(1), b.std(1)  # a has mean 0 and sd 1: mu, and sqrt(sigma^2 + what a sample draws of its own)
    assert abs(mean.min() + 0.5 * dose) < 0.05 and abs(mean.max() - 0.5 * dose) < 0.05
    own = dose * np.sqrt(0.1**2 + 0.2**2 / 12)
    spread = torch.sqrt(sd.square() - own**2)
    assert spread.min() > 1 - 0.06 and spread.max() < 1 + 0.25 * dose + 0.06 and spread.std() > 0.04 * dose
    rest = b - mean[:, None] - spread[:, None] * a
    assert abs(rest.std().item() / own - 1) < 0.1
    noisy.set_statistics("running", update=False)
    clean.set_statistics("running", update=False)
    assert torch.equal(noisy(x), clean(x))


def test_noise_is_a_function_of_seed_layer_and_step() -> None:
    def one(seed: int, layer: int, step: int) -> torch.Tensor:
        return torch.stack(noise.draw(seed, layer, step, units=8, samples=16, dose=1.0))

    assert torch.equal(one(0, 1, 5), one(0, 1, 5))
    for other in ((1, 1, 5), (0, 2, 5), (0, 1, 6)):
        assert not torch.equal(one(0, 1, 5), one(*other))
