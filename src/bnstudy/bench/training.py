"""Training steps: the stacked trainer against the plain loop and against the machine's matrix product.

A pass times every arm at every depth; at each, the contestants follow one another within a second or two, in an order
that turns round from pass to pass. A figure's pair is one pass: the geometric mean of its shapes' ratios.
"""

from collections.abc import Callable
from functools import partial
from statistics import geometric_mean
from typing import Any, NamedTuple

from bnstudy.bench.figures import Metric, metric
from bnstudy.bench.machine import Machine
from bnstudy.bench.shapes import ARMS, BATCH, CNN_ARMS, CNN_DEPTH, CNN_WIDTH, JOBS, MODELS, Effort, cnn_flops, flops

PAIRS = "median, least and greatest of the passes"
Shape = tuple[str, int]
"""(arm, depth)"""


class Timed(NamedTuple):
    """One shape in one pass: seconds per step and network (``stacked``, ``plain``), and the share of the rate of the
    matrix product (``gemm``)."""

    stacked: float
    plain: float
    gemm: float


def one_pass(machine: Machine, data: str, effort: Effort, back: bool, say: Callable[[str], None]) -> dict[Shape, Timed]:
    """Time every shape once; ``back`` turns the order of the contestants round."""
    timed = {}
    for depth in effort.depths:
        for arm in ARMS:
            steps = max(2, effort.layer_steps // depth)
            work: dict[str, Callable[[], float]] = {
                "stacked": partial(slowest, machine, "stacked", MODELS, data, arm, depth, steps),
                "plain": partial(machine.alone, "plain", data, arm, depth, steps * effort.plain // 2),
            }
            t = in_turn(machine, effort, work, back)
            share = JOBS * flops(depth) / t["gemm"] / t["stacked"]
            timed[arm, depth] = shape = Timed(t["stacked"] / (JOBS * MODELS), t["plain"], share)
            say(f"{arm:5}{depth:4}{shape.plain / shape.stacked:7.1f} x plain loop{shape.gemm:7.2f} of GEMM")
    return timed


def cnn_pass(machine: Machine, data: str, effort: Effort, back: bool, say: Callable[[str], None]) -> dict[str, float]:
    """Return {arm: share of the rate of the matrix product} of training a CNN in each process, both timed once, in turn."""
    shares = {}
    for arm in CNN_ARMS:
        cnn = partial(slowest, machine, "convolutional", 1, data, arm, effort.cnn_steps)
        t = in_turn(machine, effort, {"cnn": cnn}, back)
        shares[arm] = JOBS * cnn_flops() / t["cnn"] / t["gemm"]
        say(f"{arm:5} cnn{shares[arm]:18.2f} of GEMM")
    return shares


def in_turn(machine: Machine, effort: Effort, work: dict[str, Callable[[], float]], back: bool) -> dict[str, float]:
    """Return what each contestant took, and the rate of the matrix product, timed before them or, with ``back``, after."""
    work = {"gemm": lambda: sum(machine.both("gemm", lambda job: (effort.products,))), **work}
    return {name: work[name]() for name in (reversed(work) if back else work)}


def slowest(machine: Machine, name: str, seeds: int, *given: Any) -> float:
    """Return the seconds per step of contestants at work together, each on ``seeds`` seeds of its own: those of the slowest."""
    return max(machine.both(name, lambda job: (*given, job * seeds)))


def cnn_rows(passes: list[dict[str, float]]) -> list[Metric]:
    """Return cnn_gemm, and the same for each arm."""
    what = (
        f"floating-point rate of a training step (forward, backward, update) of a CNN of {CNN_DEPTH} layers of"
        f" {CNN_WIDTH} channels on 14 x 14 images, batch {BATCH} ({JOBS} processes of 1 thread, a network each; only the"
        " step's convolutions are counted, the border of zeros as if it were pixels; without it all is x .91) over that of a 1024 x 1024 float32 matrix product in the same processes;"
    )
    both = [geometric_mean(p.values()) for p in passes]
    each = [metric(f"cnn_gemm_{arm}", f"cnn_gemm, {arm}", [p[arm] for p in passes]) for arm in CNN_ARMS]
    return [metric("cnn_gemm", f"{what} geometric mean over arms {', '.join(CNN_ARMS)}; {PAIRS}", both), *each]


def rows(passes: list[dict[Shape, Timed]]) -> list[Metric]:
    """Return plain_loop, gemm_ARM, and the same for each arm and depth."""
    setup = f"{JOBS} processes of 1 thread, {MODELS} networks each"
    depths = ", ".join(dict.fromkeys(str(depth) for _, depth in passes[0]))
    what = (
        f"speed-up of the stacked trainer ({setup}) over a plain torch loop (one network after another, on one thread or as"
        f" many as torch chooses, whichever is faster), per step of a network, set-up not counted; geometric mean over arms {', '.join(ARMS)} and depths"
        f" {depths}; {PAIRS}"
    )
    metrics = [metric("plain_loop", what, [geometric_mean(t.plain / t.stacked for t in p.values()) for p in passes])]
    for arm in ARMS:
        what = (
            f"floating-point rate of a training step of arm {arm} ({setup}; only the step's matrix products are counted)"
            f" over that of a 1024 x 1024 float32 matrix product in the same processes; geometric mean over depths"
            f" {depths}; {PAIRS}"
        )
        of_arm = [[t for (a, _), t in p.items() if a == arm] for p in passes]
        metrics.append(metric(f"gemm_{arm}", what, [geometric_mean(t.gemm for t in each) for each in of_arm]))
    for arm, depth in passes[0]:
        each = [p[arm, depth] for p in passes]
        shape = f"{arm} at depth {depth}"
        metrics.append(metric(f"plain_loop_{arm}_{depth}", f"plain_loop, {shape}", [t.plain / t.stacked for t in each]))
        metrics.append(metric(f"gemm_{arm}_{depth}", f"gemm_{arm}, {shape}", [t.gemm for t in each]))
    return metrics
