"""Why an arm cannot be studied, worded for its author."""

from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple

from bnstudy.core.fingerprints import ROOT


class Reason(NamedTuple):
    """What is wrong, and what to do."""

    fault: str
    remedy: str


def failed(what: str, error: BaseException, remedy: str) -> Reason:
    """Return a reason that names the error, and the author's line that raised it."""
    where = ""
    for file, line, *_ in extract_tb(error.__traceback__):
        installed = {"site-packages", "dist-packages"} & set(Path(file).parts) or file.startswith("<frozen")
        if not installed and not Path(file).is_relative_to(ROOT):
            where = f" ({Path(file).name}, line {line})"
    if isinstance(error, SyntaxError):
        where = f" ({Path(error.filename or '').name}, line {error.lineno})"
    said = ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])
    return Reason(f"{what}: {said}{where}", remedy)
