"""The clock: against closed forms, and against a plain torch.nn loop that looks by itself: the example's."""

import math

import numpy as np
import pytest
import torch

import batchnorm_from_scratch
from bnstudy.core.cell import TrainingSpec
from bnstudy.data.batches import order, part
from bnstudy.training import clock
from bnstudy.training.train import Run, Trained, build, train
from helpers.plain import Plain
from helpers.trained import IMAGES, training_spec

SOUND = np.zeros(1, int)


def falling(steps: int, slowness: float) -> np.ndarray:
    """A loss that falls by 1 / slowness a step: 2.3 exp(-step / slowness), at each look of so many steps [looks, 1]."""
    return 2.3 * np.exp(-np.array(clock.looks(steps)) / slowness)[:, None]


def test_looks_grow_and_do_not_depend_on_the_end() -> None:
    at = clock.looks(400)
    assert at[:21] == list(range(21)) and at[20:32] == [*range(20, 40, 2), 40, 45] and at[-3:] == [360, 380, 400]
    assert len(at) == 63 and 100 in at and 150 in at and 155 not in at
    for end in (0, 1, 25, 130, 399):
        assert clock.looks(end) == [step for step in at if step <= end]
    assert all(b / a <= 1.125 for a, b in zip(at[9:], at[10:]))


@pytest.mark.parametrize("slowness", [3.0, 11.0, 60.0, 150.0])
@pytest.mark.parametrize("target", [0.5, 0.25])
def test_between_looks_the_logarithm_of_the_loss_is_a_line(slowness: float, target: float) -> None:
    steps = slowness * math.log(2.3 / target)
    found = clock.steps_to(falling(400, slowness), clock.looks(400), SOUND, target)
    assert np.isclose(found, steps if steps <= 380 else math.inf)
    assert clock.steps_to(falling(400, slowness), clock.looks(400), SOUND + 7, target) == math.inf  # it diverged


def test_two_looks_in_a_row_must_be_below() -> None:
    at, losses = [0, 1, 2, 3, 4, 5], np.array([2.0, 0.4, 0.6, 0.4, 0.3, 0.2])[:, None]
    assert np.isclose(clock.steps_to(losses, at, SOUND, 0.5)[0], 2 + math.log(0.6 / 0.5) / math.log(0.6 / 0.4))
    assert clock.steps_to(losses[:4], at, SOUND, 0.5) == math.inf  # the last look tells nothing by itself
    assert clock.steps_to(np.array([[0.4], [0.3]]), at, SOUND, 0.5) == 1  # at least one step counts


def test_a_checkpoint_is_the_look_nearest_its_level_or_none() -> None:
    losses = np.array([[2.0, 2.0, 2.0], [0.52, 0.60, 0.51], [0.40, 0.42, 0.48], [0.30, 0.30, 0.30]])
    assert clock.nearest(losses, 0.5).tolist() == [1, -1, 1]  # .60 and .42 are both off by more than a tenth
    assert clock.nearest(losses, 0.1).tolist() == [-1, -1, -1]


def looked(spec: TrainingSpec, run: Run) -> np.ndarray:
    """The loss on the first 512 training images, by their own statistics, before and after each step of the example's loop."""
    net = Plain(build(spec, IMAGES, [run.seed], torch.float64), "mlp", spec.setting.arm, IMAGES.x.shape[1:])
    x, y = (torch.from_numpy(a) for a in part(IMAGES, spec, run.seed, "train"))
    places = order([run.seed], len(x), spec.setting.batch, spec.steps)[:, 0]
    return np.array(batchnorm_from_scratch.train(net, x.double(), y, places, run.rate))


@pytest.mark.parametrize(("arm", "rate"), [("none", 0.03), ("bn", 0.02), ("layernorm", 0.03)])
def test_the_clock_is_that_of_a_plain_torch_loop(arm: str, rate: float) -> None:
    """To the same look; and looks at every step of the way give the same steps within 10%, seed by seed."""
    spec = training_spec(arm, depth=5, width=32, batch=64, steps=240)
    runs = [Run(seed, rate) for seed in range(4)]
    ours: Trained = train(spec, runs, IMAGES, keep="levels", dtype=torch.float64)
    at, every = clock.looks(spec.steps), list(range(spec.steps + 1))
    for i, run in enumerate(runs):
        plain = looked(spec, run)
        assert np.abs(ours.looks[:, i] - plain[at]).max() < 1e-7
        for target in spec.targets:
            steps = clock.steps_to(ours.looks, at, ours.diverged, target)[i]
            exact = clock.steps_to(plain[:, None], every, SOUND, target)[0]
            assert 5 < steps < math.inf and abs(steps / exact - 1) < 0.10, (run.seed, target, steps, exact)
        kept = ours.checkpoints["loss0.5"]
        if kept["have"][i]:
            assert abs(kept["loss"][i] - plain[kept["step"][i]]) < 1e-7 and abs(kept["loss"][i] / 0.5 - 1) <= 0.1
    assert kept["have"].sum() >= 3
    if arm == "none":  # between looks its loss falls by more than a fifth: steps are taken again, and go on as before
        assert not set(kept["step"]) <= set(at)
    alone = train(spec, runs, IMAGES, keep="end", dtype=torch.float64)
    assert np.array_equal(alone.looks, ours.looks) and np.array_equal(alone.loss, ours.loss)


def test_the_look_changes_nothing_and_large_images_are_fewer() -> None:
    assert clock.fixed_images((14, 14)) == clock.fixed_images((28, 28)) == 512
    assert clock.fixed_images((96, 96)) == 112 and clock.fixed_images((2000, 2000)) == 16
