"""The stacked trainer against plain torch.nn, and the independence of a run from its stack."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bnstudy.arms import noise
from bnstudy.core import store
from bnstudy.core.cell import Keep, TrainingSpec
from bnstudy.core.plugins import names
from bnstudy.measures.cell import TrainedCell
from bnstudy.training import clock
from bnstudy.training.train import Run, build, train, train_on
from helpers.plain import EXACT, check_run
from helpers.trained import IMAGES, Source, cell_spec, training_spec


def spec(arm: str, width: int = 32, batch: int = 32, **more: Any) -> TrainingSpec:
    return training_spec(arm, width=width, batch=batch, **{"depth": 3, "steps": 50, **more})


NOISY = ["bn_noisy", "bn_noisy_mild", "none_noisy", "once_noisy"]


def test_every_arm_is_tested() -> None:
    assert sorted(names("arms", "build")) == sorted(arm for arm in EXACT + NOISY if ":" not in arm)


BEST = {"sgd": 0.1, "adam": 0.01}


@pytest.mark.parametrize(
    ("arm", "optimizer"), [*((arm, "sgd") for arm in EXACT), *((arm, "adam") for arm in ("none", "bn", "once"))]
)
def test_a_stacked_run_equals_plain_torch(arm: str, optimizer: str) -> None:
    s, best = spec(arm, optimizer=optimizer), BEST[optimizer]
    runs = [Run(0, 0.3 * best), Run(1, 1e6), Run(2, best)]  # the middle one diverges wherever rates matter
    result = train(s, runs, IMAGES, keep="levels", dtype=torch.float64)
    for i in (0, 2):
        check_run(result, i, s, runs[i], IMAGES, 1e-5)
    if (arm, optimizer) == ("none", "sgd"):
        assert result.diverged[1] > 0


@pytest.mark.parametrize("arm", [*EXACT, *NOISY])
def test_the_first_networks_are_built_again_from_their_seeds(arm: str, tmp_path: Path) -> None:
    """As steps of rate 0 leave them; only what the first batch set is stored (`once`)."""
    s = cell_spec(spec(arm, steps=1), rate=0.1, seeds=(3, 4), keep="end")
    kept = train(s, [Run(3, 0.1), Run(4, 0.1)], IMAGES, keep="end").checkpoints
    assert set(kept) == {"init", "final"}
    assert ({"have", "step", "loss"} < set(kept["init"])) == arm.startswith("once")
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
    whole, short, fast = (train(s, runs, IMAGES, keep=keep) for keep in ("levels", "curve", "steps"))
    assert len(short.loss) == short.done.max() < len(whole.loss) == 200
    assert (fast.done[:2] < short.done[:2]).all()  # who waits for its batches' mean loss waits longer
    for run, done in enumerate(short.done):
        assert np.array_equal(short.loss[:done, run], whole.loss[:done, run], equal_nan=True)
        held = np.repeat(short.loss[done - 1, run], len(short.loss) - done)
        assert np.array_equal(short.loss[done:, run], held, equal_nan=True)
    assert np.array_equal(short.done, whole.done)
    for target in s.targets:
        steps = [clock.steps_to(r.looks, clock.looks(200), r.diverged, target) for r in (whole, short, fast)]
        assert np.array_equal(steps[0], steps[1]) and np.array_equal(steps[0], steps[2])
        batches = [clock.batch_steps(r.loss, r.diverged, target) for r in (whole, short)]
        assert np.array_equal(batches[0], batches[1]) and np.isfinite([steps[0][:2], batches[0][:2]]).all()
    slow = train(s, [Run(0, 1e-6)], IMAGES, keep="curve")
    assert len(slow.loss) == slow.done[0] == 200


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("arm", ["none", "bn", "once", "bn_noisy"])
def test_who_leaves_the_stack_changes_nothing_for_those_who_stay(arm: str, optimizer: str) -> None:
    s, best = spec(arm, steps=80, optimizer=optimizer, targets=(1.2, 0.9)), BEST[optimizer]
    runs = [Run(0, 1e6), Run(1, best), Run(2, best / 300), Run(3, best), Run(4, best / 3), Run(5, best / 1000)]
    whole = train(s, runs, IMAGES, keep="curve")
    assert len(set(whole.done)) >= 3 and whole.done.max() == 80
    for place, run in enumerate(runs):
        alone = train(s, [run], IMAGES, keep="curve")
        end = whole.done[place]
        assert (alone.done[0], alone.diverged[0]) == (end, whole.diverged[place])
        assert np.array_equal(alone.loss[:end, 0], whole.loss[:end, place], equal_nan=True), place


@pytest.mark.parametrize("arm", EXACT + NOISY)
@pytest.mark.parametrize(("width", "batch"), [(32, 32), (64, 64), (48, 16)])
def test_bits_of_a_run_do_not_depend_on_its_stack(arm: str, width: int, batch: int) -> None:
    s = spec(arm, width, batch, steps=16)
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
    s, best = spec(arm, optimizer=optimizer, targets=(1.2, 0.9)), BEST[optimizer]
    runs = [Run(0, 1e6), Run(1, best), Run(2, best / 300), Run(3, best / 3)]
    for budget, paused in zip((25, 26, 80), train_on(s, runs, IMAGES, keep, [25, 26, 80]), strict=True):
        whole = train(replace(s, steps=budget), runs, IMAGES, keep)
        assert np.array_equal(paused.loss, whole.loss, equal_nan=True) and len(whole.loss) == budget
        assert np.array_equal(paused.done, whole.done) and np.array_equal(paused.diverged, whole.diverged)
        assert paused.checkpoints.keys() == whole.checkpoints.keys()
        for name, arrays in whole.checkpoints.items():
            assert all(np.array_equal(v, paused.checkpoints[name][k], equal_nan=True) for k, v in arrays.items()), name


@pytest.mark.parametrize(("arm", "dose"), [("bn_noisy", 2.25), ("bn_noisy_mild", 1.0)])
def test_noise_is_that_of_the_paper_times_the_dose(arm: str, dose: float) -> None:
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


def test_noise_behind_constants_is_that_behind_batch_norm() -> None:
    """The arm once_noisy adds to `once` what bn_noisy adds to batch norm, and takes its constants without it."""
    plain, noisy = (build(spec(a, depth=2), IMAGES, [0]) for a in ("once", "once_noisy"))
    x = torch.randn(1, 64, 32, generator=torch.Generator().manual_seed(0))
    seen: dict[str, torch.Tensor] = {}
    for name, net in (("plain", plain), ("noisy", noisy)):
        net(x, calibrate=True)
        net.set_noise([0], 7)
        net(x, sites=lambda layer, site, h, name=name: seen.setdefault(f"{name} {layer} {site}", h.clone()))
    assert torch.equal(noisy.norms[0].mean, plain.norms[0].mean) and noisy.norms[0].mean.abs().max() > 0
    scale, constant = noise.draw(0, 1, 7, 32, 32, 1.0)
    torch.testing.assert_close(seen["noisy 1 affine"][0], seen["plain 1 affine"][0] * scale + constant)
