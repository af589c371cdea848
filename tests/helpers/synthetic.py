"""Synthetic tables of a study: every column of the real ones, plausible values, and a world that can be turned.

`tables(outcome)` makes a whole study in which batch norm helps ("support"), hurts ("oppose"), does nothing that
matters ("negligible"), helps shallow nets and hurts deep ones ("mixed"), is lost in noise ("open"), or in which
only arm `none` was run ("missing"). With `grids` it also holds networks at other batches, widths, optimizers and
poolings, and the lecture split; `thin` leaves out most layers, and what no verdict rests on.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.csv import write_csv

from bnstudy.pipeline.effective import robustness
from helpers.training import BASE, GRIDS, SETTING, TARGETS
from helpers.world import FAMILIES, World

__all__ = ["BASE", "GRIDS", "SETTING", "TARGETS", "Tables", "checks", "drop", "swap", "tables", "whole", "write"]
Tables = dict[str, pd.DataFrame]


def tables(
    outcome: str = "support",
    seeds: int = 16,
    depths: Sequence[int] = (2, 5, 10, 20),
    seed: int = 0,
    spread: float = 0.1,
    grids: bool = False,
    thin: bool = False,
) -> Tables:
    """All tables of a study of four depths, `seeds` evaluation seeds; `spread` is the sd between seeds (ln, points/10)."""
    world = World(outcome, seeds, tuple(depths), seed, spread, grids, thin)
    parts: dict[str, list[tuple[dict[str, Any], pd.DataFrame]]] = {}
    for setting in world.settings():
        for name, frame in world.one(setting):
            parts.setdefault(name, []).append((setting, frame))
    out = {name: _order(_together(frames)) for name, frames in parts.items()}
    for name in ("convergence", "sweep"):
        out[name]["batch_steps"] = out[name]["batch_steps"].astype("Int64")
        out[name]["diverged_at"] = out[name]["diverged_at"].astype("Int64")
    if "shift" in out and not thin:
        out["effective_robustness"] = robustness(out["shift"])
    out["checks"] = checks()
    out["shift_size"] = pd.DataFrame(
        [(f, s, 0.05 * s, 0.02 * s if f == "brightness" else 0.0, 1 - 0.1 * s) for f in FAMILIES for s in range(1, 6)],
        columns=["family", "severity", "rms_change", "mean_change", "sd_ratio"],
    )
    return out


def checks() -> pd.DataFrame:
    """Check E15 as this project finds it: the printed formula is off by (m-1)/sqrt(m-2), the corrected one is exact."""
    rows = []
    for m in (8, 64):
        for name, error in (("with 1/m on its last term", 2e-16), ("as printed", (m - 1) / (m - 2) ** 0.5)):
            text = f"formula {name} against autograd, relative error, m = {m}"
            rows.append(
                {"id": "E15", "name": text, "expected": error, "measured": error, "tolerance": 1e-10, "passed": True}
            )
    return pd.DataFrame(rows)


@cache
def whole() -> Tables:
    """A thin study with all its grids, that the tests share: they copy a table before they write into it."""
    return tables(grids=True, thin=True, spread=0.05)


def swap(tables: Tables, a: str = "none", b: str = "bn") -> Tables:
    """The same tables with two arms' names exchanged."""
    names = {a: b, b: a}
    return {k: t.assign(arm=t["arm"].replace(names)) if "arm" in t else t.copy() for k, t in tables.items()}


def drop(tables: Tables, **where: Any) -> Tables:
    """The same tables without the rows of `where`, as drop(tables, arm="once"); tables without the column stay."""
    out = {}
    for name, table in tables.items():
        if set(where) <= set(table):
            table = table[~np.logical_and.reduce([table[k] == v for k, v in where.items()])]
        out[name] = table.reset_index(drop=True)
    return out


def write(tables: Tables, folder: Path) -> None:
    """One CSV a table, as the workflow writes them, but by a writer that takes a tenth of the time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_csv(pa.Table.from_pandas(table, preserve_index=False), folder / f"{name}.csv")


def _together(frames: list[tuple[dict[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """One table of the rows of many settings; to assign a setting to each frame by itself takes ten times as long."""
    rows = pd.concat([frame for _, frame in frames], ignore_index=True)
    settings = pd.DataFrame([setting for setting, _ in frames])
    return rows.assign(
        **settings.loc[settings.index.repeat([len(frame) for _, frame in frames])].reset_index(drop=True)
    )


def _order(table: pd.DataFrame) -> pd.DataFrame:
    first = [c for c in [*SETTING, "rate", "seed"] if c in table]
    return table[first + [c for c in table if c not in first]]
