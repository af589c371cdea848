"""Errors of the study config, for the one who wrote it: what is wrong, where, what is allowed, what next."""

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from pydantic_core import ErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]
"""Where a value stands in the config: ("grids", 0, "arms", 1) is grids[0].arms[1]."""

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
MOST_SHOWN = 100
BOUNDS = {
    "greater_than": "it is not above {}",
    "greater_than_equal": "it is below {}",
    "less_than": "it is not below {}",
    "less_than_equal": "it is above {}",
}
ABSENT = object()


class Problem(NamedTuple):
    """One error. ``where`` replaces the place found from ``path``; ``value`` stands in for a missing one."""

    path: Path
    wrong: str
    allowed: str = ""
    todo: str = ""
    near: str = ""
    where: str = ""
    value: object = ABSENT


def fail(text: str) -> NoReturn:
    """End the program with ``text`` on stderr and exit status 1, without a traceback."""
    raise SystemExit(text)


def refuse(wrong: str, allowed: str = "", todo: str = "", near: str = "") -> PydanticCustomError:
    """What a field's validator raises; becomes a Problem at that field."""
    return PydanticCustomError("bnstudy", "{wrong}", {"wrong": wrong, "allowed": allowed, "todo": todo, "near": near})


def nearest(word: object, names: Iterable[str]) -> str:
    """The name closest to ``word``, or "" when none is close."""
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(str(word).lower(), list(lower), n=1, cutoff=0.5)
    return lower[found[0]] if found else ""


def key_path(path: Path) -> str:
    """("grids", 0, "arms") as grids[0].arms."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".") or "(the whole file)"


def lookup(config: object, path: Path) -> object:
    """The value at ``path``, or ABSENT."""
    for part in path:
        if isinstance(part, int) and isinstance(config, list | tuple) and part < len(config):
            config = config[part]
        elif isinstance(part, str) and isinstance(config, Mapping) and part in config:
            config = config[part]
        else:
            return ABSENT
    return config


def show(value: object, length: int = 80) -> str:
    """A value on one line of ASCII, shortened: a file's control characters never reach the terminal."""
    try:
        text = json.dumps(value, default=str)[: length + 1]
    except (ValueError, RecursionError, TypeError):
        text = ascii(value)[: length + 1]
    return text if len(text) <= length else text[: length - 4] + " ..."


def resolve(schema: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The part of a JSON schema that describes ``path``; {} when the schema has no such key."""
    node = dict(schema)
    for part in (*path, None):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in node:  # a value or none; none is what leaving out the key means
            node = {**node["anyOf"][0], **{key: node[key] for key in ("description",) if key in node}}
        if part is not None:
            keyed = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
            node = node.get("items", {}) if isinstance(part, int) else keyed
    return node


def keys(node: Mapping[str, Any]) -> list[str]:
    """The keys that the schema of a mapping allows."""
    return list(node.get("properties") or node.get("propertyNames", {}).get("enum", ()))


def allowed(schema: Mapping[str, Any], path: Path) -> str:
    """In words, what the schema allows at ``path``."""
    node = resolve(schema, path)
    if "const" in node or "enum" in node:
        return "one of " + ", ".join(map(str, node.get("enum", [node.get("const")])))
    if node.get("type") == "object":
        return "a mapping with the keys " + ", ".join(keys(node))
    if node.get("type") == "array":
        size = f"at least {node['minItems']} of: " if "minItems" in node else ""
        return f"a list, {size}{allowed(schema, (*path, 0))}"
    if node.get("type") == "string":
        named = "lower-case letters, digits, _ and -, beginning with a letter or digit"
        form = f", {named}" if node.get("pattern") == NAME_PATTERN else ""
        about = f" ({node['description']})" if "description" in node else ""
        return f"text{about}{form}, {node['minLength']} to {node['maxLength']} characters"
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    bounds = " ".join(f"{word} {node[key]:.10g}" for key, word in words.items() if key in node)
    return f"{'whole number' if node.get('type') == 'integer' else 'number'} {bounds}".strip()


def kind(value: object) -> str:
    """What YAML made of a value, in words."""
    names: dict[type, str] = {bool: "true or false", str: "text", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "a mapping", type(None): "empty"}
    return next((name for cls, name in names.items() if isinstance(value, cls)), f"a {type(value).__name__}")


def is_number(text: object) -> bool:
    try:
        return isinstance(text, str) and math.isfinite(float(text))
    except ValueError:
        return False


def _advice(value: object, node: Mapping[str, Any]) -> str:
    """What to do about a value of the wrong type."""
    if value is None:
        return "give the key a value, or leave the key out to get the default"
    if node.get("type") == "array" and not isinstance(value, dict):
        return f"write a list: [{show(value)}]"
    if node.get("type") in ("integer", "number"):
        if isinstance(value, bool):
            return "write a number; YAML reads yes, no, on, off, true, false as logical values"
        if is_number(value):
            right = f"{float(str(value)):.10g}"
            return f"write {right} without quotes; YAML takes 1e-3 for text: write 1.0e-3 or 0.001"
        if isinstance(value, float) and value.is_integer():
            return f"write {int(value)}, without a decimal point"
    if node.get("type") == "string" and not isinstance(value, list | dict):
        return "put the text in quotes"
    return ""


def translate(errors: Iterable[ErrorDetails], config: object, schema: Mapping[str, Any]) -> list[Problem]:
    """Pydantic's errors as Problems, with what is allowed taken from the JSON schema of the same models."""
    problems = []
    for error in errors:
        path, ctx, code = error["loc"], error.get("ctx", {}), error["type"]
        value, node, parent = lookup(config, path), resolve(schema, path), path[:-1]
        choices = allowed(schema, path) if node else ""
        if code == "bnstudy":
            given = {key: ctx[key] or default for key, default in (("allowed", choices), ("todo", ""), ("near", ""))}
            problems.append(Problem(path, ctx["wrong"], **given))
        elif code == "extra_forbidden" or path[-1:] == ("[key]",):  # the latter: a mapping with fixed keys
            path = path if code == "extra_forbidden" else parent
            here, key = keys(resolve(schema, path[:-1])), path[-1]
            todo = "rename the key or delete it"
            homes = [home for home in schema["properties"] if key in keys(resolve(schema, (home,)))]
            if key in schema["properties"]:
                todo = f"move {key} to the top level of the file (no indentation)"
            elif homes:
                todo = f"move it: {key} belongs under {homes[0]}"
            choices = "the keys " + ", ".join(here)
            problems.append(Problem(path, "there is no such key here", choices, todo, nearest(key, here)))
        elif code == "missing":
            problems.append(Problem(path, "the key is missing", choices, f"add {path[-1]}: to {key_path(parent)}"))
        elif code == "literal_error":
            near = nearest(value, map(str, node.get("enum", [node.get("const")])))
            problems.append(Problem(path, "it is none of the allowed values", choices, "write one of them", near))
        elif code.endswith("_type") or code == "int_from_float":
            fraction = isinstance(value, float) and node.get("type") == "integer"
            wrong = "it has a decimal point or is too large" if fraction else f"it is {kind(value)}"
            problems.append(Problem(path, wrong, choices, _advice(value, node) or "see config/README.md"))
        elif code == "finite_number":
            problems.append(Problem(path, "it is not a finite number", choices, "write a number, or leave the key out"))
        elif code == "too_short":
            if not isinstance(value, list) or len(value) < node.get("minItems", 0):  # else its items are wrong
                wrong = "the list is empty or too short"
                problems.append(Problem(path, wrong, choices, "add an entry, or leave the key out"))
        else:
            limit = next((ctx[key] for key in ("ge", "gt", "le", "lt") if key in ctx), "")
            wrong = BOUNDS[code].format(limit) if code in BOUNDS else str(error["msg"])
            todo = "change the value, or leave the key out for the default"
            problems.append(Problem(path, wrong, choices, todo))
    return problems


def report(problems: list[Problem], config: object, where: Callable[[Path], str]) -> str:
    """All problems as one text, a block each. ``where(path)`` gives the file and line of a path."""
    blocks = []
    for number, problem in enumerate(problems[:MOST_SHOWN], start=1):
        value = lookup(config, problem.path) if problem.path else ABSENT
        equals = f" = {show(value)}" if value is not ABSENT else ""
        if value is ABSENT and problem.value is not ABSENT:
            equals = f" = {show(problem.value)} (the default)"
        name = show(key_path(problem.path))[1:-1]
        source = problem.where or where(problem.path)
        lines = [f"{number}. {source}  {name}{equals}"]
        near = f'"{problem.near}"' if problem.near else ""
        parts = (
            ("wrong", problem.wrong),
            ("allowed", problem.allowed),
            ("nearest", near),
            ("do", problem.todo),
        )
        lines += [f"   {label + ':':<9}{text}" for label, text in parts if text]
        if source.startswith("--config"):
            lines.append("            --config turns 1e-3 into text: write the keys to a file, run with --configfile")
        blocks.append("\n".join(lines))
    more = len(problems) - MOST_SHOWN
    blocks += [f"... and {more} more."] if more > 0 else []
    count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
    head = f"{count} in the study config; nothing was run. Every key is described in config/README.md."
    return "\n\n".join([head, *blocks])
