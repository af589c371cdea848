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


def bench(effort: Effort, results: Path) -> list[Metric]:
    """Measure everything; ``results`` holds what a finished default study left. Each metric says what it is."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:4.0f} s  {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="bnstudy-bench-") as folder:
        data = str(Path(folder) / "images.npz")
        stacked, convolutional = [], []
        with Machine() as machine:
            machine.alone("images", data)
            for number in range(effort.passes):
                say(f"pass {number + 1} of {effort.passes}: matrix product, stacked trainer, plain loop in turn")
                stacked.append(training.one_pass(machine, data, effort, number % 2 == 1, say))
                convolutional.append(training.cnn_pass(machine, data, effort, number % 2 == 1, say))
        say("one process a run, against stacked jobs")
        per_run = fresh.process_per_run(data, effort, say)
        say("memory of the largest jobs")
        rows = [*training.rows(stacked), *training.cnn_rows(convolutional), per_run]
        rows += fresh.job_peak(data, Path(folder), effort)
    rows += finished.costs(results / "default")
    rows.append(finished.size(results / "default", results / "cells", results / "data"))
    if torch.cuda.is_available() and effort != TINY:
        say("one card: stacks against a plain loop on the same card")
        device.settle("cuda", device.describe())
        rows += card.rows(say)
    return sorted(rows, key=lambda m: IDS.index(m.id) if m.id in IDS else len(IDS))


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
