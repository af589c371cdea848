"""What the Snakemake jobs do: each reads a complete specification and files, and knows nothing of the config."""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bnstudy import store

CELLS = Path("results/cells")


class Progress:
    """Lines on the terminal (and in the job's log): what runs, how much is done, about how long is left."""

    def __init__(self, job: str) -> None:
        self.job, self.started, self.said, self.total, self.done = job, time.monotonic(), 0.0, 1, 0

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


def train_cells(base: dict[str, Any], wanted: list[dict[str, Any]], data: Path, stack: int, say: Progress) -> int:
    """Train the cells of ``wanted`` ({rate, seeds, keep}) that the store lacks; returns how many.

    Cells share a stack where the shapes keep their bits apart (width and batch multiples of 16), else each trains
    alone.
    """
    missing = [c for c in wanted if not store.stored(CELLS, store.key({**base, **c}))]
    if not missing:
        return 0
    import numpy as np
    import torch

    from bnstudy.data.images import read
    from bnstudy.train import Run, train

    torch.set_num_threads(1)
    images = read(data)
    friendly = base["setting"]["width"] % 16 == 0 and base["setting"]["batch"] % 16 == 0
    stacks: list[list[dict[str, Any]]] = []
    for cell in missing:
        last = stacks[-1] if stacks else None
        fits = last and sum(len(c["seeds"]) for c in last) + len(cell["seeds"]) <= stack
        if friendly and last and fits and last[0]["keep"] == cell["keep"]:
            last.append(cell)
        else:
            stacks.append([cell])
    say.total, say.done, say.started = len(stacks), 0, time.monotonic()
    for cells in stacks:
        runs = [Run(seed, cell["rate"]) for cell in cells for seed in cell["seeds"]]
        result = train(base, runs, images, cells[0]["keep"], say.tick)
        start = 0
        for cell in cells:
            mine = slice(start, start + len(cell["seeds"]))
            start = mine.stop
            curve = {"loss": result.loss[:, mine].astype(np.float32), "diverged": result.diverged[mine]}
            kept = {n: {k: v[mine] for k, v in a.items()} for n, a in result.checkpoints.items()}
            store.put(CELLS, {**base, **cell}, {"curve": curve, **kept})
        say.done += 1
    return len(missing)


def blocks(seeds: list[int], stack: int) -> list[list[int]]:
    """Seeds in blocks of up to eight: what one cell holds."""
    size = min(8, stack)
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def sweep(spec: dict[str, Any], data: Path, out: Path) -> None:
    """Train the tuning seeds of one arm at one depth over the rates; write every run's steps and the best rates."""
    from bnstudy import tune

    say, trained, cells, rows, rates = Progress(out.stem + " sweep"), 0, [], [], []
    for setting in spec["settings"]:
        base = cell_base(spec, setting, data)

        def run(grid: list[float], base: dict[str, Any] = base) -> list[dict[str, Any]]:
            nonlocal trained
            seeds = blocks(spec["seeds"], spec["stack"])
            wanted = [{"rate": r, "seeds": s, "keep": False} for r in grid for s in seeds]
            trained += train_cells(base, wanted, data, spec["stack"], say)
            found = []
            for cell in wanted:
                name = store.key({**base, **cell})
                cells.append(name)
                found += _convergence(base, name, cell)
            return found

        table, best = tune.search(spec["rates"], spec["targets"], run)
        rows += table
        rates += [{**setting, **b} for b in best]
    say.say(f"trained {trained} cells, reused {len(cells) - trained}")
    store.write_json(out, {"cells": cells, "trained": trained, "rows": rows, "best": rates})


def choose(spec: dict[str, Any], sweeps: list[Path], out: Path) -> None:
    """Gather the best rates; the shared rate of a depth is that of `none` at the base gain and inputs.

    ``spec``: the main target, and the settings evaluated over the whole grid of rates, which is listed as it is.
    """
    best = [row for path in sweeps for row in json.loads(path.read_text())["best"]]
    rows = [{**{k: r[k] for k in r if k != "target"}, "role": f"best@{r['target']}"} for r in best]
    for depth in sorted({r["depth"] for r in best}):
        ours = {
            "arm": "none",
            "depth": depth,
            "gain": 1.0,
            "inputs": "standardized",
            "target": spec["target"],
        }
        base = next((r for r in best if all(r[k] == v for k, v in ours.items())), None)
        if base:
            for setting in {store.canonical(_setting(r)) for r in best if r["depth"] == depth and r["gain"] == 1.0}:
                row = {**json.loads(setting), "role": "shared", "rate": base["rate"]}
                rows.append({**row, "evaluable": base["evaluable"], "reason": base["reason"]})
    as_it_is = {"role": "grid", "evaluable": True, "reason": ""}
    rows += [{**setting, **as_it_is, "rate": rate} for setting in spec["grid"] for rate in spec["rates"]]
    store.write_json(out, sorted(rows, key=store.canonical))


def evaluate(spec: dict[str, Any], data: Path, rates: Path, out: Path) -> None:
    """Train the evaluation seeds at the rates asked for: "best", "shared" (from rates.json) and "grid"."""
    say, trained, index, rows = Progress(out.stem + " evaluate"), 0, [], []
    table = json.loads(rates.read_text())
    for entry in spec["settings"]:
        setting, asked = entry["setting"], entry["rates"]
        base = cell_base(spec, setting, data)
        mine = [r for r in table if _setting(r) == setting]
        keep = kept_rates(mine, asked)
        every = keep | (set(spec["rates"]) if "grid" in asked else set())
        wanted = [
            {"rate": r, "seeds": s, "keep": r in keep}
            for r in sorted(every)
            for s in blocks(spec["seeds"], spec["stack"])
        ]
        wanted.sort(key=lambda c: c["keep"])
        trained += train_cells(base, wanted, data, spec["stack"], say)
        for cell in wanted:
            name = store.key({**base, **cell})
            index.append({"cell": name, "setting": setting, "rate": cell["rate"], "keep": cell["keep"]})
            rows += _convergence(base, name, cell)
    say.say(f"trained {trained} cells, reused {len(index) - trained}")
    store.write_json(out, {"cells": index, "trained": trained, "rows": rows})


def kept_rates(roles: list[dict[str, Any]], asked: list[str]) -> set[float]:
    """Rates whose networks are kept at checkpoints: the chosen ones; the grid is there for its steps alone."""
    return {r["rate"] for r in roles if r["role"] != "grid" and r["role"].split("@")[0] in asked}


def measure(spec: dict[str, Any], data: Path, index: Path, out: Path) -> None:
    """Measure the cells with checkpoints; a measure's table is kept in its cell under the measure's code digest."""
    import torch

    from bnstudy.cell import TrainedCell
    from bnstudy.data.images import read

    torch.set_num_threads(1)
    say, tables = Progress(out.stem + " measure"), {}
    cells = [c for c in json.loads(index.read_text())["cells"] if c["keep"]]
    images = read(data)
    for name, digest in spec["measures"].items():
        found = []
        for i, entry in enumerate(cells):
            path = CELLS / entry["cell"] / "measures" / f"{name}-{digest}.parquet"
            if not path.is_file():
                table = import_module(f"bnstudy.measures.{name}").measure(TrainedCell(CELLS, entry["cell"], images))
                for column, value in reversed({**entry["setting"], "rate": entry["rate"]}.items()):
                    table.insert(0, column, value)
                path.parent.mkdir(exist_ok=True)
                new = path.with_suffix(".new")
                table.to_parquet(new)
                new.replace(path)
            found.append(path)
            say.tick((i + 1) / len(cells))
        tables[name] = [str(p) for p in found]
    store.write_json(out, tables)


def cell_base(spec: dict[str, Any], setting: dict[str, Any], data: Path) -> dict[str, Any]:
    """What the cells of a setting share: all that can influence a run but its rate and seeds."""
    same = {k: spec[k] for k in ("family", "steps", "momentum", "targets", "splits", "code", "torch")}
    return {**same, "setting": setting, "data": data.stem}


def _setting(row: dict[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("arm", "depth", "gain", "inputs", "width", "batch", "optimizer")}


def _convergence(base: dict[str, Any], name: str, cell: dict[str, Any]) -> list[dict[str, Any]]:
    from types import SimpleNamespace

    from bnstudy import tune

    curve = store.arrays(CELLS, name, "curve")
    runs = [SimpleNamespace(seed=s, rate=cell["rate"]) for s in cell["seeds"]]
    return tune.rows(base, runs, curve["loss"].astype(float), curve["diverged"])
