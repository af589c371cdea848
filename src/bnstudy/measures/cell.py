"""A stored cell as the measures see it: its networks at a checkpoint, and the images its seeds drew."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnstudy.core import store
from bnstudy.data.batches import parts
from bnstudy.data.images import Images, read
from bnstudy.data.shifts import SHIFTS, shift
from bnstudy.training.train import build

KEPT = 2**28
"""Bytes of shifted images that a job keeps at most."""
PROBE = 512
"""Training images in the fixed probe batch; a network family whose pixels are samples too has a PROBE of its own."""


class StudyImages:
    """The stored images of a study, pooled, and their shifted copies: read and made once for many cells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._images: dict[int, Images] = {}
        self._kept: list[tuple[str, int, Tensor]] = []
        self._pool = 0

    def images(self, pool: int) -> Images:
        if pool not in self._images:
            self._images[pool] = read(self.path, pool)
        return self._images[pool]

    def shifted(self, pool: int) -> Iterable[tuple[str, int, Tensor]]:
        """(family, severity, all images [N, C, H, W] under that shift), the clean ones first.

        Kept for the next cell where they are small; else made anew each time, so that a job stays small.
        """
        clean = torch.from_numpy(self.images(pool).x)
        kinds = [("clean", 0), *((family, severity) for family in SHIFTS for severity in range(1, 6))]
        each = ((f, s, shift(clean, f, s, 0) if s else clean) for f, s in kinds)
        if clean.nbytes * len(kinds) > KEPT:
            return each
        if self._pool != pool:
            self._pool, self._kept = pool, list(each)
        return self._kept


class TrainedCell:
    """The runs of one cell: one setting, one ``rate``, ``seeds`` [M]. ``shared``: the rate that all arms share."""

    def __init__(self, cells: Path, name: str, source: StudyImages, shared: float | None = None) -> None:
        self.spec, self.files = store.get(cells, name)
        self.cells, self.name, self.source, self.shared = cells, name, source, shared
        self.seeds: list[int] = self.spec["seeds"]
        self.setting: dict[str, Any] = self.spec["setting"]
        self.rate: float = self.spec["rate"]
        self.images = source.images(self.setting["pool"])

    def checkpoints(self) -> list[str]:
        return [f for f in self.files if f != "curve"]

    def levels(self) -> list[str]:
        """The checkpoints from the initial networks through the levels of the training loss that some seed reached."""
        reached = (name for name in self.files if name.startswith("loss"))
        return ["init", *sorted(reached, key=lambda name: -float(name.removeprefix("loss")))]

    def have(self, checkpoint: str) -> np.ndarray:
        """Which seeds reached a checkpoint -> bool [M]."""
        if checkpoint not in self.files:
            return np.zeros(len(self.seeds), bool)
        return store.arrays(self.cells, self.name, checkpoint)["have"]

    def net(self, checkpoint: str, statistics: str = "batch") -> Any:
        """The networks at a checkpoint; a forward pass changes nothing in them."""
        state = store.arrays(self.cells, self.name, checkpoint)
        state.pop("have")
        net = build(self.spec, self.images, self.seeds)
        net.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=checkpoint != "init")
        net.set_statistics(statistics, update=False)
        return net

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Inputs [M, features, n] and labels [M, n] of each seed's own split."""
        x, labels = parts(self.images, self.spec["splits"], self.setting["inputs"], self.seeds, name)
        return x.mT, labels

    @cached_property
    def probe(self) -> Tensor:
        """The first training images of each seed [M, features, n]: fixed, the same for every arm."""
        family = import_module(f"bnstudy.nets.{self.setting['net']}")
        return self.split("train")[0][..., : getattr(family, "PROBE", PROBE)].contiguous()

    @torch.no_grad()
    def activations(self, checkpoint: str) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """(layer, {site: [M, C, n]}) of the probe on batch statistics, layer by layer; n samples: images, or their
        pixels. `relu` is left out where it is `next`.

        Arms that add noise draw it anew for each checkpoint, at moments beyond their training: it is what moves there.
        """
        found: dict[str, Tensor] = {}
        net = self.net(checkpoint)
        net.set_noise(self.seeds, self.spec["steps"] + self.checkpoints().index(checkpoint))
        for layer, _ in enumerate(net.states(self.probe, sites=lambda layer, site, h: found.update({site: h})), 1):
            if found["relu"] is found["next"]:
                del found["relu"]
            yield layer, {site: h.flatten(2) for site, h in found.items()}
            found.clear()
