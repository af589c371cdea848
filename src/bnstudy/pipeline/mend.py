"""Before a study goes on: what of it is damaged, so that the same command makes it again."""

from pathlib import Path

from bnstudy.core import seals
from bnstudy.pipeline.jobs import whole_cells, whole_tables
from bnstudy.pipeline.plan import NOTEBOOKS, Plan


def mend(plan: Plan) -> None:
    """Set aside each file of a study that is not what was written; where jobs are to do, also damaged cells and tables."""
    folder = Path(plan.folder)
    stages = {stage: [Path(file) for file in plan.files(stage)] for stage in ("sweep", "evaluate", "measure")}
    early = [Path(plan.data), *map(Path, plan.rehearsed), folder / "rates.json", folder / "checks.json"]
    late = [folder / name for name in ("tables", "claims.json", "report.html")]
    late += [folder / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
    every = [*early, *(file for files in stages.values() for file in files), *late]
    there = [file for file in every if seals.sound(file)]
    if folder / "tables" in there and all(file in there for files in stages.values() for file in files):
        return  # whoever makes the tables reads the cells; nobody else does
    for whole, stage in ((whole_cells, "evaluate"), (whole_tables, "measure")):
        for file in stages[stage]:
            if file in there:
                whole(file)
