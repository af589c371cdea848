"""Copies of the project for tests that run its workflow, and the workflow run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "profiles", "report", "src", "workflow")
"""All that a study needs, beside the Snakefile."""


def copy(folder: Path, *more: str) -> None:
    """All that a study needs, and ``more`` folders, into ``folder``."""
    for name in (*FOLDERS, *more):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)


def snakemake(folder: Path, *arguments: str) -> str:
    """What Snakemake says of a run in ``folder``, which must succeed."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-m", "snakemake", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
