"""Copies of the project for tests that run its workflow, and the workflow run in them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "docs", "profiles", "report", "src", "workflow")
"""All that a study needs, beside the Snakefile."""


def checked(folder: Path, where: Path = ROOT) -> None:
    """Give ``folder`` the external checks that a study of this very code left here, or elsewhere, if one did.

    They are the same for all studies and take half a minute; `make quick` leaves them, and so does the first test.
    """
    for file in where.glob("results/data/checks-*"):
        (folder / "results/data").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / "results/data")


def copy(folder: Path, *more: str, checks: bool = True) -> None:
    """All that a study needs, and ``more`` folders, into ``folder``; with the external checks, if they are to be had."""
    if checks:
        checked(folder)
    for name in (*FOLDERS, *more):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)


def small(config: dict[str, Any], depths: dict[int, int], steps: int, **more: Any) -> str:
    """A config with the grids of a large study, at fewer layers, channels, steps and seeds, as YAML."""
    few = {
        "study": "small", "network": {**config["network"], "width": 4}, "seeds": {"tuning": 1, "evaluation": 2},
        "training": {"batch": 32, "steps": steps, "deep_steps": steps},
        "grids": [{**grid, "depths": [depths[depth] for depth in grid["depths"]]} for grid in config["grids"]],
        "claims": {"depths": {name: depths[depth] for name, depth in config["claims"]["depths"].items()}},
    }  # fmt: skip
    return str(yaml.safe_dump({**config, **few, **more}))


def python(folder: Path, *arguments: str, project: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with the package of a project, by default the one that is copied there."""
    environment = {**os.environ, "PYTHONPATH": str((project or folder) / "src")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    kept = ROOT / "results/data"
    for file in folder.glob("results/data/checks-*"):  # for the tests that follow; other code has another name
        if not (kept / file.name).exists():
            kept.mkdir(parents=True, exist_ok=True)
            os.replace(shutil.copy(file, kept / f"{file.name}.{os.getpid()}"), kept / file.name)
    return done


def said(folder: Path, *arguments: str, project: Path | None = None) -> str:
    """What Python prints in ``folder``, where it must succeed."""
    done = python(folder, *arguments, project=project)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shell(folder: Path, commands: str) -> str:
    """What the commands of a page print, given as they stand there in a folder with a copy of the project."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    scene = {"PYTHONPATH": str(folder / "src"), "PATH": path, "HOME": str(folder)}
    done = subprocess.run(["bash", "-ec", commands], cwd=folder, env=scene, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, commands + done.stdout + done.stderr
    return done.stdout


def snakemake(folder: Path, *arguments: str) -> str:
    """What Snakemake says of a run in ``folder``, which must succeed."""
    done = python(folder, "-m", "snakemake", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
