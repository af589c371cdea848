"""Every external check passes on this project's layers, and fails once a fault is planted in them."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from bnstudy.arms import bn, layernorm, none
from bnstudy.arms.base import Record
from bnstudy.checks import linear, meanfield
from bnstudy.checks.base import at_least, at_most, equal, growth
from bnstudy.checks.run import CHECKS, run
from bnstudy.nets.base import Net

Plant = Callable[[pytest.MonkeyPatch], None]
"""Plants a fault."""


def faulty(
    correction: int = 0,
    centre: bool = True,
    mean_flows: bool = True,
    variance_flows: float = 1.0,
    gamma_flows: bool = True,
    stored: float = 1.0,
) -> Callable[[Tensor, Tensor | None, Tensor | None], tuple[Tensor, Tensor, Tensor]]:
    """Stands in for the layer's kernel; without arguments it is right, each argument plants one fault.

    ``variance_flows`` multiplies the gradient through the variance, ``stored`` the variance handed to the averages.
    """

    def apply(h: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        mean = h.mean(2)
        var = (h - mean[..., None]).square().sum(2) / (h.shape[2] - correction)
        if not centre:
            mean, var = torch.zeros_like(mean), h.square().mean(2)
        flowing = mean if mean_flows else mean.detach()
        held = var.detach() + variance_flows * (var - var.detach())
        y = xhat = (h - flowing[..., None]) / (held + 1e-5).sqrt()[..., None]
        if gamma is not None and beta is not None:
            y = xhat * gamma[..., None] + beta[..., None]
            if not gamma_flows:
                y = xhat + (y - xhat).detach()
        return y, mean.detach(), var.detach() * stored

    return apply


def kernel(**fault: Any) -> Plant:
    return lambda patch: patch.setattr(bn, "normalize", faulty(**fault))


def identity(patch: pytest.MonkeyPatch) -> None:
    def apply(h: Tensor, gamma: Tensor | None, beta: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        nothing = torch.zeros_like(h[..., 0])
        return h if gamma is None or beta is None else h * gamma[..., None] + beta[..., None], nothing, nothing + 1

    patch.setattr(bn, "normalize", apply)


def swap(arm: ModuleType, other: ModuleType) -> Plant:
    return lambda patch: patch.setattr(arm, "build", other.build)


def always(**state: object) -> Plant:
    """The layer ignores what it is told about statistics or updates."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = bn.BatchNorm.forward

        def forward(self: bn.BatchNorm, h: Tensor, record: Record = None) -> Tensor:
            vars(self).update(state)
            return right(self, h, record)

        patch.setattr(bn.BatchNorm, "forward", forward)

    return plant


def small_weights(patch: pytest.MonkeyPatch) -> None:
    right = meanfield.build

    def build(*args: Any) -> Net:
        net = right(*args)
        for weight in net.weights:
            weight.data *= 0.9
        return net

    patch.setattr(meanfield, "build", build)


def leaky(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch, "relu", lambda h: torch.nn.functional.leaky_relu(h, 0.2))


def loud_linear(patch: pytest.MonkeyPatch) -> None:
    right = linear.linear
    patch.setattr(linear, "linear", lambda w, h, b: 1.1 * right(w, h, b))


M64 = 64.0
"""Undoes the 1/m of the variance's gradient at the batch of 64 that E1 and E4 use."""

FAULTS: dict[str, tuple[Plant, *tuple[str, ...]]] = {
    "E1 mean's gradient left out": (kernel(mean_flows=False), "sum of dL/dx over the batch", "gradient of a bias"),
    "E1 variance's gradient left out": (kernel(variance_flows=0), "sum of x-hat dL/dx"),
    "E1 missing 1/m": (kernel(variance_flows=M64), "sum of x-hat dL/dx"),
    "E2 unbiased variance": (kernel(correction=1), "variance, relative, units of variance 1"),
    "E2 mean not subtracted": (kernel(centre=False), "mean minus beta"),
    "E3 nothing normalized": (identity, "cosine of W", "gradient at 3 W"),
    "E3 variance's gradient left out": (kernel(variance_flows=0), "after a step of SGD"),
    "E4 gamma left out of the backward": (kernel(gamma_flows=False), "against the formula", "factor on what is left"),
    "E4 missing 1/m": (kernel(variance_flows=M64), "against the formula"),
    "E5 variance's gradient left out": (kernel(variance_flows=0), "batch 8"),
    "E5 mean not subtracted": (kernel(centre=False), "batch 8"),
    "E6 nothing normalized": (identity, "batch 8"),
    "E7 weights too small": (small_weights, "none, gain 1"),
    "E7 nothing normalized": (identity, "bn, gain 2"),
    "E8 mean not subtracted": (kernel(centre=False), "bn, layer 20"),
    "E8 leaky ReLU": (leaky, "none, layer 1"),
    "E9 bn does nothing": (swap(bn, none), "bn, layer 9"),
    "E9 none normalizes": (swap(none, bn), "none, layer 9"),
    "E10 bn does nothing": (swap(bn, none), "layer 10 : that of the weights, bn"),
    "E10 none normalizes": (swap(none, bn), "layer 10 : that of the weights, none"),
    "E11 running statistics throughout": (
        always(statistics="running"),
        "unchanged by a = 0.3 on batch",
        "changed by a = -0.6 on batch",
    ),
    "E11 batch statistics throughout": (always(statistics="batch"), "on running statistics"),
    "E12 mean not subtracted": (kernel(centre=False), "normalized"),
    "E13 nothing normalized": (identity, "of 7 rates"),
    "E13 linear map off by a tenth": (loud_linear, "growth of the error"),
    "E14 unbiased variance": (kernel(correction=1), "variance divided by"),
    "E14 biased variance stored": (kernel(stored=7 / 8), "batch variance : stored variance"),
    "E14 a probe moves the averages": (always(update=True), "by a probe pass"),
    "E15 missing 1/m": (kernel(variance_flows=8.0), "this project's backward against autograd, relative error, m = 8"),
    "E16 bn does nothing": (
        swap(bn, none),
        "share of block 10 in a residual stream, bn",
        "after block 20 of this project's residual networks, bn",
    ),
    "E16 none normalizes": (
        swap(none, bn),
        "share of block 10 in a residual stream, none",
        "growth of the mean square a block",
    ),
    "E17 bn does nothing": (swap(bn, none), "bn, "),
    "E17 none normalizes": (swap(none, bn), "none, 5 layers"),
    "E18 mean not subtracted": (kernel(centre=False), "gelu"),
    "E18 nothing normalized": (identity, "sigmoid"),
    "E19 layer norm does nothing": (swap(layernorm, none), "layer norm over 8 units"),
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Enough of the slow checks for a fault to show."""
    monkeypatch.setattr(meanfield, "BN_RELU", {8: 1.788, 32: 1.522, 128: 1.48})
    monkeypatch.setattr(meanfield, "STACKS", 1)
    monkeypatch.setattr(linear, "STEPS", 60)
    return monkeypatch


@pytest.mark.parametrize("id", CHECKS)
def test_passes(id: str) -> None:
    rows = run([id])
    assert rows and all(row["id"] == id for row in rows)
    assert len({row["name"] for row in rows}) == len({row["key"] for row in rows}) == len(rows)
    for row in rows:
        assert row["passed"] is True, row
        assert all(type(row[key]) is float for key in ("expected", "measured", "tolerance")), row
    json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize("name", FAULTS)
def test_fails_under_a_planted_fault(name: str, quick: pytest.MonkeyPatch) -> None:
    plant, *cases = FAULTS[name]
    plant(quick)
    found = run([name.split()[0]])
    for case in cases:
        rows = [row for row in found if case in str(row["name"])]
        assert rows and not any(row["passed"] for row in rows), rows


def test_the_stand_in_without_a_fault_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bn, "normalize", faulty())
    assert all(row["passed"] for row in run(["E1", "E2", "E3", "E4", "E11", "E14", "E15"]))


def test_every_check_has_a_fault() -> None:
    assert {name.split()[0] for name in FAULTS} == set(CHECKS)


def test_a_measured_nan_never_passes() -> None:
    nan = float("nan")
    assert not any((equal("", "", 0, nan, 1).passed, at_least("", "", 0, nan).passed, at_most("", "", 0, nan).passed))


def test_what_is_not_finite_becomes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "E1", lambda: [equal("a", "", 0, float("inf"), 1)])
    assert run(["E1"])[0]["measured"] is None and run(["E1"])[0]["passed"] is False


def test_growth_is_the_factor_a_layer_without_the_last() -> None:
    squares = torch.tensor([[27.0, 27.0], [9.0, 9.0], [2.0, 4.0], [1000.0, 1000.0]])
    assert growth(squares) == pytest.approx(3)


def test_unknown_checks_are_named() -> None:
    with pytest.raises(ValueError, match="unknown check E99: checks are E1, E2, .*E19"):
        run(["E1", "E99"])
