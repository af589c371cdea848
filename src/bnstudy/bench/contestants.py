"""What is timed. Each function runs in a process of its own; times are wall seconds.

``python -m bnstudy.bench.contestants FUNCTION ARGUMENTS-AS-JSON`` runs one in a fresh process.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from bnstudy.arms.base import EPS
from bnstudy.bench.shapes import BATCH, CNN_DEPTH, CNN_WIDTH, MODELS, POOL, RATE, SPLITS, spec
from bnstudy.core import seals
from bnstudy.core.cell import TrainingSpec
from bnstudy.data.batches import order, part
from bnstudy.data.images import Images, read, save
from bnstudy.training import optim
from bnstudy.training.train import Run, build, train

FIRST = 2
"""Steps before the clock starts."""


threads = torch.set_num_threads


def images(path: str) -> None:
    """Write the default study's images."""
    from bnstudy.data import mnist5k

    save(mnist5k.load(), Path(path))
    seals.seal(Path(path))


def gemm(products: int, side: int = 1024) -> float:
    """Floating-point operations a second of square float32 matrix products: what the machine can do at best."""
    a, b = torch.rand(side, side), torch.rand(side, side)
    out = torch.mm(a, b)
    started = time.perf_counter()
    for _ in range(products):
        torch.mm(a, b, out=out)
    return products * 2 * side**3 / (time.perf_counter() - started)


def stacked(path: str, arm: str, depth: int, steps: int, first_seed: int) -> float:
    """Seconds a step of :func:`bnstudy.training.train.train` with ``MODELS`` networks, set-up and first steps not counted."""
    runs = [Run(seed, RATE) for seed in range(first_seed, first_seed + MODELS)]
    return _clocked(spec(arm, depth, FIRST + steps), runs, path)


def convolutional(path: str, arm: str, steps: int, seed: int) -> float:
    """Seconds a step of :func:`bnstudy.training.train.train` with one CNN, counted as :func:`stacked` does."""
    return _clocked(spec(arm, CNN_DEPTH, FIRST + steps, "cnn", CNN_WIDTH), [Run(seed, RATE)], path)


def _clocked(setting: TrainingSpec, runs: list[Run], path: str) -> float:
    ends: list[float] = []
    step = optim.SGD.step

    def clocked(self: optim.SGD, loss: Tensor) -> None:
        step(self, loss)
        ends.append(time.perf_counter())

    with mock.patch.object(optim.SGD, "step", clocked):
        train(setting, runs, read(Path(path), POOL), keep="curve")
    return (ends[-1] - ends[FIRST - 1]) / (len(ends) - FIRST)


def plain(path: str, arm: str, depth: int, steps: int) -> float:
    """Seconds a step of one plain torch.nn network; set-up is not timed. The faster of one thread and all that this process
    has: networks this small gain little from a second one, and can lose much."""
    found, every, spent = read(Path(path), POOL), torch.get_num_threads(), []
    for threads in (1, every):
        torch.set_num_threads(threads)
        spent.append(plain_run(found, arm, depth, steps, 0)[0])
    return min(spent) / steps


def all_stacked(path: str, arm: str, depth: int, steps: int, first_seed: int) -> None:
    """A whole job of the stacked trainer: ``MODELS`` networks."""
    runs = [Run(s, RATE) for s in range(first_seed, first_seed + MODELS)]
    train(spec(arm, depth, steps), runs, read(Path(path), POOL), keep="curve")


def one_plain(path: str, arm: str, depth: int, steps: int, seed: int) -> None:
    """A whole process for one plain network."""
    plain_run(read(Path(path), POOL), arm, depth, steps, seed)


class Constant(nn.Module):
    """The arm `once`: gamma (h - mean) / sqrt(var + eps) + beta with the constants of the first batch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.constants: tuple[Tensor, Tensor] | None = None

    def forward(self, h: Tensor) -> Tensor:
        if self.constants is None:
            var, mean = torch.var_mean(h.detach(), 0, correction=0)
            self.constants = (mean, torch.sqrt(var + EPS))
        return self.weight * (h - self.constants[0]) / self.constants[1] + self.bias


NORMS = {"none": None, "bn": nn.BatchNorm1d, "once": Constant}


def plain_net(ours: Any, arm: str) -> nn.Sequential:
    """The first network of the stack ``ours`` as one writes it with torch.nn, with the same weights."""
    layers: list[nn.Module] = []
    for weight in [*ours.weights, ours.head]:
        out, fan_in = weight.shape[1:]
        last = weight is ours.head
        linear = nn.Linear(fan_in, out, bias=last or arm == "none")
        linear.weight.data = weight.data[0].clone()
        if linear.bias is not None:
            linear.bias.data.zero_()
        norm = None if last else NORMS[arm]
        layers += [linear, *([norm(out)] if norm else []), *([] if last else [nn.ReLU()])]
    return nn.Sequential(*layers)


def plain_run(found: Images, arm: str, depth: int, steps: int, seed: int) -> tuple[float, list[float]]:
    """(seconds of the training loop, loss of each step) of one network with torch.nn and torch.optim.SGD."""
    setting = spec(arm, depth, steps)
    x, y = (torch.from_numpy(a) for a in part(found, setting, seed, "train"))
    index = order([seed], SPLITS.train, BATCH, steps)[:, 0]
    net = plain_net(build(setting, found, [seed]), arm)
    if arm == "once":
        net(x[index[0]])
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=setting.momentum)
    started = time.perf_counter()
    losses = fit(net, optimizer, x, y, index)
    return time.perf_counter() - started, losses


def fit(net: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, index: Tensor) -> list[float]:
    """Train a network with torch.nn on batches whose images ``index`` [steps, batch] names; return each step's loss."""
    losses = []
    for chosen in index:
        loss = nn.functional.cross_entropy(net(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]](*json.loads(sys.argv[2]))
