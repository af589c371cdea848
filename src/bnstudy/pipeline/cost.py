"""About how long training takes, and how much memory: for `bnstudy plan`, for jobs of a handy size, and for clusters."""

from collections.abc import Iterable
from math import ceil

from bnstudy.core.plugins import defines
from bnstudy.core.setting import Setting
from bnstudy.pipeline.records import SweepJob


def seconds(steps: int, setting: Setting, networks: int) -> float:
    """Return a rough cost, as timed on one core of a server whose other core did the same (thorough.yaml, default).

    A hidden layer takes 70 microseconds per step and network at batch 64 and width 64, its share of the looks at the loss
    included, and from width 128 on as the square of the width; one of convolutions, which train alone, 5 milliseconds at
    width 32 on about 14 x 14 pixels, and 2 at width 16.
    """
    layer = 70e-6 * setting.width / 64 * max(1, setting.width / 128)
    if defines("nets", setting.net, "ALONE"):
        layer = 5e-3 * (setting.width / 32) ** 1.25
    return steps * networks * layer * (setting.depth + 1) * setting.batch / 64


MEASURED = 900
"""So many steps of training take as long as measuring: 60 milliseconds a layer of width 64, as timed there."""
CARD = 100
"""About how many times as fast as a core one card trains stacks: measured on an H100, 115 times (MLPs) and 200 (CNNs)."""


def evaluated(roles: Iterable[str], targets: int, grid: int) -> int:
    """Return at how many rates a setting with these roles of rates is evaluated, where no two are one.

    They are a best rate for each of the targets, the main one's two neighbours, the shared rate, all rates of the grid.
    """
    rates = {"best": targets, "neighbours": 2, "shared": 1, "grid": grid}
    return sum(rates[role] for role in roles)


COPIES = 4
"""About how often a job holds its networks and what passes through them: weights, gradients, momenta, checkpoints."""
PYTHON = 0.3
"""GiB of a job without its networks, as measured in docs/growth.md."""
PROGRAMS = 2000
"""MB to ask for beside those of the networks: for Python, images, and Snakemake twice."""


def minutes(seconds: float, on_card: bool) -> int:
    """Return how many minutes a cluster should give a job of so many seconds on one core: twice what it may take."""
    return 10 + ceil(2 * seconds / 60 / (CARD if on_card else 1))


def gib(job: SweepJob) -> float:
    """Return about how many GiB the networks take that a job tunes (see docs/growth.md); a card's own are not counted.

    A convolution is taken to see pictures of 28 x 28 pixels before they are pooled.
    """
    most = 0.0
    for setting in (swept.setting for swept in job.settings):
        weights = (setting.depth + 1) * setting.width**2
        images = max(setting.batch * (setting.depth + 1), job.splits.test)  # a batch in all layers, or all in one
        passing = images * setting.width if job.device == "cpu" else 0
        if defines("nets", setting.net, "ALONE"):
            weights, passing = 9 * weights, 784 // setting.pool**2 * passing
        most = max(most, 4 * COPIES * job.stack * (weights + passing) / 2**30)
    return most


def megabytes(job: SweepJob) -> int:
    """Return how many MB a cluster should give whatever trains or measures what a job tunes: twice what it may take."""
    return PROGRAMS + ceil(2 * gib(job) * 2**30 / 1e6)
