"""A finished study as the notebooks and the page read it: its tables, claims, checks and provenance."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bnstudy.core.setting import FACTORS

REACH = ["moments", "values", "gradients"]
SMOOTHNESS = [
    "change_absolute", "change_relative", "loss_range", "predictiveness", "beta_smoothness", "hessian_top",
    "input_share",
]  # fmt: skip
OUTSIDE = ("coverage", "robustness")
"""Tables beside tables/, not in it."""
COLUMNS = {
    "rates": [*FACTORS, "role", "rate", "evaluable", "reason"],
    "sweep": [*FACTORS, "rate", "seed", "target", "steps", "reached", "diverged_at", "log_loss"],
    "convergence": [
        *FACTORS,
        "rate",
        "seed",
        "target",
        "steps",
        "reached",
        "diverged_at",
        "budget",
        "final_loss",
    ],
    "curves": [*FACTORS, "rate", "seed", "step", "loss"],
    "drift": [*FACTORS, "rate", "seed", "layer", "site", "start", "end", "moments", "shape", "cka"],
    "affine": [*FACTORS, "rate", "seed", "layer", "start", "end", "change_rms", "gamma_rms"],
    "moments": [
        *FACTORS,
        "rate",
        "seed",
        "checkpoint",
        "layer",
        "site",
        "offset",
        "mean_rms",
        "ln_sd_rms",
        "variance",
        "excess_kurtosis",
    ],
    "shift": [*FACTORS, "rate", "seed", "family", "severity", "statistics", "accuracy", "nll"],
    "xhat": [*FACTORS, "rate", "seed", "family", "severity", "layer", "offset"],
    "shift_size": ["family", "severity", "rms_change", "mean_change", "sd_ratio"],
    "colour": [*FACTORS, "rate", "seed", "checkpoint", "colour_share", "change_share"],
    "effective_robustness": [
        *FACTORS,
        "rate",
        "seed",
        "family",
        "severity",
        "statistics",
        "clean",
        "accuracy",
        "r2",
        "runs",
        "expected",
        "effective",
    ],
    "gradients": [*FACTORS, "rate", "seed", "checkpoint", "layer", "norm"],
    "ics": [*FACTORS, "rate", "seed", "checkpoint", "layer", "matching", "relative", "floor"],
    "intervention": [*FACTORS, "rate", "seed", "checkpoint", "kind", "dose", "layer", *REACH, "left"],
    "adaptation": [*FACTORS, "rate", "seed", "checkpoint", "match", "steps", "reached", "budget"],
    "landscape": [*FACTORS, "rate", "seed", "checkpoint", *SMOOTHNESS],
    "levels": [*FACTORS, "rate", "seed", "checkpoint", "statistics", "nll", "accuracy"],
    "coverage": [],
    "robustness": ["id", "change", "verdict", "base_verdict", "kind"],
}
"""The columns that figures use; a table that the study doesn't have is an empty one with these."""


class Results:
    """The folder results/NAME. Tables are read when first asked for.

    Raises FileNotFoundError when the folder has no claims.json: the notebooks come after the claims.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / "claims.json").exists():
            raise FileNotFoundError(
                f"{self.folder / 'claims.json'} is missing; run the study first (snakemake --cores 2)"
            )
        self._tables: dict[str, pd.DataFrame] = {}

    def table(self, name: str) -> pd.DataFrame:
        """One tidy table; empty, with its columns, where the study has none."""
        if name not in self._tables:
            path = self.folder / ("" if name in OUTSIDE else "tables") / f"{name}.csv"
            empty = pd.DataFrame(columns=COLUMNS.get(name, []))
            kinds = {"gain": float, "rate": float}  # a column of ones alone would be read as whole numbers
            found = pd.read_csv(path, na_values=[""], keep_default_na=False, dtype=kinds) if path.exists() else empty
            self._tables[name] = found
        return self._tables[name]

    @cached_property
    def claims(self) -> dict[str, dict[str, Any]]:
        """Claims by id, in the order of the ledger."""
        return {claim["id"]: claim for claim in json.loads((self.folder / "claims.json").read_text())}

    @cached_property
    def answers(self) -> dict[str, dict[str, Any]]:
        """By question: title, asked, sentences of the short answer, what is open."""
        return {answer["id"]: answer for answer in json.loads((self.folder / "answers.json").read_text())}

    @cached_property
    def findings(self) -> dict[str, dict[str, str]]:
        """By figure: its title, chosen by verdict; empty where the study wrote none."""
        path = self.folder / "findings.json"
        return json.loads(path.read_text()) if path.exists() else {}

    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        path = self.folder / "checks.json"
        return json.loads(path.read_text()) if path.exists() else []

    @cached_property
    def samples(self) -> dict[str, np.ndarray]:
        """Images by what was done to them (see bnstudy.data.samples); empty where the study wrote none."""
        path = self.folder / "tables" / "samples.npz"
        return dict(np.load(path)) if path.exists() else {}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        path = self.folder / "provenance.json"
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def targets(self) -> list[float]:
        """Target losses, the main one first."""
        return [float(target) for target in self.ledger["targets"]]

    @property
    def target(self) -> float:
        """The main target loss."""
        return self.targets[0]

    @property
    def main(self) -> str:
        """The checkpoint at the main target loss."""
        return f"loss{self.target}"

    @cached_property
    def ledger(self) -> dict[str, Any]:
        """What the claims were judged with: depths by name, targets, seeds, base factors, identities."""
        found: dict[str, Any] = json.loads((self.folder / "ledger.json").read_text())
        return found

    def depth(self, name: str) -> int:
        """The depth that the claims call shallow, middle or deep; 0, which no network has, for one the study lacks."""
        return int(self.ledger["depths"].get(name, 0))

    @property
    def base(self) -> dict[str, Any]:
        """Network family, width, batch, optimizer and pooling of the study proper; others are sensitivity runs."""
        found: dict[str, Any] = self.ledger["base"]
        return found

    @property
    def arms_run(self) -> set[str]:
        """Arms of which the study has any run."""
        return set(self.table("rates")["arm"])

    @property
    def seeds(self) -> int:
        """Evaluation seeds."""
        return int(self.table("convergence")["seed"].nunique())

    def at(self, name: str, role: str | None = None, **where: Any) -> pd.DataFrame:
        """Rows of a table at each setting's own rate in `role` (default: best for the main target).

        Without other wish in `where` (column = value or list, ... for any): base family, width, batch, optimizer and
        pooling, gain 1, standardized inputs. Settings whose rate could not be chosen are left out.
        """
        table = self.table(name)
        rates = self.table("rates")
        role = role or f"best@{self.target:g}"
        chosen = rates[(rates["role"] == role) & rates["rate"].notna()][[*FACTORS, "rate"]]
        return self.filter(table, **where).merge(chosen.drop_duplicates(), on=[*FACTORS, "rate"])

    def filter(self, table: pd.DataFrame, **where: Any) -> pd.DataFrame:
        """Rows of the study proper, with `where` in place of the defaults of `at`."""
        wanted = {**self.base, "gain": 1.0, "inputs": "standardized", **where}
        for column, value in wanted.items():
            if column in table and value is not ...:
                table = table[table[column].isin(value if isinstance(value, list) else [value])]
        return table

    def arms(self, table: pd.DataFrame, *wanted: str) -> list[str]:
        """Those of `wanted` that the table holds."""
        return [arm for arm in wanted if (table["arm"] == arm).any()]

    def depths(self, table: pd.DataFrame, by: str = "arm", count: int = 2) -> list[int]:
        """The depths with the most values of `by`; of more than `count` such depths those that the claims call shallow and deep
        (the deep one alone for a `count` of 1), or where these are not among them the smallest and the largest."""
        if table.empty:
            return []
        values = table.groupby("depth")[by].nunique()
        most = [int(depth) for depth in values[values == values.max()].index]
        if len(most) <= count:
            return most
        spoken = [self.depth("shallow"), self.depth("deep")]
        ends = spoken if set(spoken) <= set(most) else [most[0], most[-1]]
        return ends[-count:]
