"""Is batch norm faster in time? The steps that it saves in a finished study, and what a step with it costs on this machine.

``python -m bnstudy.bench.seconds results/NAME`` prints a table in Markdown; it takes some minutes.
"""

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pandas as pd
import torch

from bnstudy.bench.card import made_up
from bnstudy.bench.shapes import BATCH, RATE, spec
from bnstudy.core.cell import TrainingSpec
from bnstudy.data.images import Images
from bnstudy.nets.find import family
from bnstudy.training.train import Run, train

MODELS, PASSES = 12, 5
STEPS = {False: 1200, True: 60}
"""Steps x layers of a timed stack, and of a timed network of a family whose networks train one at a time."""


class Seconds(NamedTuple):
    """A setting: steps without batch norm : with it and its interval (nan: beyond what was run), and what a step with it
    costs, without it 1, in each pass."""

    name: str
    steps: tuple[float, float, float]
    cost: list[float]

    def line(self) -> str:
        """Return the row of the table."""
        middle = median(self.cost)
        step = f"{middle:.2f} ({min(self.cost):.2f} to {max(self.cost):.2f})"
        return f"| {self.name} | {_interval(*self.steps)} | {step} | {_interval(*(s / middle for s in self.steps))} |"


def _interval(estimate: float, low: float, high: float) -> str:
    return f"at least {low:.2g}" if math.isnan(high) else f"{estimate:.2g} ({low:.2g} to {high:.2g})"


def timed(forecasts: pd.DataFrame) -> Iterator[Seconds]:
    """Time both arms of every setting in turn.

    Args:
        forecasts: forecasts.csv of a study: its settings without norm, and the steps that batch norm saves in each.
    """
    images = made_up(2)
    for row in forecasts.to_dict("records"):
        net, depth, width = str(row["net"]), int(row["depth"]), int(row["width"])
        alone = hasattr(family(net), "ALONE")
        runs = [Run(seed, RATE) for seed in range(1 if alone else MODELS)]
        both = [spec(arm, depth, STEPS[alone] // depth, net, width) for arm in ("none", "bn")]
        took = [[_seconds(setting, runs, images) for setting in both] for _ in range(PASSES)]
        name = f"{net}, {depth} layers of {width}"
        yield Seconds(name, (row["saving"], row["low"], row["high"]), [bn / none for none, bn in took])


def _seconds(setting: TrainingSpec, runs: list[Run], images: Images) -> float:
    """Return the processor time of training, of one core: what else runs on the machine hardly changes it."""
    started = time.process_time()
    train(setting, runs, images, "steps")
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bnstudy.bench.seconds", description=__doc__)
    parser.add_argument("study", type=Path, metavar="results/NAME", help="a finished study")
    table = pd.read_csv(parser.parse_args().study / "forecasts.csv")
    usual = (table["gain"] == 1) & (table["inputs"] == "standardized") & (table["batch"] == BATCH)
    torch.set_num_threads(1)
    print("| network | steps without : with | time of a step with : without | time without : with |\n|---|---|---|---|")
    for row in timed(table[usual]):
        print(row.line(), flush=True)


if __name__ == "__main__":
    main()
