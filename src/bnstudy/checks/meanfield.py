"""Wide networks at initialization against mean-field theory: checks E5 to E8, E10 and E16 to E19. Width 512, depth 20."""

from collections.abc import Callable, Sequence
from math import acos, pi, sin, sqrt
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from bnstudy.arms import bn, bn_frozen, layernorm, none
from bnstudy.arms.base import Place
from bnstudy.checks.base import Check, at_least, equal, growth, normal
from bnstudy.nets import resmlp
from bnstudy.nets.base import Net, linear
from bnstudy.nets.mlp import build

WIDTH, DEPTH = 512, 20
STACKS = 4
"""Stacks of 8 networks where a rate is noisy: without normalization all samples of a network have the same error."""
BN_RELU = {8: 1.788, 16: 1.590, 32: 1.522, 64: 1.493, 128: 1.480}
"""Growth of the squared gradient norm per layer, by batch size (Yang et al. 2019); in the limit it is pi/(pi - 1)."""
BN_OTHER = {"tanh": (torch.tanh, 1.178), "gelu": (F.gelu, 1.319), "sigmoid": (torch.sigmoid, 1.034)}
"""The same behind other nonlinearities f, in the limit of large batches: E[f'(z)^2] / Var f(z) for standard normal z."""


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
    for batch in (8, 16, 32, 128):
        rate = _growth_through(lambda z: bn_frozen.build(8, WIDTH, Place(1, 1))(z), batch)
        theory = (batch - 2) / (batch - 3)
        name = f"growth without ReLU, batch {batch}"
        checks.append(equal(f"batch_{batch}", name, theory, rate, 0.02 * theory))
    return checks


def _growth_through(layer: Callable[[Tensor], Tensor], batch: int) -> float:
    """Return the growth of the squared gradient through DEPTH layers of a weight matrix, sd 1/sqrt(WIDTH), and ``layer``."""
    h = _inputs(8, batch).requires_grad_()
    seen = []
    for i in range(1, DEPTH + 1):
        weight = normal(f"E6 {i}", 8, WIDTH, WIDTH, dtype=torch.float32) / sqrt(WIDTH)
        h = layer(linear(weight, h, None))
        h.retain_grad()
        seen.append(h)
    h.backward(normal(f"E6 upstream {batch}", *h.shape, dtype=torch.float32))
    return growth(torch.stack([h.grad.square().sum((1, 2)) for h in seen if h.grad is not None]))


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


def _branch_shares(arm: ModuleType, blocks: int) -> list[float]:
    """Return the share of each block's branch, W relu(norm(x)), in the stream behind it, x + the branch, by mean square."""
    x, shares = _inputs(8, 128), []
    for block in range(1, blocks + 1):
        weight = normal(f"E16 {block}", 8, WIDTH, WIDTH, dtype=torch.float32) * sqrt(2 / WIDTH)
        branch = linear(weight, torch.relu(arm.build(8, WIDTH, Place(1, 1))(x)), None).detach()
        x = x + branch
        shares.append(float(branch.square().mean() / x.square().mean()))
    return shares


def branches_fade_with_bn() -> list[Check]:
    """E16: in a residual stream, batch norm keeps block l down to 1/(l + 1) of it; without norm it is half (De & Smith 2020).

    So the stream grows linearly with batch norm and doubles with every block without it. In this project's own residual
    networks the ReLU stands behind the sum: a unit with batch norm is a random walk reflected at 0, whose mean square
    after n steps is n/2 + sum of (jk)^(-1/2) over j + k <= n, divided by 2 pi (Spitzer 1956). That is linear too.
    """
    checks, blocks, squares = [], (1, 5, 10, 20), {}
    for key, arm in (("bn", bn), ("none", none)):
        shares = _branch_shares(arm, max(blocks))
        for block in blocks:
            theory = 1 / (block + 1) if key == "bn" else 0.5
            name = f"share of block {block} in a residual stream, {key}"
            checks.append(equal(f"{key}_block_{block}", name, theory, shares[block - 1], 0.05 * theory))
        net = resmlp.build(WIDTH, 10, 2 * DEPTH + 1, WIDTH, 1.0, key, range(8))
        with torch.no_grad():
            squares[key] = [float(h.square().mean()) for h in _activations(net, _inputs(8, 128), "next")[::2]]
    for block in blocks:
        n = block + 1
        walk = n / 2 + sum(1 / sqrt(j * k) for j in range(1, n) for k in range(1, n - j + 1)) / (2 * pi)
        name = f"mean square after block {block} of this project's residual networks, bn"
        checks.append(equal(f"own_block_{block}", name, walk, squares["bn"][block], 0.03 * walk))
    name = "growth of the mean square a block of this project's residual networks, none"
    checks.append(at_least("own_none", name, 2.0, (squares["none"][-1] / squares["none"][0]) ** (1 / DEPTH)))
    return checks


def _gradient_cosine(arm: str, depth: int, batch: int) -> float:
    """Return the mean cosine between the gradients of an output in its own input, for 8 pairs of samples of a batch."""
    cosines = []
    for stack in range(STACKS):
        net = _network(arm, range(8 * stack, 8 * stack + 8), depth=depth)
        x = _inputs(8, batch).requires_grad_()
        outputs = net(x)[:, 0, :8]
        own = [torch.autograd.grad(outputs[:, i].sum(), x, retain_graph=True)[0][..., i] for i in range(8)]
        units = torch.stack([g / g.norm(dim=1, keepdim=True) for g in own])
        cosines.append((units.sum(0).square().sum(1) - 8) / (8 * 7))
    return float(torch.cat(cosines).mean())


def gradients_shatter_with_bn() -> list[Check]:
    """E17: with batch norm the gradients at two inputs have the cosine 2^-L after L layers (Balduzzi et al. 2017).

    Without it samples grow alike with depth (check E8), and so do their gradients: a ReLU layer multiplies the cosine by
    1 - angle / pi, with the angle between the two samples' pre-activations (arc-cosine kernel: Cho & Saul 2009).
    """
    checks = []
    for depth in (3, 5, 10):
        cosine, theory = 0.0, 1.0
        for _ in range(depth):
            angle = acos(cosine)
            theory *= 1 - angle / pi
            cosine = (sin(angle) + (pi - angle) * cosine) / pi
        for arm, expected, batch in (("bn", 2.0**-depth, 64), ("none", theory, 8)):
            name = f"cosine between gradients at two inputs, {arm}, {depth} layers"
            checks.append(equal(f"{arm}_depth_{depth}", name, expected, _gradient_cosine(arm, depth, batch), 0.01))
    return checks


def other_nonlinearities_explode_less() -> list[Check]:
    """E18: behind other nonlinearities than the ReLU gradients grow too, but more slowly (Yang et al. 2019)."""
    checks = []
    for key, (f, rate) in BN_OTHER.items():
        measured = _growth_through(lambda z, f=f: f(bn_frozen.build(8, WIDTH, Place(1, 1))(z)), 128)  # type: ignore[misc]
        checks.append(
            equal(key, f"growth of the squared gradient a layer, {key}, batch 128", rate, measured, 0.02 * rate)
        )
    return checks


def layer_norm_explodes_as_bn_does() -> list[Check]:
    """E19: layer norm over g units makes gradients grow by (g-2)/(g-3) per layer, as batch norm over g samples does (E6).

    A normal vector of g units loses two directions, which leaves (g-2)/g of the squared gradient, and is divided by a
    variance whose inverse has the mean g/(g-3). Here layers of WIDTH units are normalized in groups of g.
    """
    checks = []
    for g in (8, 16, 32):

        def layer(z: Tensor, g: int = g) -> Tensor:
            groups = z.reshape(-1, g, z.shape[2])
            return layernorm.build(len(groups), g, Place(1, 1))(groups).reshape(z.shape)

        theory = (g - 2) / (g - 3)
        name = f"growth of the squared gradient a layer, layer norm over {g} units"
        checks.append(equal(f"units_{g}", name, theory, _growth_through(layer, 16), 0.02 * theory))
    return checks
