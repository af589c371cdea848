"""Where endpoints find their rows, and what one number per seed is when some of it is censored."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from bnstudy.core import words
from bnstudy.core.setting import DEPTHS, FACTORS, FIXED, SKIP

if TYPE_CHECKING:  # the claims file is checked against the endpoints, which import this module, before any work
    import pandas as pd

EPS = 1e-5
"""What norms add to a variance (bnstudy.arms.base.EPS, which would import torch)."""
UNREACHED = "no run reached the loss this is measured at"
REMEDIES = {
    "rate on the grid's edge": ", which learning_rates that reach further could tell",
    "no rate reaches the target": ", which more steps, other learning_rates or an easier target could change",
}
"""What could give a result where the choice of a rate gave none, by the reason that it gives."""
Value = TypeVar("Value")
Factors = Mapping[str, Any]
"""Values by factor, text or numbers: {"arm": "bn", "depth": 5, ...} or some of them."""


@dataclass(frozen=True, kw_only=True)
class JudgedKind:
    """What the claims' own names stand for in one kind of network.

    ``base`` holds its value of each factor that the claims do not name, and ``gain`` that of its first weights; ``depths``
    are the numbers behind shallow, middle and deep; ``targets`` are losses, the main one first.
    """

    base: dict[str, str | int]
    depths: dict[str, int]
    gain: float = 1.0
    seeds: int
    targets: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", ordered(self.base, FACTORS))
        object.__setattr__(self, "depths", ordered(self.depths, DEPTHS))


def ordered(values: dict[str, Value], names: Sequence[str]) -> dict[str, Value]:
    """Return the values in the order of these names, others behind them: a job's spec travels with sorted keys."""
    return {name: values[name] for name in [*names, *values] if name in values}


class Missing(Exception):
    """The study does not hold what a contrast speaks of; the text says what ("no arm once at depth 5")."""


class NotEvaluable(Exception):
    """The study holds it, but its number would mean nothing; the text says why."""


class Unmeasured(NotEvaluable):
    """The network ran, but a table has no row of it."""


class Unreached(NotEvaluable):
    """The network was measured, but at no such checkpoint."""


class Lookup:
    """The tables of a study, as the claims' names read them in the study's own networks.

    A setting is all that names a network but its rate and seed, as :meth:`setting` returns it.
    """

    def __init__(
        self, tables: Mapping[str, pd.DataFrame], own: JudgedKind, kinds: Mapping[str, JudgedKind] | None = None
    ) -> None:
        """Take a study's tables as they are.

        Args:
            tables: the tables by name. One without a column of a fixed factor is all at the study's own value of it.
            own: what the claims' names stand for in the study itself; of a factor that its ``base`` lacks each table must
                hold one value.
            kinds: the study's kinds of networks by name.

        Raises:
            ValueError: where a table mixes values of a factor and ``own`` does not say which is the study's.
        """
        self.tables, self.kinds = dict(tables), dict(kinds or {})
        self._read_as(own)
        for name, table in self.tables.items():
            for column in [c for c in FIXED if c in table and c not in own.base]:
                values = {*table[column].unique()} | ({self.base[column]} if column in self.base else set())
                if len(values) > 1:
                    raise ValueError(f"{name}.csv mixes several values of {column}; say which is the study's own")
                self.base |= dict.fromkeys([column], *values)
        self._whole = self.base  # what a table holds that has no column of a factor
        self.change: Factors = {}
        self.roles: Mapping[str, str] = {}
        self._places: dict[str, Any] = {}  # whatever pandas gives as the places of a group
        self._values: dict[tuple[str, str], np.ndarray] = {}
        self._flat: dict[tuple[Any, ...], bool] = {}
        self.contrasts: dict[str, pd.DataFrame] = {}
        self._of: dict[str, Lookup] = {}

    def _read_as(self, own: JudgedKind) -> None:
        self.base, self.gain, self.depths, self.targets = dict(own.base), own.gain, own.depths, own.targets
        self._count = own.seeds
        vars(self).pop("seeds", None)  # what another kind's were

    @cached_property
    def seeds(self) -> pd.Index:
        """The evaluation seeds, which follow one another from the first that trained."""
        import pandas as pd

        first = int(self.tables["convergence"]["seed"].min()) if "convergence" in self.tables else 0
        return pd.RangeIndex(first, first + self._count, name="seed")

    def changed(self, factors: Factors | None = None, roles: Mapping[str, str] | None = None) -> Lookup:
        """Return the same tables read at other factors or at other tuned rates.

        Args:
            factors: values in place of the study's own, as {"batch": 128}.
            roles: by arm, the role in place of "best": {"bn": "lower"} takes the rates of role lower@TARGET.
        """
        other = copy.copy(self)
        other.change, other.roles, other.contrasts, other._of = dict(factors or {}), dict(roles or {}), {}, {}
        return other

    def of(self, kind: str) -> Lookup:
        """Return the same tables as the claims' names read them in one kind of network; "" is the study itself.

        Its networks, gain, depths, targets and seeds stand in place of the study's own.
        """
        if not kind:
            return self
        if kind not in self._of:
            other = copy.copy(self)
            other._read_as(self.kinds[kind])
            other.contrasts, other._of = {}, {}
            self._of[kind] = other
        return self._of[kind]

    def setting(self, spec: Factors, arm: str | None = None, **change: Any) -> Factors:
        """Return the setting of an arm that a contrast speaks of, with ``change`` in place of what the contrast says.

        Without ``arm`` it is that of the contrast's first one.

        Raises:
            Missing: where the study has no depth of that name.
        """
        said = {**spec, **{k: v for k, v in change.items() if v is not None}}
        if said["depth"] not in self.depths:
            raise Missing(f"the study has no {said['depth']} depth")
        own = {"gain": self.gain, "inputs": "standardized", **self.change}
        plain = {name: said.get(name) or own[name] for name in ("gain", "inputs")}
        fixed = {c: said.get(c) or self.change.get(c) or self.base.get(c) for c in FIXED}
        if fixed["net"] == "skip":
            fixed["net"] = SKIP.get(str(self.base.get("net")), "with skip connections")
        return {"arm": arm or spec["arms"][0], "depth": self.depths[said["depth"]], **plain, **fixed}

    def target(self, name: str | None) -> float:
        """Return the loss in nats of "main" (also for None) or "second"; raise Missing where there is no second."""
        if name == "second" and len(self.targets) < 2:
            raise Missing("the study has no second target loss")
        return self.targets[1 if name == "second" else 0]

    def level(self) -> str:
        """Return the checkpoint at which the main target was reached."""
        return f"loss{self.targets[0]}"

    def rates(self, setting: Factors, role: str) -> list[float]:
        """Return the rates of a role ("best@0.5", "lower@0.5", "shared", "grid").

        Raises:
            Missing: where the study has no such rate.
            NotEvaluable: where the rates or the network are not evaluable.
        """
        rows, named = self.rows("rates", setting, role=role), self.describe(setting)
        if rows.empty:
            kinds = {"shared": " at the shared rate", "grid": " over the grid of rates", "best": ""}
            kind = kinds.get(role.split("@")[0], " at the rates beside the best one")
            raise Missing(f"the study lacks {named}{kind}")
        if len(refused := rows[~evaluable(rows)]):
            reason = refused["reason"].iloc[0]
            raise NotEvaluable(f"{named}: {reason}{REMEDIES.get(reason, '')}")
        if self._is_flat(setting):
            raise NotEvaluable(f"{named}: variances below 100 eps, where eps is part of what is measured")
        return [float(r) for r in rows["rate"]]

    def rate(self, setting: Factors, role: str | None = None) -> float:
        """Return the one rate of a role; without a role, the arm's tuned one for the main target. Raises as :meth:`rates`."""
        tuned = self.roles.get(setting["arm"], "best")
        return self.rates(setting, role or f"{tuned}@{self.targets[0]:g}")[0]

    def _is_flat(self, setting: Factors) -> bool:
        """Return whether a normalized layer's variance is below 100 eps at some checkpoint, in the median over seeds."""
        key = tuple(setting.values())
        if key not in self._flat and "moments" in self.tables:
            rows = self.rows("moments", setting)
            normalized = set(rows.loc[rows["site"] == "xhat", "layer"])
            if normalized:
                rows = rows[(rows["site"] == "linear") & rows["layer"].isin(normalized) & rows["seed"].isin(self.seeds)]
                least = rows.groupby(["checkpoint", "seed"])["variance"].min().groupby("checkpoint").median()
            self._flat[key] = bool(normalized) and bool((least < 100 * EPS).any())
        return self._flat.get(key, False)

    def rows(self, table: str, setting: Factors, **where: Any) -> pd.DataFrame:
        """Return the rows of a setting; none where the table has none. Raise Missing without the table."""
        if table not in self.tables:
            raise Missing(f"no table {table}.csv")
        whole = self.tables[table]
        columns = [c for c in FACTORS if c in whole]
        if table not in self._places:
            self._places[table] = whole.groupby(columns).indices
        place = self._places[table].get(tuple(setting[c] for c in columns), np.array([], int))
        if any(setting[c] != self._whole.get(c) for c in FIXED if c not in columns):
            place = place[:0]
        for column, value in where.items():
            if (table, column) not in self._values:
                self._values[table, column] = whole[column].to_numpy()
            place = place[self._values[table, column][place] == value]
        return whole.iloc[place]

    def measured(self, table: str, setting: Factors, what: str = UNREACHED, **where: Any) -> pd.DataFrame:
        """Return the rows of evaluation seeds at the arm's tuned rate for the main target.

        Raises:
            NotEvaluable: where there is none; ``what`` says why that can be.
        """
        rate = self.rate(setting)
        rows = self.rows(table, setting, rate=rate, **where)
        rows = rows[rows["seed"].isin(self.seeds)]
        if rows.empty:
            if self.rows(table, setting, rate=rate).empty:
                raise Unmeasured(f"{self.describe(setting)}: {what}, or {table} was not measured")
            raise Unreached(f"{self.describe(setting)}: {what}")
        return rows

    def exact(self, values: pd.Series) -> pd.DataFrame:
        """Return values per seed as [lower, upper]; a seed without a number may be anything, and is never left out."""
        values = values.reindex(self.seeds).astype(float)
        return bounds(values.fillna(-math.inf), values.fillna(math.inf))

    def describe(self, setting: Factors) -> str:
        """Return a network in words, "normalized once at 10 layers, raw pixels"; the study's own values are not said."""
        own = {**self.base, "gain": self.gain, "inputs": "standardized"}
        differs = {name: value for name, value in setting.items() if name in own and value != own[name]}
        return f"{words.network(setting['arm'])} at {words.factors({'depth': setting['depth'], **differs})}"


def evaluable(rates: pd.DataFrame) -> pd.Series:
    """Return which rows of rates.csv have a rate that verdicts, and figures, may rest on."""
    return rates["evaluable"].astype(bool) & rates["rate"].notna()


def bounds(lower: pd.Series, upper: pd.Series) -> pd.DataFrame:
    """Return [seed -> lower, upper]."""
    import pandas as pd

    return pd.DataFrame({"lower": lower, "upper": upper})


def total(*terms: tuple[float, pd.DataFrame]) -> pd.DataFrame:
    """Return the sum of factor * [lower, upper] per seed.

    Lower ends are never +inf and upper ends never -inf, so no sum is nan.
    """
    turned = {"lower": "upper", "upper": "lower"}
    signed = [factor * (t if factor > 0 else t.rename(columns=turned)[["lower", "upper"]]) for factor, t in terms]
    return sum(signed[1:], signed[0])
