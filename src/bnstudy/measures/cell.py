"""A stored cell as the measures see it: its networks at a checkpoint, and the images its seeds drew."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnstudy.core import store
from bnstudy.data.batches import CPU, parts
from bnstudy.data.images import Images, read, read_other, resized
from bnstudy.data.shifts import applicable, shift
from bnstudy.nets.find import family
from bnstudy.training.train import build

KEPT = {CPU: 2**28, "cuda": 2**34}
"""Bytes of shifted images that a job keeps at most."""
PROBE = 512
"""Training images in the fixed probe batch; a network family whose pixels are samples too has a PROBE of its own."""


class StudyImages:
    """The stored images of a study, pooled, and their shifted copies: read and made once for many cells.

    Attributes:
        device: Where networks are measured: "cpu" or "cuda".
    """

    def __init__(self, path: Path, device: str = CPU) -> None:
        self.path, self.device = path, device
        self._images: dict[int, Images] = {}
        self._others: dict[int, Images | None] = {}
        self._kept: list[tuple[str, int, Tensor]] = []
        self._pool = 0

    def images(self, pool: int) -> Images:
        """Return the images, pooled by a factor."""
        if pool not in self._images:
            self._images[pool] = read(self.path, pool)
        return self._images[pool]

    def other(self, pool: int) -> Images | None:
        """Return another source's images, at the size of the images pooled by a factor; None where the study has none."""
        if pool not in self._others:
            found = read_other(self.path)
            self._others[pool] = found and resized(found, *self.images(pool).x.shape[2:])
        return self._others[pool]

    def pixels(self, pool: int) -> Tensor:
        """Return all images [N, C, H, W], where networks are measured."""
        return torch.from_numpy(self.images(pool).x).to(self.device)

    def shifted(self, pool: int) -> Iterable[tuple[str, int, Tensor]]:
        """Return (family, severity, all images [N, C, H, W] under that shift) of each, the clean ones first.

        They are kept for the next cell where they are small; else they are made anew each time, so that a job stays small.
        """
        clean = self.pixels(pool)
        kinds = [("clean", 0), *((family, severity) for family in applicable(clean) for severity in range(1, 6))]
        shifted = ((f, s, shift(clean, f, s, 0) if s else clean) for f, s in kinds)
        if clean.nbytes * len(kinds) > KEPT[self.device]:
            return shifted
        if self._pool != pool:
            self._pool, self._kept = pool, list(shifted)
        return self._kept


class TrainedCell:
    """The trained networks of one cell: they share a setting and a rate, and have a seed each.

    Attributes:
        spec: The complete specification of the cell.
        seeds: The seed of each of the M networks.
        setting: Their network design.
        rate: Their learning rate.
        shared: The rate that all arms share, if there is one.
        images: The images of the study, pooled as the setting says.
        files: The names of the stored arrays: "curve" and the checkpoints.
    """

    def __init__(self, cells: Path, name: str, source: StudyImages, shared: float | None = None) -> None:
        self.spec, self.files = store.get(cells, name)
        self.cells, self.name, self.source, self.shared = cells, name, source, shared
        self.seeds, self.setting, self.rate = list(self.spec.seeds), self.spec.setting, self.spec.rate
        self.images = source.images(self.setting.pool)

    def checkpoints(self) -> list[str]:
        """Return the names of the stored states of the networks."""
        return [f for f in self.files if f != "curve"]

    def levels(self) -> list[str]:
        """Return the checkpoints from the initial networks through the levels of the training loss that some seed reached."""
        reached = (name for name in self.files if name.startswith("loss"))
        return ["init", *sorted(reached, key=lambda name: -float(name.removeprefix("loss")))]

    def have(self, checkpoint: str) -> np.ndarray:
        """Return which seeds reached a checkpoint: bool [M]."""
        if checkpoint not in self.files:
            return np.zeros(len(self.seeds), bool)
        return store.arrays(self.cells, self.name, checkpoint)["have"]

    def loss(self, checkpoint: str) -> np.ndarray:
        """Return the loss of the function [M], nats, that each network had at a checkpoint which it reached."""
        return store.arrays(self.cells, self.name, checkpoint)["loss"]

    def net(self, checkpoint: str, statistics: str = "batch") -> Any:
        """Return the networks at a checkpoint; a forward pass changes nothing in them."""
        stored = store.arrays(self.cells, self.name, checkpoint)
        state = {k: v for k, v in stored.items() if k not in ("have", "step", "loss")}
        net = build(self.spec, self.images, self.seeds)
        net.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=checkpoint != "init")
        net.set_statistics(statistics, update=False)
        return net.to(self.source.device)

    @property
    def pixels(self) -> Tensor:
        """Return all images of the study [N, C, H, W], where the networks are."""
        return self.source.pixels(self.setting.pool)

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Return inputs [M, features, n] and labels [M, n] of each seed's own split."""
        x, labels = parts(self.images, self.spec, self.seeds, name, self.source.device)
        return x.mT, labels

    @cached_property
    def probe(self) -> Tensor:
        """Return the first training images of each seed [M, features, n]: fixed, the same for every arm."""
        return self.split("train")[0][..., : getattr(family(self.setting.net), "PROBE", PROBE)].contiguous()

    @torch.no_grad()
    def activations(self, checkpoint: str) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """Yield the probe's activations on batch statistics, layer by layer: (layer, {site: [M, C, n]}).

        The n samples are images, or their pixels. `relu` is left out where it is `next`. Arms that add noise draw it anew
        for each checkpoint, at moments beyond their training: it is what moves there.
        """
        sites: dict[str, Tensor] = {}
        net = self.net(checkpoint)
        net.set_noise(self.seeds, self.spec.steps + self.checkpoints().index(checkpoint))
        for layer, _ in enumerate(net.states(self.probe, sites=lambda layer, site, h: sites.update({site: h})), 1):
            if sites["relu"] is sites["next"]:
                del sites["relu"]
            yield layer, {site: h.flatten(2) for site, h in sites.items()}
            sites.clear()
