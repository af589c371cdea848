"""The package outside its checkout: what a wheel holds, what it asks for, and a study planned with it alone."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers.project import ROOT, said

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINNED = (ROOT / "requirements.txt").read_text(), (ROOT / "requirements-torch.txt").read_text()
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)", "".join(PINNED), re.MULTILINE))
STUDY = "study: mine\ngrids:\n  - {name: main, arms: [none, bn], depths: [5]}\nclaims: {depths: {shallow: 5}}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, unpacked; built in a copy, since setuptools writes beside what it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("src", "config"):
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / "project" / name, symlinks=True, ignore=ignore)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder / "project")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(folder / "project")], check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "src")
    return folder


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    source = ROOT / "src/bnstudy"
    files = [file for file in source.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert len(files) > 200
    for file in files:
        assert (wheel / "src/bnstudy" / file.relative_to(source)).read_bytes() == file.read_bytes(), file


def test_a_study_is_planned_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(STUDY)
    command = ("-c", "import bnstudy.__main__ as m; print(m.__file__); m.main()", "plan", "--config", "my.yaml")
    file, *told = said(tmp_path, *command, project=wheel).splitlines()
    assert Path(file).is_relative_to(wheel / "src")
    assert re.match(r"0 of about \d+ cells are stored; training and measuring the rest takes about [\d.]+ min", told[0])
    assert told == said(tmp_path, *command, project=ROOT).splitlines()[1:]
    assert [path.name for path in tmp_path.iterdir()] == ["my.yaml"]


def test_its_command_is_the_module_s(wheel: Path) -> None:
    (info,) = wheel.glob("src/*.dist-info")
    assert "bnstudy = bnstudy.__main__:main" in (info / "entry_points.txt").read_text()


@pytest.mark.parametrize("wanted", [PROJECT["dependencies"], *(EXTRAS[name] for name in ("run", "report", "dev"))])
def test_the_pins_are_what_it_asks_for(wanted: Sequence[str]) -> None:
    """If this fails: make pins."""
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(PINS[requirement.name]), requirement


def test_every_pin_but_torch_has_its_hashes() -> None:
    """pip then refuses a file that is another than the one tried; see requirements-torch.txt for torch."""
    with_hashes = re.findall(r"^([\w.-]+)==\S+ \\\n +--hash=sha256:[0-9a-f]{64}\b", PINNED[0], re.MULTILINE)
    assert len(with_hashes) > 100 and {*PINS} - {*with_hashes} == {"torch"}


def test_it_asks_for_all_that_it_imports() -> None:
    """Packages whose module has another name stand here."""
    named = {"IPython": "ipython", "PIL": "pillow", "jupyter_client": "jupyter-client", "sklearn": "scikit-learn"}
    named |= {"yaml": "pyyaml", "zmq": "pyzmq"}
    asked = {Requirement(text).name for text in [*PROJECT["dependencies"], *EXTRAS["report"], *EXTRAS["run"]]}
    source = "\n".join(file.read_text() for file in (ROOT / "src").rglob("*.py"))
    modules = set(re.findall(r"^\s*(?:import|from) (\w+)(?:[. ]|$)", source, re.MULTILINE))
    installed = {named.get(module, module) for module in modules} & {*PINS}
    assert installed - asked == set(), "add them to pyproject.toml"
    assert {"torch", "pandas", "pyyaml", "scikit-learn", "papermill"} <= installed
