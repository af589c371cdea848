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
from bnstudy.pipeline.rehearsal import described, rehearse, report
from helpers.project import ROOT
from helpers.trained import cell

OF_ONES_OWN = (
    "group8", "A", "rms", "OwnBN", "CtxBN", "Fast", "OneArgument", "Tanh", "GammaAlone", "Scalar", "RunningRMS", "Ghost",
    "Debug", "NoReLU", "drops", "Frozen",
)  # fmt: skip
RIGHT = [
    *(f"torch.nn:{name}" for name in ("BatchNorm1d", "LayerNorm", "RMSNorm", "Identity")),
    *(f"helpers.own_norms:{name}" for name in OF_ONES_OWN),
]
WRONG = {
    "NoUpdate": "moves on batch statistics though update is False", "Training": "the same on batch and on running",
    "Grad": "depends on whether gradients are computed", "Unbiased": "with one sample its output on batch statistics is not finite",
    "Graph": "keeps the graph", "Drifts": "do not bring its averages to the statistics", "Mixes": "depends on the other samples",
    "Random": "its output is random", "Float32": "returns float32", "Never": "lost never moves", "Networks": "changes another's output",
    "Shape": "turns [2, 16, 8] into [2, 2, 8]", "Detached": "no gradient goes through it", "Zero": "not finite", "Root": "gradient in the input is not finite",
    "Unused": "g takes no part", "ByPlace": "with fewer networks its output changes", "Axis": "g is [3]", "Chance": "g differs each time",
    "Stopped": "with fewer networks it fails", "Bias": "give what you keep another name", "NoNorm": "makes a ReLU", "Counter": "remembers something outside",
    "Plain": "built anew with its parameters and buffers", "Dice": "its output is random", "InPlace": "overwrites its input", "Fails": "no such setting",
    "Absnt": "own_norms defines no Absnt", "GradAlone": "depends on whether gradients are computed", "Forgotten": "g asks for gradients",
    "FirstMean": "remembers something outside", "Double": "returns float64", "Tuple": "it returns a tuple", "MovesItself": "a pass moves the parameter g",
    "NoEval": "on running statistics (eval() of a module) it fails", "LastBatch": "changes the shape of the buffer last", "Late": "a pass makes late",
    "NoSuper": "does not begin with super", "scripted": "torch.jit",
    "misspelt": "called with the number of channels, misspelt fails",
}  # fmt: skip
OF_TORCH = {
    "GroupNorm": "num_channels", "InstanceNorm1d": "pixels", "BatchNorm2d": "expected 4D input", "BtchNorm1d": "Did you mean BatchNorm1d",
    "LazyBatchNorm1d": "it makes its parameters at the first pass", "ReLU": "overwrites its input", "functional": "it is a module",
}  # fmt: skip


def tried(arm: str, net: str = "mlp", measures: tuple[str, ...] = ()) -> str:
    """Return what the rehearsal says of an arm at width 16 and batches of 8; "" where nothing is wrong."""
    part = Rehearsed(arm, net, 16, 8, measures)
    reasons = rehearse(part)
    return report([(part, reasons)]) if reasons else ""


ZOO = {
    "mlp": ("GroupNorm", "RMSNorm", "BatchRenorm", "GhostBatchNorm", "DynamicTanh"),
    "cnn": ("InstanceNorm", "FilterResponseNorm"),
    "resmlp": ("SkipInit",),
}
KEPT: list[tuple[str, str, tuple[str, ...]]] = [
    *((arm, "mlp", ("affine", "ics", "shift")) for arm in RIGHT),
    *((f"helpers.own_norms:{arm}", "cnn", ("affine", "levels")) for arm in ("group8", "NoReLU")),
    ("torch.nn:BatchNorm2d", "cnn", ("affine", "levels")),
    *((f"helpers.own_norms:{arm}", "mlp", names("measures", "measure")) for arm in ("GammaAlone", "Scalar")),
    *((arm, "mlp", ()) for arm in names("arms", "build") if "noisy" not in arm),
    *((f"bnstudy.zoo:{arm}", net, ()) for net, arms in ZOO.items() for arm in arms),
]


@pytest.mark.parametrize(("arm", "net", "measures"), KEPT)
def test_nothing_right_is_refused(arm: str, net: str, measures: tuple[str, ...]) -> None:
    assert tried(arm, net, measures) == ""


@pytest.mark.parametrize("arm", WRONG)
def test_a_broken_promise_is_named(arm: str) -> None:
    said = tried(f"helpers.own_norms:{arm}", measures=("levels",))
    assert WRONG[arm] in said and "Nothing was trained" in said.splitlines()[0], said


@pytest.mark.parametrize("arm", OF_TORCH)
def test_what_of_torch_is_no_arm_is_refused(arm: str) -> None:
    assert OF_TORCH[arm] in tried(f"torch.nn:{arm}")


def test_an_import_that_fails_names_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lacks.py").write_text('"""A remark."""\nimport no_such_package\n')
    said = tried("lacks:Mine")
    assert "No module named 'no_such_package' (lacks.py, line 2)" in said and "Install no_such_package" in said


PAIRS = [
    (mlp, "torch.nn:BatchNorm1d", "bn"), (mlp, "helpers.own_norms:OwnBN", "bn"), (mlp, "helpers.own_norms:Fast", "bn"),
    (mlp, "helpers.own_norms:CtxBN", "bn_frozen"), (mlp, "torch.nn:LayerNorm", "layernorm"), (cnn, "torch.nn:BatchNorm2d", "bn"),
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
    net = mlp.build(16, 4, 2, 16, 1.0, "helpers.own_norms:drops", [3, 4])

    def passed(seeds: list[int], step: int, which: slice = slice(None)) -> Tensor:
        net.set_noise(seeds, step)
        return net.norms[0](h[which])

    assert torch.equal(passed([3, 4], 1), passed([3, 4], 1)) and not torch.equal(passed([3, 4], 1), passed([3, 4], 2))
    torch.manual_seed(99)
    alone = mlp.build(16, 4, 2, 16, 1.0, "helpers.own_norms:drops", [4])
    alone.set_noise([4], 1)
    assert torch.equal(alone.norms[0](h[1:]), passed([3, 4], 1)[1:]), "company in a stack changes nothing"


def test_a_norm_with_a_nonlinearity_of_its_own_gets_no_relu() -> None:
    net = mlp.build(16, 4, 2, 16, 1.0, "helpers.own_norms:NoReLU", [0])
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


def test_each_network_has_numbers_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = "from torch import nn\ndef mixing(channels): return nn.Linear(channels, channels)\n"
    (tmp_path / "drawn_norm.py").write_text(text)
    first, again = (make("drawn_norm:mixing", [5, 6], 4, Place(1, 2)).get_parameter("module.weight") for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first[0], first[1])


def test_the_two_arms_of_the_manual_are_the_published_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ordinary module in four lines, and the same for M networks at once."""
    monkeypatch.syspath_prepend(tmp_path)
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


TRAITS = [
    ("none", "mlp", 0, 0, 0, 0), ("bn", "mlp", 1, 1, 0, 2), ("bn", "cnn", 1, 1, 0, 2), ("bn_late", "mlp", 1, 1, 0, 2),
    ("bn_noisy", "mlp", 1, 1, 1, 2), ("none_noisy", "mlp", 0, 0, 1, 0), ("layernorm", "mlp", 0, 0, 0, 2),
    ("torch.nn:BatchNorm1d", "mlp", 1, 1, 0, 2), ("torch.nn:RMSNorm", "mlp", 0, 0, 0, 1),
    ("helpers.own_norms:drops", "mlp", 0, 0, 1, 2), ("bnstudy.zoo:SkipInit", "resmlp", 0, 0, 0, 0.062),
]  # fmt: skip


@pytest.mark.parametrize(("arm", "net", "mixes", "stores", "draws", "parameters"), TRAITS)
def test_what_an_arm_is_is_told(arm: str, net: str, mixes: int, stores: int, draws: int, parameters: float) -> None:
    assert list(vars(described(Rehearsed(arm, net, 16, 8, ()))).values()) == [mixes, stores, draws, parameters]


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
