"""What of a study is stored, what it would still train and for how long; and what of the store no study uses."""

import json
import shutil
from itertools import product
from pathlib import Path

from bnstudy.core import store
from bnstudy.pipeline.cost import evaluated, seconds
from bnstudy.pipeline.jobs import CELLS, blocks, cell_base, rates_of, setting_of
from bnstudy.pipeline.plan import Plan
from bnstudy.training.tune import budgets


def outlook(plan: Plan) -> str:
    """How many cells are stored, how many will be trained, and about how many minutes that takes on two cores.

    The rates that tuning will add or choose, and how long their runs last, are not known beforehand: while rates.json lacks
    a setting, its tuning is counted with two rates more than the grid and half the budget, its evaluation with as many
    rates as are asked for.
    """
    rates_file = Path(plan.folder) / "rates.json"
    known = json.loads(rates_file.read_text()) if rates_file.is_file() else []
    stored = wanted = 0
    left = 0.0
    for job in plan.jobs:
        for stage in ("sweep", "evaluate"):
            spec = json.loads(plan.sweep(job) if stage == "sweep" else plan.evaluate(job))
            for entry in spec["settings"]:
                setting = entry["setting"]
                mine = [r for r in known if setting_of(r) == setting]
                if stage == "sweep":
                    rates, unknown = dict.fromkeys(spec["rates"], "curve"), 0 if mine else 2
                    steps, lasts = budgets(entry["steps"])[0], entry["steps"] // 2
                else:
                    rates = rates_of(mine, entry["rates"], spec["target"], entry["keep"])
                    unknown = 0 if mine else evaluated(entry["rates"], len(spec["targets"]), len(spec["rates"]))
                    steps = lasts = entry["steps"]
                base = {**cell_base(spec, entry, Path(plan.data)), "steps": steps}
                for rate, seeds in product(rates, blocks(spec["seeds"], spec["stack"])):
                    cell = {**base, "rate": rate, "seeds": seeds, "keep": rates[rate]}
                    wanted += 1
                    if store.stored(CELLS, store.key(cell)):
                        stored += 1
                    else:
                        left += seconds(lasts, setting, len(seeds))
                if unknown:
                    count = unknown * len(blocks(spec["seeds"], spec["stack"]))
                    wanted += count
                    left += unknown * seconds(lasts, setting, len(spec["seeds"]))
    return f"{stored} of about {wanted} cells are stored; training the rest takes about {left / 120:.1f} min on 2 cores"


def prune() -> int:
    """Delete stored cells that no study's index refers to; returns how many."""
    wanted: set[str] = set()
    for path in Path("results").glob("*/sweep/*.json"):
        wanted |= set(json.loads(path.read_text())["cells"])
    for path in Path("results").glob("*/evaluate/*.json"):
        wanted |= {c["cell"] for c in json.loads(path.read_text())["cells"]}
    gone = [p for p in Path("results/cells").glob("*") if p.name not in wanted]
    for path in gone:
        shutil.rmtree(path)
    return len(gone)
