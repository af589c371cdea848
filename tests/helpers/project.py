"""Copies of the project for tests that run its workflow, and the workflow run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "docs", "profiles", "report", "src", "workflow")
"""All that a study needs, beside the Snakefile."""


def checked(folder: Path) -> None:
    """Give ``folder`` the external checks that a study of this very code left here, if one did.

    They are the same for all studies and take half a minute; `make quick` leaves them, and other code has another name.
    """
    for file in ROOT.glob("results/data/checks-*"):
        (folder / "results/data").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / "results/data")


def copy(folder: Path, *more: str, checks: bool = True) -> None:
    """All that a study needs, and ``more`` folders, into ``folder``; with the external checks, if they are to be had."""
    if checks:
        checked(folder)
    for name in (*FOLDERS, *more):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)


def python(folder: Path, *arguments: str, project: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with the package of a project, by default the one that is copied there."""
    environment = {**os.environ, "PYTHONPATH": str((project or folder) / "src")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)


def snakemake(folder: Path, *arguments: str) -> str:
    """What Snakemake says of a run in ``folder``, which must succeed."""
    done = python(folder, "-m", "snakemake", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
