"""The tidy tables of a study: one table per measure, one row per observation."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from bnstudy.core import store
from bnstudy.core.setting import FACTORS
from bnstudy.pipeline import effective
from bnstudy.pipeline.jobs import demand
from bnstudy.pipeline.records import EvaluateResult, IndexEntry, MeasureResult, Rate, SummarizeJob, SweepResult, flat
from bnstudy.training import clock
from bnstudy.training.stacks import CELLS

CELL = [*FACTORS, "rate"]
"""The columns that all rows of a cell have in common; every table begins with them, and then the seed."""
DIGITS = 8
"""Significant digits of a written number."""
SIZED = 8192
"""Images of at most 28x28 that tell how large a shift is, and fewer of larger ones. To shift 70,000 of 28x28 in every way,
twice, took more than six minutes; 1,500 of 96x96 in three colours took 84 s."""


def summarize(
    job: SummarizeJob, sweeps: list[Path], indexes: list[Path], measures: list[Path], rates: Path, data: Path, out: Path
) -> None:
    """Write results/NAME/tables/*.csv, sorted, so that the order of jobs cannot change a byte.

    What jobs of an earlier config left in results/NAME/sweep, evaluate and measure is deleted: no part of this study.
    """
    demand(indexes, measures)
    out.mkdir(parents=True, exist_ok=True)
    for stage, inputs in (("sweep", sweeps), ("evaluate", indexes), ("measure", measures)):
        current = {path.resolve() for path in inputs}
        for path in (out.parent / stage).glob("*.json"):
            if path.resolve() not in current:
                path.unlink()
    swept = [store.read_json(SweepResult, path) for path in sorted(sweeps)]
    evaluated = [store.read_json(EvaluateResult, path) for path in sorted(indexes)]
    _write(out / "rates.csv", [pd.DataFrame(flat(store.read_json(list[Rate], rates)))])
    _write(out / "sweep.csv", [pd.DataFrame(flat(row for result in swept for row in result.rows))])
    convergence = pd.DataFrame(flat(row for result in evaluated for row in result.rows))
    _write(out / "convergence.csv", [convergence.astype({"diverged_at": "Int64", "batch_steps": "Int64"})])
    entries = [entry for result in evaluated for entry in result.cells]
    curves = [({**vars(entry.setting), "rate": entry.rate}, partial(_curve, entry)) for entry in entries]
    _write(out / "curves.csv", _cells(curves))
    paths: dict[str, list[str]] = {}
    for measured in (store.read_json(MeasureResult, path) for path in sorted(measures)):
        for name, tables in measured.tables.items():
            paths.setdefault(name, []).extend(tables)
    for name, files in paths.items():
        firsts = [(f, pd.read_parquet(f, columns=CELL).head(1).to_dict("records")) for f in files]
        if some := [(first[0], partial(pd.read_parquet, f)) for f, first in firsts if first]:
            _write(out / f"{name}.csv", _cells(some))
    if "shift" in paths:
        parts = pd.read_csv(out / "shift.csv", na_values=[""], keep_default_na=False, chunksize=100_000)
        _write(out / "effective_robustness.csv", [effective.robustness(pd.concat(map(effective.used, parts)))])
    _write_shifts(data, job.pool, out)


def _write_shifts(data: Path, factor: int, out: Path) -> None:
    """Write how large each shift is, in pixel units, and an image as each shift leaves it.

    The first SIZED images of the study are shifted, pooled by ``factor``; see :func:`bnstudy.data.samples.samples`.
    """
    import torch

    from bnstudy.data.images import read
    from bnstudy.data.samples import samples
    from bnstudy.data.shifts import applicable, size

    torch.set_num_threads(1)
    images = read(data, factor)
    count = min(SIZED, max(1, SIZED * 28 * 28 // images.x[0].size))
    images = images._replace(x=images.x[:count], y=images.y[:count])
    pool = torch.from_numpy(images.x)
    sizes = [{"family": f, "severity": s, **size(pool, f, s, 0)} for f in applicable(pool) for s in range(1, 6)]
    _write(out / "shift_size.csv", [pd.DataFrame(sizes)])
    with store.writing(out / "samples.npz") as unfinished:
        np.savez_compressed(unfinished, **samples(images))  # type: ignore[arg-type]


def _curve(entry: IndexEntry) -> pd.DataFrame:
    looks = store.arrays(CELLS, entry.cell, "curve")["looks"].astype(float)
    spec = store.get(CELLS, entry.cell)[0]
    table = pd.DataFrame(looks, columns=list(spec.seeds)).assign(step=clock.looks(spec.steps)[: len(looks)])
    table = table.melt("step", var_name="seed", value_name="loss")
    return table.assign(**vars(entry.setting), rate=entry.rate)


def _cells(cells: Sequence[tuple[Mapping[str, object], Callable[[], pd.DataFrame]]]) -> Iterator[pd.DataFrame]:
    """Yield the rows of one setting and rate after another, given what those of a cell have in common and how to read them."""
    cell = itemgetter(*CELL)
    for _, same in groupby(sorted(cells, key=lambda c: cell(c[0])), key=lambda c: cell(c[0])):
        yield pd.concat([read() for _, read in same])


def _write(path: Path, tables: Iterable[pd.DataFrame]) -> None:
    """Write tables one behind the other, holding one at a time.

    Raises:
        ValueError: The columns of two differ.
    """
    columns: list[str] = []
    with store.writing(path) as unfinished, open(unfinished, "wb") as file:
        for table in map(_sorted, tables):
            if columns and list(table) != columns:
                raise ValueError(f"{path.stem}: cells have columns {columns} and {list(table)}; a measure's never vary")
            _csv(table, file, header=not columns)
            columns = list(table)


def _csv(table: pd.DataFrame, file: BinaryIO, header: bool) -> None:
    """Append rows with pyarrow, which takes a fifth of the time of pandas to write numbers as text."""
    import pyarrow
    from pyarrow.csv import WriteOptions, write_csv

    rounded = {c: _rounded(table[c].to_numpy(float)) for c in table.select_dtypes("float")}
    rows = pyarrow.Table.from_pandas(table.assign(**rounded), preserve_index=False)
    write_csv(rows, file, WriteOptions(include_header=header))


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return the floats nearest to the decimals of DIGITS digits, whose shortest text is these digits."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        ten = 10.0 ** np.abs(places)  # exact up to 22 places: one rounding to the integer, one in the quotient
        near = np.where(places >= 0, np.rint(values * ten) / ten, np.rint(values / ten) * ten)
    return np.where(np.isfinite(near), near, values)  # 0, infinite, missing and the least ones stay


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    first = [c for c in [*CELL, "seed"] if c in table]
    table = table[first + [c for c in table if c not in first]]
    return table.sort_values(first, kind="stable") if first else table
