"""A made study as the page reads it, and its page; notebooks are run in this process, since kernels take seconds."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bnstudy.claims import judge as ledger
from bnstudy.claims import sensitivity
from bnstudy.claims.records import to_json
from bnstudy.core.setting import FACTORS
from bnstudy.data import digits
from bnstudy.data.samples import samples
from bnstudy.report import figures, show
from bnstudy.report.figures.style import NARROW
from bnstudy.report.page.build import build
from bnstudy.report.results import Results
from helpers import synthetic
from helpers.judging import FILED, GIVEN
from helpers.project import ROOT

QUIZ = ROOT / "docs/quiz.md"
NOTEBOOKS = ["q1", "q2", "q3", "q4", "u", "methods"]
Pictures = Callable[[str, Callable[[float], Figure]], dict[str, str]]
CHECKS = [
    dict(zip(("id", "key", "name", "expected", "measured", "tolerance", "passed"), row))
    for row in (
        ("E1", "along_1", "sum of gradients", 0.0, 3e-17, 1e-12, True),
        ("E5", "batch_64", "growth of the squared gradient a layer, batch 64", 1.467, 1.6, 0.03, False),
    )
]
CONFIG = {
    "title": "A synthetic study", "data": {"source": "mnist5k"}, "network": {"family": "mlp", "width": 64},
    "seeds": {"evaluation": 16},
}  # fmt: skip


def study(folder: Path, tables: synthetic.Tables, seeds: int = 16, hangs: bool = False) -> Path:
    """The files that the notebooks and the page read; with `hangs` also what verdicts hang on."""
    synthetic.write(tables, folder / "tables")
    np.savez(folder / "tables" / "samples.npz", **samples(digits.load()))  # type: ignore[arg-type]
    given = replace(GIVEN, seeds=seeds, identities=tuple(FILED.identities))
    rows, thetas = ledger.judge(FILED, tables, given)
    if hangs:
        changed = sensitivity.run(FILED, tables, given)
        rows = sensitivity.attach(rows, changed)
        pd.DataFrame(changed).to_csv(folder / "robustness.csv", index=False)
    pd.DataFrame(thetas).to_csv(folder / "contrasts.csv", index=False, float_format="%.8g")
    own = {**CONFIG, "seeds": {"evaluation": seeds}}
    made = {"config": own, "versions": {"torch": "2"}, "commit": "0123abcd", "dirty": False, "runs": 7}
    for name, value in {
        "claims": rows, "answers": ledger.answers(FILED, rows), "findings": ledger.findings(FILED, rows), "checks": CHECKS, "provenance": made, "ledger": given,
    }.items():  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(to_json(value), allow_nan=False))
    (folder / "evaluate").mkdir(exist_ok=True)
    (folder / "evaluate" / "all.json").write_text(json.dumps({"cells": cells(tables["rates"])}))
    return folder


def cells(rates: pd.DataFrame) -> list[dict[str, object]]:
    """An index of cells as evaluating jobs write it: one for each rate of each network."""
    own = [*FACTORS, "rate"]
    found = json.loads(rates.dropna(subset="rate")[own].drop_duplicates().to_json(orient="records"))
    return [
        {"cell": f"{place:016x}", "setting": {name: row[name] for name in FACTORS}, "rate": row["rate"]}
        for place, row in enumerate(found)
    ]


@cache
def source(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "report" / f"{name}.ipynb", as_version=4)


@cache
def drawers() -> dict[str, Callable[[Results], Any]]:
    """What the notebooks draw from a study's results, by module and name."""
    cells = "".join(path.read_text() for path in sorted((ROOT / "report").glob("*.ipynb")))
    found = re.findall(r"figure\(\*?(\w+)\.(\w+)\(results", cells)
    return {f"{module}.{name}": getattr(import_module(f"{figures.__name__}.{module}"), name) for module, name in found}


def undrawn(id: str, draw: Callable[[float], Figure]) -> dict[str, str]:
    """Instead of both pictures: drawing is the slow part, and test_figures.py and the kernels' page do it."""
    return {name: f'<svg id="{id}-{name}"></svg>' for name in ("wide", "narrow")}


def unrendered(id: str, draw: Callable[[float], Figure]) -> dict[str, str]:
    """A figure made but not rendered, at one width: for tables of other worlds."""
    return undrawn(id, draw) | {"wide": f'<svg id="{id}-{len(draw(NARROW).axes)}"></svg>'}


def here(folder: Path, names: list[str] = NOTEBOOKS, pictures: Pictures = undrawn) -> list[Path]:
    """Executed notebooks, their cells run in this process: kernels take seconds."""
    done = []
    for name in names:
        cells, scope = [], dict[str, Any]()
        for cell in source(name).cells:
            outputs: list[Any] = []
            if cell.cell_type == "code":
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(show, "_display", lambda data, outputs=outputs: outputs.append(output(data)))
                    patch.setattr(show, "_pictures", pictures)
                    exec(cell.source, scope)
                if "parameters" in cell.metadata.get("tags", []):
                    scope["study"] = str(folder)
            cells.append({"cell_type": cell.cell_type, "source": cell.source, "outputs": outputs})
        path = folder / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"cells": cells}))
        done.append(path)
    return done


def output(data: object) -> dict[str, object]:
    return {"output_type": "display_data", "data": json.loads(json.dumps(data)), "metadata": {}}


def built(folder: Path, pictures: Pictures = undrawn) -> str:
    build(folder, here(folder, pictures=pictures), QUIZ, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def page(folder: Path, tables: synthetic.Tables, pictures: Pictures = undrawn, **options: Any) -> str:
    return built(study(folder, tables, **options), pictures)
