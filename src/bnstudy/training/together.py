"""The networks of a stack that still train, and how they take a step: on a card, recorded once and replayed."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from bnstudy.arms.base import only
from bnstudy.data.batches import Batches
from bnstudy.nets.base import Net, cross_entropy
from bnstudy.training.optim import SGD, Adam

Step = Callable[[Tensor], Tensor]
"""(images of the batches [M, B], as :class:`Batches` has them) -> losses [M] before the step."""


class Together:
    """Networks that take their steps together.

    Attributes:
        net: The networks.
    """

    def __init__(self, net: Net, optimizer: SGD | Adam, seeds: Sequence[int], batches: Batches) -> None:
        self.net, self.optimizer, self.seeds, self.batches = net, optimizer, list(seeds), batches
        self.recorded: Recorded | None = None

    def take(self, step: int, count: int) -> np.ndarray:
        """Take ``count`` steps, the first of which is number ``step`` (from 0); return the loss before each [count, M]."""
        losses = []
        for number in range(step, step + count):
            self.net.set_noise(self.seeds, number)
            self.optimizer.begin(number + 1)
            losses.append(self._run(self.batches.index[number]))
        return torch.stack(losses).cpu().numpy()

    @torch.no_grad()
    def loss(self, step: int) -> np.ndarray:
        """Return the loss [M] of each network's function on its fixed training images, by that set's own statistics.

        Nothing in the networks changes. Arms that add noise draw that of the ``step`` to come.
        """
        self.net.set_statistics("batch", update=False)
        self.net.set_noise(self.seeds, step)
        inputs, labels = self.batches.fixed()
        losses = cross_entropy(self.net(inputs), labels)
        self.net.set_statistics("batch", update=True)
        return losses.cpu().numpy()

    def keep(self, which: Tensor) -> None:
        """Go on with the networks at the places ``which`` [m] alone."""
        self.seeds = [self.seeds[i] for i in which.tolist()]
        only(self.net, which)
        self.optimizer.keep(self.net.parameters(), which)
        self.batches.keep(which)
        self.recorded = None

    def pause(self) -> None:
        """Let go of the batches."""
        del self.batches
        self.recorded = None

    def resume(self, batches: Batches) -> None:
        """Go on after a pause."""
        self.batches = batches

    def state(self) -> list[Tensor]:
        """Return all that the next step depends on, beside its number."""
        return [*self.net.state_dict().values(), *self.optimizer.state()]

    def _run(self, chosen: Tensor) -> Tensor:
        if not chosen.is_cuda or any(norm.draws for norm in self.net.norms):
            return self._step(chosen)
        self.recorded = self.recorded or Recorded()
        return self.recorded.run(self._step, chosen)

    def _step(self, chosen: Tensor) -> Tensor:
        inputs, labels = self.batches.at(chosen)
        losses = cross_entropy(self.net(inputs), labels)
        self.optimizer.step(losses)
        return losses.detach()


class Recorded:
    """A step that a card records once, as a CUDA graph, and then replays: hundreds of small kernels start as one.

    The first step runs as it is, since libraries set themselves up then, which no recording may hold.
    """

    def __init__(self) -> None:
        self.graph: torch.cuda.CUDAGraph | None = None
        self.chosen: Tensor | None = None

    def run(self, step: Step, chosen: Tensor) -> Tensor:
        """Take a step, always the same one on the same networks."""
        if self.chosen is None:
            self.chosen = chosen.clone()
            here, beside = torch.cuda.current_stream(), torch.cuda.Stream()
            beside.wait_stream(here)
            with torch.cuda.stream(beside):
                losses = step(self.chosen)
            here.wait_stream(beside)
            return losses
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=torch.cuda.Stream()):
                self.losses = step(self.chosen)
        self.chosen.copy_(chosen)
        self.graph.replay()
        return self.losses.clone()
