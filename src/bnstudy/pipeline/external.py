"""The external checks, which come out alike whatever the study."""

import sys
from pathlib import Path

from bnstudy.core import seals, store
from bnstudy.pipeline.jobs import SHARED, take
from bnstudy.pipeline.perform import unedited


def check(code: str, out: Path) -> None:
    """Check what must come out whatever the study, and simulate the interval.

    What another study of this code left is taken from there.
    """
    rows = SHARED / f"checks-{code.partition('=')[2]}.json"
    coverage = rows.with_suffix(".csv")
    if not seals.sound(rows):
        import torch

        from bnstudy.checks.coverage import simulate
        from bnstudy.checks.run import run

        print("[checks] external checks and the interval's coverage, half a minute", file=sys.stderr, flush=True)
        torch.set_num_threads(1)
        table, found = simulate(), run()
        unedited(code, "job")
        with store.writing(coverage) as unfinished:
            table.to_csv(unfinished, index=False, float_format="%.8g")
        store.write_json(rows, found)
        seals.seal(rows, coverage.name)
    take(coverage, out.with_name("coverage.csv"))
    take(rows, out)
