"""Noise whose mean and scale every unit draws anew at every step (Santurkar et al. 2018, algorithm 1). It puts back on
purpose the changes that normalization takes away.

Each unit of a layer draws mu ~ U(-.5, .5) and sigma ~ U(1, 1.25) at each step. Each sample then draws
m ~ U(mu - .1, mu + .1) and s ~ N(sigma, .1), and its activation a becomes s a + m. A dose below 1 brings s nearer to 1
and m nearer to 0, one above 1 takes both farther.
"""

import torch
from torch import Tensor

from bnstudy.arms.base import Norm, Place, Record
from bnstudy.core.rng import rng


class Noise(Norm):
    """Adds noise behind the norm that it is mixed into.

    It does so on batch statistics, and where it is told whose noise to draw. On stored statistics, which are for use
    after training, there is no noise.
    """

    draws = True
    layer: int
    dose: float

    def noisy(self, place: Place, dose: float) -> Norm:
        """Set the layer and the dose; return the norm itself."""
        self.layer, self.dose = place.layer, dose
        return self

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        y = super().forward(h, record)
        if self.noise_of is None or self.statistics == "running":
            return y
        seeds, step = self.noise_of
        scales, constants = zip(*(draw(seed, self.layer, step, y.shape[1], y.shape[2], self.dose) for seed in seeds))
        per_sample = (*y.shape[:3], *[1] * (y.dim() - 3))  # one draw per sample, whatever its pixels
        return y * torch.stack(scales).to(y).view(per_sample) + torch.stack(constants).to(y).view(per_sample)


def draw(seed: int, layer: int, step: int, units: int, samples: int, dose: float) -> tuple[Tensor, Tensor]:
    """Return (s, m), [units, samples] each, for one layer of one network at one step."""
    generator = rng(seed, "noise", layer, step)
    mu, sigma = torch.rand(2, units, 1, generator=generator)
    around = torch.rand(units, samples, generator=generator) - 0.5
    spread = torch.randn(units, samples, generator=generator)
    return 1 + dose * (0.25 * sigma + 0.1 * spread), dose * (mu - 0.5 + 0.2 * around)
