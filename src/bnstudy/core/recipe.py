"""How the networks of a setting are tuned and trained, beside what the setting says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What tuning and evaluation give the networks of a setting: a function of the setting, whatever the arm."""

    steps: int
    """The training budget."""
    targets: tuple[float, ...]
    """Training losses to reach, the main one first."""
    rates: tuple[float, ...]
    """The learning rates that tuning begins with, ascending."""
    seeds: int
    """How many evaluation seeds there are."""
