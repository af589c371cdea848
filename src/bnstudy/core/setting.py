"""The factors that a study crosses: together they name a network design. Every table begins with them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, order=True)
class Setting:
    """One network design."""

    arm: str
    depth: int
    gain: float
    inputs: str
    net: str
    width: int
    batch: int
    optimizer: str
    pool: int


FACTORS = tuple(field.name for field in fields(Setting))
FIXED = FACTORS[4:]
"""Factors that a study holds at one value of its own; grids at others are sensitivity runs, read on request alone."""
DEPTHS = ("shallow", "middle", "deep")
"""What the claims file calls the depths of a study."""
SKIP = {"mlp": "resmlp", "cnn": "resnet"}
"""The same networks with skip connections; the claims file calls either `skip`."""


def slug(setting: Mapping[str, Any]) -> str:
    """Return a network in one word, as an address on the page: "bn-5-1-standardized-mlp-64-64-sgd-2"."""
    return "-".join(f"{setting[f]:g}" if f == "gain" else str(setting[f]) for f in FACTORS).replace(":", ".")
