"""The claims, judged once the tables stand.

What it imports is the code that a stored verdict depends on (see :mod:`bnstudy.pipeline.stamps`): little, so that an
edit elsewhere judges nothing anew.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path

from bnstudy.claims.records import ClaimRow, JudgedWith, SensitivityRow, ThetaRow, from_json, to_json
from bnstudy.claims.sentences import NOT_JUDGED
from bnstudy.core import store


def judge(given: JudgedWith, tables: Path, claims: Path, checks: Path, out: Path, beside: Sequence[Path] = ()) -> None:
    """Judge the claims of a file on a study's tables; what they rest on is written beside ``out``.

    ``beside`` are the folders of reference studies, whose verdicts stand in the rows.
    """
    import pandas as pd

    from bnstudy.claims import forecast, sensitivity
    from bnstudy.claims import judge as judging
    from bnstudy.claims.lookup import Lookup
    from bnstudy.claims.others import with_others

    found = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in tables.glob("*.csv")}
    ledger = with_others(judging.load(claims, given.kinds), found, given)
    forecasts = forecast.outcomes(Lookup(found, given, given.kinds), ledger.forecast) if ledger.forecast else []
    found["checks"] = pd.DataFrame([*json.loads(checks.read_text()), forecast.check(forecasts)])
    rows, thetas = judging.judge(ledger, found, given)
    changed = sensitivity.run(ledger, found, given)
    rows = set_beside(sensitivity.attach(rows, changed), beside)
    frames = {"forecasts": forecast.frame(forecasts)}
    for name, table, row in (("contrasts", thetas, ThetaRow), ("robustness", changed, SensitivityRow)):
        frames[name] = pd.DataFrame(table, columns=[column.name for column in fields(row)])  # also without a row
    for name, frame in frames.items():
        with store.writing(out.with_name(f"{name}.csv")) as unfinished:
            frame.to_csv(unfinished, index=False, float_format="%.8g")
    store.write_json(out.with_name("answers.json"), to_json(judging.answers(ledger, rows)))
    store.write_json(out.with_name("findings.json"), to_json(judging.findings(ledger, rows)))
    judged = replace(given, identities=tuple(ledger.identities), forecast=ledger.forecast)
    store.write_json(out.with_name("ledger.json"), to_json(judged))
    store.write_json(out, to_json(rows))


def set_beside(rows: Iterable[ClaimRow], folders: Sequence[Path]) -> list[ClaimRow]:
    """Return claims with what reference studies say of each: verdicts, where they judge it, and of one setting its fact."""
    said, facts = defaultdict[str, dict[str, str]](dict), defaultdict[str, dict[str, str]](dict)
    for folder in folders:
        for row in from_json(list[ClaimRow], json.loads((folder / "claims.json").read_text())):
            if row.verdict not in (NOT_JUDGED, "not tested"):
                said[row.id][folder.name] = row.verdict
                if len(row.settings) == 1:
                    facts[row.id][folder.name] = row.sentence.partition(". ")[2]
    return [replace(row, beside=said[row.id], beside_facts=facts[row.id]) for row in rows]
