"""Small trained cells for the tests of measures, and the same networks one at a time in plain torch.nn."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace

import torch
from torch import nn

from bnstudy.core import store
from bnstudy.data import digits
from bnstudy.measures.cell import TrainedCell
from bnstudy.training.train import Run, train

IMAGES = digits.load({"pool": 1})
RATE, SHARED = 0.05, 0.03


@cache
def cell(
    arm: str,
    depth: int = 4,
    shared: float | None = SHARED,
    inputs: str = "standardized",
    net: str = "mlp",
    width: int = 32,
    models: int = 3,
) -> TrainedCell:
    """Networks trained on digits until well below a loss of .5."""
    setting = {"arm": arm, "depth": depth, "gain": 1.0, "inputs": inputs, "pool": 1}
    setting |= {"net": net, "width": width, "batch": 64, "optimizer": "sgd"}
    seeds = list(range(models))
    spec = {
        "setting": setting, "steps": 120, "momentum": 0.9, "targets": [0.5, 0.25],
        "splits": {"train": 960, "test": 256, "heldout": 256}, "rate": RATE, "seeds": seeds,
    }  # fmt: skip
    kept = train(spec, [Run(s, RATE) for s in seeds], IMAGES, keep="levels").checkpoints
    folder = Path(mkdtemp())
    store.put(folder, spec, kept)
    return TrainedCell(folder, store.key(spec), SimpleNamespace(images=lambda pool: IMAGES), shared)


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


def alone(net, model: int, dtype=torch.float32) -> nn.Sequential:
    """Network ``model`` of a stack of arm none or bn as plain torch.nn, on samples by rows; its last module is the
    head. Batch norm is in training mode: on the batch's statistics."""
    blocks = []
    for layer, weight in enumerate(net.weights):
        norm, bias = nn.Identity(), None
        if net.norms[layer].bias:
            bias = net.biases[layer].data[model]
        else:
            norm = nn.BatchNorm1d(weight.shape[1])
            norm.weight.data = net.norms[layer].gamma.data[model].clone()
            norm.bias.data = net.norms[layer].beta.data[model].clone()
        blocks.append(Block(weight.data[model], bias, norm))
    head = nn.Linear(net.head.shape[2], net.head.shape[1])
    head.weight.data, head.bias.data = net.head.data[model].clone(), net.head_bias.data[model].clone()
    return nn.Sequential(*blocks, head).to(dtype)


def images_of(cell: TrainedCell, model: int, rows=slice(None), dtype=torch.float32):
    """(images by rows, labels) of one network's training split."""
    x, y = cell.split("train")
    return x[model].T[rows].to(dtype), y[model][rows]
