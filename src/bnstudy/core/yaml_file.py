"""The one reader of YAML files: it knows the line of each value and refuses what YAML would let pass without a word.

YAML itself keeps the last of two equal keys. A few lines of anchors can stand for billions of values, and deep nesting
ends the C reader's process, so that both are limited before anything is built.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

KeyPath = tuple[str | int, ...]
"""Where a value stands in a file: ("grids", 0, "arms", 1) is grids[0].arms[1]."""

FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_VALUES = 20_000
DEEPEST = 12
OTHER_BASE = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
"""Plain numbers that YAML 1.1 reads in base 8 or 60."""


class Repeated(NamedTuple):
    """A key that is written twice: the lines, counted from 1, of the second and of the first time."""

    path: KeyPath
    line: int
    first_line: int


class Unreadable(ValueError):
    """Text that is no YAML, and the line of the fault (0: unknown)."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason, self.line = reason, line
        super().__init__(f"line {line}: {reason}" if line else reason)


class Misleading(Unreadable):
    """A number that YAML reads in another base than whoever wrote it may think, and its line."""

    def __init__(self, text: str, value: object, line: int) -> None:
        self.value = value
        super().__init__(f"YAML reads {text} as {value}", line)


class TooLarge(ValueError):
    """More than MOST_VALUES values, counted with each use of an anchor, or more than DEEPEST levels."""


class TooDeep(TooLarge):
    """More than DEEPEST levels, without any anchor."""


class Document:
    """The content of a YAML text, the line of each key path, and the keys that are written twice."""

    def __init__(self, text: str) -> None:
        """Read ``text``. Raise Unreadable if it is no YAML, Misleading for a number such as 010 or 1:20, TooLarge or TooDeep
        if it is more than any file needs.
        """
        self.lines: dict[KeyPath, int] = {}
        self.repeated: dict[int, Repeated] = {}  # by line: an anchor shows the same line wherever it is used
        self._values = 0
        try:
            node = _nodes(text)
            self._note(node, ())
            self.content: Any = None if node is None else yaml.constructor.SafeConstructor().construct_document(node)
        except (TooLarge, Unreadable):
            raise
        # IndexError: an empty `!!int`. ValueError: a date such as 2020-13-45, or a number of thousands of digits
        except (yaml.YAMLError, ValueError, TypeError, OverflowError, IndexError) as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
            raise Unreadable(str(reason), mark.line + 1 if mark else 0) from None

    def _note(self, node: yaml.Node | None, path: KeyPath) -> None:
        """Note the lines of ``node`` and of all inside it; count what anchors stand for each time they are used."""
        self._values += 1
        if self._values > MOST_VALUES or len(path) > DEEPEST:
            raise TooLarge(f"more than {MOST_VALUES} values, or more than {DEEPEST} levels")
        if node is not None:
            self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode) and not node.style and OTHER_BASE.fullmatch(node.value):
            value = yaml.constructor.SafeConstructor().construct_document(node)
            if not isinstance(value, str):
                raise Misleading(node.value, value, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._note(item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            first_lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in first_lines:
                    self.repeated.setdefault(line, Repeated((*path, name), line, first_lines[name]))
                first_lines.setdefault(name, line)
                self.lines[*path, name] = line
                self._note(value, (*path, name))


def load(file: Path) -> Any:
    """Return the content of a YAML file.

    Raises OSError, UnicodeDecodeError, TooLarge, or Unreadable, also for a key that is written twice.
    """
    document = Document(file.read_text(encoding="utf-8"))
    for key in document.repeated.values():
        raise Unreadable(f"key {key.path[-1]} is written twice, first in line {key.first_line}", key.line)
    return document.content


def _nodes(text: str) -> yaml.Node | None:
    try:
        depth = 0
        for event in yaml.parse(text, Loader=FAST_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise TooDeep(f"more than {DEEPEST} levels")
        return yaml.compose(text, Loader=FAST_LOADER)
    except yaml.YAMLError:  # the slow reader words faults better, and knows a few more characters
        return yaml.compose(text, Loader=yaml.SafeLoader)
