"""How many steps a run takes to a target loss."""

import math

import numpy as np

WINDOW = 20
"""Steps of the trailing mean of the training loss (nats)."""


def trailing(loss: np.ndarray) -> np.ndarray:
    """Return the trailing mean over 20 steps of a loss [steps, M], of the same shape; nan before the window is full."""
    out = np.full(loss.shape, np.nan)
    if len(loss) >= WINDOW:
        out[WINDOW - 1 :] = np.lib.stride_tricks.sliding_window_view(loss, WINDOW, axis=0).mean(-1)
    return out


def steps_to(loss: np.ndarray, diverged: np.ndarray, target: float) -> np.ndarray:
    """Return the first step (from 1) whose trailing mean is below ``target`` [M]; inf if none, and for a diverged run."""
    with np.errstate(invalid="ignore"):
        below = trailing(loss) < target
    first = np.where(below.any(0), below.argmax(0) + 1.0, math.inf)
    return np.where(diverged > 0, math.inf, first)
