"""How synthetic tables are turned: values written into the rows of one network, a value a seed."""

import numpy as np
import pandas as pd

from helpers.synthetic import BASE, Tables

LN = {
    name: float(np.log(value))
    for name, value in (("1.05", 1.05), ("1.25", 1.25), ("1.5", 1.5), ("2", 2.0), ("10", 10.0))
}
AFFINE = ("contrast", "brightness", "noise", "blur", "rotation", "translation")
PLAIN = {"gain": 1.0, "inputs": "standardized", **BASE}


def put(tables: Tables, name: str, column: str, values: np.ndarray, where: dict, role: str = "best@0.5") -> None:
    """Write values[seed] into the rows of a setting at its rate."""
    setting = {**PLAIN, **where}
    rates = tables["rates"]
    rate = rates.loc[_rows(rates, {k: v for k, v in setting.items() if k in rates} | {"role": role}), "rate"].iloc[0]
    table = tables[name]
    rows = _rows(table, {**setting, "rate": rate})
    assert rows.any(), (name, where)
    tables[name] = table = table.copy()
    table.loc[rows, column] = values[table.loc[rows, "seed"].to_numpy()]


def _rows(table: pd.DataFrame, where: dict) -> np.ndarray:
    return np.logical_and.reduce([table[k].to_numpy() == v for k, v in where.items()])


def steps(tables: Tables, ln: np.ndarray, role: str = "best@0.5", target: float = 0.5, **where: object) -> None:
    """Every run of the setting reaches the target, after exp(ln) steps; at the shared rate no other role is touched."""
    where = {**where, "target": target}
    put(tables, "convergence", "steps", np.round(np.exp(ln)), where, role)
    put(tables, "convergence", "reached", np.ones(len(ln), bool), where, role)
    put(tables, "convergence", "diverged_at", np.full(len(ln), np.nan), where, role)


MIDDLE = np.log(200.0)


def pair(tables: Tables, value: np.ndarray, a: str, b: str, target: float = 0.5, **where: object) -> None:
    for arm, ln in ((a, MIDDLE + value / 2), (b, MIDDLE - value / 2)):
        steps(tables, ln, f"best@{target}", target, arm=arm, **where)


def complete(tables: Tables, name: str, where: dict) -> None:
    """Give every seed the rows that the first has, unless each seed has them."""
    table = tables[name]
    rows = _rows(table, {**PLAIN, **where})
    seeds, have = sorted(tables["convergence"]["seed"].unique()), table[rows].groupby("seed").size()
    if len(have) == len(seeds) and have.nunique() == 1:
        return
    first = table[rows & (table["seed"] == table.loc[rows, "seed"].min())]
    full = pd.concat([first.assign(seed=s) for s in seeds])
    tables[name] = pd.concat([table[~rows], full], ignore_index=True)


def accuracy(
    tables: Tables, values: np.ndarray, arm: str, family: str, statistics: str = "running", depth: int = 5
) -> None:
    where = {"arm": arm, "depth": depth, "family": family, "statistics": statistics}
    complete(tables, "shift", where)
    put(tables, "shift", "accuracy", values, where)
