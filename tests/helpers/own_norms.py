"""Arms as people write them, right and wrong, for test_guests.py."""

# fmt: off
# mypy: ignore-errors
# ruff: noqa
import functools
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
class GradAlone(Grad):
    def moves(self): return True
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
class Scalar(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.5))
    def forward(self, x): return torch.tanh(self.a * x)
class RunningRMS(nn.Module):
    """One average for all units together."""
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("square", torch.tensor(1.0))
    def forward(self, x):
        square = x.square().mean() if self.training else self.square
        if self.training:
            with torch.no_grad():
                self.square += 0.1 * (square - self.square)
        return x * (square + EPS).rsqrt()
class Forgotten(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.g = torch.ones(channels, requires_grad=True)
    def forward(self, x): return x * self.g
misspelt = functools.partial(nn.BatchNorm1d, wrong=3)
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


class Ordinary(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.c = channels
        self.init()
    def init(self): pass
    def forward(self, x): return nn.functional.layer_norm(x, (self.c,))
class FirstMean(Ordinary):
    mean = None
    def forward(self, x):
        if self.mean is None:
            self.mean = x.detach().mean(0)
        return x - self.mean
class Double(Ordinary):
    def forward(self, x): return super().forward(x.double())
class Tuple(Ordinary):
    def forward(self, x): return super().forward(x), x.mean()
class NoEval(Ordinary):
    def forward(self, x):
        if not self.training:
            raise NotImplementedError("no eval yet")
        return super().forward(x)
class LastBatch(Ordinary):
    def init(self): self.register_buffer("last", torch.zeros(1, self.c))
    def forward(self, x):
        y = x - self.last.mean(0)
        if self.training:
            self.last = x.detach()
        return y
class Late(Ordinary):
    def forward(self, x):
        if not hasattr(self, "late"):
            self.register_buffer("late", torch.ones(self.c))
        return super().forward(x) * self.late
class MovesItself(Ordinary):
    def init(self): self.g = nn.Parameter(torch.ones(self.c))
    def forward(self, x):
        with torch.no_grad():
            self.g.mul_(0.99)
        return x * self.g
class Frozen(Ordinary):
    def init(self): self.g = nn.Parameter(torch.ones(self.c), requires_grad=False)
    def forward(self, x): return super().forward(x) * self.g
class NoSuper(nn.Module):
    def __init__(self, channels): self.c = channels
def scripted(channels): return torch.jit.script(nn.LayerNorm(channels))
