"""The checkpoints of a stack: at the start, where losses fall below levels, at a fixed step and at the end."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.store import Arrays
from bnstudy.training.convergence import WINDOW
from bnstudy.training.together import Together

EARLY = 100
"""A checkpoint at a fixed step, for the spread of activations early in training."""


class Wanted(NamedTuple):
    """A checkpoint of the networks ``which`` [M] as they are after ``step`` steps; None: of all."""

    step: int
    name: str
    which: np.ndarray | None


class Saver:
    """Copies the parameters and averages of networks: at the start those that differ from ``built``; when the loss first
    falls below each of ``levels``; at step EARLY, if there are levels; and at the end.

    Losses are looked at some steps late. What a network was when its loss fell is found by taking these steps again.
    """

    def __init__(self, together: Together, built: Mapping[str, Tensor], levels: Collection[float]) -> None:
        self.together, self.levels = together, sorted(levels, reverse=True)
        state = together.net.state_dict()
        changed = {k: v.cpu().numpy().copy() for k, v in state.items() if not torch.equal(v, built[k])}
        self.models = len(next(iter(built.values())))
        self.saved: dict[str, Arrays] = {"init": {**changed, "have": np.ones(self.models, bool)}}
        self.have = {level: np.zeros(self.models, bool) for level in self.levels}
        self.wanted: list[Wanted] = []

    def before(self, step: int, count: int) -> None:
        """Remember the networks after ``step`` steps, if some of the next ``count`` may have to be taken again."""
        self.first = step
        self.start = [value.clone() for value in self.together.state()] if self.levels and count > 1 else []

    def see(self, step: int, window: np.ndarray, sound: np.ndarray) -> None:
        """Note which checkpoints step number ``step`` (from 1) asks for; ``window`` holds the losses up to it [20, M]."""
        if step == EARLY and self.levels:
            self.wanted.append(Wanted(step, f"step{EARLY}", None))
        if len(window) < WINDOW:
            return
        mean = window.mean(0)
        for level in self.levels:
            new = (mean < level) & ~self.have[level] & sound
            if new.any():
                self.have[level] |= new
                self.wanted.append(Wanted(step, f"loss{level}", new))

    def after(self, step: int) -> None:
        """Save what was noted since :meth:`before`; the networks have taken ``step`` steps, and have so afterwards."""
        now = step
        for wanted in self.wanted:
            if wanted.step < now:
                with torch.no_grad():
                    for value, old in zip(self.together.state(), self.start):
                        value.copy_(old)
                now = self.first
            now = self._again(now, wanted.step)
            self._save(wanted.name, wanted.which)
        self._again(now, step)
        self.wanted = []

    def finish(self) -> dict[str, Arrays]:
        """Save the networks as they are now, and return all that was saved."""
        self._save("final", None)
        return self.saved

    def _again(self, now: int, step: int) -> int:
        if step > now:
            self.together.take(now, step - now)
        return step

    def _save(self, name: str, which: np.ndarray | None) -> None:
        state = {k: v.detach().cpu().numpy() for k, v in self.together.net.state_dict().items()}
        if which is None:
            self.saved[name] = {k: v.copy() for k, v in state.items()}
            self.saved[name]["have"] = np.ones(self.models, bool)
            return
        if name not in self.saved:
            self.saved[name] = {k: np.zeros_like(v) for k, v in state.items()}
            self.saved[name]["have"] = np.zeros(self.models, bool)
        for k, v in state.items():
            self.saved[name][k][which] = v[which]
        self.saved[name]["have"] |= which
