"""A finished study as the notebooks and the page read it: its tables, claims, checks and provenance."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from bnstudy.claims.lookup import Lookup, evaluable
from bnstudy.claims.records import AnswerRow, ClaimRow, FindingRow, JudgedWith, from_json
from bnstudy.core.setting import FACTORS, SKIP

RUN = [*FACTORS, "rate", "seed"]
SHIFT = ["family", "severity"]
OUTSIDE = ("contrasts", "coverage", "forecasts", "robustness")
"""Tables beside tables/, not in it."""
STEPS = ["target", "steps", "reached", "batch_steps", "diverged_at", "budget", "final_loss"]
COLUMNS = {
    "rates": [*FACTORS, "role", "rate", "evaluable", "reason"],
    "sweep": [*RUN, *STEPS],
    "convergence": [*RUN, *STEPS],
    "curves": [*RUN, "step", "loss"],
    "drift": [*RUN, "layer", "site", "start", "end", "moments", "shape"],
    "affine": [*RUN, "layer", "start", "end", "change_rms", "gamma_rms"],
    "moments": [*RUN, "checkpoint", "layer", "site", "offset", "variance", "excess_kurtosis"],
    "shift": [*RUN, *SHIFT, "statistics", "accuracy", "nll"],
    "xhat": [*RUN, *SHIFT, "layer", "offset"],
    "shift_size": [*SHIFT, "rms_change", "mean_change", "sd_ratio"],
    "colour": [*RUN, "checkpoint", "colour_share", "change_share"],
    "effective_robustness": [*RUN, *SHIFT, "statistics", "effective"],
    "gradients": [*RUN, "checkpoint", "layer", "norm"],
    "ics": [*RUN, "checkpoint", "layer", "matching", "relative", "other_batch"],
    "intervention": [*RUN, "checkpoint", "kind", "dose", "layer", "moments", "values", "gradients", "left"],
    "adaptation": [*RUN, "checkpoint", "match", "before", "steps", "reached", "budget"],
    "landscape": [*RUN, "checkpoint", "change_absolute", "change_relative", "loss_range", "predictiveness",
                  "beta_smoothness", "hessian_top", "input_share"],
    "levels": [*RUN, "checkpoint", "statistics", "fit", "nll", "accuracy"],
    "contrasts": ["claim", "setting", "seed", "lower", "upper"],
    "robustness": ["id", "change", "verdict", "base_verdict", "kind"],
    "forecasts": ["kind", *FACTORS, "value", "saves", "saving", "low", "high", "outcome"],
}  # fmt: skip
"""The columns that figures use; a table that the study does not have is an empty one with these."""


class CheckRow(TypedDict):
    """What an external check expected and found: an entry of checks.json."""

    id: str
    key: str
    name: str
    expected: float
    measured: float
    tolerance: float
    passed: bool


class Described(TypedDict):
    """What an arm is on one family of networks, of one width: an entry of rehearsal.json."""

    arm: str
    net: str
    width: int
    mixes_samples: bool
    stores_averages: bool
    draws: bool
    parameters_per_unit: float


class StoredCell(TypedDict):
    """The trained networks of one setting and rate: an entry of a job's index of cells."""

    cell: str
    setting: Mapping[str, Any]
    rate: float


PROJECT = Path(__file__).resolve().parents[3]


class NoStudy(FileNotFoundError):
    """There is no finished study where one was looked for. A notebook shows the message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:  # the name by which IPython asks an exception how to be shown
        return [str(self)]


class Results:
    """The folder results/NAME. A file is read when it is first asked for.

    A relative folder is looked for from the working directory, then from each folder above it, then from the project's
    folder: a notebook finds its study wherever it is opened.

    Raises:
        NoStudy: the folder has no claims.json; the notebooks come after the claims.
    """

    def __init__(self, folder: str | Path) -> None:
        places = [here / folder for here in (Path(), *Path.cwd().parents, PROJECT)]
        found = next((place for place in places if (place / "claims.json").exists()), None)
        if found is None:
            raise NoStudy(f"There is no finished study in {folder}: run `make report` in {PROJECT}, then this again.")
        self.folder = found
        self._tables: dict[str, pd.DataFrame] = {}

    def table(self, name: str) -> pd.DataFrame:
        """Return one tidy table; an empty one, with its columns, where the study has none."""
        if name not in self._tables:
            path = self.folder / ("" if name in OUTSIDE else "tables") / f"{name}.csv"
            kept = path.with_suffix(".parquet")
            kinds = {"gain": float, "rate": float}  # a column of ones alone would be read as whole numbers
            if path.exists():
                self._tables[name] = pd.read_csv(path, na_values=[""], keep_default_na=False, dtype=kinds)
            elif kept.exists():  # of a reference study
                packed = pd.read_parquet(kept)
                self._tables[name] = packed.astype(dict.fromkeys(packed.select_dtypes("category"), object))
            else:
                empty = pd.DataFrame(columns=COLUMNS.get(name, []))
                # else no table joins it
                numbers = {**kinds, "target": float, **dict.fromkeys(("depth", "width", "batch", "pool", "seed"), int)}
                self._tables[name] = empty.astype({column: kind for column, kind in numbers.items() if column in empty})
        return self._tables[name]

    def _json(self, name: str, default: Any = None) -> Any:
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if default is None or path.exists() else default

    @cached_property
    def claims(self) -> dict[str, ClaimRow]:
        """Claims by id, in the order of the claims file."""
        return {claim.id: claim for claim in from_json(list[ClaimRow], self._json("claims"))}

    @cached_property
    def answers(self) -> dict[str, AnswerRow]:
        """Answers by question."""
        return {answer.id: answer for answer in from_json(list[AnswerRow], self._json("answers"))}

    @cached_property
    def findings(self) -> dict[str, FindingRow]:
        """What is said of each figure, chosen by verdict; empty where the study wrote none."""
        return from_json(dict[str, FindingRow], self._json("findings", {}))

    @cached_property
    def checks(self) -> list[CheckRow]:
        """The external checks; empty where the study wrote none."""
        return self._json("checks", [])

    @cached_property
    def cells(self) -> list[StoredCell]:
        """The stored cells of the evaluated networks: cell, setting, rate; empty where the study keeps no index of them."""
        indices = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("evaluate/*.json"))]
        return [cell for index in indices for cell in index["cells"]]

    @cached_property
    def thetas(self) -> dict[tuple[str, str], list[tuple[int, float, float]]]:
        """What each seed says of a claim's setting, (seed, lower, upper), by claim and setting; empty without contrasts.csv."""
        table, found = self.table("contrasts"), dict[tuple[str, str], list[tuple[int, float, float]]]()
        for claim, setting, *ends in table.itertuples(index=False):
            found.setdefault((claim, setting), []).append((int(ends[0]), float(ends[1]), float(ends[2])))
        return found

    @cached_property
    def rehearsed(self) -> list[Described]:
        """What the arms are; empty where the study has none from outside."""
        return self._json("rehearsal", [])

    @cached_property
    def samples(self) -> Mapping[str, np.ndarray]:
        """Images by what was done to them (see bnstudy.data.samples); empty where the study wrote none."""
        path = self.folder / "tables" / "samples.npz"
        return dict(np.load(path)) if path.exists() else {}

    @cached_property
    def provenance(self) -> dict[str, Any]:  # values of every kind: shown, never computed with
        """What made the report; empty where the study did not write it."""
        return self._json("provenance", {})

    @cached_property
    def ledger(self) -> JudgedWith:
        """What the claims were judged with."""
        return from_json(JudgedWith, self._json("ledger"))

    def lookup(self, tables: Iterable[str]) -> Lookup:
        """Return these tables as the endpoints of claims read them."""
        return Lookup({name: self.table(name) for name in tables}, self.ledger)

    @property
    def targets(self) -> list[float]:
        """Target losses, the main one first."""
        return list(self.ledger.targets)

    @property
    def target(self) -> float:
        """The main target loss."""
        return self.targets[0]

    @property
    def main(self) -> str:
        """The checkpoint at the main target loss."""
        return f"loss{self.target}"

    def depth(self, name: str) -> int:
        """Return the depth that the claims call shallow, middle or deep; 0, which no network has, where there is none."""
        return self.ledger.depths.get(name, 0)

    @property
    def base(self) -> dict[str, str | int]:
        """Kind of network, width, batch, optimizer and pooling of the study proper; others are sensitivity runs."""
        return self.ledger.base

    @property
    def skip(self) -> str:
        """The study's own kind of network with skip connections; empty where there is none."""
        return SKIP.get(str(self.base["net"]), "")

    @property
    def seeds(self) -> int:
        """How many evaluation seeds there are."""
        return int(self.table("convergence")["seed"].nunique())

    def at(self, name: str, role: str | None = None, **where: object) -> pd.DataFrame:
        """Return the rows of a table at each setting's own rate in `role` (default: best for the main target).

        Without other wish in `where` (column = value or list, ... for any): the study's own network, width, batch,
        optimizer and pooling, gain 1, standardized inputs. Settings whose rate is missing or not evaluable are left out.
        """
        rates = self.table("rates")
        chosen = rates[(rates["role"] == (role or f"best@{self.target:g}")) & evaluable(rates)][[*FACTORS, "rate"]]
        return self.filter(self.table(name), **where).merge(chosen.drop_duplicates(), on=[*FACTORS, "rate"])

    def everywhere(self, name: str, role: str | None = None, **where: object) -> pd.DataFrame:
        """Return the rows of a table at each setting's own rate in `role`, as `at`, whatever the network, first weights and inputs."""
        anything = dict[str, object].fromkeys([*self.base, "gain", "inputs"], ...)
        return self.at(name, role, **{**anything, **where})

    def filter(self, table: pd.DataFrame, **where: object) -> pd.DataFrame:
        """Return the rows of the study proper, with `where` in place of the defaults of `at`."""
        wanted = {**self.base, "gain": 1.0, "inputs": "standardized", **where}
        for column, value in wanted.items():
            if column in table and value is not ...:
                table = table[table[column].isin(value if isinstance(value, list) else [value])]
        return table

    def beside(self, table: pd.DataFrame, *factors: str, **where: object) -> pd.DataFrame:
        """Return the rows of the networks that share their `factors` with some row of which `where` holds."""
        anything: dict[str, object] = dict.fromkeys(table, ...)
        return table.merge(self.filter(table, **{**anything, **where})[[*factors]].drop_duplicates())

    def arms(self, table: pd.DataFrame, *wanted: str) -> list[str]:
        """Return those of `wanted` that the table holds."""
        return [arm for arm in wanted if (table["arm"] == arm).any()]

    def depths(self, table: pd.DataFrame, by: str, count: int) -> list[int]:
        """Return the depths with the most values of `by`, or `count` of them.

        Of more such depths than `count` these are those that the claims call shallow and deep (the deep one alone for a
        `count` of 1), or where these are not among them the smallest and the largest.
        """
        if table.empty:
            return []
        values = table.groupby("depth")[by].nunique()
        most = [int(depth) for depth in values[values == values.max()].index]
        if len(most) <= count:
            return most
        spoken = [self.depth("shallow"), self.depth("deep")]
        ends = spoken if set(spoken) <= set(most) else [most[0], most[-1]]
        return ends[-count:]

    def shown_depths(self, table: pd.DataFrame, by: str = "arm", count: int = 2) -> pd.DataFrame:
        """Return the rows of the depths that :meth:`depths` chooses."""
        return table[table["depth"].isin(self.depths(table, by, count))]
