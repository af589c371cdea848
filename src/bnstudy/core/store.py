"""The store of trained cells: results/cells/<key>/, shared by all studies, written once, never edited.

A folder is written under another name and renamed into place, so a kill leaves either a whole cell or none. Its key
is a hash of the complete specification: setting, rate, seeds, data, code and torch version.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def key(spec: Any) -> str:
    """The name of what ``spec`` specifies: sixteen hex digits."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")
    os.replace(new, path)


def stored(cells: Path, name: str) -> bool:
    return (cells / name / "cell.json").is_file()


def put(cells: Path, spec: dict[str, Any], arrays: dict[str, Arrays]) -> None:
    """Store one cell: {"curve": {...}, "init": {parameter: [m, ...]}, ...}."""
    cells.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=cells))
    for name, content in arrays.items():
        np.savez(new / f"{name}.npz", **content)  # type: ignore[arg-type]
    files = {f"{n}.npz": _sha256(new / f"{n}.npz") for n in arrays}
    (new / "cell.json").write_text(json.dumps({"spec": spec, "files": files}, indent=1))
    try:
        os.rename(new, cells / key(spec))
    except OSError:  # an equal cell is there already: same key, same bytes
        shutil.rmtree(new)


def get(cells: Path, name: str) -> tuple[dict[str, Any], list[str]]:
    """(spec, names of the array files) of a cell; verifies every file.

    Raises FileNotFoundError or ValueError, saying which command mends it.
    """
    folder = cells / name
    if not stored(cells, name):
        raise FileNotFoundError(f"{folder} is missing; `snakemake --cores 2 --forcerun evaluate` trains it again")
    content = json.loads((folder / "cell.json").read_text())
    for file, sha in content["files"].items():
        if not (folder / file).is_file() or _sha256(folder / file) != sha:
            raise ValueError(
                f"{folder / file} is damaged; delete {folder} and run `snakemake --cores 2 --forcerun evaluate`"
            )
    return content["spec"], [f.removesuffix(".npz") for f in content["files"]]


def arrays(cells: Path, name: str, file: str) -> Arrays:
    """The arrays of one file of a cell."""
    with np.load(cells / name / f"{file}.npz", allow_pickle=False) as content:
        return dict(content)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
