"""Digests of stored files, taken when they are written and verified when they are read.

Beside a file or folder FILE stands FILE.sha256, in the format of `sha256sum --check`; a trained cell has the digests of its
files in its own cell.json. What is unreadable or differs counts as missing: it is set aside, named, and made again.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bnstudy.core import store

SUFFIX = ".sha256"


def seal(path: Path, *beside: str) -> None:
    """Write the digests of a file or of all files of a folder, and of further files ``beside`` it."""
    files = [*_files(path), *(path.with_name(name) for name in beside)]
    lines = [_line(file, str(file.relative_to(path.parent))) for file in files]
    store.write_text(path.with_name(path.name + SUFFIX), "".join(lines))


@contextmanager
def sealing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write, as :func:`bnstudy.core.store.writing` does; its digest stands before it appears.

    So no other study that wants the same file finds it unsealed, and sets it aside.
    """
    with store.writing(path) as unfinished:
        yield unfinished
        store.write_text(path.with_name(path.name + SUFFIX), _line(unfinished, path.name))


def _line(file: Path, name: str) -> str:
    return f"{store.sha256(file)}  {name}\n"


def fault(path: Path, cell: bool = False) -> str:
    """Return what is wrong with a stored cell, or a file or folder that was sealed; "" where it is as it was written."""
    try:
        if cell:
            content = json.loads((path / "cell.json").read_bytes())
            if store.key(content["spec"]) != path.name:
                return "is not what was written (cell.json differs)"
            folder, digests = path, content["files"]
        else:
            lines = path.with_name(path.name + SUFFIX).read_text().splitlines()
            folder, digests = path.parent, {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
            missing = {str(file.relative_to(folder)) for file in _files(path)} - set(digests)
            if missing or not digests:
                return f"is not what was written ({', '.join(sorted(missing)) or 'nothing'} was added)"
        changed = next((name for name, digest in digests.items() if store.sha256(folder / name) != digest), None)
        return f"is not what was written ({changed} differs)" if changed else ""
    except FileNotFoundError as error:
        return f"is not what was written ({Path(str(error.filename)).name} is missing)"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"cannot be read ({error})"


def set_aside(path: Path, why: str) -> None:
    """Rename what counts as missing, and say so."""
    aside = path.with_name(path.name + ".damaged")
    if path.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    if path.exists():
        with suppress(FileNotFoundError):  # another process was faster
            path.rename(aside)
        why += f"; it is made again, and kept as {aside.name}"
    print(f"[store] {path} {why}", file=sys.stderr, flush=True)


def sound(path: Path, cell: bool = False) -> bool:
    """Return whether a file or a cell is there as it was written; set aside one that differs."""
    why = fault(path, cell)
    if why and path.exists():
        set_aside(path, why)
    return not why


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name[0] != ".")  # Snakemake leaves such
