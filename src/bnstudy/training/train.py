"""The one trainer: it trains a stack of networks, each with its own seed and rate, in one process.

Networks of a stack never meet: every reduction is taken per network. So at widths and batches that are multiples of 16
the bits of a run do not depend on its stack; at other shapes a cell always trains as a stack of its own.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from bnstudy.core.cell import Keep, TrainingSpec
from bnstudy.core.store import Arrays
from bnstudy.data.batches import CPU, Batches, parts
from bnstudy.data.images import Images
from bnstudy.data.inputs import shape
from bnstudy.nets.find import builder
from bnstudy.training import optim
from bnstudy.training.clock import WINDOW, crossings, fixed_images, looks
from bnstudy.training.saver import Saver
from bnstudy.training.together import Together

FEWER = {CPU: 0.75, "cuda": 0.5}
"""A stack is made smaller once no more than this share of its runs go on: making it so takes about one step's time, on a
card that of recording a step anew."""
SAVED: tuple[Keep, ...] = ("end", "levels")
"""What is kept with networks."""


class Run(NamedTuple):
    """One network of a stack."""

    seed: int
    rate: float


class Trained(NamedTuple):
    """What training a stack of M networks leaves."""

    loss: np.ndarray
    """[steps, M]: the loss of each step's batch, before its update."""
    looks: np.ndarray
    """[looks, M]: the loss of the function at each look (:func:`bnstudy.training.clock.looks`) in these steps."""
    diverged: np.ndarray
    """[M]: the step at which a run diverged; 0 where it did not."""
    done: np.ndarray
    """[M]: the step at which it showed that a run had reached every target or diverged; the budget where it did neither."""
    checkpoints: dict[str, Arrays]
    """{name: {parameter: [M, ...], "have": bool [M], "step": int [M], "loss": [M]}}. "init" holds only what the first batch
    set: :func:`build` makes the rest again."""


def build(spec: TrainingSpec, images: Images, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Any:
    """Return the untrained networks of a setting, one per seed (see :mod:`bnstudy.nets`)."""
    setting = spec.setting
    inputs, classes = shape(images, setting.inputs), len(images.classes)
    return builder(setting.net)(inputs, classes, setting.depth, setting.width, setting.gain, setting.arm, seeds, dtype)


def train(
    spec: TrainingSpec,
    runs: Sequence[Run],
    images: Images,
    keep: Keep,
    tick: Callable[[float], None] = lambda share: None,
    dtype: torch.dtype = torch.float32,
    device: str = CPU,
) -> Trained:
    """Train one stack for the steps of ``spec`` and return what that leaves; see :func:`train_on` for the arguments."""
    return next(train_on(spec, runs, images, keep, [spec.steps], tick, dtype, device))


def train_on(
    spec: TrainingSpec,
    runs: Sequence[Run],
    images: Images,
    keep: Keep,
    budgets: Sequence[int],
    tick: Callable[[float], None] = lambda share: None,
    dtype: torch.dtype = torch.float32,
    device: str = CPU,
) -> Iterator[Trained]:
    """Train one stack with a pause at each budget, and go on from there when the next result is asked for.

    A run whose loss is not finite, or above 1000 times its first, has diverged: that is an outcome, recorded with its
    step. A paused stack holds no batches.

    Args:
        spec: What all runs have in common. Its steps do not count here: the budgets do.
        runs: The seed and the rate of each network.
        images: The images of the study, already pooled.
        keep: "steps": only the steps to the targets matter. A run that is done leaves the stack, its losses stay as they
            were, and training ends with the last run. "curve": the same, but a run is done only once the mean loss of
            its batches has reached the targets too. "end": the networks at the start and at the end are kept too.
            "levels": so are those at step EARLY, and where the loss falls to 1 nat and to the first target.
        budgets: Numbers of steps, ascending.
        tick: Called about once per second with the share of the current budget that is done.
        dtype: The type of all parameters and inputs.
        device: Where the networks are: "cpu" or "cuda".

    Yields:
        For each budget, bit for bit what :func:`train` returns for so many steps.
    """
    torch.set_flush_denormal(True)
    seeds = [r.seed for r in runs]
    alive = np.arange(len(runs))  # places of the runs that are still in the stack
    batches = _batches(spec, seeds, images, budgets[0], dtype, device)
    net = build(spec, images, seeds, dtype).to(device)
    built = {k: v.clone() for k, v in net.state_dict().items()}
    with torch.no_grad():
        net.set_statistics("batch", update=False)
        net(batches.batch(0)[0], calibrate=True)
    net.set_statistics("batch", update=True)
    rates = torch.tensor([r.rate for r in runs], dtype=dtype, device=device)
    optimizer = optim.build(spec.setting.optimizer, net.parameters(), rates, spec.momentum)
    together = Together(net, optimizer, seeds, batches)
    saver = Saver(together, built, {1.0, spec.targets[0]} if keep == "levels" else set()) if keep in SAVED else None

    at = looks(budgets[-1])
    loss, seen = np.zeros((budgets[-1], len(runs))), np.zeros((len(at), len(runs)))
    diverged = np.zeros(len(runs), dtype=np.int64)
    done = np.full(len(runs), budgets[-1])
    # whose function reached every target, and whose batches' mean loss did
    fallen, low = np.zeros((2, len(runs)), bool)
    lowest, started, step, look = min(spec.targets), time.monotonic(), 0, 0

    def see() -> None:
        """Look at the losses of the function after ``step`` steps."""
        seen[look] = seen[look - 1]  # whoever left the stack stays as it was
        seen[look, alive] = together.loss(step)
        fallen[crossings(seen[max(look - 1, 0) : look + 1], lowest) == 0] = True
        done[((fallen & (low | (keep == "steps"))) | (diverged > 0)) & (done > step)] = step
        if saver:
            saver.see(at[: look + 1], seen[: look + 1], diverged == 0)

    see()
    for budget in budgets:
        if step:
            together.resume(_batches(spec, [seeds[i] for i in alive], images, budget, dtype, device))
        while step < (budget if saver else min(budget, done.max())):
            until = min(budget, at[look + 1]) if look + 1 < len(at) else budget
            for row in together.take(step, until - step):
                loss[step] = loss[step - 1]
                loss[step, alive] = row
                step += 1
                diverged[~(loss[step - 1] <= 1000 * loss[0]) & (diverged == 0)] = step
                window = loss[max(0, step - WINDOW) : step]
                low |= (len(window) == WINDOW) & (window.mean(0) < lowest)
            if look + 1 < len(at) and step == at[look + 1]:
                look += 1
                see()
            if not saver and 0 < len(stay := np.flatnonzero(done[alive] > step)) <= FEWER[device] * len(alive):
                alive = alive[stay]
                together.keep(torch.from_numpy(stay).to(device))
            if time.monotonic() - started > 1:
                started = time.monotonic()
                tick(step / budget)
        end = budget if saver else min(step, done.max())
        saved = saver.finish(step) if saver else {}
        together.pause()
        yield Trained(loss[:end].copy(), seen[: len(looks(end))].copy(), diverged.copy(), done.clip(max=budget), saved)


def _batches(
    spec: TrainingSpec, seeds: Sequence[int], images: Images, steps: int, dtype: torch.dtype, device: str
) -> Batches:
    """Return each network's own batches of its training images, up to ``steps``; networks of one seed share its images."""
    each, fixed = list(dict.fromkeys(seeds)), fixed_images(images.x.shape[2:])
    batches = Batches(*parts(images, spec, each, "train", device, dtype), each, spec.setting.batch, steps, fixed)
    batches.keep(torch.tensor([each.index(seed) for seed in seeds], device=device))
    return batches
