"""Files that appear whole or not at all, and the store of trained cells.

The cells stand in results/cells/<key>/, are shared by all studies, written once and never edited. A cell's key is a hash
of its complete specification: setting, rate, seeds, data, code and torch version.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import numpy as np

from bnstudy.core.cell import CellSpec

Arrays = dict[str, np.ndarray]
Record = TypeVar("Record")


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text per value. Records become objects.

    Raises:
        ValueError: A number is not finite.

    >>> canonical({"b": [1, None], "a": 0.5})
    '{"a":0.5,"b":[1,null]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=vars)


def key(value: Any) -> str:
    """Return the name of what ``value`` specifies: sixteen hex digits.

    >>> len(key({"rate": 0.1})), key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    (16, True)
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse(kind: type[Record], text: str | bytes) -> Record:
    """Return the record that a JSON text holds; pydantic's ValidationError says which of its fields are wrong."""
    from pydantic import TypeAdapter  # not above: training needs none of it

    return TypeAdapter(kind).validate_json(text, strict=True)


def read_json(kind: type[Record], path: Path) -> Record:
    """Return the record that a JSON file holds, as :func:`parse` does."""
    return parse(kind, path.read_bytes())


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write, which takes the place of ``path`` when all of it is written.

    The name is unique, so that processes that write the same file never meet, and ends as ``path`` does. Where writing
    fails, ``path`` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".new-{token_hex(8)}-{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with writing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all. Records become objects."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, default=vars) + "\n")


def stored(cells: Path, name: str) -> bool:
    """Return whether the store holds a cell."""
    return (cells / name / "cell.json").is_file()


def put(cells: Path, spec: CellSpec, arrays: dict[str, Arrays]) -> None:
    """Store one cell: {"curve": {...}, "init": {parameter: [m, ...]}, ...}."""
    cells.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=cells))
    for name, content in arrays.items():
        np.savez(unfinished / f"{name}.npz", **content)  # type: ignore[arg-type]
    files = {f"{name}.npz": sha256(unfinished / f"{name}.npz") for name in arrays}
    write_json(unfinished / "cell.json", {"spec": spec, "files": files})
    try:
        os.rename(unfinished, cells / key(spec))
    except OSError:  # an equal cell is there already: same key, same bytes
        shutil.rmtree(unfinished)


def get(cells: Path, name: str) -> tuple[CellSpec, list[str]]:
    """Return the specification of a cell and the names of its array files, after a check of every file.

    Raises:
        FileNotFoundError or ValueError, saying which command mends it.
    """
    folder = cells / name
    if not stored(cells, name):
        raise FileNotFoundError(f"{folder} is missing; `snakemake --cores 2 --forcerun evaluate` trains it again")
    content = json.loads((folder / "cell.json").read_text())
    for file, digest in content["files"].items():
        if not (folder / file).is_file() or sha256(folder / file) != digest:
            raise ValueError(
                f"{folder / file} is damaged; delete {folder} and run `snakemake --cores 2 --forcerun evaluate`"
            )
    return parse(CellSpec, json.dumps(content["spec"])), [f.removesuffix(".npz") for f in content["files"]]


def arrays(cells: Path, name: str, file: str) -> Arrays:
    """Return the arrays of one file of a cell."""
    with np.load(cells / name / f"{file}.npz", allow_pickle=False) as content:
        return dict(content)
