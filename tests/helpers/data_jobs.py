"""The data job as tests call it, and what a refusal must say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bnstudy.data.images import Images
from bnstudy.data.local import Unusable, digest, files
from bnstudy.data.prepare import prepare


def spec(source: str, path: Path, **more: Any) -> dict[str, Any]:
    """A job's specification, as planning makes it."""
    return {"source": source, "path": str(path), "sha256": digest(files(source, path)), **more}


def load(source: str, path: Path) -> Images:
    return prepare(spec(source, path))


def refused(load: Callable[[], object], *words: str) -> None:
    with pytest.raises(Unusable) as error:
        load()
    assert [word for word in (*words, "what to do: ") if word not in str(error.value)] == [], str(error.value)
