"""What is judged once the tables stand: the external checks and the claims."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bnstudy.claims.records import JudgedWith, to_json
from bnstudy.core import seals, store
from bnstudy.pipeline.jobs import SHARED, take
from bnstudy.pipeline.perform import unedited


def check(code: str, out: Path) -> None:
    """Check what must come out whatever the study, and simulate the interval; or take what another study of this code left."""
    rows = SHARED / f"checks-{code.partition('=')[2]}.json"
    coverage = rows.with_suffix(".csv")
    if not seals.sound(rows):
        import torch

        from bnstudy.checks.coverage import simulate
        from bnstudy.checks.run import run

        print("[checks] external checks and the interval's coverage, half a minute", file=sys.stderr, flush=True)
        torch.set_num_threads(1)
        table, found = simulate(), run()
        unedited(code, "job")
        with store.writing(coverage) as unfinished:
            table.to_csv(unfinished, index=False, float_format="%.8g")
        store.write_json(rows, found)
        seals.seal(rows, coverage.name)
    take(coverage, out.with_name("coverage.csv"))
    take(rows, out)


def judge(given: JudgedWith, tables: Path, claims: Path, checks: Path, out: Path, beside: Sequence[Path] = ()) -> None:
    """Judge the claims of a file on a study's tables; what they rest on is written beside ``out``.

    ``beside`` are the folders of reference studies, whose verdicts stand in the rows.
    """
    import pandas as pd

    from bnstudy.claims import forecast, sensitivity
    from bnstudy.claims import judge as judging
    from bnstudy.claims.lookup import Lookup
    from bnstudy.claims.others import with_others
    from bnstudy.pipeline.reference import verdicts

    found = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in tables.glob("*.csv")}
    ledger = with_others(judging.load(claims, given.kinds), found, given.depths, given.base)
    study = (found, given.depths, given.targets, given.seeds, given.base)
    forecasts = forecast.outcomes(Lookup(*study, given.kinds), ledger.forecast) if ledger.forecast else []
    found["checks"] = pd.DataFrame([*json.loads(checks.read_text()), forecast.check(forecasts)])
    rows, thetas = judging.judge(ledger, *study, given.primary, given.kinds)
    changed = sensitivity.run(ledger, *study, given.networks, given.primary, given.kinds)
    others = verdicts(beside)
    rows = [replace(row, beside=others.get(row.id, {})) for row in sensitivity.attach(rows, changed)]
    for name, table in (("contrasts", thetas), ("robustness", changed)):
        with store.writing(out.with_name(f"{name}.csv")) as unfinished:
            pd.DataFrame(table).to_csv(unfinished, index=False, float_format="%.8g")
    with store.writing(out.with_name("forecasts.csv")) as unfinished:
        forecast.frame(forecasts).to_csv(unfinished, index=False, float_format="%.8g")
    store.write_json(out.with_name("answers.json"), to_json(judging.answers(ledger, rows)))
    store.write_json(out.with_name("findings.json"), to_json(judging.findings(ledger, rows)))
    store.write_json(
        out.with_name("ledger.json"),
        to_json(replace(given, identities=tuple(ledger.identities), forecast=ledger.forecast)),
    )
    store.write_json(out, to_json(rows))
