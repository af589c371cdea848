"""config/cifar10.yaml, which is sized for a cluster: its dry run, and all of it in small on generated files of the same form."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from bnstudy.data.cifar10 import FILES
from helpers.pages import built
from helpers.project import ROOT, copy, python, small, snakemake

CONFIG = yaml.safe_load((ROOT / "config/cifar10.yaml").read_text())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy(tmp_path)
    return tmp_path


def test_the_dry_run_lists_every_job(project: Path) -> None:
    said = snakemake(project, "-n", "--configfile", "config/cifar10.yaml")
    assert "This was a dry-run" in said and not (project / "results/cells").exists()
    for grid in CONFIG["grids"]:
        for net in grid.get("nets", ["cnn"]):
            for arm in grid["arms"]:
                assert f"results/cifar10/evaluate/{arm}_{net}_d" in said


def test_all_of_it_in_small(project: Path) -> None:
    """The same grids at fewer layers, channels and pixels, on images in three colours whose classes differ in brightness."""
    noise, folder = np.random.default_rng(0), project / "images"
    folder.mkdir()
    for name in FILES[0]:
        records = np.zeros((80, 3073), np.uint8)
        records[:, 0] = np.arange(80) % 10
        records[:, 1:] = 20 * records[:, :1] + noise.integers(0, 40, (80, 3072))
        (folder / name).write_bytes(records.tobytes())
    data = {"source": "cifar10", "path": str(folder), "pool": 4, "train": 128, "test": 128, "heldout": 128}
    more = {"data": data, "targets": [2.2, 2.0], "learning_rates": [0.03, 0.1]}
    (project / "small.yaml").write_text(small(CONFIG, {5: 2, 10: 3, 20: 4}, 20, **more))
    # in one process: the dry run has tried Snakemake, whose 27 jobs would each import torch
    done = python(project, "-m", "bnstudy", "run", "--config", "small.yaml")
    assert done.returncode == 0 and "480 images: this is not the published CIFAR-10" in done.stdout + done.stderr, done
    claims = json.loads((project / "results/small/claims.json").read_text())
    tested = {claim["id"] for claim in claims if claim["verdict"] != "not tested"}
    assert {"Q1a", "Q1d", "Q2a", "Q3a", "Q3d", "Q4a", "Q4g", "U7"} <= tested, tested
    assert "small networks on small photographs" in built(project / "results/small")
