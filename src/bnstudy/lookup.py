"""Where endpoints find their rows, and what one number a seed is when some of it is censored."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

SETTING = ("arm", "depth", "gain", "inputs")
FIXED = ("width", "batch", "optimizer")


class Missing(Exception):
    """The study does not hold what a setting speaks of; the text says what ("no arm once at depth 5")."""


class NotEvaluable(Exception):
    """The study holds it, but its number would mean nothing; the text says why."""


class Lookup:
    """The tables of a study, its evaluation seeds 0..n-1 and its target losses (the first is the main one)."""

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        depths: Mapping[str, int],
        targets: Sequence[float],
        seeds: int,
    ) -> None:
        self.tables, self.depths, self.targets = dict(tables), depths, targets
        self.seeds = pd.RangeIndex(seeds, name="seed")
        for name, table in self.tables.items():
            several = [c for c in FIXED if c in table and table[c].nunique() > 1]
            if several:
                raise ValueError(f"{name}.csv mixes several values of {', '.join(several)}; claims are judged at one")
        self._places: dict[str, Any] = {}

    def setting(self, spec: Mapping[str, Any], arm: str, **change: Any) -> dict[str, Any]:
        """Arm, depth, gain, inputs of a network; the depth is given by its name in the study."""
        name = change.get("depth") or spec["depth"]
        if name not in self.depths:
            raise Missing(f"no {name} depth")
        gain = change.get("gain") or spec.get("gain") or 1.0
        inputs = change.get("inputs") or spec.get("inputs") or "standardized"
        return {"arm": arm, "depth": self.depths[name], "gain": gain, "inputs": inputs}

    def target(self, name: str | None) -> float:
        """Loss in nats of "main" (also for None) or "second"."""
        if name == "second" and len(self.targets) < 2:
            raise Missing("no second target loss")
        return self.targets[1 if name == "second" else 0]

    def rates(self, setting: Mapping[str, Any], role: str) -> list[float]:
        """The rates of a role ("best@0.5", "shared", "grid"): whether to use them is what `evaluable` says."""
        found = self.rows("rates", setting, role=role)
        if found.empty:
            kind = "at the shared rate" if role == "shared" else "over the grid of rates" if role == "grid" else ""
            raise Missing(f"no arm {describe(setting)} {kind}".rstrip())
        bad = found[~found["evaluable"].astype(bool) | found["rate"].isna()]
        if len(bad):
            reason = bad["reason"].iloc[0]
            raise NotEvaluable(
                f"{describe(setting)}: {reason if isinstance(reason, str) and reason else 'no rate chosen'}"
            )
        return [float(r) for r in found["rate"]]

    def rate(self, setting: Mapping[str, Any], role: str | None = None) -> float:
        """The one rate of a role; without a role, the best one for the main target."""
        return self.rates(setting, role or f"best@{self.targets[0]:g}")[0]

    def rows(self, table: str, setting: Mapping[str, Any], **where: Any) -> pd.DataFrame:
        """The rows of a setting; empty where the table has none. Raises Missing without the table."""
        if table not in self.tables:
            raise Missing(f"no table {table}.csv")
        whole = self.tables[table]
        if table not in self._places:
            self._places[table] = whole.groupby(list(SETTING)).indices
        place = self._places[table].get(tuple(setting[k] for k in SETTING), [])
        found = whole.iloc[place]
        for column, value in where.items():
            found = found[found[column] == value]
        return found

    def measured(self, table: str, setting: Mapping[str, Any], what: str, **where: Any) -> pd.DataFrame:
        """Rows at the best rate for the main target, evaluation seeds alone. Raises NotEvaluable where there is none."""
        found = self.rows(table, setting, rate=self.rate(setting), **where)
        found = found[found["seed"].isin(self.seeds)]
        if found.empty:
            raise NotEvaluable(f"{describe(setting)}: {what}")
        return found

    def exact(self, values: pd.Series) -> pd.DataFrame:
        """Values a seed as [lower, upper]; a seed without a number may be anything, and is never left out."""
        values = values.reindex(self.seeds).astype(float)
        return pd.DataFrame({"lower": values.fillna(-math.inf), "upper": values.fillna(math.inf)})


def describe(setting: Mapping[str, Any]) -> str:
    """A network in words: "once at depth 10, gain 0.71"."""
    text = f"{setting['arm']} at depth {setting['depth']}"
    if setting["gain"] != 1.0:
        text += f", gain {setting['gain']:g}"
    return text + (f", {setting['inputs']} inputs" if setting["inputs"] != "standardized" else "")


def total(*terms: tuple[int, pd.DataFrame]) -> pd.DataFrame:
    """Sum of sign * [lower, upper], a seed. Lower ends are never +inf and upper ends never -inf, so no sum is nan."""
    out = 0 * terms[0][1].fillna(0).replace([np.inf, -np.inf], 0)
    for sign, term in terms:
        out = out + (
            term if sign > 0 else (-term).rename(columns={"lower": "upper", "upper": "lower"})[["lower", "upper"]]
        )
    return out
