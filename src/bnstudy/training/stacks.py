"""Cells side by side: which train in one stack, which stacks go on, and what of them is stored."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bnstudy.core import store

if TYPE_CHECKING:
    from bnstudy.training.train import Trained

CELLS = Path("results/cells")
Cell = dict[str, Any]
"""Of one setting: {rate, seeds, keep}."""


class Stack(NamedTuple):
    """Cells that train together, and what they leave at each budget, (budget, result): trained when it is asked for."""

    cells: list[Cell]
    stages: "Iterator[tuple[int, Trained]]"


class Progress:
    """Lines on the terminal (and in the job's log): what runs, how much is done, about how long is left."""

    def __init__(self, job: str) -> None:
        self.job, self.started, self.said, self.total, self.done = job, time.monotonic(), 0.0, 1, 0
        self.trained = 0

    def say(self, text: str) -> None:
        print(f"[{self.job}] {text}", file=sys.stderr, flush=True)

    def tick(self, share: float) -> None:
        """``share`` of the current stack is trained; speaks at most every five seconds."""
        now = time.monotonic()
        if now - self.said < 5:
            return
        self.said = now
        done = (self.done + share) / self.total
        left = (now - self.started) * (1 - done) / max(done, 1e-6)
        self.say(f"{100 * done:.0f}% of this batch of networks, about {left:.0f} s left")


class Trainer:
    """Trains cells of one setting and stores them; ``base`` is what they have in common but for their steps.

    Cells share a stack where the shapes keep their bits apart (width and batch multiples of 16), else each trains
    alone. What was trained for one of the ascending ``budgets`` stays in memory and goes on when asked for the next.
    """

    def __init__(self, base: dict[str, Any], data: Path, stack: int, budgets: Sequence[int], say: Progress) -> None:
        self.base, self.data, self.stack, self.budgets, self.say = base, data, stack, budgets, say
        self.paused: list[Stack] = []

    def train(self, wanted: list[Cell], steps: int) -> float:
        """Train those of ``wanted`` that the store lacks for so many ``steps``; returns the seconds it took."""
        base = {**self.base, "steps": steps}
        missing = [c for c in wanted if not store.stored(CELLS, store.key({**base, **c}))]
        if not missing:
            return 0.0
        paused = [stack for stack in self.paused if any(c in missing for c in stack.cells)]
        known = [c for stack in paused for c in stack.cells]
        stacks = paused + self._begin([c for c in missing if c not in known], steps)
        self.say.total, self.say.done, self.say.started = len(stacks), 0, time.monotonic()
        for cells, stages in stacks:
            result = next(trained for budget, trained in stages if budget == steps)
            self._store(base, cells, missing, result)
            self.say.done += 1
        self.paused = stacks if steps < self.budgets[-1] else []
        self.say.trained += len(missing)
        return time.monotonic() - self.say.started

    def _begin(self, cells: list[Cell], steps: int) -> list[Stack]:
        """``cells`` in stacks, untrained as yet, to pause at ``steps`` and at every larger budget."""
        if not cells:
            return []
        import torch

        from bnstudy.data.images import read
        from bnstudy.training.train import Run, train_on

        torch.set_num_threads(1)
        if ":" in self.base["setting"]["arm"]:
            _try(self.base["setting"]["arm"], self.base["setting"]["net"])
        images = read(self.data, self.base["setting"]["pool"])
        budgets = [b for b in self.budgets if b >= steps]
        stacks = []
        for together in self._grouped(cells):
            runs = [Run(seed, cell["rate"]) for cell in together for seed in cell["seeds"]]
            stages = train_on(self.base, runs, images, together[0]["keep"], budgets, self.say.tick)
            stacks.append(Stack(together, zip(budgets, stages, strict=True)))
        return stacks

    def _grouped(self, cells: list[Cell]) -> list[list[Cell]]:
        friendly = self.base["setting"]["width"] % 16 == 0 and self.base["setting"]["batch"] % 16 == 0
        stacks: list[list[Cell]] = []
        for cell in cells:
            last = stacks[-1] if stacks else None
            fits = last and sum(len(c["seeds"]) for c in last) + len(cell["seeds"]) <= self.stack
            if friendly and last and fits and last[0]["keep"] == cell["keep"]:
                last.append(cell)
            else:
                stacks.append([cell])
        return stacks

    def _store(self, base: dict[str, Any], cells: list[Cell], missing: list[Cell], result: "Trained") -> None:
        import numpy as np

        start = 0
        for cell in cells:
            mine = slice(start, start + len(cell["seeds"]))
            start = mine.stop
            if cell not in missing:
                continue
            # whatever the company in the stack
            end = result.done[mine].max() if cell["keep"] == "curve" else len(result.loss)
            curve = {"loss": result.loss[:end, mine].astype(np.float32), "diverged": result.diverged[mine]}
            kept = {n: {k: v[mine] for k, v in a.items()} for n, a in result.checkpoints.items()}
            store.put(CELLS, {**base, **cell}, {"curve": curve, **kept})


def _try(arm: str, net: str) -> None:
    """Ends the job, without a traceback of ours, where an arm from outside doesn't do what arms must."""
    from bnstudy.arms.find import check

    try:
        check(arm, net)
    except ValueError as error:
        raise SystemExit(f"{error}\nNothing was trained. config/README.md shows how an arm is written.") from None
