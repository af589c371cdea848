"""Read the config's YAML files once more, for what Snakemake drops: line numbers, and keys that are written twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnstudy.config.errors import ABSENT, Problem, dotted, lookup, show
from bnstudy.core.yaml_file import DEEPEST, MOST_VALUES, Document, KeyPath, Misleading, TooDeep, TooLarge, Unreadable

MOST_BYTES = 1_000_000
"""Beyond any study."""


class ConfigFile:
    """One config file: its content (None if unreadable), the line of each key path, and the problems found in it."""

    def __init__(self, file: str | Path) -> None:
        self.file = relative(file)
        self.content: Any = None
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        try:
            self._read(Path(file))
        except TooDeep:
            self._refuse("the file is nested too deeply", f"{DEEPEST} levels at most", "remove brackets")
        except TooLarge:
            fault = f"the file stands for more than {MOST_VALUES} values, or is nested too deeply"
            self._refuse(fault, f"{MOST_VALUES} values, {DEEPEST} levels", "write a few values, without anchors")
        except Misleading as error:
            allowed = "numbers without a leading 0 or a colon"
            self._refuse(error.reason, allowed, f"write {error.value}, or put it in quotes", error.line)
        except Unreadable as error:
            remedy = "mend this line or the one above: indent with spaces, never tabs; close quotes and brackets"
            self._refuse(f"this is not YAML: {show(error.reason, 160)[1:-1]}", "YAML", remedy, error.line)

    def _refuse(self, fault: str, allowed: str, remedy: str, line: int = 0) -> None:
        self.content = None
        location = f"{self.file}:{line}" if line else self.file
        self.problems.append(Problem((), fault, allowed, remedy, location=location))

    def _read(self, file: Path) -> None:
        try:
            raw = file.read_bytes()
        except OSError as error:
            return self._refuse(f"the file cannot be read: {error.strerror}", "", "check the path")
        if len(raw) > MOST_BYTES:
            return self._refuse(f"the file has {len(raw)} bytes", f"{MOST_BYTES} bytes", "is it the right file?")
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            fault = f"the file is not UTF-8 text: byte {raw[error.start]:#04x} at position {error.start}"
            return self._refuse(fault, "UTF-8", "save the file with the encoding UTF-8", line)
        document = Document(text)
        self.content, self.lines = document.content, document.lines
        for path, line, first_line in document.repeated.values():
            fault, location = f"the key is written twice, first in line {first_line}", f"{self.file}:{line}"
            self.problems.append(Problem(path, fault, "each key once", "delete one of the two", location=location))
        if self.content is None or self.content == {}:
            return self._refuse("the file sets no key", "at least one key", 'write for example "study: mine"')
        if not isinstance(self.content, dict):
            fault = f"the file holds {'a list' if isinstance(self.content, list) else 'one value'}, not keys"
            self._refuse(fault, "a mapping of keys to values", 'begin with a line such as "study: mine"', 1)


def shipped(file: str) -> Path:
    """Return a file by its path from the folder of the run; where it is not there, the one in config/ that the package has."""
    path, own = Path(file), Path(__file__).with_name(Path(file).name)
    return own if path.parent == Path("config") and not path.exists() and own.exists() else path


def relative(file: str | Path) -> str:
    """Return the file's name, from the current folder if it lies inside it."""
    try:
        return str(Path(file).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def locate(files: Sequence[ConfigFile], config: Any, path: KeyPath) -> str:
    """Return "file:line" of a key path, or of the nearest thing around it; values of no file came with --config."""
    if not files:
        return "--config on the command line"
    for end in range(len(path), 0, -1):
        value = lookup(config, path[:end])
        for file in reversed(files):
            written = lookup(file.content, path[:end])
            if written is not ABSENT and (end < len(path) or repr(written) == repr(value)):
                return f"{file.file}:{file.lines.get(path[:end], 1)}"
        if value is not ABSENT:
            return f"--config {dotted(path[:1])}=..."
    return files[-1].file


def plain(config: Any) -> tuple[Any, list[Problem]]:
    """Return ``config`` as JSON has it (text keys; text, numbers, lists, mappings), and what was replaced by null.

    Raises TooLarge, also for a config that contains itself.
    """
    problems: list[Problem] = []
    count = 0

    def visit(value: Any, path: KeyPath) -> Any:
        nonlocal count
        count += 1
        if count > MOST_VALUES or len(path) > DEEPEST:
            raise TooLarge(f"the config has more than {MOST_VALUES} values, or is nested too deeply")
        if isinstance(value, dict):
            for key in [k for k in value if not isinstance(k, str)]:
                fault, remedy = f"the key {show(key)} is not text", "rename the key, or put it in quotes"
                problems.append(Problem((*path, str(key)), fault, "keys of letters", remedy))
            return {k: visit(v, (*path, k)) for k, v in value.items() if isinstance(k, str)}
        if isinstance(value, list | tuple):
            return [visit(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            problems.append(Problem(path, "the text has half a character in it", "text", "retype the text"))
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
            problems.append(Problem(path, "the number is too large", "", "write a smaller number"))
        elif value is None or isinstance(value, str | int | float):
            return value
        else:
            fault, choices = f"YAML reads it as a {type(value).__name__}", "text, a number, a list or a mapping"
            problems.append(Problem(path, fault, choices, "put it in quotes"))
        return None

    return visit(config, ()), problems
