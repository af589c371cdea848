"""What a norm from outside must do before anything is trained with it: it is tried in two small networks."""

from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from bnstudy.arms.base import Norm, Place, only
from bnstudy.arms.find import builder


def check(arm: str, net: str = "mlp") -> None:
    """Build an arm for two small networks of a family and try it.

    Two must be built alike, since the networks at the start are not stored but built again. The output must have the
    shape of the input and be finite on both kinds of statistics; gradients must arrive everywhere. And networks must not
    meet: what happens in one must not change a bit in the other, and one must go on alike when the other has left.

    Raises:
        ValueError: The first thing amiss, worded for the author of the arm.
    """
    models, channels = 2, 3

    def refuse(fault: str, remedy: str) -> ValueError:
        return ValueError(f"arm {arm}: {fault}. {remedy}")

    norm = builder(arm)(models, channels, Place(1, 2))
    if not isinstance(norm, Norm):
        raise refuse(f"it makes a {type(norm).__name__}", "It must make a bnstudy.arms.base.Norm.")
    twin = builder(arm)(models, channels, Place(1, 2)).state_dict()
    for name, value in norm.state_dict().items():
        if not torch.equal(value, twin[name]):
            raise refuse(f"{name} differs each time it is built", "Start from numbers that don't depend on chance.")
        if value.shape[:1] != (models,):
            remedy = "Its first axis must be the networks, e.g. [models, channels]."
            raise refuse(f"{name} is {list(value.shape)}", remedy)
    h = _sums(net, models, channels).requires_grad_()
    norm.noise_of = ([0, 1], 0)
    outputs = {}
    try:
        norm.calibrate(h.detach())
        for statistics in ("batch", "running"):
            norm.statistics, norm.update = statistics, statistics == "batch"  # type: ignore[assignment]
            outputs[statistics] = norm(h)
    except (RuntimeError, IndexError, ValueError) as error:
        text = f"with activations {list(h.shape)} it fails ({error})"
        raise refuse(text, "They are [networks, units, samples], of images with height and width behind.") from None
    for statistics, y in outputs.items():
        if y.shape != h.shape:
            raise refuse(f"it turns {list(h.shape)} into {list(y.shape)}", "The shape must stay.")
        if not y.isfinite().all():
            raise refuse(f"its output is not finite on {statistics} statistics", "Mind divisions by zero.")
    _gradients(norm, h, refuse)
    norm.statistics, norm.update = "batch", False
    other = h.detach().clone()
    other[0] += 1
    if not torch.equal(norm(other)[1], norm(h)[1]):
        remedy = "Never reduce over the first axis, the networks."
        raise refuse("a change in one network changes another's output", remedy)
    whole = norm(h)[1:]
    only(norm, torch.tensor([1]))  # training goes on without the networks that are done
    norm.noise_of = ([1], 0)
    try:
        left = norm(h[1:])
    except RuntimeError as error:
        raise refuse(f"with fewer networks it fails ({error})", "Take their number from the input's shape.") from None
    # of images torch's kernels round by the number of channels; such networks train alone
    if not (torch.equal(left, whole) if h.dim() == 3 else torch.allclose(left, whole, rtol=1e-3, atol=1e-4)):
        remedy = "Keep all that belongs to one in its parameters or buffers."
        raise refuse("with fewer networks its output changes", remedy)


def _sums(net: str, models: int, channels: int) -> torch.Tensor:
    """Return what a norm gets in small networks of a family [M, C, 8, *S], laid out in memory as they lay it out."""
    sites: dict[str, torch.Tensor] = {}
    small = import_module(f"bnstudy.nets.{net}").build((1, 2, 3), 2, 2, channels, 1.0, "none", range(models))
    x = torch.randn(models, 6, 8, generator=torch.Generator().manual_seed(0))
    small(x, lambda layer, site, value: sites.setdefault(site, value.detach()))
    return sites["linear"]


def _gradients(norm: nn.Module, h: torch.Tensor, refuse: Callable[[str, str], ValueError]) -> None:
    norm.statistics, norm.update = "batch", False  # type: ignore[assignment]
    weights = torch.linspace(0.5, 1.5, h.numel()).view(h.shape)
    y = norm(h)
    if not y.requires_grad:
        raise refuse("no gradient goes through it", "Don't detach its output, or compute it under no_grad.")
    wanted = [h, *norm.parameters()]
    for gradient in torch.autograd.grad((y * weights).sum(), wanted, allow_unused=True):
        if gradient is None:
            remedy = "Use it, or don't make it a parameter."
            raise refuse("a parameter, or the input, takes no part in the output", remedy)
        if not gradient.isfinite().all():
            raise refuse("a gradient is not finite", "Mind roots and logarithms at zero.")
