"""What of a study is stored, what it would still train and for how long; and what of the store no study uses."""

import shutil
from pathlib import Path

from bnstudy.core import store
from bnstudy.core.cell import Keep, by_cell
from bnstudy.pipeline.cost import CARD, evaluated, seconds
from bnstudy.pipeline.jobs import CELLS, cells_of, rates_of
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import Rate, Swept, TrainingJob, named
from bnstudy.training.tune import budgets


class _Count:
    """Cells of a study, and the seconds that those which are not stored take to train."""

    def __init__(self, data: Path) -> None:
        self.data, self.stored, self.wanted, self.seconds = data, 0, 0, 0.0

    def add(
        self, job: TrainingJob, swept: Swept, rates: dict[float, Keep], steps: int, lasts: int, unknown: int
    ) -> None:
        """Add the cells of a setting at known rates, and as many as ``unknown`` rates will have; a run ``lasts`` so long."""
        for cell in cells_of(job, swept, steps, rates, self.data):
            self.wanted += 1
            if store.stored(CELLS, store.key(cell)):
                self.stored += 1
            else:
                self.seconds += seconds(lasts, swept.setting, len(cell.seeds))
        self.wanted += unknown * len(by_cell(swept.seeds, job.stack))
        self.seconds += unknown * seconds(lasts, swept.setting, len(swept.seeds))


def outlook(plan: Plan) -> str:
    """Say how many cells are stored, how many will be trained, about how many minutes that takes, and where.

    The rates that tuning will add or choose, and how long their runs last, are not known beforehand: while rates.json lacks
    a setting, its tuning is counted with two rates more than the grid and half the budget, its evaluation with as many
    rates as are asked for.
    """
    file = Path(plan.folder) / "rates.json"
    rates = store.read_json(list[Rate], file) if file.is_file() else []
    count = _Count(Path(plan.data))
    for name in plan.jobs:
        sweep = plan.sweep(name)
        for swept in sweep.settings:
            known = any(row.setting == swept.setting for row in rates)
            steps = swept.recipe.steps
            grid: dict[float, Keep] = {rate: "steps" for rate in swept.recipe.rates}
            count.add(sweep, swept, grid, budgets(steps)[0], steps // 2, 0 if known else 2)
        job = plan.evaluate(name)
        for asked in job.settings:
            roles = [row for row in rates if row.setting == asked.setting]
            recipe = asked.recipe
            unknown = 0 if roles else evaluated(asked.rates, len(recipe.targets), len(recipe.rates))
            count.add(job, asked, rates_of(roles, asked), recipe.steps, recipe.steps, unknown)
    stored = f"{count.stored} of about {count.wanted} cells are stored; training the rest takes about"
    if not plan.gpu:
        return f"{stored} {count.seconds / 120:.1f} min on 2 cores"
    owned = f"Jobs that train or measure ask for gpu={plan.gpu}, so that one at a time has the card."
    return f"{stored} {count.seconds / 60 / CARD:.1f} min with torch {plan.torch}.\n{owned}"


def prune() -> int:
    """Delete stored cells that no study's index refers to; return how many."""
    wanted = {name for study in Path("results").glob("*") for name in named(study)}
    unused = [path for path in Path("results/cells").glob("*") if path.name not in wanted]
    for path in unused:
        shutil.rmtree(path)
    return len(unused)
