"""What a job says on the terminal while it works, and in its log."""

import sys
import time


class Progress:
    """Lines on the terminal: what runs, how much is done, about how long is left."""

    PAUSE = 5
    """Least seconds between two lines of :meth:`tick`."""

    def __init__(self, job: str) -> None:
        self.job, self.trained, self.last = job, 0, 0.0
        self.begin(1)

    def begin(self, total: int) -> None:
        """Begin with a round of ``total`` pieces of work; ``done`` of them are."""
        self.total, self.done, self.started = total, 0, time.monotonic()

    def seconds(self) -> float:
        """Return how long the round has taken so far."""
        return time.monotonic() - self.started

    def report(self, text: str) -> None:
        """Write a line."""
        print(f"[{self.job}] {text}", file=sys.stderr, flush=True)

    def tick(self, share: float) -> None:
        """Note that ``share`` of the current piece is done; a line says so at most every five seconds."""
        now = time.monotonic()
        if now - self.last < self.PAUSE:
            return
        self.last = now
        done = (self.done + share) / self.total
        left = (now - self.started) * (1 - done) / max(done, 1e-6)
        self.report(f"{100 * done:.0f}% of this batch of networks, about {left:.0f} s left")
