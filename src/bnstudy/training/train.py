"""The one trainer: it trains a stack of networks, each with its own seed and rate, in one process.

Networks of a stack never meet: every reduction is taken per network. So at widths and batches that are multiples of 16
the bits of a run do not depend on its stack; at other shapes a cell always trains as a stack of its own.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bnstudy.arms.base import only
from bnstudy.core.cell import Keep, TrainingSpec
from bnstudy.core.store import Arrays
from bnstudy.data.batches import Batches, parts
from bnstudy.data.images import Images
from bnstudy.data.inputs import shape
from bnstudy.nets.base import cross_entropy
from bnstudy.training import optim
from bnstudy.training.convergence import WINDOW

EARLY = 100
"""A checkpoint at a fixed step, for the spread of activations early in training."""
FEWER = 0.75
"""A stack is made smaller once no more than this share of its runs go on: making it so takes about one step's time."""


class Run(NamedTuple):
    """One network of a stack."""

    seed: int
    rate: float


class Trained(NamedTuple):
    """What training a stack of M networks leaves."""

    loss: np.ndarray
    """[steps, M]: the loss at each step, before its update."""
    diverged: np.ndarray
    """[M]: the step at which a run diverged; 0 where it did not."""
    done: np.ndarray
    """[M]: the step at which a run had reached every target or diverged; the budget where it did neither."""
    checkpoints: dict[str, Arrays]
    """{name: {parameter: [M, ...], "have": bool [M]}}. "init" holds only what the first batch set: :func:`build` makes the
    rest again."""


def build(spec: TrainingSpec, images: Images, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Any:
    """Return the untrained networks of a setting, one per seed (see :mod:`bnstudy.nets`)."""
    setting = spec.setting
    family = import_module(f"bnstudy.nets.{setting.net}")
    inputs, classes = shape(images, setting.inputs), len(images.classes)
    return family.build(inputs, classes, setting.depth, setting.width, setting.gain, setting.arm, seeds, dtype)


def train(
    spec: TrainingSpec,
    runs: Sequence[Run],
    images: Images,
    keep: Keep,
    tick: Callable[[float], None] = lambda share: None,
    dtype: torch.dtype = torch.float32,
) -> Trained:
    """Train one stack for the steps of ``spec`` and return what that leaves; see :func:`train_on` for the arguments."""
    return next(train_on(spec, runs, images, keep, [spec.steps], tick, dtype))


def train_on(
    spec: TrainingSpec,
    runs: Sequence[Run],
    images: Images,
    keep: Keep,
    budgets: Sequence[int],
    tick: Callable[[float], None] = lambda share: None,
    dtype: torch.dtype = torch.float32,
) -> Iterator[Trained]:
    """Train one stack with a pause at each budget, and go on from there when the next result is asked for.

    A run whose loss is not finite, or above 1000 times its first, has diverged: that is an outcome, recorded with its
    step. A paused stack holds no images.

    Args:
        spec: What all runs have in common. Its steps do not count here: the budgets do.
        runs: The seed and the rate of each network.
        images: The images of the study, already pooled.
        keep: "curve": only the steps to the targets matter. A run that is done leaves the stack, its loss stays as it was,
            and training ends with the last run. "end": the networks at the start and at the end are kept too. "levels": so
            are those at step EARLY, and where the loss falls below 1 nat and below the first target.
        budgets: Numbers of steps, ascending.
        tick: Called about once per second with the share of the current budget that is done.
        dtype: The type of all parameters and inputs.

    Yields:
        For each budget, bit for bit what :func:`train` returns for so many steps.
    """
    torch.set_flush_denormal(True)
    seeds = [r.seed for r in runs]
    alive = np.arange(len(runs))  # places of the runs that are still in the stack
    batches = _feed(spec, seeds, images, budgets[0], dtype)
    net = build(spec, images, seeds, dtype)
    built = {k: v.clone() for k, v in net.state_dict().items()}
    with torch.no_grad():
        net.set_statistics("batch", update=False)
        net(batches.batch(0, alive)[0], calibrate=True)
    net.set_statistics("batch", update=True)
    rates = torch.tensor([r.rate for r in runs], dtype=dtype)
    optimizer = optim.build(spec.setting.optimizer, net.parameters(), rates, spec.momentum)
    saver = None if keep == "curve" else _Saver(net, built, {1.0, spec.targets[0]} if keep == "levels" else set())

    loss = np.zeros((budgets[-1], len(runs)))
    diverged = np.zeros(len(runs), dtype=np.int64)
    done = np.full(len(runs), budgets[-1])
    lowest, started, step = min(spec.targets), time.monotonic(), 0
    for budget in budgets:
        if step:
            batches = _feed(spec, seeds, images, budget, dtype)
        while step < (budget if saver else min(budget, done.max())):
            inputs, labels = batches.batch(step, alive)
            net.set_noise([seeds[i] for i in alive], step)
            losses = cross_entropy(net(inputs), labels)
            optimizer.step(losses)
            loss[step, alive] = losses.detach().numpy()
            if keep == "curve":
                loss[step] = np.where(done <= step, loss[step - 1], loss[step])  # whoever is in the stack still
            broken = ~(loss[step] <= 1000 * loss[0])
            step += 1
            diverged[broken & (diverged == 0)] = step
            window = loss[max(0, step - WINDOW) : step]
            reached = (len(window) == WINDOW) & (window.mean(0) < lowest)
            done[(reached | (diverged > 0)) & (done > step)] = step
            if saver:
                saver.see(step, window, diverged == 0)
            elif 0 < len(stay := np.flatnonzero(done[alive] > step)) <= FEWER * len(alive):
                alive, which = alive[stay], torch.from_numpy(stay)
                only(net, which)
                optimizer.keep(net.parameters(), which)
            if time.monotonic() - started > 1:
                started = time.monotonic()
                tick(step / budget)
        del batches
        yield Trained(loss[:step].copy(), diverged.copy(), done.clip(max=budget), saver.finish() if saver else {})


def _feed(spec: TrainingSpec, seeds: Sequence[int], images: Images, steps: int, dtype: torch.dtype) -> Batches:
    """Return each network's own batches of its training images, up to ``steps``."""
    x, labels = parts(images, spec, seeds, "train")
    return Batches(x.to(dtype), labels, seeds, spec.setting.batch, steps)


class _Saver:
    """Copies the parameters and averages of networks: at the start those that differ from ``built``; when the loss first
    falls below each of ``levels``; at a fixed step, if there are levels; and at the end."""

    def __init__(self, net: nn.Module, built: Mapping[str, Tensor], levels: Collection[float]) -> None:
        self.net, self.levels = net, sorted(levels, reverse=True)
        changed = {k: v.numpy().copy() for k, v in net.state_dict().items() if not torch.equal(v, built[k])}
        have = np.ones(len(next(iter(built.values()))), bool)
        self.saved: dict[str, Arrays] = {"init": {**changed, "have": have}}

    def see(self, step: int, window: np.ndarray, sound: np.ndarray) -> None:
        if step == EARLY and self.levels:
            self._save(f"step{EARLY}", None)
        if len(window) < WINDOW:
            return
        mean = window.mean(0)
        for level in self.levels:
            have = self.saved.get(f"loss{level}", {}).get("have", np.zeros(len(mean), bool))
            new = (mean < level) & ~have & sound
            if new.any():
                self._save(f"loss{level}", new)

    def finish(self) -> dict[str, Arrays]:
        self._save("final", None)
        return self.saved

    def _save(self, name: str, which: np.ndarray | None) -> None:
        state = {k: v.detach().numpy() for k, v in self.net.state_dict().items()}
        if which is None:
            self.saved[name] = {k: v.copy() for k, v in state.items()}
            self.saved[name]["have"] = np.ones(len(next(iter(state.values()))), bool)
            return
        if name not in self.saved:
            self.saved[name] = {k: np.zeros_like(v) for k, v in state.items()}
            self.saved[name]["have"] = np.zeros(len(which), bool)
        for k, v in state.items():
            self.saved[name][k][which] = v[which]
        self.saved[name]["have"] |= which
