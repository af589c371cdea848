"""The config's YAML files read once more, for what Snakemake drops: line numbers and keys written twice."""

from collections.abc import Sequence
from pathlib import Path as File
from typing import Any

import yaml

from bnstudy.config.errors import ABSENT, Path, Problem, key_path, lookup, show

MOST_BYTES = 1_000_000
MOST_VALUES = 20_000
"""Beyond any study; a few lines of YAML anchors can stand for billions of values."""
DEEPEST = 12


class TooLarge(ValueError):
    """A config of more than MOST_VALUES values, or nested deeper than DEEPEST."""


class ConfigFile:
    """One config file: ``data`` (None when unreadable), ``lines`` {path: line from 1}, ``problems`` found."""

    def __init__(self, file: str | File) -> None:
        self.file = relative(file)
        self.data: Any = None
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._values = 0
        self._twice: dict[str, Problem] = {}
        try:
            self._read(File(file))
        except RecursionError:
            self._fault("the file is nested too deeply", f"{DEEPEST} levels at most", "remove brackets")
        except TooLarge as error:
            self._fault(str(error), f"{MOST_VALUES} values, {DEEPEST} levels", "write a few values, without anchors")
        self.problems += self._twice.values()

    def _fault(self, wrong: str, allowed: str, todo: str, line: int = 0) -> None:
        self.data = None
        where = f"{self.file}:{line}" if line else self.file
        self.problems.append(Problem((), wrong, allowed, todo, where=where))

    def _read(self, file: File) -> None:
        try:
            raw = file.read_bytes()
        except OSError as error:
            return self._fault(f"the file cannot be read: {error.strerror}", "", "check the path")
        if len(raw) > MOST_BYTES:
            return self._fault(f"the file has {len(raw)} bytes", f"{MOST_BYTES} bytes", "is it the right file?")
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            wrong = f"the file is not UTF-8 text: byte {raw[error.start]:#04x} at position {error.start}"
            return self._fault(wrong, "UTF-8", "save the file with the encoding UTF-8", line)
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self._walk(node, (), 0)
            # IndexError: an empty `!!int`. ValueError: a date such as 2020-13-45, or a number of thousands of digits
            self.data = yaml.safe_load(text)
        except (TooLarge, RecursionError):
            raise
        except (yaml.YAMLError, ValueError, TypeError, OverflowError, IndexError) as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
            todo = "mend this line or the one above: indent with spaces, never tabs; close quotes and brackets"
            wrong = f"this is not YAML: {show(str(reason), 160)[1:-1]}"
            return self._fault(wrong, "YAML", todo, mark.line + 1 if mark else 0)
        if self.data is None or self.data == {}:
            return self._fault("the file sets no key", "at least one key", 'write for example "study: mine"')
        if not isinstance(self.data, dict):
            wrong = f"the file holds {'a list' if isinstance(self.data, list) else 'one value'}, not keys"
            self._fault(wrong, "a mapping of keys to values", 'begin with a line such as "study: mine"', 1)

    def _walk(self, node: yaml.Node | None, path: Path, depth: int) -> None:
        """Note the line of each path; count what aliases stand for, too, before anything builds it."""
        self._values += 1
        if self._values > MOST_VALUES or depth > DEEPEST:
            raise TooLarge(f"the file stands for more than {MOST_VALUES} values, or is nested too deeply")
        if node is not None:
            self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*path, index), depth + 1)
        elif isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in seen:
                    wrong = f"the key is written twice, first in line {seen[name]}"
                    where = f"{self.file}:{line}"
                    problem = Problem((*path, name), wrong, "each key once", "delete one of the two", where=where)
                    self._twice.setdefault(where, problem)  # an alias shows the same lines again
                seen.setdefault(name, line)
                self.lines[(*path, name)] = line
                self._walk(value, (*path, name), depth + 1)


def relative(file: str | File) -> str:
    """A file's name from the current folder when it lies inside it."""
    try:
        return str(File(file).resolve().relative_to(File.cwd()))
    except ValueError:
        return str(file)


def place(sources: Sequence[ConfigFile], config: Any, path: Path) -> str:
    """ "file:line" of a path, or of the nearest thing around it; values of no file came with --config."""
    if not sources:
        return "--config on the command line"
    for end in range(len(path), 0, -1):
        value = lookup(config, path[:end])
        for source in reversed(sources):
            found = lookup(source.data, path[:end])
            if found is not ABSENT and (end < len(path) or repr(found) == repr(value)):
                return f"{source.file}:{source.lines.get(path[:end], 1)}"
        if value is not ABSENT:
            return f"--config {key_path(path[:1])}=..."
    return sources[-1].file


def plain(config: Any) -> tuple[Any, list[Problem]]:
    """``config`` as JSON has it (text keys; text, numbers, lists, mappings), and what was replaced by null.

    Raises TooLarge, also for a config that contains itself.
    """
    problems: list[Problem] = []
    count = 0

    def visit(value: Any, path: Path) -> Any:
        nonlocal count
        count += 1
        if count > MOST_VALUES or len(path) > DEEPEST:
            raise TooLarge(f"the config has more than {MOST_VALUES} values, or is nested too deeply")
        if isinstance(value, dict):
            for key in [k for k in value if not isinstance(k, str)]:
                wrong = f"the key {show(key)} is not text"
                where = (*path, str(key))
                problems.append(Problem(where, wrong, "keys of letters", "rename the key, or put it in quotes"))
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
            name = type(value).__name__
            wrong = f"YAML reads it as a {name}"
            problems.append(Problem(path, wrong, "text, a number, a list or a mapping", "put it in quotes"))
        return None

    return visit(config, ()), problems
