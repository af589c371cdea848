"""The commands that the workflow calls: ``python -m bnstudy STAGE --spec JSON ... --out FILE``."""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

# One thread a job: the number of threads changes the bits of a sum, and parallelism is jobs.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bnstudy", description=__doc__)
    parser.add_argument("stage", choices=sorted(STAGES))
    parser.add_argument("--spec", type=json.loads, help="the job's complete specification, as JSON")
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"), help="for `plan`: the study")
    for name in ("data", "rates", "index", "out", "notebook", "claims", "checks"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("sweeps", "evaluations", "measures", "notebooks"):
        parser.add_argument(f"--{name}", type=Path, nargs="*")
    arguments = parser.parse_args()
    STAGES[arguments.stage](arguments)


def _data(a: argparse.Namespace) -> None:
    from bnstudy.data.images import save
    from bnstudy.data.prepare import prepare

    try:
        save(prepare(a.spec), a.out)
    except (ValueError, OSError, MemoryError) as error:  # what a user's or publisher's files can cause
        raise SystemExit(f"no images from data source {a.spec['source']}:\n{error or 'memory is full'}") from None


def _train(stage: str):  # type: ignore[no-untyped-def]
    def run(a: argparse.Namespace) -> None:
        from bnstudy.pipeline import jobs

        if stage == "sweep":
            jobs.sweep(a.spec, a.data, a.out)
        elif stage == "evaluate":
            jobs.evaluate(a.spec, a.data, a.rates, a.out)
        elif stage == "choose":
            jobs.choose(a.spec, a.sweeps, a.out)
        else:
            jobs.measure(a.spec, a.data, a.index, a.out)

    return run


def _summarize(a: argparse.Namespace) -> None:
    from bnstudy.pipeline.tables import summarize

    summarize(a.sweeps, a.evaluations, a.measures, a.rates, a.data, a.spec["pool"], a.out)


def _claims(a: argparse.Namespace) -> None:
    import pandas as pd

    from bnstudy.claims import judge as claims
    from bnstudy.claims import sensitivity
    from bnstudy.claims.others import with_others
    from bnstudy.claims.records import JudgedWith, from_json, to_json
    from bnstudy.core import store

    tables = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in a.index.glob("*.csv")}
    tables["checks"] = pd.DataFrame(json.loads(a.checks.read_text()))
    given = from_json(JudgedWith, a.spec)
    ledger = with_others(claims.load(a.claims), tables, given.depths, given.base)
    study = (tables, given.depths, given.targets, given.seeds, given.base)
    rows, thetas = claims.judge(ledger, *study)
    changed = sensitivity.run(ledger, *study, given.networks)
    rows = sensitivity.attach(rows, changed)
    pd.DataFrame(thetas).to_csv(a.out.with_name("contrasts.csv"), index=False, float_format="%.8g")
    pd.DataFrame(changed).to_csv(a.out.with_name("robustness.csv"), index=False, float_format="%.8g")
    store.write_json(a.out.with_name("answers.json"), to_json(claims.answers(ledger, rows)))
    store.write_json(a.out.with_name("findings.json"), to_json(claims.findings(ledger, rows)))
    store.write_json(a.out.with_name("ledger.json"), to_json(replace(given, identities=tuple(ledger.identities))))
    store.write_json(a.out, to_json(rows))


def _checks(a: argparse.Namespace) -> None:
    import torch

    from bnstudy.checks import coverage
    from bnstudy.checks.run import run
    from bnstudy.core import store

    torch.set_num_threads(1)
    coverage.simulate().to_csv(a.out.with_suffix(".csv"), index=False, float_format="%.8g")
    store.write_json(a.out, run())


def _notebook(a: argparse.Namespace) -> None:
    from bnstudy.pipeline.notebook import execute

    execute(a.notebook, {"study": str(a.index.parent)}, a.out)


def _report(a: argparse.Namespace) -> None:
    from bnstudy.core import store
    from bnstudy.pipeline.provenance import provenance
    from bnstudy.report.page.build import build

    study = a.out.parent
    store.write_json(study / "provenance.json", provenance(study, a.spec))
    build(study, a.notebooks, a.out)


def _plan(a: argparse.Namespace) -> None:
    from bnstudy.config.study import read_study
    from bnstudy.pipeline.outlook import outlook
    from bnstudy.pipeline.plan import Plan

    print(outlook(Plan(read_study(a.config))))


def _prune(a: argparse.Namespace) -> None:
    from bnstudy.pipeline.outlook import prune

    print(f"deleted {prune()} cells that no study refers to")


STAGES = {
    "data": _data,
    "sweep": _train("sweep"),
    "choose": _train("choose"),
    "evaluate": _train("evaluate"),
    "measure": _train("measure"),
    "summarize": _summarize,
    "claims": _claims,
    "checks": _checks,
    "plan": _plan,
    "notebook": _notebook,
    "report": _report,
    "prune": _prune,
}

if __name__ == "__main__":
    main()
