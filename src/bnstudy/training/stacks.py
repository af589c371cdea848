"""Cells side by side: which of them train in one stack, which stacks go on, and what of them is stored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bnstudy.core import seals, store
from bnstudy.core.cell import CellSpec
from bnstudy.core.names import module_of
from bnstudy.training import clock
from bnstudy.training.progress import Progress

if TYPE_CHECKING:
    from bnstudy.data.images import Images
    from bnstudy.training.train import Trained

CELLS = Path("results/cells")


def trained_by(arm: str, net: str, device: str) -> tuple[str, ...]:
    """Return the modules whose code trained networks depend on."""
    trainer = ["bnstudy.training.train", *([] if device == "cpu" else ["bnstudy.training.device"])]
    return (*trainer, module_of("arms", arm), module_of("nets", net))


@lru_cache(maxsize=1)
def pooled(data: Path, pool: int) -> "Images":
    """Return the stored images of a study, pooled by a factor; a process keeps those it read last."""
    from bnstudy.data.images import read

    return read(data, pool)


class Stack(NamedTuple):
    """Cells that train together, and what they leave at each budget, (budget, result): trained when it is asked for."""

    cells: list[CellSpec]
    results: "Iterator[tuple[int, Trained]]"


@dataclass
class Trainer:
    """Trains cells of one setting and stores them.

    Cells share a stack where the shapes keep their bits apart (width, batch and the images that tell the loss of the
    function multiples of 16), else each trains alone; on a card they share one as large as it takes. What was trained for one of the ascending ``budgets`` stays in
    memory and goes on when asked for the next. Before cells are stored ``check`` is called, which raises where they must
    not be.
    """

    data: Path
    stack: int
    budgets: Sequence[int]
    progress: Progress
    check: Callable[[], None]
    device: str = "cpu"
    paused: list[Stack] = field(default_factory=list)

    def train(self, cells: Sequence[CellSpec]) -> float:
        """Train those of the cells that the store lacks, all of one setting and number of steps; return the seconds."""
        missing = [cell for cell in cells if not seals.sound(CELLS / store.key(cell), cell=True)]
        if not missing:
            return 0.0
        steps = missing[0].steps
        paused = [Stack([replace(c, steps=steps) for c in stack.cells], stack.results) for stack in self.paused]
        paused = [stack for stack in paused if any(cell in missing for cell in stack.cells)]
        known = [cell for stack in paused for cell in stack.cells]
        stacks = paused + self._begin([cell for cell in missing if cell not in known])
        self.progress.begin(len(stacks))
        for stack in stacks:
            result = next(trained for budget, trained in stack.results if budget == steps)
            self._store(stack.cells, missing, result)
            self.progress.done += 1
        self.paused = stacks if steps < self.budgets[-1] else []
        self.progress.trained += len(missing)
        return self.progress.seconds()

    def _begin(self, cells: list[CellSpec]) -> list[Stack]:
        """Return the cells in stacks, untrained as yet, to pause at their steps and at every larger budget."""
        if not cells:
            return []
        from bnstudy.training.train import Run, train_on

        images = pooled(self.data, cells[0].setting.pool)
        budgets = [budget for budget in self.budgets if budget >= cells[0].steps]
        stacks = []
        for together in self._grouped(cells, images):
            runs = [Run(seed, cell.rate) for cell in together for seed in cell.seeds]
            tick, keep = self.progress.tick, together[0].keep
            results = train_on(together[0], runs, images, keep, budgets, tick, device=self.device)
            stacks.append(Stack(together, zip(budgets, results, strict=True)))
        return stacks

    def _grouped(self, cells: list[CellSpec], images: "Images") -> list[list[CellSpec]]:
        setting, most = cells[0].setting, self.stack
        fixed = min(cells[0].splits.train, clock.IMAGES)
        apart = any(size % 16 for size in (setting.width, setting.batch, fixed))
        if self.device != "cpu":
            from bnstudy.data.inputs import shape
            from bnstudy.training import device

            apart, most = False, min(self.stack, device.most(setting, shape(images, setting.inputs)))
        stacks: list[list[CellSpec]] = []
        for cell in cells:
            last = stacks[-1] if stacks else None
            fits = last and sum(len(c.seeds) for c in last) + len(cell.seeds) <= most
            if not apart and last and fits and last[0].keep == cell.keep:
                last.append(cell)
            else:
                stacks.append([cell])
        return stacks

    def _store(self, cells: list[CellSpec], missing: list[CellSpec], result: "Trained") -> None:
        import numpy as np

        self.check()
        start = 0
        for cell in cells:
            runs = slice(start, start + len(cell.seeds))
            start = runs.stop
            if cell not in missing:
                continue
            # whatever the company in the stack
            end = result.done[runs].max() if cell.keep in ("steps", "curve") else len(result.loss)
            curve = {"loss": result.loss[:end, runs].astype(np.float32), "diverged": result.diverged[runs]}
            curve["looks"] = result.looks[: len(clock.looks(end)), runs].astype(np.float32)
            checkpoints = {name: {k: v[runs] for k, v in arrays.items()} for name, arrays in result.checkpoints.items()}
            store.put(CELLS, cell, {"curve": curve, **checkpoints})
            with suppress(PermissionError):  # another user's, who was faster
                (CELLS / store.key(cell)).chmod(CELLS.stat().st_mode)  # put makes it the user's alone
