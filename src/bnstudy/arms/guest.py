"""Ordinary modules as arms: an nn.Module for one network, [B, C] or [B, C, H, W] to the same shape, applied to M networks.

Each network has its own copy of the module's parameters and buffers. One call of torch.func.vmap runs the module over all
of them; where vmap cannot (random numbers, numbers taken out of tensors, autograd functions of the old form), a loop does.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.parameter import UninitializedParameter

from bnstudy.arms.base import Norm, Place, Record
from bnstudy.core.rng import rng

Values = dict[str, Tensor]
REFUSED_ALONE = "Expected more than 1 value per channel"
"""How torch's batch norm begins to say that it takes no single sample."""


class Traits(NamedTuple):
    """What a module turns out to be, when it is tried on made-up activations.

    Attributes:
        bias: Whether the linear map before it keeps its bias. It does not where that would be useless: the module has a
            beta, or takes away what is the same in all samples.
        has_statistics: Whether a pass in training mode moves a buffer, and evaluation gives something else than training.
        gamma, beta: The names of the only parameter of C numbers that starts as ones, as zeros; None without one.
    """

    bias: bool = True
    has_statistics: bool = False
    gamma: str | None = None
    beta: str | None = None


class Guest(Norm):
    """One ordinary module per network; ``statistics`` becomes the module's mode: "batch" train(), "running" eval().

    Buffers stay as they were before a pass, unless ``update``. A single sample is given twice where torch's batch norm
    refuses one. The normalized value is the output with gamma = 1 and beta = 0. Random numbers are those of the network's
    seed, the layer and the step.

    Args:
        modules: The module of each network, all alike but for their numbers.
        channels: The number of units.
        place: Where they stand.
        pixels: The number of axes of pixels behind the samples.

    Attributes:
        ghost: As in :class:`bnstudy.arms.bn.BatchNorm`.
        loop: Whether the networks are run one after another.
    """

    draws = True
    ghost: int | None = None

    def __init__(self, modules: Sequence[nn.Module], channels: int, place: Place, pixels: int) -> None:
        super().__init__()
        self.layer, self.loop = place.layer, False
        self.traits = traits(modules[0], channels, pixels)
        self.bias, self.has_statistics = self.traits.bias, self.traits.has_statistics
        self.activation = getattr(modules[0], "activation", True) is not False
        self.module = side_by_side(modules)

    @property
    def gamma(self) -> Tensor | None:
        """The scale of each unit [M, ...], if the module has one."""
        return self.module.get_parameter(self.traits.gamma) if self.traits.gamma else None

    @property
    def beta(self) -> Tensor | None:
        """The constant of each unit [M, ...], if the module has one."""
        return self.module.get_parameter(self.traits.beta) if self.traits.beta else None

    def forward(self, h: Tensor, record: Record = None) -> Tensor:
        batch = self.statistics == "batch"
        self.module.train(batch)
        x = h.transpose(1, 2)
        size = self.ghost if batch and self.ghost else x.shape[1]
        y = self._in_batches(x, size, {}, self.update and batch)
        if record is not None:
            known = {name: p for name, p in ((self.traits.gamma, self.gamma), (self.traits.beta, self.beta)) if name}
            fixed = {name: torch.full_like(p, float(p is self.gamma)) for name, p in known.items() if p is not None}
            record("xhat", self._in_batches(x, size, fixed, False).transpose(1, 2) if fixed else y.transpose(1, 2))
        return y.transpose(1, 2)

    def _in_batches(self, x: Tensor, size: int, fixed: Values, update: bool) -> Tensor:
        """Return the output for x [M, B, C, *S], every ``size`` neighbours a batch of their own; ``size`` divides B.

        ``fixed`` are numbers that stand in for some of the parameters; with ``update`` the buffers move.
        """
        parameters = dict(self.module.named_parameters()) | fixed
        buffers = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        times = x.shape[1] // size
        if times > 1:  # each batch is a network of its own
            x = x.unflatten(1, (times, size)).flatten(0, 1)
            parameters, buffers = (
                {name: value.repeat_interleave(times, 0) for name, value in values.items()}
                for values in (parameters, buffers)
            )
        try:
            y, after = self._run(parameters, buffers, x)
        except ValueError as error:
            if size > 1 or not str(error).startswith(REFUSED_ALONE):
                raise
            y, after = self._run(parameters, buffers, torch.cat([x, x], 1))
            y = y[:, :1]
        if update:
            with torch.no_grad():
                for name, buffer in self.module.named_buffers():
                    buffer.copy_(after[name])
        return y.unflatten(0, (-1, times)).flatten(1, 2) if times > 1 else y

    def _run(self, parameters: Values, buffers: Values, x: Tensor) -> tuple[Tensor, Values]:
        """Return the output for x [M, B, C, *S] and the buffers after the pass."""
        if not self.loop and len(x) > 1:
            try:
                return vmap(self._one)(parameters, {k: b.clone() for k, b in buffers.items()}, x)  # type: ignore[no-any-return]
            except Exception:  # whatever vmap has against the module, the loop has the last word
                result = self._one_by_one(parameters, buffers, x)
                self.loop = True
                return result
        return self._one_by_one(parameters, buffers, x)

    def _one(self, parameters: Values, buffers: Values, x: Tensor) -> tuple[Tensor, Values]:
        """Return the output of one network's module, and its buffers after the pass."""
        values = {**parameters, **buffers}
        plain = [(part, dict(vars(part))) for part in self.module.modules()]
        try:
            y = functional_call(self.module, values, (x,))
        finally:  # what it put into plain attributes belongs to this network alone
            for part, before in plain:
                vars(part).clear()
                vars(part).update(before)
        if not isinstance(y, Tensor):
            raise TypeError(f"it returns a {type(y).__name__}, not a tensor alone")
        for name, buffer in buffers.items():
            if values[name].shape != buffer.shape:
                shapes = f"from {list(buffer.shape)} to {list(values[name].shape)}"
                raise TypeError(f"a pass changes the shape of the buffer {name} {shapes}, which must stay")
        return y, {name: values[name].detach() for name in buffers}

    def _one_by_one(self, parameters: Values, buffers: Values, x: Tensor) -> tuple[Tensor, Values]:
        seeds, step = self.noise_of or (range(len(x)), 0)
        outputs, after = [], []
        with torch.random.fork_rng([x.device] if x.is_cuda else []):
            for i in range(len(x)):
                seed = seeds[i * len(seeds) // len(x)]
                torch.manual_seed(rng(seed, "module", self.layer, step).initial_seed())
                of_one = ({name: value[i] for name, value in values.items()} for values in (parameters, buffers))
                y, moved = self._one(
                    next(of_one), {name: buffer.clone() for name, buffer in next(of_one).items()}, x[i]
                )
                outputs.append(y)
                after.append(moved)
        return torch.stack(outputs), {name: torch.stack([a[name] for a in after]) for name in buffers}


def built(builder: Callable[..., Any], channels: int, place: Place, seed: int) -> nn.Module:
    """Return one network's module: what ``builder`` makes of the number of channels, with random numbers of the seed.

    Raises:
        TypeError: It makes no module, or one whose parameters only the first pass makes.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(rng(seed, "module", place.layer).initial_seed())
        module = builder(channels)
    if not isinstance(module, nn.Module):
        raise TypeError(f"it makes a {type(module).__name__}, not a torch.nn.Module")
    if not hasattr(module, "_parameters"):
        raise TypeError("its __init__ does not begin with super().__init__()")
    if isinstance(module, torch.jit.ScriptModule):
        raise TypeError("it makes a module that torch.jit has compiled, which cannot be copied; make the module itself")
    if any(isinstance(parameter, UninitializedParameter) for parameter in module.parameters()):
        raise TypeError("it makes its parameters at the first pass; the number of channels is known before")
    return module


def side_by_side(modules: Sequence[nn.Module]) -> nn.Module:
    """Return the first module with the parameters and buffers of all, [M, ...] each. What is not trained is a buffer."""
    first, stacked = copy.deepcopy(modules[0]), dict[int, Tensor]()
    for path, part in list(first.named_modules()):
        parts = [module.get_submodule(path) for module in modules]
        buffers = [name for name, _ in part.named_buffers(recurse=False)]
        for name, parameter in list(part.named_parameters(recurse=False)):
            values = torch.stack([of_one.get_parameter(name).detach() for of_one in parts])
            if parameter.requires_grad:  # a parameter that stands at two places stays one
                setattr(part, name, stacked.setdefault(id(parameter), nn.Parameter(values)))
            else:
                delattr(part, name)
                part.register_buffer(name, values)
        for name in buffers:
            part.register_buffer(name, torch.stack([of_one.get_buffer(name).detach() for of_one in parts]))
    return first


def traits(module: nn.Module, channels: int, pixels: int) -> Traits:
    """Return what a module is; where it fails, as if it were nothing but a function: whoever trains it sees why."""
    of_size = {name: p.detach() for name, p in module.named_parameters() if p.numel() == channels}
    ones = [name for name, p in of_size.items() if bool((p == 1).all())]
    zeros = [name for name, p in of_size.items() if bool((p == 0).all())]
    gamma, beta = (names[0] if len(names) == 1 else None for names in (ones, zeros))
    x = torch.randn(16, channels, *[4] * pixels, generator=torch.Generator().manual_seed(0))
    try:
        y, moved = _tried(module, x, True)
        constant = torch.linspace(-1, 1, channels).view(-1, *[1] * pixels)
        removes = _alike(_tried(module, x + constant, True)[0], y)
        stores = moved and not _alike(_tried(module, x, False)[0], y)
    except Exception:  # the rehearsal of an arm, and training, show it to its author
        return Traits(gamma=gamma, beta=beta)
    return Traits(beta is None and not removes, stores, gamma, beta)


def _tried(module: nn.Module, x: Tensor, training: bool) -> tuple[Tensor, bool]:
    """Return the output of a copy of ``module``, and whether the pass moved a buffer of fractions."""
    tried = copy.deepcopy(module).train(training)
    with torch.no_grad(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        y = tried(x.clone())
    before: Mapping[str, Tensor] = dict(module.named_buffers())
    return y, any(b.is_floating_point() and not torch.equal(b, before[name]) for name, b in tried.named_buffers())


def _alike(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))
