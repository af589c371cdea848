"""The shapes that are timed, and how many floating-point operations one training step of them takes."""

from typing import NamedTuple

from bnstudy.core.cell import Splits, TrainingSpec
from bnstudy.core.setting import Setting

WIDTH, BATCH, POOL, PIXELS, CLASSES = 64, 64, 2, 14 * 14, 10
MODELS, JOBS = 16, 2
"""The stacked trainer is timed as a study runs it on two cores: ``JOBS`` processes of one thread, ``MODELS`` each."""
ARMS = ("none", "bn", "once")
CNN_DEPTH, CNN_WIDTH = 8, 32
CNN_ARMS = ("none", "bn")
"""What a CNN is timed as: networks of ``CNN_DEPTH`` layers of ``CNN_WIDTH`` channels on the same images and batches, one a process."""
RATE = 0.01
SPLITS = Splits(train=2944, test=1024, heldout=1024)


class Effort(NamedTuple):
    """How much is done. The default takes a few minutes on two cores."""

    depths: tuple[int, ...] = (5, 10, 20)
    layer_steps: int = 400
    """Steps x depth of a timed stack."""
    cnn_steps: int = 20
    """Steps of a timed CNN."""
    plain: int = 6
    """Times as many steps of plain networks as of a stack."""
    products: int = 6
    """Matrix products that are timed together."""
    passes: int = 5
    """Pairs of each ratio."""
    fresh_steps: int = 600
    """Steps of a run in a process of its own."""
    fresh_runs: int = 8
    """Such runs a pair."""
    peak_depth: int = 20
    peak_steps: int = 600
    """Hidden layers and steps of the networks whose jobs' memory is measured."""
    measures: tuple[str, ...] = ()
    """What is measured there; nothing named: everything."""


TINY = Effort((2, 3), 12, 2, 2, 1, 1, 20, 1, 2, 40, ("affine",))
"""Whether the benchmark runs, not how fast anything is."""


def spec(arm: str, depth: int, steps: int, net: str = "mlp", width: int = WIDTH, pool: int = POOL) -> TrainingSpec:
    """Return what :func:`bnstudy.training.train.train` is told about one setting.

    No loss is below the target, so no run ends early.
    """
    setting = Setting(arm, depth, 1.0, "standardized", net, width, BATCH, "sgd", pool)
    return TrainingSpec(setting=setting, steps=steps, momentum=0.9, targets=(0.0,), splits=SPLITS)


def flops(depth: int, models: int = MODELS) -> int:
    """Floating-point operations of the matrix products of one training step of ``models`` networks.

    A product of [out, in] and [in, B] takes 2 B in out. Every weight matrix has three: forward, the gradient of the
    weights, the gradient of the input; the first layer's input needs none. What the arms, ReLU, loss and optimizer
    add is left out: it is overhead here.
    """
    first, hidden, head = PIXELS * WIDTH, (depth - 1) * WIDTH * WIDTH, WIDTH * CLASSES
    return 2 * models * BATCH * (2 * first + 3 * hidden + 3 * head)


def cnn_flops() -> int:
    """Floating-point operations of the convolutions and the head of one training step of a CNN, counted as by
    :func:`flops`, and as if the border of zeros were pixels: 2 x 9 a weight, pixel and image."""
    pixels, width, hidden = PIXELS, CNN_WIDTH, CNN_DEPTH - 1
    return 2 * BATCH * (9 * pixels * (2 * width + 3 * hidden * width * width) + 3 * width * CLASSES)
