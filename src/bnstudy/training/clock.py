"""The clock: how many steps a run takes until the loss of its function has fallen to a target.

The loss of the function is that on fixed training images, by that set's own statistics. The loss of each batch, which
the optimizer sees, also holds a norm's noise from batch to batch; its clock, beside ours, is :func:`batch_steps`.
"""

import math
from collections.abc import Sequence

import numpy as np

IMAGES, PIXELS = 512, 2**20
"""How many training images of a seed, the first it drew, tell the loss of the function (all, where it has fewer), and how
many pixels they have at most: memory is bounded, and a convolution sees every pixel as a sample."""
OFF = 0.10
"""A checkpoint whose loss is off its level by more than this share is none."""
WINDOW = 20
"""Steps of the trailing mean of the batches' loss (nats)."""
PACES = ((20, 1), (40, 2), (100, 5), (200, 10), (math.inf, 20))
"""(Up to this step, so many steps from one look to the next)."""


def fixed_images(size: Sequence[int]) -> int:
    """Return how many images of a size (height, width) tell the loss of the function: a multiple of 16."""
    return min(IMAGES, max(16, PIXELS // math.prod(size) // 16 * 16))


def looks(steps: int) -> list[int]:
    """Return the steps, from 0, after which the loss of the function is looked at in a run of ``steps`` steps.

    They grow by about 5%. None depends on where the run ends, so that a longer run looks at the same.
    """

    found = [0]
    while (step := found[-1] + next(pace for end, pace in PACES if found[-1] < end)) <= steps:
        found.append(step)
    return found


def crossings(losses: np.ndarray, level: float) -> np.ndarray:
    """Return at which look a loss [looks, M] has fallen to a level: the first that is below it as the next is; -1 for none.

    Two looks, since the loss need not fall steadily.
    """
    with np.errstate(invalid="ignore"):
        below = losses < level
    both = below[:-1] & below[1:]
    return np.where(both.any(0), both.argmax(0), -1) if len(both) else np.full(losses.shape[1], -1)


def steps_to(losses: np.ndarray, at: Sequence[int], diverged: np.ndarray, target: float) -> np.ndarray:
    """Return the steps after which the loss of the function is down to ``target`` [M].

    Between the last look above and the first below, ln loss is taken to fall on a straight line.

    Args:
        losses: The loss at each look [looks, M], nats.
        at: The step of each look, ascending.
        diverged: The step at which a run diverged [M]; 0 where it did not.
        target: The loss to reach, nats.

    Returns:
        Steps, with fractions, at least 1; inf where the target is not reached, and for a diverged run.
    """
    found = np.full(losses.shape[1], math.inf)
    for run, look in enumerate(crossings(losses, target)):
        if look < 0 or diverged[run]:
            continue
        found[run] = max(at[look], 1)
        if look > 0 and np.isfinite(before := losses[look - 1, run]):
            share = math.log(before / target) / math.log(before / max(losses[look, run], 1e-300))
            found[run] = max(at[look - 1] + share * (at[look] - at[look - 1]), 1.0)
    return found


def nearest(losses: np.ndarray, level: float) -> np.ndarray:
    """Return the look at which each loss [looks, M] is nearest to a level it falls to: that of the crossing or the one
    before; -1 where it does not fall to it, or is off by more than OFF at both."""
    found = crossings(losses, level)
    for run, look in enumerate(found):
        if look >= 0:
            off = {i: abs(math.log(max(losses[i, run], 1e-300) / level)) for i in {max(look - 1, 0), look}}
            least = min(off, key=lambda i: (off[i] if np.isfinite(off[i]) else math.inf, i))
            found[run] = least if abs(losses[least, run] / level - 1) <= OFF else -1
    return found


def trailing(loss: np.ndarray) -> np.ndarray:
    """Return the trailing mean over 20 steps of a loss [steps, M], of the same shape; nan before the window is full."""
    out = np.full(loss.shape, np.nan)
    if len(loss) >= WINDOW:
        out[WINDOW - 1 :] = np.lib.stride_tricks.sliding_window_view(loss, WINDOW, axis=0).mean(-1)
    return out


def batch_steps(loss: np.ndarray, diverged: np.ndarray, target: float) -> np.ndarray:
    """Return the first step (from 1) at which the mean loss of the last 20 batches is below ``target`` [M], from the loss
    of each batch [steps, M]; inf if none, and for a diverged run."""
    with np.errstate(invalid="ignore"):
        below = trailing(loss) < target
    first = np.where(below.any(0), below.argmax(0) + 1.0, math.inf)
    return np.where(diverged > 0, math.inf, first)
