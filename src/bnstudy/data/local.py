"""The user's own files that a data source reads: which they are, and their digest. Without torch: for planning.

A source that can read the user's files says so by a literal ``FILES`` at its top level: sets of file names, of which
the first that is complete in the folder ``data.path`` is read. With ``FILES = ()``, ``data.path`` is the file itself.
"""

import ast
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from bnstudy.core.store import sha256

HERE = Path(__file__).parent
MOST_BYTES = 4 * 2**30
"""Larger files are refused: they are hashed whenever a study is planned, and their images must fit into memory."""


@dataclass(frozen=True)
class ImagesSpec:
    """What the prepared images depend on.

    ``path`` and ``sha256`` are those of the user's files, where the source reads some; ``images`` is how many are kept,
    where not all are.
    """

    source: str
    path: str | None = None
    sha256: str | None = None
    images: int | None = None


class Unusable(ValueError):
    """A file that cannot be used: which one, what is wrong with it, what to do about it.

    Control characters, which names in a file may hold, are written out: they must not reach a terminal.
    """

    def __init__(self, file: object, wrong: str, todo: str) -> None:
        self.file, self.wrong, self.todo = (
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) for text in (str(file), wrong, todo)
        )
        super().__init__(f"{self.file}: {self.wrong}\nwhat to do: {self.todo}")


def choices(source: str) -> tuple[tuple[str, ...], ...] | None:
    """``FILES`` of src/bnstudy/data/``source``.py, read without importing it; None: it reads no file of the user."""
    for node in ast.parse((HERE / f"{source}.py").read_bytes()).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["FILES"]:
            return ast.literal_eval(node.value)
    return None


def files(source: str, path: Path) -> list[Path]:
    """The files that ``source`` reads at ``path``, in the order of its ``FILES``.

    Raises Unusable where there is no such file or folder, or the folder lacks some of them.
    """
    sets, path = choices(source), Path(os.path.expanduser(path))
    if not path.exists():
        raise Unusable(
            path, "there is no such file or folder", "check the path; it is relative to the project's folder"
        )
    if not sets:
        if not path.is_file():
            raise Unusable(path, "this is no file", f"{source} reads a single file: write its path")
        return [path]
    if not path.is_dir():
        raise Unusable(path, "this is no folder", f"{source} reads files in a folder: write the folder's path")
    for names in sets:
        if all((path / name).is_file() for name in names):
            return [path / name for name in names]
    lacking = [[name for name in names if not (path / name).is_file()] for names in sets]
    nearest = min(range(len(sets)), key=lambda i: len(lacking[i]) - len(sets[i]))
    wrong = f"the folder lacks {', '.join(lacking[nearest])}"
    raise Unusable(path, wrong, "put in all of: " + "; or all of: ".join(", ".join(names) for names in sets))


def digest(paths: list[Path]) -> str:
    """SHA-256 over the content of ``paths``, in hex: 64 digits, whatever their names and folder.

    Raises Unusable beyond MOST_BYTES, and OSError where a file cannot be read.
    """
    total = sum(path.stat().st_size for path in paths)
    if total > MOST_BYTES:
        todo = "keep fewer images, or store pixels as uint8"
        raise Unusable(paths[0].parent, f"{total} bytes are more than {MOST_BYTES}", todo)
    digests = [sha256(path) for path in paths]
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()
