"""Why a workflow failed, said once more when all else has been said: Snakemake talks over what its jobs say."""

import atexit
import re
import sys
from pathlib import Path

MOST = 30
"""The last lines of a job's log that are repeated."""


def causes(logs: list[Path]) -> str:
    """Return what the failed jobs said last, by Snakemake's own logs of the run; "" where they name no job's log."""
    text = "\n".join(log.read_text(errors="replace") for log in logs if log.is_file())
    named = re.findall(
        r"Error in rule \S+:(?:\n\s+message: (?!None\n)([^\n]*))?.*?\n\s+log: (.+?) \(check|"
        r"Command '.*?(?:tee |2> )(\S+?\.log).*?' returned",
        text,
        re.DOTALL,
    )
    failed: dict[str, tuple[str, list[str]]] = {}
    for message, of_rule, of_command in named:
        own, *others = (of_rule or of_command).split(", ")  # the others: what a cluster's queue logged
        failed.setdefault(own, (message, others))
    said = []
    for path, (message, others) in ((Path(own), told) for own, told in failed.items()):
        lines = path.read_text(errors="replace").strip().splitlines() if path.is_file() else []
        start = max((i for i, line in enumerate(lines) if line.startswith("Traceback")), default=None)
        if start is not None:  # of a traceback the error itself
            first = (i for i in range(start + 1, len(lines)) if lines[i] and not lines[i].startswith(" "))
            lines = [*lines[:start][-3:], *lines[next(first, start) :]]
        where = " and ".join([str(path), *others])
        said += [f"The job {path.stem} failed (all it said is in {where}):", *filter(None, [message]), *lines[-MOST:]]
    return "\n".join(said)


def say_last(text: str) -> None:
    """Print ``text`` on stderr when the program ends, after everything else."""
    if text:
        atexit.register(lambda: print(f"\n{text}", file=sys.stderr, flush=True))
