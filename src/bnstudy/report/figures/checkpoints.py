"""Checkpoints in words and in order: where in training something was measured."""

import pandas as pd

WHEN = {"init": "at the start", "step100": "after 100 steps", "final": "at the end"}


def when(checkpoint: str) -> str:
    """Return a checkpoint in words: loss0.5 -> loss 0.5."""
    return WHEN.get(checkpoint) or checkpoint.replace("loss", "loss ").removesuffix(".0")


def in_order(table: pd.DataFrame) -> list[str]:
    """Return the table's checkpoints as training meets them."""
    rank = {"init": (0, 0.0), "step100": (1, 0.0), "final": (3, 0.0)}
    return sorted(table["checkpoint"].unique(), key=lambda c: rank.get(c) or (2, -float(c.removeprefix("loss"))))
