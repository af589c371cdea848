"""The examples in docstrings: every module of the package that has one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from helpers.project import ROOT

SOURCE = ROOT / "src"
MODULES = [file for file in sorted(SOURCE.rglob("*.py")) if "    >>> " in file.read_text()]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_the_examples_are_true(file: Path) -> None:
    module = import_module(".".join(file.relative_to(SOURCE).with_suffix("").parts))
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


def test_there_are_some() -> None:
    assert len(MODULES) >= 15
