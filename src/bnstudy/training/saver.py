"""The checkpoints of a stack: at the start, where losses fall to levels, at a fixed step and at the end."""

from collections import deque
from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.store import Arrays
from bnstudy.training.clock import OFF, crossings, nearest
from bnstudy.training.together import Together

EARLY = 100
"""A checkpoint at a fixed step, for the spread of activations early in training."""


class Saver:
    """Copies the parameters and averages of networks: at the start those that differ from ``built``; at the look whose
    loss is nearest to each of ``levels``, where it falls to it; at step EARLY, if there are levels; and at the end.

    That a loss has fallen shows one look later, so the networks of the last looks are at hand. Where no look is near
    enough to a level, the steps between the two on its sides are taken again, with a look at each. Beside the networks a
    checkpoint says which of them it has, and after which step and at which loss of the function each was taken.
    """

    def __init__(self, together: Together, built: Mapping[str, Tensor], levels: Collection[float]) -> None:
        self.together, self.levels = together, sorted(levels, reverse=True)
        self.models = len(next(iter(built.values())))
        self.saved: dict[str, Arrays] = {}
        self.open = {level: np.ones(self.models, bool) for level in self.levels}
        self.looks: deque[tuple[int, list[Tensor]]] = deque(maxlen=3)
        self.built, self.names = built, list(built)

    def see(self, steps: list[int], losses: np.ndarray, sound: np.ndarray) -> None:
        """Save what the latest look asks for.

        Args:
            steps: The step of each look so far.
            losses: The loss at each of them [looks, M].
            sound: Which runs have not diverged [M].
        """
        state, everyone = self.together.net.state_dict(), np.ones(self.models, bool)
        if not self.saved:
            state = {k: v for k, v in state.items() if not torch.equal(v, self.built[k])}
            self._save("init", state, everyone, 0, losses[-1])
        elif steps[-1] == EARLY and self.levels:
            self._save(f"step{EARLY}", state, everyone, EARLY, losses[-1])
        if not any(runs.any() for runs in self.open.values()):
            self.looks.clear()
            return
        self.looks.append((len(steps) - 1, [v.clone() for v in self.together.state()]))
        for level, runs in self.open.items():
            fallen = runs & sound & (crossings(losses[-2:], level) == 0)
            if fallen.any():
                place = nearest(losses, level)
                for look, then in self.looks:
                    named = dict(zip(self.names, then))
                    self._save(f"loss{level}", named, fallen & (place == look), steps[look], losses[look])
                if (far := fallen & (place < 0)).any():
                    self._between(level, far, steps[-3:-1])
            self.open[level] = runs & ~fallen

    def _between(self, level: float, far: np.ndarray, steps: list[int]) -> None:
        """Save those of the networks ``far`` [M] that come near enough to a level between two looks, at the nearest step.

        Args:
            level: The loss that they fell to from one look to the next, nats.
            far: The networks.
            steps: The steps of these two looks; one alone, of the first look, has none before it.
        """
        if len(steps) < 2 or steps[1] - steps[0] < 2:
            return
        now = self.looks[-1][1]
        self._go_back_to(self.looks[-3][1])
        least = np.full(self.models, OFF)
        for step in range(steps[0] + 1, steps[1]):
            self.together.take(step - 1, 1)
            loss = self.together.loss(step)
            nearer = far & (np.abs(loss / level - 1) < least)
            least[nearer] = np.abs(loss / level - 1)[nearer]
            self._save(f"loss{level}", self.together.net.state_dict(), nearer, step, loss)
        self._go_back_to(now)

    @torch.no_grad()
    def _go_back_to(self, state: list[Tensor]) -> None:
        for value, old in zip(self.together.state(), state, strict=True):
            value.copy_(old)

    def finish(self, step: int) -> dict[str, Arrays]:
        """Save the networks as they are now, after ``step`` steps, and return all that was saved."""
        everyone = np.ones(self.models, bool)
        self._save("final", self.together.net.state_dict(), everyone, step, self.together.loss(step))
        return self.saved

    def _save(self, name: str, state: Mapping[str, Tensor], which: np.ndarray, step: int, losses: np.ndarray) -> None:
        if not which.any():
            return
        known = {k: v.detach().cpu().numpy() for k, v in state.items()}
        known |= {"have": which, "step": np.full(self.models, step), "loss": losses}
        kept = self.saved.setdefault(name, {k: np.zeros_like(v) for k, v in known.items()})
        for k, v in known.items():
            kept[k][which] = v[which]
