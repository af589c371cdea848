"""Small trained cells for the tests of measures, and the same networks one at a time in plain torch.nn."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from torch import nn

from bnstudy.core import store
from bnstudy.core.cell import CellSpec, Keep, Splits, TrainingSpec
from bnstudy.core.setting import Setting
from bnstudy.data import digits
from bnstudy.data.images import Images
from bnstudy.measures.cell import StudyImages, TrainedCell
from bnstudy.training.train import Run, train

IMAGES = digits.load()
RATE, SHARED = 0.05, 0.03
SPLITS = Splits(train=960, test=256, heldout=256)


def training_spec(
    arm: str, steps: int, targets: tuple[float, ...] = (0.5, 0.25), splits: Splits = SPLITS, **factors: Any
) -> TrainingSpec:
    """Return what training is told, for the digits or for other images that are split otherwise."""
    same = {"gain": 1.0, "inputs": "standardized", "net": "mlp", "optimizer": "sgd", "pool": 1}
    setting = Setting(arm=arm, **{**same, **factors})
    return TrainingSpec(setting=setting, steps=steps, momentum=0.9, targets=targets, splits=splits)


def cell_spec(spec: TrainingSpec, rate: float, seeds: Sequence[int], keep: Keep) -> CellSpec:
    """Return the specification of a cell of which no other code or data is told apart."""
    return CellSpec(**vars(spec), rate=rate, seeds=tuple(seeds), keep=keep, data="images", code="code", torch="torch")


@cache
def cell(
    arm: str,
    depth: int = 4,
    shared: float | None = SHARED,
    inputs: str = "standardized",
    net: str = "mlp",
    width: int = 32,
    models: int = 3,
    rate: float = RATE,
) -> TrainedCell:
    """Return networks trained on digits until well below a loss of .5."""
    training = training_spec(arm, depth=depth, width=width, batch=64, steps=120, inputs=inputs, net=net)
    spec = cell_spec(training, rate, range(models), "levels")
    kept = train(spec, [Run(seed, rate) for seed in spec.seeds], IMAGES, keep="levels").checkpoints
    folder = Path(mkdtemp())
    store.put(folder, spec, kept)
    return TrainedCell(folder, store.key(spec), Source(), shared)


class Source(StudyImages):
    """Images, by default the digits, in place of those that a study stored; and of another source, by default none."""

    def __init__(self, images: Images = IMAGES, other: Images | None = None) -> None:
        super().__init__(Path())
        self.only, self.elsewhere = images, other

    def other(self, pool: int) -> Images | None:
        return self.elsewhere

    def images(self, pool: int) -> Images:
        return self.only


class Block(nn.Module):
    """One hidden layer."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, norm: nn.Module) -> None:
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        self.linear.weight.data = weight.clone()
        if bias is not None:
            self.linear.bias.data = bias.clone()
        self.norm = norm

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.linear(x)))


def alone(net: Any, model: int, dtype: torch.dtype = torch.float32) -> Any:
    """Network ``model`` of a stack of arm none or bn as plain torch.nn, on samples by rows; its last module is the
    head. Batch norm is in training mode: on the batch's statistics."""
    blocks = []
    for layer, weight in enumerate(net.weights):
        norm: nn.Module = nn.Identity()
        bias = None
        if net.norms[layer].bias:
            bias = net.biases[layer].data[model]
        else:
            norm = batch = nn.BatchNorm1d(weight.shape[1])
            batch.weight.data = net.norms[layer].gamma.data[model].clone()
            batch.bias.data = net.norms[layer].beta.data[model].clone()
        blocks.append(Block(weight.data[model], bias, norm))
    head = nn.Linear(net.head.shape[2], net.head.shape[1])
    head.weight.data, head.bias.data = net.head.data[model].clone(), net.head_bias.data[model].clone()
    return nn.Sequential(*blocks, head).to(dtype)


def images_of(
    cell: TrainedCell, model: int, rows: slice | torch.Tensor = slice(None), dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images by rows, and the labels, of one network's training split."""
    x, y = cell.split("train")
    return x[model].T[rows].to(dtype), y[model][rows]
