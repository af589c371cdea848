"""Arms from outside: ordinary modules equal the package's own arms, promises are kept or named, nothing right is refused."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from bnstudy.arms.base import Place
from bnstudy.arms.find import make
from bnstudy.arms.guest import Guest
from bnstudy.core.plugins import names
from bnstudy.nets import cnn, mlp
from bnstudy.nets.base import Net, cross_entropy
from bnstudy.nets.find import builder
from bnstudy.pipeline.records import Rehearsed
from bnstudy.pipeline.rehearsal import rehearse, report
from helpers.project import ROOT
from helpers.trained import cell

torch.set_num_threads(1)
OWN = '''
import random

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import *  # noqa
from bnstudy.arms.base import EPS, Norm

A, B = RMSNorm, LayerNorm
group8 = lambda channels: nn.GroupNorm(8, channels)
def rms(channels): return nn.RMSNorm(channels, eps=1e-5)


class OwnBN(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("m", torch.zeros(channels))
        self.register_buffer("v", torch.ones(channels))
    def forward(self, x):
        if self.training:
            mean, var = x.mean(0), x.var(0, correction=0)
            self.m = 0.9 * self.m + 0.1 * mean
            self.v = 0.9 * self.v + 0.1 * var * len(x) / max(len(x) - 1, 1)
        else:
            mean, var = self.m, self.v
        return (x - mean) / (var + 1e-5).sqrt() * self.g + self.b


class XHat(Function):
    @staticmethod
    def forward(ctx, h):
        mean, var = h.mean(0), h.var(0, correction=0)
        ctx.rstd = (var + EPS).rsqrt()
        ctx.xhat = (h - mean) * ctx.rstd
        return ctx.xhat, mean, var
    @staticmethod
    def backward(ctx, g, *_):
        return ctx.rstd * (g - g.mean(0) - ctx.xhat * (g * ctx.xhat).mean(0))


class CtxBN(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("m", torch.zeros(channels))
        self.register_buffer("v", torch.ones(channels))
    def forward(self, x):
        if not self.training:
            return (x - self.m) * (self.v + EPS).rsqrt()
        y, mean, var = XHat.apply(x)
        with torch.no_grad():
            self.m.lerp_(mean, 0.1)
            self.v.lerp_(var * len(x) / max(len(x) - 1, 1), 0.1)
        return y


class Fast(Norm):
    """Batch norm of [M, C, B] as config/README.md says; its faults are in the classes below."""
    has_statistics = True
    def __init__(self, models, channels, place):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(models, channels)), nn.Parameter(torch.zeros(models, channels))
        self.register_buffer("mean", torch.zeros(models, channels))
        self.register_buffer("var", torch.ones(models, channels))
    def batch(self): return self.statistics == "batch"
    def moves(self): return self.update
    def store(self, mean, var, n):
        with torch.no_grad():
            self.mean.lerp_(mean, 0.1)
            self.var.lerp_(var * n / max(n - 1, 1), 0.1)
    def spread(self, h): return h.var(2, correction=0)
    def forward(self, h, record=None):
        if self.batch():
            mean, var = h.mean(2), self.spread(h)
            if self.moves():
                self.store(mean, var, h.shape[2])
        else:
            mean, var = self.mean, self.var
        xhat = (h - mean[..., None]) * (var[..., None] + EPS).rsqrt()
        if record is not None:
            record("xhat", xhat)
        return xhat * self.gamma[..., None] + self.beta[..., None]

class NoUpdate(Fast):
    def moves(self): return True
class Training(Fast):
    def batch(self): return self.training
class Grad(Fast):
    def batch(self): return torch.is_grad_enabled()
class Unbiased(Fast):
    def spread(self, h): return h.var(2)
class Graph(Fast):
    def store(self, mean, var, n):
        self.mean = 0.9 * self.mean + 0.1 * mean
        self.var = 0.9 * self.var + 0.1 * var
class Drifts(Fast):
    def store(self, mean, var, n):
        with torch.no_grad():
            self.mean.add_(0.01)
            self.var.lerp_(var, 0.1)

def simple(compute, **more):
    class Simple(Norm):
        bias = True
        def __init__(self, models, channels, place):
            super().__init__()
            for name, value in more.items():
                setattr(self, name, nn.Parameter(torch.full((models, channels), value)))
        def forward(self, h): return compute(self, h)
    return Simple

Mixes = simple(lambda self, h: h - h.mean(2, keepdim=True))
Random = simple(lambda self, h: h + torch.randn_like(h))
Float32 = simple(lambda self, h: (h.float() * 2).to(torch.float32))
Never = simple(lambda self, h: h.abs() + torch.relu(-h.abs() - 1) * self.lost[..., None], lost=1.0)
Networks = simple(lambda self, h: h - h.mean((0, 2), keepdim=True))
Shape = simple(lambda self, h: h[:, :2])
Detached = simple(lambda self, h: h.detach())
Zero = simple(lambda self, h: h / 0 * 0)
Root = simple(lambda self, h: (h * 0).sqrt() + h)
Unused = simple(lambda self, h: h, g=1.0)
ByPlace = simple(lambda self, h: h * torch.arange(1.0, len(h) + 1).to(h).view(-1, *[1] * (h.dim() - 1)))
OneArgument = simple(lambda self, h: h * (h.square().mean(1, keepdim=True) + EPS).rsqrt())
Tanh = simple(lambda self, h: torch.tanh(h))
GammaAlone = simple(lambda self, h: OneArgument.forward(self, h) * self.gamma.view(*self.gamma.shape, *[1] * (h.dim() - 2)), gamma=1.0)
class Ghost(OneArgument):
    ghost = 3
    def forward(self, h): return super().forward(h) * self.ghost
class Axis(OneArgument):
    def __init__(self, models, channels, place):
        super().__init__(models, channels, place)
        self.g = nn.Parameter(torch.ones(3))
class Chance(OneArgument):
    def __init__(self, models, channels, place):
        super().__init__(models, channels, place)
        self.g = nn.Parameter(torch.randn(models, channels))
class Stopped(OneArgument):
    def __init__(self, models, channels, place):
        super().__init__(models, channels, place)
        self.m = models
    def forward(self, h): return super().forward(h.reshape(self.m, *h.shape[1:]))
class Bias(OneArgument):
    def __init__(self, models, channels, place):
        super().__init__(models, channels, place)
        self.bias = nn.Parameter(torch.zeros(models, channels))
def NoNorm(models, channels, place): return nn.ReLU()

class Counter(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.seen = 0
    def forward(self, x):
        self.seen += 1
        return x * self.seen
class Plain(CtxBN):
    def __init__(self, channels):
        nn.Module.__init__(self)
        self.m, self.v = torch.zeros(channels), torch.ones(channels)
class Debug(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.seen = None
    def forward(self, x):
        self.seen = x.mean()
        return torch.tanh(x)
class Dice(nn.Module):
    def __init__(self, channels): super().__init__()
    def forward(self, x): return x * random.random()
class InPlace(nn.Module):
    def __init__(self, channels): super().__init__()
    def forward(self, x): return x.sub_(1).add_(0)
class NoReLU(nn.Module):
    activation = False
    def __init__(self, channels):
        super().__init__()
        self.tau = nn.Parameter(torch.zeros(channels))
    def forward(self, x): return torch.maximum(x, self.tau.view(-1, *[1] * (x.dim() - 2)))
def drops(channels): return nn.Sequential(nn.LayerNorm(channels), nn.Dropout(0.5))
def Fails(channels): raise LookupError("no such setting")
'''
RIGHT = [
    "torch.nn:BatchNorm1d", "torch.nn:LayerNorm", "torch.nn:RMSNorm", "torch.nn:Identity", "own_norms:group8", "own_norms:A",
    "own_norms:rms", "own_norms:OwnBN", "own_norms:CtxBN", "own_norms:Fast", "own_norms:OneArgument", "own_norms:Tanh",
    "own_norms:GammaAlone", "own_norms:Ghost", "own_norms:Debug", "own_norms:NoReLU", "own_norms:drops",
]  # fmt: skip
WRONG = {
    "NoUpdate": "moves on batch statistics though update is False", "Training": "the same on batch and on running",
    "Grad": "depends on whether gradients are computed", "Unbiased": "with one sample its output on batch statistics is not finite",
    "Graph": "keeps the graph", "Drifts": "do not bring its averages to the statistics", "Mixes": "depends on the other samples",
    "Random": "its output is random", "Float32": "returns float32", "Never": "lost never moves", "Networks": "changes another's output",
    "Shape": "turns [2, 16, 8] into [2, 2, 8]", "Detached": "no gradient goes through it", "Zero": "not finite", "Root": "gradient in the input is not finite",
    "Unused": "g takes no part", "ByPlace": "with fewer networks its output changes", "Axis": "g is [3]", "Chance": "g differs each time",
    "Stopped": "with fewer networks it fails", "Bias": "give what you keep another name", "NoNorm": "makes a ReLU", "Counter": "remembers something outside",
    "Plain": "no buffer holds averages", "Dice": "its output is random", "InPlace": "overwrites its input", "Fails": "no such setting",
    "Absnt": "own_norms defines no Absnt",
}  # fmt: skip
OF_TORCH = {
    "GroupNorm": "num_channels", "InstanceNorm1d": "pixels", "BatchNorm2d": "expected 4D input", "BtchNorm1d": "Did you mean BatchNorm1d",
    "LazyBatchNorm1d": "it makes its parameters at the first pass", "ReLU": "overwrites its input", "functional": "it is a module",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_norms.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)


def tried(arm: str, net: str = "mlp", measures: tuple[str, ...] = ()) -> str:
    """Return what the rehearsal says of an arm at width 16 and batches of 8; "" where nothing is wrong."""
    part = Rehearsed(arm, net, 16, 8, measures)
    reasons, traits = rehearse(part)
    assert bool(reasons) != bool(traits)
    return report([(part, reasons)]) if reasons else ""


@pytest.mark.parametrize("arm", RIGHT)
def test_nothing_right_is_refused(arm: str) -> None:
    assert tried(arm, measures=("affine", "ics", "shift")) == ""


@pytest.mark.parametrize("arm", ["torch.nn:BatchNorm2d", "own_norms:group8", "own_norms:NoReLU"])
def test_nor_in_networks_of_images(arm: str) -> None:
    assert tried(arm, "cnn", ("affine", "levels")) == ""


def test_every_measure_is_rehearsed() -> None:
    assert tried("own_norms:GammaAlone", measures=names("measures", "measure")) == ""


@pytest.mark.parametrize("arm", [a for a in names("arms", "build") if "noisy" not in a])
def test_the_arms_of_the_package_keep_the_promises(arm: str) -> None:
    assert tried(arm) == ""


@pytest.mark.parametrize("arm", WRONG)
def test_a_broken_promise_is_named(arm: str) -> None:
    said = tried(f"own_norms:{arm}")
    assert WRONG[arm] in said and "Nothing was trained" in said.splitlines()[0], said


@pytest.mark.parametrize("arm", OF_TORCH)
def test_what_of_torch_is_no_arm_is_refused(arm: str) -> None:
    assert OF_TORCH[arm] in tried(f"torch.nn:{arm}")


def test_an_import_that_fails_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "lacks.py").write_text('"""A remark."""\nimport no_such_package\n')
    said = tried("lacks:Mine")
    assert "No module named 'no_such_package' (lacks.py, line 2)" in said and "Install no_such_package" in said


PAIRS = [
    (mlp, "torch.nn:BatchNorm1d", "bn"), (mlp, "own_norms:OwnBN", "bn"), (mlp, "own_norms:Fast", "bn"),
    (mlp, "own_norms:CtxBN", "bn_frozen"), (mlp, "torch.nn:LayerNorm", "layernorm"), (cnn, "torch.nn:BatchNorm2d", "bn"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "arm", "same"), PAIRS)
def test_an_ordinary_module_is_the_same_arm(family: object, arm: str, same: str) -> None:
    """Losses, gradients, stored averages, one sample and every site, on both kinds of statistics."""
    x, labels = torch.randn(3, 192, 16), torch.randint(0, 4, (3, 16))
    found: list[list[Tensor]] = []
    for name in (arm, same):
        net: Net = family.build((3, 8, 8), 4, 3, 16, 1.0, name, range(3))  # type: ignore[attr-defined]
        seen: list[Tensor] = []
        for _ in range(2):
            loss = cross_entropy(net(x), labels)
        seen += [loss, *torch.autograd.grad(loss.sum(), [*net.weights, net.head])]
        for statistics in ("running", "batch"):
            net.set_statistics(statistics, update=False)
            net(x, sites=lambda layer, site, value, seen=seen: seen.append(value))
            seen += [net(x), net(x[..., :1])]
        found.append(seen)
        assert [n.bias for n in net.norms] == [False] * 3
        assert len(list(net.parameters())) == (11 if same != "bn_frozen" else 5)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arm", "same", "net"), [("torch.nn:BatchNorm1d", "bn", "mlp"), ("torch.nn:BatchNorm2d", "bn", "cnn")]
)
def test_every_table_of_a_trained_cell_is_the_same(arm: str, same: str, net: str) -> None:
    """Relative above 1; a network of images trains alone, as in studies."""
    more = {"depth": 2, "width": 16, "models": 1 if net == "cnn" else 3}
    cells = [cell(name, net=net, **more) for name in (arm, same)]  # type: ignore[arg-type]
    for measure in names("measures", "measure"):
        a, b = (import_module(f"bnstudy.measures.{measure}").measure(c) for c in cells)
        pd.testing.assert_frame_equal(a.select_dtypes(exclude="float"), b.select_dtypes(exclude="float"))
        for column in b.select_dtypes("float"):
            np.testing.assert_allclose(a[column], b[column], rtol=1e-3, atol=1e-3, err_msg=f"{measure} {column}")


def test_random_modules_draw_by_seed_layer_and_step() -> None:
    h = torch.randn(2, 16, 8)
    net = mlp.build(16, 4, 2, 16, 1.0, "own_norms:drops", [3, 4])

    def passed(seeds: list[int], step: int, which: slice = slice(None)) -> Tensor:
        net.set_noise(seeds, step)
        return net.norms[0](h[which])

    assert torch.equal(passed([3, 4], 1), passed([3, 4], 1)) and not torch.equal(passed([3, 4], 1), passed([3, 4], 2))
    torch.manual_seed(99)
    alone = mlp.build(16, 4, 2, 16, 1.0, "own_norms:drops", [4])
    alone.set_noise([4], 1)
    assert torch.equal(alone.norms[0](h[1:]), passed([3, 4], 1)[1:]), "company in a stack changes nothing"


def test_a_norm_with_a_nonlinearity_of_its_own_gets_no_relu() -> None:
    net = mlp.build(16, 4, 2, 16, 1.0, "own_norms:NoReLU", [0])
    with torch.no_grad():
        net.norms[0].get_parameter("module.tau").fill_(-10.0)
    sites: dict[tuple[int, str], Tensor] = {}
    x = torch.randn(1, 16, 8)
    net(x, sites=lambda layer, site, value: sites.update({(layer, site): value}))
    assert sites[1, "next"].min() < 0 and torch.equal(sites[1, "next"], sites[1, "linear"])
    torch.testing.assert_close(list(net.states(x))[0].h, sites[1, "next"])


def test_what_a_norm_from_outside_returns_is_never_overwritten() -> None:
    kept: list[Tensor] = []

    class Keeps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kept.append(x * 2)
            return kept[-1]

    norm = Guest([Keeps()], 4, Place(1, 2), 0)
    net = mlp.MLP([torch.randn(1, 4, 4)], torch.randn(1, 2, 4), [norm])
    kept.clear()
    with torch.no_grad():
        net(torch.randn(1, 4, 8))
    assert kept[-1].min() < 0


def test_each_network_has_numbers_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "drawn_norm.py").write_text(
        "from torch import nn\ndef mixing(channels): return nn.Linear(channels, channels)\n"
    )

    first, again = (make("drawn_norm:mixing", [5, 6], 4, Place(1, 2)).get_parameter("module.weight") for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first[0], first[1])


def test_the_two_arms_of_the_manual_are_the_published_one(tmp_path: Path) -> None:
    """The ordinary module in four lines, and the same for M networks at once."""
    manual = (ROOT / "config/README.md").read_text()
    h = torch.randn(2, 16, 5)
    expected = torch.nn.functional.rms_norm(h.mT, (16,), eps=1e-5).mT
    for name in ("mynorm", "fastnorm"):
        written = re.search(rf"`{name}\.py`:\n\n```python\n(.*?)```", manual, re.DOTALL)
        assert written
        (tmp_path / f"{name}_of_the_manual.py").write_text(written[1])
        norm = make(f"{name}_of_the_manual:RMSNorm", [0, 1], 16, Place(1, 2))
        assert norm.bias
        torch.testing.assert_close(norm(h), expected, rtol=1e-5, atol=1e-5)


ZOO = {
    "mlp": ("GroupNorm", "RMSNorm", "BatchRenorm", "GhostBatchNorm", "DynamicTanh"),
    "cnn": ("InstanceNorm", "FilterResponseNorm"),
    "resmlp": ("SkipInit",),
}


@pytest.mark.parametrize(("net", "name"), [(net, name) for net, arms in ZOO.items() for name in arms])
def test_the_zoo_keeps_the_promises(net: str, name: str) -> None:
    assert tried(f"bnstudy.zoo:{name}", net) == ""


def test_batch_renormalization_begins_as_batch_normalization_and_leaves_it() -> None:
    x = torch.randn(2, 16, 32)
    renorm, bn = (make(arm, [0, 1], 16, Place(1, 2)) for arm in ("bnstudy.zoo:BatchRenorm", "bn"))
    torch.testing.assert_close(renorm(x), bn(x), rtol=1e-4, atol=1e-4)
    for _ in range(50):
        renorm(x + 3)
    assert (renorm(x) - bn(x)).abs().max() > 0.1


def test_standardized_weights_forget_their_scale_and_mean() -> None:
    x = torch.randn(1, 16, 8)
    build = builder("bnstudy.zoo:standardized_mlp")
    net, other = (build(16, 4, 2, 16, 1.0, "none", [0]) for _ in range(2))
    with torch.no_grad():
        for weight in other.weights:
            weight.mul_(3).add_(0.5)
    torch.testing.assert_close(net(x), other(x), rtol=1e-3, atol=1e-3)
