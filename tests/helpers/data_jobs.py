"""The data job as tests call it, and what a refusal must say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bnstudy.data.images import Images
from bnstudy.data.local import ImagesSpec, Unusable, digest, files
from bnstudy.data.prepare import prepare


def spec(source: str, path: Path, images: int | None = None) -> ImagesSpec:
    """Return a job's specification, as planning makes it."""
    return ImagesSpec(source=source, path=str(path), sha256=digest(files(source, path)), images=images)


def load(source: str, path: Path) -> Images:
    return prepare(spec(source, path))


def refused(load: Callable[[], object], *words: str) -> None:
    with pytest.raises(Unusable) as error:
        load()
    assert [word for word in (*words, "what to do: ") if word not in str(error.value)] == [], str(error.value)
