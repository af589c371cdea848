"""Where endpoints find their rows, and what one number a seed is when some of it is censored."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bnstudy.core.setting import FACTORS, FIXED, SKIP

TUNING = 10_000
"""Seeds from here on choose rates and are never evaluated."""
EPS = 1e-5
"""What norms add to a variance (bnstudy.arms.base.EPS, which would import torch)."""


class Missing(Exception):
    """The study does not hold what a setting speaks of; the text says what ("no arm once at depth 5")."""


class NotEvaluable(Exception):
    """The study holds it, but its number would mean nothing; the text says why."""


class Unmeasured(NotEvaluable):
    """The network ran, but a table has no row of it."""


class Lookup:
    """The tables of a study, its evaluation seeds 0..n-1 and its target losses (the first is the main one).

    ``base``: the study's own {"net": "mlp", "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2}; without it each table
    must hold one value of each. A table without a column of these is all at the study's own value.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        depths: Mapping[str, int],
        targets: Sequence[float],
        seeds: int,
        base: Mapping[str, Any] | None = None,
    ) -> None:
        self.tables, self.depths, self.targets = dict(tables), depths, targets
        self.seeds = pd.RangeIndex(seeds, name="seed")
        self.base, given = dict(base or {}), set(base or {})
        for name, table in self.tables.items():
            for column in [c for c in FIXED if c in table and c not in given]:
                values = {*table[column].unique()} | ({self.base[column]} if column in self.base else set())
                if len(values) > 1:
                    raise ValueError(f"{name}.csv mixes several values of {column}; say which is the study's own")
                self.base |= dict.fromkeys([column], *values)
        self.factors, self.roles = dict(self.base), dict[str, str]()
        self._places: dict[str, Any] = {}
        self._values: dict[tuple[str, str], np.ndarray] = {}
        self._flat: dict[tuple[Any, ...], bool] = {}
        self.contrasts: dict[str, pd.DataFrame] = {}

    def at(self, factors: Mapping[str, Any] | None = None, roles: Mapping[str, str] | None = None) -> "Lookup":
        """The same tables read at other factors ({"batch": 128}), or at other tuned rates by arm: {"bn": "lower"} takes
        the rates of role lower@TARGET in place of best@TARGET where steps are counted."""
        other = copy.copy(self)
        other.factors, other.roles, other.contrasts = {**self.base, **(factors or {})}, dict(roles or {}), {}
        return other

    def setting(self, spec: Mapping[str, Any], arm: str, **change: Any) -> dict[str, Any]:
        """All that names a network but its rate and seed; the depth is given by its name in the study."""
        said = {**spec, **{k: v for k, v in change.items() if v is not None}}
        if said["depth"] not in self.depths:
            raise Missing(f"no {said['depth']} depth")
        plain = {"gain": said.get("gain") or 1.0, "inputs": said.get("inputs") or "standardized"}
        fixed = {c: said.get(c) or self.factors.get(c) for c in FIXED}
        if fixed["net"] == "skip":
            fixed["net"] = SKIP.get(str(self.base.get("net")), "with skip connections")
        return {"arm": arm, "depth": self.depths[said["depth"]], **plain, **fixed}

    def target(self, name: str | None) -> float:
        """Loss in nats of "main" (also for None) or "second"."""
        if name == "second" and len(self.targets) < 2:
            raise Missing("no second target loss")
        return self.targets[1 if name == "second" else 0]

    def level(self) -> str:
        """The checkpoint at which the main target was reached."""
        return f"loss{self.targets[0]}"

    def rates(self, setting: Mapping[str, Any], role: str) -> list[float]:
        """The rates of a role ("best@0.5", "lower@0.5", "shared", "grid"), if they and the network are evaluable."""
        found = self.rows("rates", setting, role=role)
        if found.empty:
            kinds = {"shared": " at the shared rate", "grid": " over the grid of rates", "best": ""}
            kind = kinds.get(role.split("@")[0], " at the rates beside the best one")
            raise Missing(f"no arm {self.describe(setting)}{kind}")
        bad = found[~found["evaluable"].astype(bool) | found["rate"].isna()]
        if len(bad):
            reason = bad["reason"].iloc[0]
            reason = reason if isinstance(reason, str) and reason else "no rate chosen"
            raise NotEvaluable(f"{self.describe(setting)}: {reason}")
        if self._is_flat(setting):
            raise NotEvaluable(
                f"{self.describe(setting)}: variances below 100 eps, where eps is part of what is measured"
            )
        return [float(r) for r in found["rate"]]

    def rate(self, setting: Mapping[str, Any], role: str | None = None) -> float:
        """The one rate of a role; without a role, the best one for the main target."""
        return self.rates(setting, role or f"best@{self.targets[0]:g}")[0]

    def _is_flat(self, setting: Mapping[str, Any]) -> bool:
        """Whether a normalized layer's variance is below 100 eps at some checkpoint, in the median over seeds."""
        key = tuple(setting.values())
        if key not in self._flat:
            rows = self.rows("moments", setting) if "moments" in self.tables else pd.DataFrame({"site": []})
            normed = set(rows.loc[rows["site"] == "xhat", "layer"]) if len(rows) else set()
            if normed:
                rows = rows[(rows["site"] == "linear") & rows["layer"].isin(normed) & rows["seed"].isin(self.seeds)]
                least = rows.groupby(["checkpoint", "seed"])["variance"].min().groupby("checkpoint").median()
            self._flat[key] = bool(normed) and bool((least < 100 * EPS).any())
        return self._flat[key]

    def rows(self, table: str, setting: Mapping[str, Any], **where: Any) -> pd.DataFrame:
        """The rows of a setting; empty where the table has none. Raises Missing without the table."""
        if table not in self.tables:
            raise Missing(f"no table {table}.csv")
        whole = self.tables[table]
        columns = [c for c in FACTORS if c in whole]
        if table not in self._places:
            self._places[table] = whole.groupby(columns).indices
        place = self._places[table].get(tuple(setting[c] for c in columns), np.array([], int))
        if any(setting[c] != self.base.get(c) for c in FIXED if c not in columns):
            place = place[:0]
        for column, value in where.items():
            if (table, column) not in self._values:
                self._values[table, column] = whole[column].to_numpy()
            place = place[self._values[table, column][place] == value]
        return whole.iloc[place]

    def measured(self, table: str, setting: Mapping[str, Any], what: str, **where: Any) -> pd.DataFrame:
        """Rows at the best rate for the main target, evaluation seeds alone. Raises NotEvaluable where there is none."""
        found = self.rows(table, setting, rate=self.rate(setting), **where)
        found = found[found["seed"].isin(self.seeds)]
        if found.empty:
            if self.rows(table, setting).empty:
                raise Unmeasured(f"{self.describe(setting)}: {what}, or {table} was not measured")
            raise NotEvaluable(f"{self.describe(setting)}: {what}")
        return found

    def exact(self, values: pd.Series) -> pd.DataFrame:
        """Values a seed as [lower, upper]; a seed without a number may be anything, and is never left out."""
        values = values.reindex(self.seeds).astype(float)
        return pd.DataFrame({"lower": values.fillna(-math.inf), "upper": values.fillna(math.inf)})

    def describe(self, setting: Mapping[str, Any]) -> str:
        """A network in words: "once at depth 10, gain 0.71"; what is the study's own value is not said."""
        text = f"{setting['arm']} at depth {setting['depth']}"
        if setting["gain"] != 1.0:
            text += f", gain {setting['gain']:g}"
        if setting["inputs"] != "standardized":
            text += f", {setting['inputs']} inputs"
        own = {c: v for c, v in setting.items() if c in FIXED and v != self.base.get(c)}
        return text + "".join(f", {column} {value}" for column, value in own.items())


def total(*terms: tuple[float, pd.DataFrame]) -> pd.DataFrame:
    """Sum of factor * [lower, upper], a seed. Lower ends are never +inf and upper ends never -inf, so no sum is nan."""
    out = 0 * terms[0][1].fillna(0).replace([np.inf, -np.inf], 0)
    for factor, term in terms:
        if factor < 0:
            term = term.rename(columns={"lower": "upper", "upper": "lower"})[["lower", "upper"]]
        out = out + factor * term
    return out
