"""Processes to time things in: two with one thread each, one with as many threads as torch takes, and fresh ones.

Only one contestant works at a time; the others wait. This process never imports torch, so that it stays small.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from bnstudy.bench.shapes import JOBS

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def call(name: str, *arguments: Any) -> Any:
    """Run a contestant by its name, so that the process that asks need not import it: it stays small, without torch."""
    return getattr(import_module("bnstudy.bench.contestants"), name)(*arguments)


class Machine(ExitStack):
    """Worker processes that live as long as the benchmark; use as a context."""

    def __init__(self) -> None:
        super().__init__()
        # the plain loop may have as many threads as torch chooses
        given = {name: os.environ.pop(name) for name in THREADS if name in os.environ}
        self.callback(os.environ.update, given)
        start = get_context("spawn")
        pools = (ProcessPoolExecutor(1, start, call, ("threads", 1)) for _ in range(JOBS))
        self.jobs = [self.enter_context(pool) for pool in pools]
        self.free = self.enter_context(ProcessPoolExecutor(1, start))

    def both(self, name: str, arguments: Callable[[int], Sequence[Any]]) -> list[Any]:
        """Run a contestant in every one-thread process at once; ``arguments`` maps the process's number to them."""
        waiting = [pool.submit(call, name, *arguments(i)) for i, pool in enumerate(self.jobs)]
        return [future.result() for future in waiting]

    def alone(self, name: str, *arguments: Any) -> Any:
        """Run a contestant in the process with all threads."""
        return self.free.submit(call, name, *arguments).result()


def fresh(name: str, arguments: Sequence[Sequence[Any]]) -> float:
    """Wall seconds to run a contestant once per entry of ``arguments``, each in a new process, ``JOBS`` at a time."""

    def run(each: Sequence[Any]) -> None:
        subprocess.run([sys.executable, "-m", "bnstudy.bench.contestants", name, json.dumps(list(each))], check=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(run, arguments))
    return time.perf_counter() - started


class Used(NamedTuple):
    """What a process took: processor seconds, and its largest resident memory in GiB."""

    seconds: float
    gib: float


def used(command: Sequence[str], folder: Path) -> Used:
    """Run ``command`` as a new process in ``folder``. The memory is never below that of the process that asks.

    Raises subprocess.CalledProcessError, with what the process said, where it fails."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(child.returncode, command, said.read().decode())
    unit = 1 if sys.platform == "darwin" else 1024
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**30)
