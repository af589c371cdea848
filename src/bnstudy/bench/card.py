"""What one card gains: the stacked trainer against a plain torch.nn loop on the same card, TF32 as torch sets it for both.

``python -m bnstudy.bench.card`` prints these figures alone.
"""

import time
from collections.abc import Callable
from statistics import geometric_mean
from unittest import mock

import numpy as np
import torch
from torch import nn

from bnstudy.arms.base import EPS
from bnstudy.bench.figures import Metric, line, metric
from bnstudy.bench.shapes import BATCH, CLASSES, CNN_DEPTH, CNN_WIDTH, RATE, SPLITS, spec
from bnstudy.core.cell import TrainingSpec
from bnstudy.data.batches import order, part
from bnstudy.data.images import Images, pool
from bnstudy.training.device import describe, settle
from bnstudy.training.together import Together
from bnstudy.training.train import Run, train

ARMS, DEPTHS, STACK, CNN_STACK = ("none", "bn"), (5, 20), 512, 64
SEEDS = 16
"""Seeds of a stack: its networks are these at several rates, as in a study."""
STEPS, WARM, PLAIN = 200, 40, 100
"""Steps of a stack, those before the clock starts, and steps of a plain network."""


def rows(say: Callable[[str], None] = print, passes: int = 3) -> list[Metric]:
    """gpu_plain_loop, gpu_cnn_plain_loop, and the same for each shape."""
    small, large = made_up(2), made_up(1)
    shapes = [(small, spec(arm, depth, STEPS), STACK) for depth in DEPTHS for arm in ARMS]
    shapes += [(large, spec(arm, CNN_DEPTH, STEPS, "cnn", CNN_WIDTH, pool=1), CNN_STACK) for arm in ARMS]
    found: list[list[float]] = []
    outside: list[float] = []
    for images, setting, models in shapes:
        ratios = []
        for _ in range(passes):
            steps, share = stacked(images, setting, models)
            ours, theirs = steps / models, plain(images, setting)
            outside.append(share)
            ratios.append(theirs / ours)
        found.append(ratios)
        name = f"{setting.setting.net} {setting.setting.arm} {setting.setting.depth}"
        took = f"{1e6 * ours:8.2f} us a step and network of {models}, plain {1e6 * theirs:7.0f} us"
        say(f"{name:14} {took}: x {theirs / ours:.1f}")
    where = f"on {describe()}; the same card, step and batches of {BATCH}, set-up not counted"
    arms = f"geometric mean of {', '.join(ARMS)} at depths 5, 20"
    mlp = f"speed-up of {STACK} stacked MLPs over a plain torch loop, {arms}"
    cnn = f"the same for {CNN_STACK} CNNs of {CNN_DEPTH} layers of {CNN_WIDTH} channels on 28 x 28 images"
    setup = f"share of a stack's {STEPS} steps' time that is set-up"
    each = [geometric_mean(pair) for pair in zip(*found[:4])], [geometric_mean(pair) for pair in zip(*found[4:])]
    named = {f"gpu_{s.net}_{s.arm}_{s.depth}": of for s, of in zip((told.setting for _, told, _ in shapes), found)}
    return [
        metric("gpu_plain_loop", f"{mlp}, {where}", each[0]),
        metric("gpu_cnn_plain_loop", f"{cnn}, {where}", each[1]),
        metric("gpu_outside", f"{setup}, all shapes, on {describe()}", outside),
        *(metric(name, f"this shape, {where}", ratios) for name, ratios in named.items()),
    ]


def stacked(images: Images, setting: TrainingSpec, models: int) -> tuple[float, float]:
    """Return the seconds per step of :func:`bnstudy.training.train.train` on the card, its first steps not counted, and the
    share of all its time that is not steps at that rate: drawing batches, building networks, recording a step."""
    runs = [Run(i % SEEDS, RATE / (1 + i // SEEDS)) for i in range(models)]
    ends: list[tuple[int, float]] = []
    take = Together.take

    def clocked(self: Together, step: int, count: int) -> np.ndarray:
        losses = take(self, step, count)  # which waits for the card
        ends.append((step + count, time.perf_counter()))
        return losses

    with mock.patch.object(Together, "take", clocked):
        begun = time.perf_counter()
        train(setting, runs, images, keep="curve", device="cuda")
        whole = time.perf_counter() - begun
    start = next(end for end in ends if end[0] >= WARM)
    step = (ends[-1][1] - start[1]) / (ends[-1][0] - start[0])
    return step, 1 - step * ends[-1][0] / whole


def plain(images: Images, setting: TrainingSpec) -> float:
    """Seconds a step of one plain torch.nn network on the card; losses stay there until the end."""
    x, y = (torch.from_numpy(a).cuda() for a in part(images, setting, 0, "train"))
    index = order([0], SPLITS.train, BATCH, WARM + PLAIN)[:, 0].cuda()
    s, cnn = setting.setting, setting.setting.net == "cnn"
    layers: list[nn.Module] = [nn.Unflatten(1, images.x.shape[1:])] if cnn else []
    channels, bias = images.x.shape[1] if cnn else x.shape[1], s.arm == "none"
    for layer in range(s.depth):
        stride = 2 if layer == 1 else 1
        linear = nn.Conv2d(channels, s.width, 3, stride, 1, bias=bias) if cnn else nn.Linear(channels, s.width, bias)
        norm = nn.BatchNorm2d if cnn else nn.BatchNorm1d
        layers += [linear, *([] if bias else [norm(s.width, EPS)]), nn.ReLU()]
        channels = s.width
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten()] if cnn else []
    net = nn.Sequential(*layers, *pooled, nn.Linear(s.width, CLASSES)).cuda()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=setting.momentum)
    losses = []
    for step, chosen in enumerate(index):
        if step == WARM:
            torch.cuda.synchronize()
            started = time.perf_counter()
        loss = nn.functional.cross_entropy(net(x[chosen]), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    torch.stack(losses).cpu()
    return (time.perf_counter() - started) / PLAIN


def made_up(factor: int) -> Images:
    """Return random images of 28 x 28 pixels, pooled by ``factor``, as many as a seed draws."""
    draw = np.random.default_rng(0)
    total = SPLITS.train + SPLITS.test + SPLITS.heldout
    x = pool(draw.random((total, 1, 28, 28), np.float32), factor)
    return Images(x, np.arange(total) % CLASSES, tuple("0123456789"))


if __name__ == "__main__":
    settle("cuda", describe())
    print(*map(line, rows()), sep="\n")
