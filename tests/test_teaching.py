"""The labs of docs/teaching.md: each is run as it stands there, with few seeds, images and steps."""

import re
from pathlib import Path

import pytest

from helpers.project import ROOT, copy, shell

TEXT = (ROOT / "docs/teaching.md").read_text()
LABS = dict(re.findall(r"\n## (Lab \d).*?\n(.*?)(?=\n## |\Z)", TEXT, re.DOTALL))
SMALL = {"steps: 240": "steps: 24", "evaluation: 12": "evaluation: 2", "tuning: 2": "tuning: 1",
    "source: mnist5k": "source: mnist5k, images: 600", "train: 2944": "train: 256", "512": "128", "[0.003, 0.01, 0.03, 0.1, 0.3]": "[0.03, 0.1]"}  # fmt: skip
"""What is made small, so that six studies take a minute."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labs")
    copy(folder)
    return folder


@pytest.mark.parametrize("name", LABS)
def test_a_lab_runs_as_it_stands(name: str, project: Path) -> None:
    (file, config), (commands,) = (
        re.findall(r"`(\S+)`:\n\n```yaml\n(.*?)```", LABS[name], re.DOTALL)[0],
        re.findall(r"```bash\n(.*?)```", LABS[name], re.DOTALL),
    )
    for long, short in SMALL.items():
        assert long in config, long
        config = config.replace(long, short)
    (project / file).write_text(config)
    shell(project, commands)
    one, other = (project / file).read_text(), (project / file.replace(".", "_changed.")).read_text()
    turned = [pair for pair in zip(one.split(), other.split(), strict=True) if pair[0] != pair[1]]
    assert len(turned) == 2  # the study's name, and the one key
    compared = (project / file.replace("yaml", "md")).read_text()
    for claim in re.findall(r"\b([QU]\d\w?)\b", LABS[name][LABS[name].index("**Read.**") :].split("\n\n")[0]):
        row = re.search(rf"\| {claim}\. .*", compared)
        assert row and "not tested" not in row[0], claim


def test_there_are_three() -> None:
    assert list(LABS) == ["Lab 1", "Lab 2", "Lab 3"]
