"""The tidy tables of a study: one a measure, one row an observation."""

import json
from pathlib import Path

import pandas as pd

from bnstudy import store, tune

CELLS = Path("results/cells")
EVERY = 10
"""The curves keep every tenth step."""


def summarize(
    sweeps: list[Path], evaluations: list[Path], measures: list[Path], rates: Path, data: Path, out: Path
) -> None:
    """Write results/NAME/tables/*.csv, sorted, so that the order of jobs cannot change a byte."""
    out.mkdir(parents=True, exist_ok=True)
    swept = [json.loads(p.read_text()) for p in sorted(sweeps)]
    ran = [json.loads(p.read_text()) for p in sorted(evaluations)]
    _write(out / "rates.csv", pd.DataFrame(json.loads(rates.read_text())))
    _write(out / "sweep.csv", pd.DataFrame([r for s in swept for r in s["rows"]]))
    convergence = pd.DataFrame([r for e in ran for r in e["rows"]])
    convergence["diverged_at"] = convergence["diverged_at"].astype("Int64")
    convergence["steps"] = convergence["steps"].astype("Int64")
    _write(out / "convergence.csv", convergence)
    _write(out / "curves.csv", pd.concat([_curve(c) for e in ran for c in e["cells"]]))
    paths: dict[str, list[str]] = {}
    for found in (json.loads(p.read_text()) for p in sorted(measures)):
        for name, files in found.items():
            paths.setdefault(name, []).extend(files)
    for name, files in paths.items():
        tables = [t for t in map(pd.read_parquet, files) if len(t)]
        if tables:
            _write(out / f"{name}.csv", pd.concat(tables))
    _write(out / "shift_size.csv", shift_sizes(data))


def shift_sizes(data: Path) -> pd.DataFrame:
    """How large each shift is, in pixel units, measured on all images of the study."""
    import torch

    from bnstudy.data.images import read
    from bnstudy.data.shifts import FAMILIES, size

    torch.set_num_threads(1)
    pool = torch.from_numpy(read(data).x)
    return pd.DataFrame([{"family": f, "severity": s, **size(pool, f, s, 0)} for f in FAMILIES for s in range(1, 6)])


def _curve(entry: dict) -> pd.DataFrame:
    curve = store.arrays(CELLS, entry["cell"], "curve")
    seeds = store.get(CELLS, entry["cell"])[0]["seeds"]
    thin = tune.trailing(curve["loss"].astype(float))[tune.WINDOW - 1 :: EVERY]
    table = pd.DataFrame(thin, columns=seeds).assign(step=lambda t: tune.WINDOW + EVERY * t.index)
    table = table.melt("step", var_name="seed", value_name="loss")
    return table.assign(**entry["setting"], rate=entry["rate"])


def _write(path: Path, table: pd.DataFrame) -> None:
    first = ["arm", "depth", "gain", "inputs", "width", "batch", "optimizer", "rate", "seed"]
    first = [c for c in first if c in table]
    table = table[first + [c for c in table if c not in first]]
    table = table.sort_values(first, kind="stable") if first else table
    table.to_csv(path, index=False, float_format="%.8g")
