"""How every job is done: on inputs that are as they were written, by the code that was planned, leaving sealed outputs."""

from collections.abc import Callable, Iterable
from pathlib import Path

from bnstudy.core import fingerprints, seals

BESIDE = {
    "checks": ("coverage.csv",),
    "claims": ("answers.json", "findings.json", "ledger.json", "contrasts.csv", "robustness.csv", "forecasts.csv"),
    "report": ("provenance.json",),
}
"""What a job writes beside the file that it is told to write."""
EDITED = "{} was edited while the study runs: what is at work is other code than was planned.\nNothing of this {} is stored. Run the same command again."


def perform(stage: str, code: str, inputs: Iterable[Path], work: Callable[[], object], out: Path) -> None:
    """Do a job of a stage.

    Args:
        stage: The rule of the workflow.
        code: The stamp of the code that the result depends on, as it was planned.
        inputs: What earlier jobs sealed.
        work: The job.
        out: The file or folder that it writes.

    Raises:
        SystemExit: An input is not what was written, or the code was edited.
    """
    whole(*inputs)
    work()
    unedited(code, "job")
    seals.seal(out, *BESIDE.get(stage, ()))


def unedited(code: str, what: str) -> None:
    """Raise SystemExit where the code of a stamp was edited, before ``what`` is stored."""
    if fingerprints.edited(code):
        raise SystemExit(EDITED.format(code.partition("=")[0].replace(",", ", or "), what))


def whole(*files: Path) -> None:
    """Set aside each file that is not what was written; raise SystemExit where one was."""
    damaged = [(file, why) for file in files if (why := seals.fault(file))]
    for file, why in damaged:
        seals.set_aside(file, why)
    if damaged:
        raise SystemExit("Run the same command again, which makes it again.")
