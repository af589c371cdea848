"""What the Snakemake jobs do: each reads a complete specification and files, and knows nothing of the config."""

import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bnstudy.core import store
from bnstudy.core.factors import SETTING
from bnstudy.training.stacks import CELLS, Progress, Trainer


def blocks(seeds: list[int], stack: int) -> list[list[int]]:
    """Seeds in blocks of up to eight: what one cell holds."""
    size = min(8, stack)
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def sweep(spec: dict[str, Any], data: Path, out: Path) -> None:
    """Train the tuning seeds of one arm on one kind of network over the rates; write every run's steps and the best rates."""
    from bnstudy.training import tune

    say, seconds, cells, rows, rates = Progress(out.stem + " sweep"), 0.0, [], [], []
    for entry in spec["settings"]:
        trainer = Trainer(cell_base(spec, entry, data), data, spec["stack"], tune.budgets(entry["steps"]), say)

        def run(grid: list[float], steps: int, trainer: Trainer = trainer) -> list[dict[str, Any]]:
            nonlocal seconds
            base, seeds = {**trainer.base, "steps": steps}, blocks(spec["seeds"], spec["stack"])
            wanted = [{"rate": r, "seeds": s, "keep": "curve"} for r in grid for s in seeds]
            seconds += trainer.train(wanted, steps)
            found = []
            for cell in wanted:
                name = store.key({**base, **cell})
                cells.append(name)
                found += _convergence(base, name, cell)
            return found

        table, best = tune.search(spec["rates"], spec["targets"], entry["steps"], run)
        rows += table
        rates += [{**entry["setting"], **b} for b in best]
    say.say(f"trained {say.trained} cells in {seconds:.0f} s, reused {len(cells) - say.trained}")
    done = {"trained": say.trained, "seconds": {"training": seconds}}
    store.write_json(out, {"cells": cells, **done, "rows": rows, "best": rates})


def choose(spec: dict[str, Any], sweeps: list[Path], out: Path) -> None:
    """Gather the rates and their roles: best@TARGET and its quarter-decade neighbours lower@TARGET and upper@TARGET;
    shared, the best rate of `none` at the base gain and inputs, all else equal; and the grid, listed as it is.

    ``spec``: the main target, the base gain and inputs, and the settings evaluated over the whole grid of rates.
    """
    from bnstudy.training import tune

    best = [row for path in sweeps for row in json.loads(path.read_text())["best"]]
    rows = []
    for row in best:
        known = {"evaluable": row["evaluable"], "reason": row["reason"]}
        for name, decades in (("lower", -0.25), ("best", 0.0), ("upper", 0.25)):
            rate = tune.nearby(row["rate"], decades) if decades else row["rate"]
            rows.append({**setting_of(row), "role": f"{name}@{row['target']:g}", "rate": rate, **known})
        own = {**setting_of(row), **spec["base"]}
        base = next((r for r in best if r["target"] == spec["target"] and setting_of(r) == own), None)
        if base and row["target"] == spec["target"]:
            known = {"evaluable": base["evaluable"], "reason": base["reason"]}
            rows.append({**setting_of(row), "role": "shared", "rate": base["rate"], **known})
    as_it_is = {"role": "grid", "evaluable": True, "reason": ""}
    rows += [{**setting, **as_it_is, "rate": rate} for setting in spec["grid"] for rate in spec["rates"]]
    store.write_json(out, sorted(rows, key=store.canonical))


def evaluate(spec: dict[str, Any], data: Path, rates: Path, out: Path) -> None:
    """Train the evaluation seeds at the rates of the roles asked for (see :func:`choose`)."""
    say, seconds, index, rows = Progress(out.stem + " evaluate"), 0.0, [], []
    table = json.loads(rates.read_text())
    for entry in spec["settings"]:
        setting = entry["setting"]
        base = cell_base(spec, entry, data)
        mine = [r for r in table if setting_of(r) == setting]
        shared = next((r["rate"] for r in mine if r["role"] == "shared" and r["evaluable"]), None)
        wanted: list[dict[str, Any]] = [
            {"rate": rate, "seeds": seeds, "keep": keep}
            for rate, keep in sorted(rates_of(mine, entry["rates"], spec["target"], entry["keep"]).items())
            for seeds in blocks(spec["seeds"], spec["stack"])
        ]
        wanted.sort(key=lambda c: c["keep"])  # cells that share a stack stand together
        seconds += Trainer(base, data, spec["stack"], [entry["steps"]], say).train(wanted, entry["steps"])
        for cell in wanted:
            name = store.key({**base, **cell})
            row = {"cell": name, "setting": setting, "rate": cell["rate"], "keep": cell["keep"], "shared": shared}
            index.append(row)
            rows += _convergence(base, name, cell)
    say.say(f"trained {say.trained} cells in {seconds:.0f} s, reused {len(index) - say.trained}")
    done = {"trained": say.trained, "seconds": {"training": seconds}}
    store.write_json(out, {"cells": index, **done, "rows": rows})


def rates_of(roles: list[dict[str, Any]], asked: list[str], target: float, keep: str) -> dict[float, str]:
    """Rates to run a setting at, and what is kept there (see :func:`bnstudy.training.train.train`): ``keep`` at the best rate for
    the main target; at the others, which are there for their steps alone, the curve. Neighbours are those of the main
    target."""
    main = {name: f"{name}@{target:g}" for name in ("lower", "best", "upper")}
    wanted = set(asked) & {"shared", "grid"} | ({main["lower"], main["upper"]} if "neighbours" in asked else set())
    found = {r["rate"]: "curve" for r in roles if r["role"] in wanted}
    if "best" in asked:
        found |= {r["rate"]: "curve" for r in roles if r["role"].startswith("best@")}
        found |= {r["rate"]: keep for r in roles if r["role"] == main["best"]}
    return found


def measure(spec: dict[str, Any], data: Path, index: Path, out: Path) -> None:
    """Measure the cells with checkpoints; a measure's table is kept in its cell under the measure's code digest."""
    import torch

    from bnstudy.measures.cell import StudyImages, TrainedCell

    torch.set_num_threads(1)
    say, source, seconds = Progress(out.stem + " measure"), StudyImages(data), 0.0
    tables: dict[str, list[str]] = {}
    cells = [c for c in json.loads(index.read_text())["cells"] if c["keep"] != "curve"]
    wanted = {store.canonical(s["setting"]): s["measures"] for s in spec["settings"]}
    for i, entry in enumerate(cells):
        cell = None
        for name in wanted[store.canonical(entry["setting"])]:
            same = store.key([spec["code"][name], entry["shared"]])
            path = CELLS / entry["cell"] / "measures" / f"{name}-{same}.parquet"
            if not path.is_file():
                started = time.monotonic()
                cell = cell or TrainedCell(CELLS, entry["cell"], source, entry["shared"])
                table = import_module(f"bnstudy.measures.{name}").measure(cell)
                for column, value in reversed({**entry["setting"], "rate": entry["rate"]}.items()):
                    table.insert(0, column, value)
                path.parent.mkdir(exist_ok=True)
                new = path.with_suffix(".new")
                table.to_parquet(new)
                new.replace(path)
                seconds += time.monotonic() - started
            tables.setdefault(name, []).append(str(path))
        say.tick((i + 1) / len(cells))
    say.say(f"measured {len(cells)} cells in {seconds:.0f} s")
    store.write_json(out, {"tables": tables, "seconds": {"measures": seconds}})


def cell_base(spec: dict[str, Any], entry: dict[str, Any], data: Path) -> dict[str, Any]:
    """What the cells of a setting share: all that can influence a run but its rate and seeds. ``entry``: of the setting,
    {setting, steps}."""
    same = {k: spec[k] for k in ("momentum", "targets", "splits", "code", "torch")}
    return {**same, "setting": entry["setting"], "steps": entry["steps"], "data": data.stem}


def setting_of(row: dict[str, Any]) -> dict[str, Any]:
    """The factors of a setting, out of a row that holds them."""
    return {k: row[k] for k in SETTING}


def _convergence(base: dict[str, Any], name: str, cell: dict[str, Any]) -> list[dict[str, Any]]:
    from types import SimpleNamespace

    from bnstudy.training import tune

    curve = store.arrays(CELLS, name, "curve")
    runs = [SimpleNamespace(seed=s, rate=cell["rate"]) for s in cell["seeds"]]
    return tune.rows(base, runs, curve["loss"].astype(float), curve["diverged"])
