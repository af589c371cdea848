"""The command line: what people call, and what the workflow calls for each of its jobs."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

# One thread per job: the number of threads changes the bits of a sum, and parallelism is jobs.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

warnings.filterwarnings("ignore", message="There is a performance drop")  # of vmap over an arm from outside

HELP = {
    "spec": "what the job is told: a JSON file that planning wrote",
    "data": "the prepared images",
    "sweeps": "what the tuning jobs wrote",
    "evaluations": "what the evaluating jobs wrote",
    "measures": "what the measuring jobs wrote",
    "rates": "the rates and their roles",
    "index": "what the evaluating job of the same name wrote",
    "tables": "the folder of the study's tables",
    "claims": "the claims file",
    "checks": "the results of the external checks",
    "notebook": "the notebook to execute",
    "notebooks": "the executed notebooks",
    "quiz": "the quiz and its key",
    "code": "the code that was planned to do it",
    "out": "the file or folder to write",
}
"""What each flag of a job means; all flags of a job are required."""
SEVERAL = {"sweeps", "evaluations", "measures", "notebooks"}
SEALED = {*SEVERAL, "data", "rates", "index", "tables", "checks"}
"""What earlier jobs wrote, with digests beside it."""


def main() -> None:
    """Run what the arguments ask for; a missing or unknown one ends with a message on how to call it."""
    from bnstudy.core import store
    from bnstudy.data.local import ImagesSpec
    from bnstudy.pipeline import external, jobs, records
    from bnstudy.pipeline.perform import perform

    if sys.path[0] not in ("", os.getcwd()):  # as `python -m` has it: modules of the user's own
        sys.path.insert(0, os.getcwd())
    parser = argparse.ArgumentParser(prog="python -m bnstudy", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(run: Callable[[argparse.Namespace], None], *flags: str) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__.strip("_"), help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        for flag in flags:
            many = "+" if flag in SEVERAL else None
            kind = str if flag == "code" else Path
            added.add_argument(f"--{flag}", required=True, type=kind, nargs=many, help=HELP[flag])
        return added

    def job(name: str, work: Callable[..., None], kind: type, *flags: str) -> None:
        def run(a: argparse.Namespace) -> None:
            given = (store.read_json(kind, a.spec) if flag == "spec" else getattr(a, flag) for flag in flags)
            work(*given, a.out)

        run.__name__, run.__doc__ = name, (work.__doc__ or "").partition("\n")[0]
        command(run, *dict.fromkeys([*flags, "code"]), "out")

    config = Path("config/config.yaml")
    command(_plan).add_argument("--config", type=Path, default=config, help=f"the study; by default {config}")
    running = command(_run)
    running.add_argument("--config", type=Path, default=config, help=f"the study; by default {config}")
    running.add_argument("--minutes", type=float, default=float("inf"), help="begin no job after so long")
    running.add_argument("--cores", type=int, default=1, help="how many jobs run at once; on a card they share it")
    command(_check).add_argument("files", nargs="+", metavar="FILE", help="a study's config")
    arm = "a name, or package.module:Name for one of your own"
    command(_try).add_argument("arms", nargs="+", metavar="ARM", help=arm)
    command(_compare).add_argument("studies", nargs=2, type=Path, metavar="results/NAME", help="a finished study")
    command(_findings).add_argument("study", type=Path, metavar="results/NAME", help="a finished study")
    command(_reference).add_argument("study", type=Path, metavar="results/NAME", help="a finished study")
    command(_site, "out")
    command(_prune)
    job("data", jobs.images, ImagesSpec, "spec", "code")
    job("rehearse", jobs.rehearse, records.RehearseJob, "spec")
    job("sweep", jobs.sweep, records.SweepJob, "spec", "data")
    job("choose", jobs.choose, records.ChooseJob, "spec", "sweeps")
    job("evaluate", jobs.evaluate, records.EvaluateJob, "spec", "data", "rates")
    job("measure", jobs.measure, records.MeasureJob, "spec", "data", "index")
    command(_summarize, "spec", "sweeps", "evaluations", "measures", "rates", "data", "code", "out")
    job("checks", external.check, str, "code")  # it reads no specification
    command(_claims, "spec", "tables", "claims", "checks", "code", "out").add_argument(
        "--beside", type=Path, nargs="*", default=[], help="folders of reference studies"
    )
    command(_notebook, "notebook", "tables", "code", "out")
    command(_report, "spec", "notebooks", "quiz", "code", "out")
    arguments = parser.parse_args()
    if "code" in arguments:
        given = [getattr(arguments, flag) for flag in sorted(SEALED & set(vars(arguments)))]
        inputs = [path for value in given for path in (value if isinstance(value, list) else [value])]
        work = partial(arguments.run, arguments)
        perform(arguments.run.__name__.strip("_"), arguments.code, inputs, work, arguments.out)
        return
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read had enough, as `| head -1` has: that is no error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python says so itself when it ends


def _plan(a: argparse.Namespace) -> None:
    """Say how much of a study is stored and how long the rest takes."""
    from bnstudy.config.study import read_study
    from bnstudy.pipeline.outlook import outlook
    from bnstudy.pipeline.plan import Plan

    print(outlook(Plan(read_study(a.config))))


def _run(a: argparse.Namespace) -> None:
    """Make what is missing of a study, to its verdicts: without Snakemake, and without the page."""
    from bnstudy.config.study import read_study
    from bnstudy.pipeline.plan import Plan
    from bnstudy.pipeline.run import run

    run(Plan(read_study(a.config)), 60 * a.minutes, a.cores)


def _check(a: argparse.Namespace) -> None:
    """Check config files, and rehearse the arms and networks from outside that they name."""
    from bnstudy.config.study import read_study, settings
    from bnstudy.pipeline.plan import Plan

    plans = [Plan(read_study(file)) for file in a.files]
    for file, plan in zip(a.files, plans):
        job = plan.rehearse()
        if job.parts:
            from bnstudy.pipeline.rehearsal import rehearsed

            rehearsed(job)
        tried = f", {sum(part.outside for part in job.parts)} rehearsed" if job.parts else ""
        print(f"{file}: study {plan.name}, {len(settings(plan.config))} settings{tried}; no errors")


def _try(a: argparse.Namespace) -> None:
    """Set arms beside none, bn and layernorm: a first ranked answer in a minute or two."""
    from bnstudy.pipeline.trial import attempt

    print(attempt(a.arms))


def _compare(a: argparse.Namespace) -> None:
    """Print two finished studies claim by claim, as a page in Markdown."""
    from bnstudy.compare import load, page

    print(page(a.studies, [load(folder) for folder in a.studies]), end="")


def _findings(a: argparse.Namespace) -> None:
    """Print what a finished study found, every interval included, as a page in Markdown."""
    from bnstudy.findings import page

    print(page(a.study), end="")


def _reference(a: argparse.Namespace) -> None:
    """Keep a finished study in results/reference, small enough to be committed; others are set beside it.

    Given a folder of results/reference, say its findings anew, in the words of today's texts.
    """
    from bnstudy.pipeline.plan import REFERENCES
    from bnstudy.pipeline.reference import keep, renew

    if a.study.resolve().parent == REFERENCES.resolve():
        renew(a.study)
    else:
        print(keep(a.study))


def _site(a: argparse.Namespace) -> None:
    """Build a static site: the pages of the reference studies, the findings and the documents."""
    from bnstudy.pipeline.site import site

    site(Path().resolve(), a.out)


def _prune(a: argparse.Namespace) -> None:
    """Delete stored networks that no study refers to."""
    from bnstudy.pipeline.outlook import prune

    print(f"deleted {prune()} cells that no study refers to")


def _summarize(a: argparse.Namespace) -> None:
    """Write the tables of a study."""
    from bnstudy.core import store
    from bnstudy.pipeline.records import SummarizeJob
    from bnstudy.pipeline.tables import summarize  # pandas: whoever trains does without

    summarize(store.read_json(SummarizeJob, a.spec), a.sweeps, a.evaluations, a.measures, a.rates, a.data, a.out)


def _claims(a: argparse.Namespace) -> None:
    """Judge the claims."""
    from bnstudy.claims.records import JudgedWith
    from bnstudy.core import store
    from bnstudy.pipeline.verdicts import judge

    judge(store.read_json(JudgedWith, a.spec), a.tables, a.claims, a.checks, a.out, a.beside)


def _notebook(a: argparse.Namespace) -> None:
    """Execute a notebook of the report."""
    from bnstudy.pipeline.notebook import execute

    execute(a.notebook, {"study": str(a.tables.parent)}, a.out)


def _report(a: argparse.Namespace) -> None:
    """Make the page of a study and note what made it."""
    import json

    from bnstudy.core import store
    from bnstudy.pipeline.provenance import provenance
    from bnstudy.report.page.build import build
    from bnstudy.report.page.walk import figures

    study = a.out.parent
    store.write_json(study / "provenance.json", provenance(study, json.loads(a.spec.read_text())))
    figures(a.notebooks, study / "figures")
    build(study, a.notebooks, a.quiz, a.out)


if __name__ == "__main__":
    main()
