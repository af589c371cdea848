"""Single networks as one writes them with torch.nn, for every arm that torch can write: what stacked ones must equal."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from bnstudy.bench.contestants import Constant, fit
from bnstudy.core.cell import TrainingSpec
from bnstudy.data.batches import order, part
from bnstudy.data.images import Images
from bnstudy.nets.base import Net
from bnstudy.training.train import Run, Trained, build


class Detached(nn.BatchNorm1d):
    """nn.BatchNorm1d with its statistics taken out of the graph; its averages are moved by the parent class."""

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            super().forward(h)
        var, mean = torch.var_mean(h.detach(), 0, correction=0)
        return self.weight * ((h - mean) / torch.sqrt(var + 1e-5)) + self.bias


class Rows(nn.Module):
    """A module for rows of units, applied to every pixel."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        rows = self.inner(h.movedim(1, -1).flatten(0, -2))
        return rows.unflatten(0, (h.shape[0], *h.shape[2:])).movedim(-1, 1)


def affine(width: int) -> nn.Module:
    """Return gamma and beta alone."""
    norm = Constant(width)
    norm.constants = torch.tensor(0.0), torch.tensor(1.0)
    return norm


TORCH: dict[str, Callable[[int], nn.Module | None]] = {
    "none": lambda width: None,
    "bn": nn.BatchNorm1d,
    "bn_frozen": partial(nn.BatchNorm1d, affine=False),
    "once": Constant,
    "affine": affine,
    "bn_detached": Detached,
    "layernorm": nn.LayerNorm,
    "bn_post": nn.BatchNorm1d,
}
"""The module of torch for each arm that has the same in all layers, by the number of units; None where it has none."""
EXACT = [*TORCH, "bn_early", "bn_late", "bnstudy.arms.one_layer:batch_norm_in_layer_2"]
"""The arms that torch can write."""


def norm_of(arm: str, width: int, layer: int, layers: int) -> nn.Module | None:
    """Return the torch module of an arm at one hidden layer; None where it has none."""
    if ":" in arm:
        return nn.BatchNorm1d(width) if arm.endswith(f"_layer_{layer}") else None
    if arm in ("bn_early", "bn_late"):
        return nn.BatchNorm1d(width) if (arm == "bn_early") == (layer <= layers // 2) else None
    return TORCH[arm](width)


def norm_2d(arm: str, width: int, layer: int, layers: int) -> nn.Module | None:
    """Return what torch has for images in place of :func:`norm_of`."""
    if arm == "layernorm":
        return nn.GroupNorm(1, width)
    rows = norm_of(arm, width, layer, layers)
    if type(rows) is nn.BatchNorm1d:
        return nn.BatchNorm2d(width, affine=rows.affine)
    return None if rows is None else Rows(rows)


class Plain(nn.Module):
    """One network in double precision, with the first weights of the stack ``ours``, on images of a shape [C, H, W]."""

    def __init__(self, ours: Net, net: str, arm: str, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.images, self.skip, self.post = net in ("cnn", "resnet"), net[:3] == "res", arm == "bn_post"
        self.shape, self.maps, self.norms = shape, nn.ModuleList(), nn.ModuleList()
        for i, weight in enumerate(ours.weights, 1):
            out, into = weight.shape[1:3]
            norm = (norm_2d if self.images else norm_of)(arm, out, i, len(ours.weights))
            bias = norm is None or self.post
            stride = 2 if i == 2 else 1
            module = nn.Conv2d(into, out, 3, stride, 1, bias=bias) if self.images else nn.Linear(into, out, bias=bias)
            module.weight.data = weight.data[0].clone()
            if bias:
                module.bias.data.zero_()  # type: ignore[union-attr]
            self.maps.append(module)
            self.norms.append(norm or nn.Identity())
        self.head = nn.Linear(*ours.head.shape[:0:-1])
        self.head.weight.data, self.head.bias.data = ours.head.data[0].clone(), ours.head_bias.data[0].clone()
        self.double()

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        if self.images:
            h = h.unflatten(1, self.shape)
        for i, (module, norm) in enumerate(zip(self.maps, self.norms), 1):
            if i % 2 == 0:
                pair = h
            z = module(h)
            a = norm(F.relu(z)) if self.post else norm(z)
            if self.skip and i % 2 == 1 and i > 1:
                a = a + (F.max_pool2d(pair, 1, stride=2) if self.images and i == 3 else pair)
            h = a if self.post else F.relu(a)
        return self.head(h.mean((2, 3)) if self.images else h)


def check_run(result: Trained, place: int, s: TrainingSpec, run: Run, images: Images, tolerance: float) -> list[float]:
    """Check one run of a stack against a network of torch.nn that is trained alone; return the losses of that one."""
    setting = s.setting
    net = Plain(build(s, images, [run.seed], torch.float64), setting.net, setting.arm, images.x.shape[1:])
    x, y = (torch.from_numpy(a) for a in part(images, s, run.seed, "train"))
    index = order([run.seed], len(x), setting.batch, s.steps)[:, 0]
    if setting.arm == "once":
        net(x.double()[index[0]])  # constants of the first batch
    kind = partial(torch.optim.SGD, momentum=s.momentum) if setting.optimizer == "sgd" else torch.optim.Adam
    losses = fit(net, kind(net.parameters(), lr=run.rate), x.double(), y, index)
    assert np.abs(result.loss[:, place] - losses).max() < tolerance
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    for name in ("running_mean", "running_var"):
        ours = [v[place] for k, v in result.checkpoints["final"].items() if k.endswith(name)]
        assert len(ours) == len(norms), f"{len(ours)} stored averages {name}, {len(norms)} batch norms of torch"
        assert bool(norms) == setting.arm.startswith("bn"), (
            "what torch has for an arm bn_... is a batch norm, and for no other"
        )
        for value, norm in zip(ours, norms):
            off = np.abs(value - getattr(norm, name).numpy()).max()
            assert off < tolerance, f"{name} is off by {off:.1e}"
    return losses
