"""``make bench``: measure how fast the trainer is and what a study costs; print a table, write results/bench.json."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

from bnstudy.bench import card, finished, fresh, training
from bnstudy.bench.figures import IDS, Metric, line
from bnstudy.bench.machine import Machine
from bnstudy.bench.shapes import TINY, Effort
from bnstudy.core import store
from bnstudy.training import device

RESULTS = Path("results")
Passes = tuple[list[dict[training.Shape, training.Timed]], list[dict[str, float]]]


class Progress:
    """Says on a line how long the benchmark has run and what it found; the table follows at the end."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:4.0f} s  {text}", file=sys.stderr, flush=True)


def bench(effort: Effort, results: Path) -> list[Metric]:
    """Measure everything; ``results`` holds what a finished default study left. Each metric says what it is."""
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="bnstudy-bench-") as folder:
        data = str(Path(folder) / "images.npz")
        passes, convolutional = _passes(data, effort, progress)
        progress.say("one process a run, against stacked jobs")
        per_run = fresh.process_per_run(data, effort, progress.say)
        progress.say("memory of the largest jobs")
        rows = [*training.rows(passes), *training.cnn_rows(convolutional), per_run]
        rows += fresh.job_peak(data, Path(folder), effort)
    rows += finished.costs(results / "default")
    rows.append(finished.size(results / "default", results / "cells", results / "data"))
    if torch.cuda.is_available() and effort != TINY:
        progress.say("one card: stacks against a plain loop on the same card")
        device.settle("cuda", device.describe())
        rows += card.rows(progress.say)
    return sorted(rows, key=lambda m: IDS.index(m.id) if m.id in IDS else len(IDS))


def _passes(data: str, effort: Effort, progress: Progress) -> Passes:
    with Machine() as machine:
        machine.alone("images", data)
        stacked, convolutional = [], []
        for number in range(effort.passes):
            progress.say(f"pass {number + 1} of {effort.passes}: matrix product, stacked trainer, plain loop in turn")
            stacked.append(training.one_pass(machine, data, effort, number % 2 == 1, progress.say))
            convolutional.append(training.cnn_pass(machine, data, effort, number % 2 == 1, progress.say))
        return stacked, convolutional


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bnstudy.bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "bench.json", help="the file to write")
    parser.add_argument("--tiny", action="store_true", help="a few steps of everything: whether it runs, not how fast")
    a = parser.parse_args()
    rows = bench(TINY if a.tiny else Effort(), RESULTS)
    print(*map(line, rows), sep="\n")
    store.write_json(a.out, [row._asdict() for row in rows])


if __name__ == "__main__":
    main()
