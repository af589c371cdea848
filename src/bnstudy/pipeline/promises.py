"""What every arm promises, tried one by one on activations as the study's own networks make them."""

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from bnstudy.arms.base import Norm, only
from bnstudy.arms.guest import Guest
from bnstudy.pipeline.reasons import Reason, failed

NETWORKS = 2
CLOSE = 1e-3
"""Outputs that differ by less, relative to the largest, count as alike."""


class Stage(NamedTuple):
    """What the promises are tried on.

    Attributes:
        fresh: Makes the norm of one layer for NETWORKS networks, always the same one.
        h: Activations [M, C, B, *S] of those networks, as many samples as in a batch of the study.
    """

    fresh: Callable[[], Norm]
    h: Tensor


def promises(stage: Stage) -> Iterator[Reason]:
    """Yield every promise that the arm breaks; none behind a pass that fails or that is not repeated, which spoils the rest."""
    for promise in (contract, outputs, gradients, state, modes, networks, precision, itself):
        try:
            broken = list(promise(stage))
        except Exception as error:  # an author's code may raise anything
            yield _failing(stage, error)
            return
        yield from broken
        if broken and promise in (contract, state):
            return


def _failing(stage: Stage, error: Exception) -> Reason:
    """Return why a pass fails: everywhere, or on running statistics alone."""
    try:
        passed(stage.fresh(), stage.h, "batch")
    except Exception:
        return failed(f"with activations {list(stage.h.shape)} it fails", error, _shapes(stage))
    try:
        passed(stage.fresh(), stage.h, "running")
    except Exception:
        remedy = "Let it compute there, too: with averages that it stored, or else as in training."
        return failed("on running statistics (eval() of a module) it fails", error, remedy)
    return failed(f"with activations like {list(stage.h.shape)} it fails", error, _shapes(stage))


def _shapes(stage: Stage) -> str:
    pixels = ", height, width" if stage.h.dim() > 3 else ""
    width = f"It is given network.width = {stage.h.shape[1]} units."
    if not isinstance(stage.fresh(), Guest):
        return f"It must take [networks, units, samples{pixels}] and return the same shape. {width}"
    others = "" if pixels else "; modules for images, such as BatchNorm2d, belong in networks of images"
    return f"It must take [samples, units{pixels}] and return the same shape{others}. {width}"


def contract(stage: Stage) -> Iterator[Reason]:
    """The attributes that others read are what they must be, and parameters begin with the axis of the networks."""
    norm, twin = stage.fresh(), stage.fresh().state_dict()
    passed(after := stage.fresh(), stage.h.clone(), "batch")
    for name in (made.removeprefix("module.") for made in after.state_dict() if made not in twin):
        yield Reason(f"a pass makes {name}", f"Make {name} in __init__: the number of channels is known there.")
    for part in norm.modules():
        for name, value in vars(part).items():
            if isinstance(value, Tensor) and value.requires_grad:
                yield Reason(f"{name} asks for gradients, but no training moves it", "Make it a torch.nn.Parameter.")
    for name in ("bias", "has_statistics", "after_relu", "activation", "draws"):
        if not isinstance(getattr(norm, name), bool):
            mend = f"{name} says True or False to the networks; give what you keep there another name, e.g. own_{name}."
            yield Reason(f"its attribute {name} is a {type(getattr(norm, name)).__name__}", mend)
    for name, value in norm.state_dict().items():
        if value.shape[:1] != (NETWORKS,):
            yield Reason(f"{name} is {list(value.shape)}", "Its first axis must be the networks: [models, channels].")
        elif not torch.equal(value, twin[name]):
            yield Reason(f"{name} differs each time it is built", "Start from numbers that do not depend on chance.")


def outputs(stage: Stage) -> Iterator[Reason]:
    """The output is finite and has the shape and type of the input, which stays as it was, at 1, 2 and a batch of samples."""
    for samples in (stage.h.shape[2], 2, 1):
        for statistics in ("batch", "running"):
            norm, h = stage.fresh(), stage.h[:, :, :samples].clone()
            y = passed(norm, h, statistics)
            count = "one sample" if samples == 1 else f"{samples} samples"
            if y.shape != h.shape:
                yield Reason(f"it turns {list(h.shape)} into {list(y.shape)}", "The shape must stay.")
                return
            if not torch.equal(h, stage.h[:, :, :samples]):
                yield Reason("it overwrites its input", "Compute with copies: x = x - mean, not x -= mean.")
                return
            if not y.isfinite().all():
                remedy = "Mind divisions by zero, roots and logarithms; add eps under a root."
                if samples == 1:
                    remedy = "Divide the sum of squares by the number of samples, as in x.var(0, correction=0): with one sample the variance is then 0, and eps keeps the root above 0."
                fault = f"with {count} its output on {statistics} statistics is not finite (NaN or infinite)"
                yield Reason(fault, remedy)
                return


def gradients(stage: Stage) -> Iterator[Reason]:
    """Finite gradients reach the input and every parameter; buffers carry no graph."""
    norm, h = stage.fresh(), stage.h.clone().requires_grad_()
    weights = torch.linspace(0.5, 1.5, h.numel()).view(h.shape)
    y = passed(norm, h, "batch", update=True)
    if not y.requires_grad:
        yield Reason("no gradient goes through it", "Do not detach its output, or compute it under no_grad.")
        return
    named = dict(norm.named_parameters())
    found = torch.autograd.grad((y * weights).sum(), [h, *named.values()], allow_unused=True)
    for name, gradient in zip(["the input", *named], found):
        if gradient is None:
            yield Reason(f"{name} takes no part in the output", "Use it, or do not make it a parameter.")
        elif not gradient.isfinite().all():
            yield Reason(f"the gradient in {name} is not finite", "Mind roots and logarithms at zero.")
    for name, buffer in norm.named_buffers():
        if buffer.requires_grad:
            remedy = f"Compute it under torch.no_grad(), or from h.detach(): self.{name}.lerp_(of_batch.detach(), 0.1)."
            yield Reason(f"the buffer {name} keeps the graph of the pass that moved it", remedy)


def state(stage: Stage) -> Iterator[Reason]:
    """Passes move nothing unless told to; two passes are alike; all that is remembered is in parameters and buffers."""
    norm = moved(stage)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    for statistics in ("batch", "running"):
        first = passed(norm, stage.h, statistics)
        for name, value in norm.state_dict().items():
            if not torch.equal(value, before[name]):
                fault = f"{name} moves on {statistics} statistics though update is False"
                remedy = "Move averages only where self.update is True: if self.update: ..."
                if isinstance(norm, Guest):
                    fault = f"a pass moves the parameter {name.removeprefix('module.')}"
                    remedy = "Training alone moves parameters: compute with a copy, or make it a buffer."
                yield Reason(fault, remedy)
                return
        again = passed(norm, stage.h, statistics, grad=True).detach()
        if not alike(first, again):
            yield _differs(stage, statistics, first)
            return
    twin = stage.fresh()
    twin.load_state_dict(norm.state_dict())
    for kept, what in ((twin, "built anew with its parameters and buffers"), (copy.deepcopy(norm), "copied")):
        for statistics in ("batch", "running"):
            if not alike(passed(kept, stage.h, statistics), passed(norm, stage.h, statistics)):
                remedy = "Keep what it remembers in buffers: self.register_buffer(...)."
                yield Reason(f"{what}, it gives another output on {statistics} statistics", remedy)
                return


def _differs(stage: Stage, statistics: str, first: Tensor) -> Reason:
    """Return why two passes, the second with gradients, differ."""
    norm = moved(stage)
    if alike(passed(norm, stage.h, statistics), first):
        fault = f"on {statistics} statistics its output depends on whether gradients are computed"
        mode = "self.training" if isinstance(norm, Guest) else 'self.statistics ("batch" or "running") and self.update'
        return Reason(fault, f"Ask {mode}, not torch.is_grad_enabled().")
    fault = f"two passes over the same numbers differ on {statistics} statistics: its output is random, or it remembers something outside its buffers"
    if isinstance(norm, Guest):
        remedy = "Draw with torch.rand, torch.randn or torch.nn.Dropout, which follow the network's seed; keep averages in buffers: self.register_buffer(...)."
        return Reason(fault, remedy)
    remedy = "Write it as an ordinary torch.nn.Module, whose random numbers follow the network's seed, the layer and the step; or draw from self.noise_of, as bnstudy/arms/noise.py does."
    return Reason(fault, remedy)


def modes(stage: Stage) -> Iterator[Reason]:
    """Outputs on batch and on running statistics differ just where the arm has statistics."""
    norm = moved(stage)
    h = 3 * stage.h + 1
    same = alike(passed(norm, h, "batch"), passed(norm, h, "running"))
    if norm.has_statistics and same:
        remedy = 'Ask self.statistics ("batch" or "running"), not self.training; or set has_statistics = False.'
        yield Reason("its output is the same on batch and on running statistics, though has_statistics is True", remedy)
    if not norm.has_statistics and not same and not random(norm, h):
        if isinstance(norm, Guest):
            fault = "eval() gives another output than train(), but no buffer holds averages that training moved"
            yield Reason(fault, 'Keep the averages in buffers: self.register_buffer("mean", torch.zeros(channels)).')
        else:
            fault = "its output differs between batch and running statistics, though has_statistics is False"
            yield Reason(fault, "Set has_statistics = True in the class.")


def networks(stage: Stage) -> Iterator[Reason]:
    """Networks do not meet, and one goes on alike when the other has left."""
    norm, h = stage.fresh(), stage.h
    other = h.clone()
    other[0] += 1
    if not torch.equal(passed(norm, other, "batch")[1], passed(norm, h, "batch")[1]):
        fault = "a change in one network changes another's output"
        yield Reason(fault, "Never reduce over the first axis, the networks.")
    whole = passed(norm, h, "batch")[1:]
    only(norm, torch.tensor([1]))  # training goes on without the networks that are done
    try:
        left = passed(norm, h[1:], "batch")
    except Exception as error:
        yield Reason(f"with fewer networks it fails ({error})", "Take their number from the input's shape.")
        return
    if not alike(left, whole):
        remedy = "Keep all that belongs to one in its parameters or buffers."
        yield Reason("with fewer networks its output changes", remedy)


def precision(stage: Stage) -> Iterator[Reason]:
    """It computes in the precision that it is given: measures need double precision."""
    kind = passed(stage.fresh(), stage.h, "batch").dtype
    if kind != stage.h.dtype:
        fault = f"given numbers of single precision it returns {str(kind).removeprefix('torch.')}"
        yield Reason(fault, "Return numbers of the input's type: return y.to(x.dtype).")
        return
    norm = stage.fresh().double()
    fix = "Make constants with the input's type, e.g. torch.ones_like(x) or x.new_tensor(...), and never call .float()."
    for statistics in ("batch", "running"):
        try:
            y = passed(norm, stage.h.double(), statistics)
        except RuntimeError as error:
            yield Reason(f"in double precision it fails ({str(error).splitlines()[0]})", fix)
            return
        if y.dtype != torch.float64:
            yield Reason(f"given numbers of double precision it returns {str(y.dtype).removeprefix('torch.')}", fix)
            return


def itself(stage: Stage) -> Iterator[Reason]:
    """M modules side by side are what each is alone, in train() and in eval(): nothing is remembered outside buffers."""
    norm = stage.fresh()
    if not isinstance(norm, Guest) or random(norm, stage.h):
        return
    module = copy.deepcopy(norm.module)
    only(module, torch.tensor(0))  # a place without an axis: the first network's numbers, as it has them alone
    with torch.no_grad():
        for scale, training in enumerate((True, True, True, False), 1):
            h = scale * stage.h  # what remembers its first batch shows at another one
            expected = module.train(training)(h[0].transpose(0, 1).clone()).transpose(0, 1)
            y = passed(norm, h, "batch" if training else "running", update=training)[0]
            if not alike(y, expected):
                fault = "it remembers something outside its parameters and buffers"
                yield Reason(fault, "Keep counters and averages in buffers: self.register_buffer(...).")
                return


def passed(norm: Norm, h: Tensor, statistics: str, update: bool = False, step: int = 0, grad: bool = False) -> Tensor:
    """Return the output of one pass; with gradients where ``h`` or ``grad`` asks. Where ``h`` lacks networks, the first left."""
    norm.statistics, norm.update = statistics, update  # type: ignore[assignment]
    norm.noise_of = ([0, 1][-len(h) :], step)
    with torch.set_grad_enabled(grad or h.requires_grad):
        y = norm(h)
    if not isinstance(y, Tensor):
        raise TypeError(f"it returns a {type(y).__name__}, not a tensor alone")
    return y


def moved(stage: Stage) -> Norm:
    """Return a norm whose averages are no longer those it starts from."""
    norm = stage.fresh()
    for step in range(3):
        passed(norm, stage.h, "batch", update=True, step=step)
    return norm


def random(norm: Norm, h: Tensor) -> bool:
    """Return whether two steps differ though nothing has moved."""
    return not torch.equal(passed(norm, h, "batch", step=0), passed(norm, h, "batch", step=1))


def alike(a: Tensor, b: Tensor) -> bool:
    """Return whether outputs differ by less than CLOSE of the largest."""
    return torch.allclose(a, b, rtol=CLOSE, atol=CLOSE * float(b.abs().max().clamp_min(1e-12)))
