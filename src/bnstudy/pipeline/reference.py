"""A finished study, small enough to be committed: its verdicts, and the rows that its page draws.

Other studies are set beside it, and its page can be drawn from this folder alone.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bnstudy.claims.answers import answers, findings
from bnstudy.claims.contrast import Contrast
from bnstudy.claims.file import load
from bnstudy.claims.judge import placed
from bnstudy.claims.ledger import Claim
from bnstudy.claims.records import ContrastRow, JudgedWith, to_json
from bnstudy.claims.sentences import sentence
from bnstudy.core import store
from bnstudy.core.setting import FACTORS
from bnstudy.pipeline.perform import BESIDE
from bnstudy.pipeline.plan import REFERENCES
from bnstudy.pipeline.verdicts import set_beside
from bnstudy.report.results import COLUMNS, Results

PACKED = ("contrasts", "robustness")
"""Tables beside tables/ that have many rows. The page writes three digits of their numbers, which are not rounded before."""
WHOLE = ("checks.json", "claims.json", *(n for names in BESIDE.values() for n in names if Path(n).stem not in PACKED))
"""Other files beside tables/."""
BITS = 14
"""Binary digits that a measured number keeps: four decimal ones, to 6e-5 of it. Fewer bits pack smaller."""
CHOSEN = (*FACTORS, "rate", "target", "dose")
"""Numbers that were chosen, not measured: rows are looked up by them."""
DRAWN = {
    "moments": "(checkpoint.str.startswith('loss') | checkpoint == 'step100') & site.isin(['linear', 'next'])"
    " & arm.isin(['none', 'bn', 'bn_frozen', 'once'])",
    "drift": "start == 'loss1.0'",
    "xhat": "arm == 'bn' & severity.isin([1, 3, 5])",
    "effective_robustness": "arm == 'bn'",
}
"""Rows that figures draw, where these are few; a test holds that none is left out."""


def keep(study: Path, out: Path | None = None) -> Path:
    """Copy what a finished study's page needs to results/reference, with tables as parquet; return that folder.

    Args:
        study: results/NAME.
        out: the folder to write anew; by default results/reference/NAME.
    """
    out = out or REFERENCES / study.name
    shutil.rmtree(out, ignore_errors=True)
    (out / "tables").mkdir(parents=True)
    for name in WHOLE:
        shutil.copy(study / name, out / name)
    shutil.copy(study / "tables" / "samples.npz", out / "tables")
    results = Results(study)
    cells = [{name: entry[name] for name in ("cell", "setting", "rate")} for entry in results.cells]
    store.write_text(out / "evaluate" / "cells.json", json.dumps({"cells": cells}, separators=(",", ":")))
    files = (study / "tables").glob("*.csv")
    tables = {file.stem: pd.read_csv(file, keep_default_na=False, na_values=[""]) for file in files}
    rates = tables["rates"]
    for name, table in tables.items():
        if "rate" in table and name not in ("convergence", "rates", "sweep"):
            role = "shared" if name == "curves" else "best@"
            drawn = rates.loc[rates["role"].str.startswith(role), [*FACTORS, "rate"]].drop_duplicates()
            table = table.astype({"gain": float, "rate": float}).merge(drawn.astype({"gain": float, "rate": float}))
            table = results.filter(table, gain=..., inputs=..., net=..., width=..., batch=...)
        if name in DRAWN:
            table = table.query(DRAWN[name], engine="python")
        pack(small(table[[column for column in table if column in COLUMNS.get(name, table)]]), out / "tables" / name)
    for name in PACKED:
        pack(results.table(name), out / name)
    return out


def pack(table: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet, its texts as categories."""
    table = table.astype(dict.fromkeys(table.select_dtypes(object), "category"))
    floats = [*table.select_dtypes("float")]
    table.to_parquet(
        path.with_suffix(".parquet"), index=False, compression="zstd", compression_level=19,
        use_dictionary=[column for column in table if column not in floats], use_byte_stream_split=floats,
    )  # fmt: skip


def renew(folder: Path) -> None:
    """Say what a kept study found in the words that the texts of its claims have now, beside the studies that are kept now.

    Its numbers and verdicts stay. What is said of arms that the claims do not name stays too.

    Args:
        folder: results/reference/NAME.
    """
    study = Results(folder)
    ledger = load(Path(study.provenance["config"]["claims"]["file"]), study.ledger.kinds)
    own = {claim.id: claim for claim in ledger.claims}
    rows = []
    for row in study.claims.values():
        if said := own.get(row.id):
            pairs = zip(said.settings, row.settings, strict=True)
            row = replace(row, settings=tuple(_told(said, *pair, study.ledger) for pair in pairs), heard=said.weighed())
            row = replace(row, sentence=sentence(row, said))
        rows.append(row)
    rows = set_beside(rows, [path for path in sorted(folder.parent.glob("*")) if path.name != folder.name])
    told = {claim.id for claim in ledger.questions}
    # not as records: texts of then may lack a field of today
    kept = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    guests = [answer for answer in kept if answer["id"] not in told]
    store.write_json(folder / "claims.json", to_json(rows))
    store.write_json(folder / "answers.json", to_json([*answers(ledger, rows), *guests]))
    store.write_json(folder / "findings.json", to_json(findings(ledger, rows)))


def _told(claim: Claim, contrast: Contrast, row: ContrastRow, judged: JudgedWith) -> ContrastRow:
    """Return a setting in the words of today; a check names its own places."""
    label = row.label if contrast.endpoint == "check" else placed(claim, contrast, judged)
    return replace(row, label=label, what=claim.part(contrast.name).what)


def small(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose measured numbers have BITS binary digits."""
    table = table.copy()
    for column in table:
        if table[column].dtype == float and column not in CHOSEN:
            mantissa, power = np.frexp(table[column].to_numpy())
            table[column] = np.ldexp(np.round(mantissa * 2**BITS) / 2**BITS, power).astype("float32")
    return table
