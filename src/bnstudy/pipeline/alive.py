"""Which studies are being made right now: whoever makes one holds a lock that its process cannot leave behind."""

import fcntl
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

_held: dict[Path, TextIO] = {}
LOOKING = "dry summary detailed-summary dag d3dag rulegraph filegraph report lint list unlock touch"
"""What Snakemake does without making anything, as its options begin."""


def works(arguments: Sequence[str]) -> bool:
    """Return whether Snakemake, called with these arguments, makes files: what else it does needs no lock.

    It does not say so itself while it reads a Snakefile.
    """
    short = any(a[:1] == "-" != a[1:2] and "n" in a for a in arguments)
    return not short and not any(a.startswith(tuple(f"--{word}" for word in LOOKING.split())) for a in arguments)


def hold(folder: Path) -> None:
    """Note that this process makes the study of a folder, as long as it lives.

    Raises:
        SystemExit: Another process does.
    """
    if other := _lock(folder, keep=True):
        made = f"The study in {folder} is being made already, by {other}"
        raise SystemExit(f"{made}: wait until it ends, or stop it there by Ctrl+C.")


def working(results: Path) -> str:
    """Return which process makes a study of a folder of results; "" where none does."""
    return next((other for file in sorted(results.glob("*/.alive")) if (other := _lock(file.parent, keep=False))), "")


def _lock(folder: Path, keep: bool) -> str:
    """Take the lock of a study, and keep it or not; return who has it, "" where nobody else does."""
    folder.mkdir(parents=True, exist_ok=True)
    if (place := folder.resolve()) in _held:
        return ""
    file = open(folder / ".alive", "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        return file.read() or "another process"
    except OSError:  # a file system without locks
        return ""
    if keep:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        _held[place] = file
    return ""
