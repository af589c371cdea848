"""Wide networks at initialization against mean-field theory: checks E5, E6, E7, E8 and E10. Width 512, depth 20."""

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor

from bnstudy.arms import bn_frozen
from bnstudy.arms.base import Place
from bnstudy.checks.base import Check, equal, growth, normal
from bnstudy.nets.base import Net, linear
from bnstudy.nets.mlp import build

WIDTH, DEPTH = 512, 20
STACKS = 4
"""Stacks of 8 networks where a rate is noisy: without normalization all samples of a network have the same error."""
BN_RELU = {8: 1.788, 16: 1.590, 32: 1.522, 64: 1.493, 128: 1.480}
"""Growth of the squared gradient norm per layer, by batch size (Yang et al. 2019); in the limit it is pi/(pi - 1)."""


def _network(arm: str, seeds: Sequence[int], gain: float = 1.0, depth: int = DEPTH) -> Net:
    """Return a stack of networks at initialization. No check needs gradients of its parameters."""
    net = build(WIDTH, 10, depth, WIDTH, gain, arm, seeds)
    net.requires_grad_(False)
    return net


def _inputs(networks: int, batch: int) -> Tensor:
    """Return normal inputs [networks, WIDTH, batch]."""
    return normal(f"mean field {batch}", networks, WIDTH, batch, dtype=torch.float32)


def _activations(net: Net, x: Tensor, site: str) -> list[Tensor]:
    """Return the activations of each layer at a site."""
    seen: list[Tensor] = []
    net(x, lambda layer, name, value: seen.append(value) if name == site else None)
    return seen


def _gradient_growth(net: Net, batch: int) -> float:
    """Return the factor by which the squared norm of the gradient grows per layer, towards the input, in 8 networks."""
    seen: list[Tensor] = []

    def sites(layer: int, site: str, value: Tensor) -> None:
        if site == "next":
            value.retain_grad()
            seen.append(value)

    logits = net(_inputs(8, batch).requires_grad_(), sites)
    logits.backward(normal("mean field upstream", *logits.shape, dtype=torch.float32))
    return growth(torch.stack([h.grad.square().sum((1, 2)) for h in seen if h.grad is not None]))


def gradients_explode_with_relu() -> list[Check]:
    """E5: gradients explode in batch-normalized ReLU networks, whatever the scale of the weights (Yang et al. 2019)."""
    net, name = _network("bn", range(8)), "growth of the squared gradient a layer"
    return [
        equal(f"batch_{b}", f"{name}, batch {b}", rate, _gradient_growth(net, b), 0.03 * rate)
        for b, rate in BN_RELU.items()
    ]


def gradients_explode_without_relu() -> list[Check]:
    """E6: without the ReLU, gradients grow by (B-2)/(B-3) per layer (Yang et al. 2019)."""
    checks = []
    weights = [normal(f"E6 {i}", 8, WIDTH, WIDTH, dtype=torch.float32) / sqrt(WIDTH) for i in range(1, DEPTH + 1)]
    for batch in (8, 16, 32, 128):
        h = _inputs(8, batch).requires_grad_()
        seen = []
        for layer, weight in enumerate(weights, 1):
            h = bn_frozen.build(8, WIDTH, Place(layer, DEPTH))(linear(weight, h, None))
            h.retain_grad()
            seen.append(h)
        h.backward(normal(f"E6 upstream {batch}", *h.shape, dtype=torch.float32))
        rate = growth(torch.stack([h.grad.square().sum((1, 2)) for h in seen if h.grad is not None]))
        theory = (batch - 2) / (batch - 3)
        name = f"growth without ReLU, batch {batch}"
        checks.append(equal(f"batch_{batch}", name, theory, rate, 0.02 * theory))
    return checks


def growth_depends_on_the_gain_without_bn() -> list[Check]:
    """E7: with every weight multiplied by the gain, gradients grow as before with batch normalization, else by gain^2."""
    checks = []
    for gain in (0.5, 1.0, 2.0):
        for arm, rate in (("bn", BN_RELU[32]), ("none", gain**2)):
            measured = _gradient_growth(_network(arm, range(8), gain), 32)
            name = f"growth, {arm}, gain {gain:g}, batch 32"
            checks.append(equal(f"{arm}_gain_{gain:g}", name, rate, measured, 0.02 * rate))
    return checks


def _cosines(arm: str, batch: int, depth: int, stacks: int) -> Tensor:
    """Return the mean cosine between two samples after each ReLU, [depth], over ``stacks`` x 8 networks."""
    cosines = []
    for stack in range(stacks):
        net = _network(arm, range(8 * stack, 8 * stack + 8), depth=depth)
        with torch.no_grad():
            layers = _activations(net, _inputs(8, batch), "next")
        units = torch.stack([h / h.norm(dim=1, keepdim=True) for h in layers]).sum(3)
        cosines.append((units.square().sum(2) - batch) / (batch * (batch - 1)))
    return torch.cat(cosines, 1).mean(1)


def samples_stay_apart_with_bn() -> list[Check]:
    """E8: samples stay apart with batch normalization and grow alike without it (arc-cosine kernel: Cho & Saul 2009)."""
    bn, none = _cosines("bn", 128, DEPTH, 1), _cosines("none", 16, 30, STACKS)
    name = "cosine between samples"
    expected = [("bn", bn, {1: 0.314, 5: 0.314, 20: 0.314})]
    expected += [("none", none, {1: 0.318, 2: 0.494, 3: 0.605, 10: 0.872, 30: 0.972})]
    return [
        equal(f"{arm}_layer_{layer}", f"{name}, {arm}, layer {layer}", value, float(cosines[layer - 1]), 0.01)
        for arm, cosines, values in expected
        for layer, value in values.items()
    ]


def _relative_change(arm: str, batch: int, stacks: int, dose: float) -> Tensor:
    """Return the change of the pre-activations in doses, [DEPTH], when every W moves at random by ``dose`` of its norm."""
    moved = []
    for stack in range(stacks):
        net = _network(arm, range(8 * stack, 8 * stack + 8))
        with torch.no_grad():
            before = _activations(net, _inputs(8, batch), "affine")
            for layer, weight in enumerate(net.weights):
                step = normal(f"E10 {stack} {layer}", *weight.shape, dtype=torch.float32)
                weight += dose * step * (weight.norm(dim=(1, 2)) / step.norm(dim=(1, 2)))[:, None, None]
            after = _activations(net, _inputs(8, batch), "affine")
        change = [(b - a).square().sum((1, 2)) / a.square().sum((1, 2)) for a, b in zip(before, after)]
        moved.append(torch.stack(change))
    return torch.cat(moved, 1).mean(1).sqrt() / dose


def weight_changes_compound_with_bn() -> list[Check]:
    """E10: a small change of all weights adds up without batch normalization and compounds with it (r as in E5)."""
    r = BN_RELU[128]
    none, bn = _relative_change("none", 16, STACKS, 1e-4), _relative_change("bn", 128, 1, 1e-4)
    checks = []
    for layer in (5, 10, 20):
        for arm, change, theory in (("none", none, sqrt(layer)), ("bn", bn, sqrt((r**layer - 1) / (r - 1)))):
            name = f"relative change at layer {layer} : that of the weights, {arm}"
            checks.append(equal(f"{arm}_layer_{layer}", name, theory, float(change[layer - 1]), 0.1 * theory))
    return checks
