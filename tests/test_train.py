"""The stacked trainer against plain torch.nn, and the independence of a run from its stack."""

import numpy as np
import pytest
import torch
from torch import nn

from bnstudy.data import digits
from bnstudy.train import Run, batches, build, part, train
from bnstudy.tune import steps_to

IMAGES = digits.load({})
SPLITS = {"train": 960, "test": 256, "heldout": 256}


def spec(arm: str, width: int = 32, batch: int = 32, steps: int = 50, depth: int = 3) -> dict:
    setting = {
        "arm": arm,
        "depth": depth,
        "gain": 1.0,
        "inputs": "standardized",
        "width": width,
        "batch": batch,
    }
    setting["optimizer"] = "sgd"
    return {
        "setting": setting, "family": "mlp", "steps": steps, "momentum": 0.9, "targets": [0.5, 0.25], "splits": SPLITS
    }  # fmt: skip


class Constant(nn.Module):
    """`once` and `affine` in plain torch: gamma (h - mean) / sqrt(var + eps) + beta with constants."""

    def __init__(self, width: int, once: bool) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.once, self.constants = once, None

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        if self.constants is None:
            var, mean = torch.var_mean(h.detach(), 0, correction=0)
            self.constants = (mean, torch.sqrt(var + 1e-5)) if self.once else (0.0, 1.0)
        return self.weight * (h - self.constants[0]) / self.constants[1] + self.bias


def plain(s: dict, run: Run) -> tuple[np.ndarray, nn.Sequential]:
    """The same run by one torch.nn network alone, in float64: its losses and the trained network."""
    arm, width = s["setting"]["arm"], s["setting"]["width"]
    ours = build(s, IMAGES, [run.seed], torch.float64)
    layers: list[nn.Module] = []
    for weight in ours.weights:
        lin = nn.Linear(weight.shape[2], width, bias=arm == "none").double()
        lin.weight.data = weight.data[0].clone()
        if lin.bias is not None:
            lin.bias.data.zero_()
        norm: list[nn.Module] = []
        if arm in ("bn", "bn_frozen"):
            norm = [nn.BatchNorm1d(width, affine=arm == "bn").double()]
        elif arm in ("once", "affine"):
            norm = [Constant(width, arm == "once").double()]
        layers += [lin, *norm, nn.ReLU()]
    head = nn.Linear(width, 10).double()
    head.weight.data, head.bias.data = ours.head.data[0].clone(), torch.zeros(10, dtype=torch.float64)
    net = nn.Sequential(*layers, head)
    x, y = (torch.from_numpy(a) for a in part(IMAGES, s, run.seed, "train"))
    index = batches([run.seed], len(x), s["setting"]["batch"], s["steps"])[:, 0]
    net.eval() if arm in ("bn", "bn_frozen") else net(x.double()[index[0]])  # constants of the first batch
    net.train()
    if s["setting"]["optimizer"] == "adam":
        optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), lr=run.rate)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=run.rate, momentum=s["momentum"])
    losses = []
    for i in index:
        loss = nn.functional.cross_entropy(net(x.double()[i]), y[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), net


@pytest.mark.parametrize("arm", ["none", "bn", "bn_frozen", "once", "affine"])
def test_a_stacked_run_equals_plain_torch(arm: str) -> None:
    s = spec(arm)
    runs = [Run(0, 0.03), Run(1, 1e6), Run(2, 0.1)]  # the middle one diverges wherever rates matter
    result = train(s, runs, IMAGES, keep=True, dtype=torch.float64)
    for i in (0, 2):
        losses, net = plain(s, runs[i])
        assert np.abs(result.loss[:, i] - losses).max() < 1e-5
        if arm in ("bn", "bn_frozen"):
            norms = [m for m in net if isinstance(m, nn.BatchNorm1d)]
            for layer, norm in enumerate(norms):
                for name in ("running_mean", "running_var"):
                    ours = result.checkpoints["final"][f"norms.{layer}.{name}"][i]
                    assert np.abs(ours - getattr(norm, name).numpy()).max() < 1e-5
    if arm == "none":
        assert result.diverged[1] > 0


@pytest.mark.parametrize("arm", ["none", "bn", "once"])
def test_a_stacked_run_equals_plain_torch_with_adam(arm: str) -> None:
    s = spec(arm)
    s["setting"]["optimizer"] = "adam"
    runs = [Run(0, 0.003), Run(1, 1e6), Run(2, 0.01)]
    result = train(s, runs, IMAGES, keep=True, dtype=torch.float64)
    for i in (0, 2):
        assert np.abs(result.loss[:, i] - plain(s, runs[i])[0]).max() < 1e-5


def test_without_checkpoints_training_ends_when_every_run_is_done() -> None:
    s = spec("bn", steps=200)
    s["targets"] = [1.0, 0.8]
    runs = [Run(0, 0.1), Run(1, 0.03), Run(2, 1e6)]
    whole, short = train(s, runs, IMAGES, keep=True), train(s, runs, IMAGES, keep=False)
    assert len(short.loss) == short.done.max() < len(whole.loss) == 200
    assert np.array_equal(short.loss, whole.loss[: len(short.loss)], equal_nan=True)
    assert np.array_equal(short.done, whole.done)
    for target in s["targets"]:
        steps = [steps_to(r.loss, r.diverged, target) for r in (whole, short)]
        assert np.array_equal(*steps) and np.isfinite(steps[0][:2]).all()
    slow = train(s, [Run(0, 1e-6)], IMAGES, keep=False)
    assert len(slow.loss) == slow.done[0] == 200


@pytest.mark.parametrize("arm", ["none", "bn", "bn_frozen", "once", "affine"])
@pytest.mark.parametrize(("width", "batch"), [(32, 32), (64, 64), (48, 16)])
def test_bits_of_a_run_do_not_depend_on_its_stack(arm: str, width: int, batch: int) -> None:
    torch.set_num_threads(1)
    s = spec(arm, width, batch, steps=30)
    many = [Run(seed, rate) for seed in range(4) for rate in (0.03, 1e6, 0.1)]
    whole = train(s, many, IMAGES, keep=True)
    for some in (many[:1], many[5:8], many[2:11]):
        alone = train(s, some, IMAGES, keep=True)
        at = [many.index(r) for r in some]
        assert np.array_equal(alone.loss, whole.loss[:, at], equal_nan=True)
        for k, v in alone.checkpoints["final"].items():
            assert np.array_equal(v, whole.checkpoints["final"][k][at], equal_nan=True), k


def test_a_probe_changes_nothing() -> None:
    net = build(spec("bn"), IMAGES, [0, 1])
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net.set_statistics("batch", update=False)
    net(torch.randn(2, 64, 50), sites=lambda *a: None)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
