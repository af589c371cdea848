"""The user's own files that a data source reads: which they are, and their digest. Without torch: for planning.

A source that can read the user's files says so by a literal ``FILES`` at its top level: sets of file names. It reads the
first set that is complete in the folder ``data.path``. With ``FILES = ()``, ``data.path`` is the file itself.
"""

import ast
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WHOLE_COPY = "replace the file by a whole copy"
"""The remedy for a damaged file."""
MOST_BYTES = 4 * 2**30
"""Larger files are refused: each planning of a study hashes them, and their images must fit into memory."""


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
    """Says which file cannot be used, what its fault is, and which remedy there is.

    Names in a file may hold control characters. They are written as escapes, since they must not reach a terminal.
    """

    def __init__(self, file: object, fault: str, remedy: str) -> None:
        self.file, self.fault, self.remedy = (
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) for text in (str(file), fault, remedy)
        )
        super().__init__(f"{self.file}: {self.fault}\nwhat to do: {self.remedy}")


def choices(source: str) -> tuple[tuple[str, ...], ...] | None:
    """Return ``FILES`` of src/bnstudy/data/``source``.py without importing it; None where it reads no file of the user."""
    for node in ast.parse((HERE / f"{source}.py").read_bytes()).body:
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["FILES"]:
            return ast.literal_eval(node.value)
    return None


def files(source: str, path: Path) -> list[Path]:
    """Return the files that ``source`` reads at ``path``, in the order of its ``FILES``.

    Raises:
        Unusable: There is no such file or folder, or the folder lacks some of the files.
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
    fault = f"the folder lacks {', '.join(lacking[nearest])}"
    raise Unusable(path, fault, "put in all of: " + "; or all of: ".join(", ".join(names) for names in sets))


def digest(paths: list[Path]) -> str:
    """Return the SHA-256 of the contents of ``paths``, 64 hex digits. Names and folder do not count.

    Raises:
        Unusable: The files are larger than MOST_BYTES together.
        OSError: A file cannot be read.
    """
    total = sum(path.stat().st_size for path in paths)
    if total > MOST_BYTES:
        remedy = "keep fewer images, or store pixels as uint8"
        raise Unusable(paths[0].parent, f"{total} bytes are more than {MOST_BYTES}", remedy)
    from bnstudy.core.store import sha256  # not above: it imports numpy, and most studies read no file of a user

    digests = [sha256(path) for path in paths]
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()
