"""Shifts put back on purpose: noise whose mean and scale a unit draws anew at every step (Santurkar et al. 2018, alg. 1).

A layer, step and unit draw mu ~ U(-.5, .5) and sigma ~ U(1, 1.25); each sample then m ~ U(mu - .1, mu + .1) and
s ~ N(sigma, .1), and its activation a becomes s a + m. A dose shrinks all of it towards s = 1, m = 0.
"""

import torch
from torch import Tensor

from bnstudy.arms.base import Norm, Place, Record
from bnstudy.core.rng import rng


class Noise(Norm):
    """Mixed in before another norm, adds noise behind it: wherever there is a moment to draw it for, and batch statistics
    are in use. Stored statistics are the mode of use, which has none."""

    draws = True
    layer: int
    dose: float

    def noisy(self, place: Place, dose: float) -> Norm:
        self.layer, self.dose = place.layer, dose
        return self

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        y = super().forward(h, record)
        if self.moment is None or self.statistics == "running":
            return y
        seeds, step = self.moment
        scales, shifts = zip(*(draw(seed, self.layer, step, y.shape[1], y.shape[2], self.dose) for seed in seeds))
        each = (*y.shape[:3], *[1] * (y.dim() - 3))  # one draw a sample, whatever its pixels
        return y * torch.stack(scales).to(y).view(each) + torch.stack(shifts).to(y).view(each)


def draw(seed: int, layer: int, step: int, units: int, samples: int, dose: float) -> tuple[Tensor, Tensor]:
    """(s, m), each [units, samples], of one network's layer at one step."""
    generator = rng(seed, "noise", layer, step)
    mu, sigma = torch.rand(2, units, 1, generator=generator)
    around = torch.rand(units, samples, generator=generator) - 0.5
    spread = torch.randn(units, samples, generator=generator)
    return 1 + dose * (0.25 * sigma + 0.1 * spread), dose * (mu - 0.5 + 0.2 * around)
