"""Fixtures that several test files ask for: the claims file, and a made study as it is judged."""

import os
from collections.abc import Iterator

# One thread, as jobs have it: threads of several workers on the same cores wait for each other. Read when torch is imported.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import pytest  # noqa: E402

from bnstudy.claims.ledger import Ledger  # noqa: E402
from bnstudy.claims.records import ClaimRow  # noqa: E402
from helpers import judging  # noqa: E402
from helpers.synthetic import Tables, whole  # noqa: E402

SLOW = "workflow slurm outside extending teaching card cifar10 page browser reference bench notebooks site".split()
SLOW += "examples nets guests figures_drawn page_parts batches words train".split()
"""Files that take half a minute or more: whole studies, whole pages, many networks."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow files: whichever file is begun last ends the run, on the one core that has it."""
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in SLOW)


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Return the claims file."""
    return judging.LEDGER


@pytest.fixture(scope="session")
def base() -> Tables:
    """Return the tables of a study in which every claim holds; tests copy a table before they write into it."""
    return whole()


@pytest.fixture(scope="session")
def held(base: Tables) -> dict[str, ClaimRow]:
    """Return the claims of that study as judged, by id."""
    return judging.judged(base)


@pytest.fixture
def drawn() -> Iterator[None]:
    """Draw with the settings of the page's figures."""
    from bnstudy.report.figures.style import drawing  # matplotlib, which most files do without

    with drawing():
        yield
