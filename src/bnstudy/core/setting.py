"""The factors that a study crosses: together they name a network design. Every table begins with them."""

from dataclasses import dataclass, fields


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
SKIP = {"mlp": "resmlp", "cnn": "resnet"}
"""The same networks with skip connections; the claims file calls either `skip`."""
