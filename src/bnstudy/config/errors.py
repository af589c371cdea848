"""Say to the author of a config what is wrong, where, what is allowed, and what to do next."""

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails, PydanticCustomError

from bnstudy.core.yaml_file import KeyPath

JsonSchema = Mapping[str, Any]
"""A part of a JSON schema; pydantic gives it as nested mappings."""
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
NAMED = "lower-case letters, digits, _ and -, beginning with a letter or digit"
MOST_SHOWN = 100
BOUNDS = {
    "greater_than": "it is not above {}",
    "greater_than_equal": "it is below {}",
    "less_than": "it is not below {}",
    "less_than_equal": "it is above {}",
}
ABSENT = object()


class Problem(NamedTuple):
    """One error. ``location`` replaces the line that ``path`` leads to; ``value`` stands in for one that is not written."""

    path: KeyPath
    fault: str
    allowed: str = ""
    remedy: str = ""
    nearest: str = ""
    location: str = ""
    value: object = ABSENT


def refusal(fault: str, allowed: str = "", remedy: str = "", nearest: str = "") -> PydanticCustomError:
    """Return what a field's validator raises; it becomes a Problem at that field."""
    context = {"fault": fault, "allowed": allowed, "remedy": remedy, "nearest": nearest}
    return PydanticCustomError("bnstudy", "{fault}", context)


def nearest_name(word: object, names: Iterable[str]) -> str:
    """Return the name closest to ``word``, or "" when none is close."""
    by_lower = {name.lower(): name for name in names}
    matches = difflib.get_close_matches(str(word).lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else ""


def dotted(path: KeyPath) -> str:
    """Return a key path as people write it: grids[0].arms for ("grids", 0, "arms")."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".") or "(the whole file)"


def lookup(config: object, path: KeyPath) -> object:
    """Return the value at ``path``, or ABSENT."""
    for part in path:
        if isinstance(part, int) and isinstance(config, list | tuple) and part < len(config):
            config = config[part]
        elif isinstance(part, str) and isinstance(config, Mapping) and part in config:
            config = config[part]
        else:
            return ABSENT
    return config


def show(value: object, length: int = 80) -> str:
    """Return a value on one line of ASCII, shortened: a file's control characters never reach the terminal."""
    try:
        text = json.dumps(value, default=str)[: length + 1]
    except (ValueError, RecursionError, TypeError):
        text = ascii(value)[: length + 1]
    return text if len(text) <= length else text[: length - 4] + " ..."


def subschema(schema: JsonSchema, path: KeyPath) -> JsonSchema:
    """Return the part of a JSON schema that describes ``path``; {} when the schema has no such key."""
    node = schema
    for part in (*path, None):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in node:  # a value or none; none is what leaving out the key means
            node = {**node["anyOf"][0], **{key: node[key] for key in ("description",) if key in node}}
        if part is not None:
            named = next(iter(node.get("patternProperties", {}).values()), None)  # a mapping whose keys are names
            keyed = node.get("properties", {}).get(part) or node.get("additionalProperties") or named or {}
            node = node.get("items", {}) if isinstance(part, int) else keyed
    return node


def keys(node: JsonSchema) -> list[str]:
    """Return the keys that the schema of a mapping allows."""
    return list(node.get("properties") or node.get("propertyNames", {}).get("enum", ()))


def allowed(schema: JsonSchema, path: KeyPath) -> str:
    """Return in words what the schema allows at ``path``."""
    node = subschema(schema, path)
    if "const" in node or "enum" in node:
        return "one of " + ", ".join(map(str, node.get("enum", [node.get("const")])))
    if "patternProperties" in node:
        return f"a mapping of names ({NAMED}) to mappings"
    if node.get("type") == "object":
        return "a mapping with the keys " + ", ".join(keys(node))
    if node.get("type") == "array":
        size = f"at least {node['minItems']} of: " if "minItems" in node else ""
        return f"a list, {size}{allowed(schema, (*path, 0))}"
    if node.get("type") == "string":
        form = f", {NAMED}" if node.get("pattern") == NAME_PATTERN else ""
        about = f" ({node['description']})" if "description" in node else ""
        return f"text{about}{form}, {node['minLength']} to {node['maxLength']} characters"
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    bounds = " ".join(f"{word} {node[key]:.10g}" for key, word in words.items() if key in node)
    return f"{'whole number' if node.get('type') == 'integer' else 'number'} {bounds}".strip()


def kind(value: object) -> str:
    """Return in words what YAML made of a value."""
    names: dict[type, str] = {bool: "true or false", str: "text", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "a mapping", type(None): "empty"}
    return next((name for cls, name in names.items() if isinstance(value, cls)), f"a {type(value).__name__}")


def is_number(text: object) -> bool:
    """Return whether ``text`` is the text of a number."""
    try:
        return isinstance(text, str) and math.isfinite(float(text))
    except ValueError:
        return False


def _type_remedy(value: object, node: JsonSchema) -> str:
    """Return what to do about a value of the wrong type."""
    if value is None:
        return "give the key a value, or leave the key out to get the default"
    if node.get("type") == "array":
        return f"write a list: [{show(value)}]"
    if node.get("type") == "object":
        return f"write keys below it, as in {{{(keys(node) or ['NAME'])[0]}: ...}}"
    if isinstance(value, list | dict):
        return "write a single value, without brackets"
    if node.get("type") in ("integer", "number"):
        if isinstance(value, bool):
            return "write a number; YAML reads yes, no, on, off, true, false as logical values"
        if is_number(value):
            number = f"{float(str(value)):.10g}"
            return f"write {number} without quotes; YAML takes 1e-3 for text: write 1.0e-3 or 0.001"
        if isinstance(value, float) and value.is_integer():
            return f"write {int(value)}, without a decimal point"
        if isinstance(value, str):
            return "write it in digits" + ("" if node["type"] == "integer" else "; a fraction as 1/10 is 0.1")
        return "write a whole number"
    return "put the text in quotes"


def translated(error: ErrorDetails, config: object, schema: JsonSchema) -> Problem | None:
    """Return the Problem of an error of pydantic's, with what is allowed taken from the JSON schema of the same models; None
    for a list that is too short only since its items are wrong."""
    path, context, code = error["loc"], error.get("ctx", {}), error["type"]
    if code == "extra_forbidden":
        return _unknown_key(path, schema)
    if path[-1:] == ("[key]",) and code == "literal_error":  # a mapping with fixed keys
        return _unknown_key(path[:-1], schema)
    if path[-1:] == ("[key]",):
        return Problem(path[:-1], "the key is no name", f"{NAMED}, 1 to 40 characters", "rename the key")
    value, node = lookup(config, path), subschema(schema, path)
    choices = allowed(schema, path) if node else ""
    if code == "bnstudy":
        return Problem(path, context["fault"], context["allowed"] or choices, context["remedy"], context["nearest"])
    if code == "missing":
        return Problem(path, "the key is missing", choices, f"add {path[-1]}: to {dotted(path[:-1])}")
    if code == "literal_error":
        name = "cuda" if value == "gpu" else nearest_name(value, map(str, node.get("enum", [node.get("const")])))
        return Problem(path, "it is none of the allowed values", choices, "write one of them", name)
    if code.endswith("_type") or code == "int_from_float":
        fraction = isinstance(value, float) and node.get("type") == "integer"
        fault = "it has a decimal point or is too large" if fraction else f"it is {kind(value)}"
        return Problem(path, fault, choices, _type_remedy(value, node))
    if code == "finite_number":
        return Problem(path, "it is not a finite number", choices, "write a number, or leave the key out")
    if code == "too_short":
        if isinstance(value, list) and len(value) >= node.get("minItems", 0):
            return None
        return Problem(path, "the list is empty or too short", choices, "add an entry, or leave the key out")
    limit = next((context[key] for key in ("ge", "gt", "le", "lt") if key in context), "")
    fault = BOUNDS[code].format(limit) if code in BOUNDS else str(error["msg"])
    return Problem(path, fault, choices, "change the value, or leave the key out for the default")


def _unknown_key(path: KeyPath, schema: JsonSchema) -> Problem:
    key, siblings = path[-1], keys(subschema(schema, path[:-1]))
    sections = [section for section in schema["properties"] if key in keys(subschema(schema, (section,)))]
    remedy = "rename the key or delete it"
    if key in schema["properties"]:
        remedy = f"move {key} to the top level of the file (no indentation)"
    elif sections:
        remedy = f"move it: {key} belongs under {sections[0]}"
    choices = "the keys " + ", ".join(siblings)
    return Problem(path, "there is no such key here", choices, remedy, nearest_name(key, siblings))


def report(problems: list[Problem], config: object, locate: Callable[[KeyPath], str]) -> str:
    """Return all problems as one text, a block each. ``locate(path)`` gives the file and line of a key path."""
    blocks = []
    for number, problem in enumerate(problems[:MOST_SHOWN], start=1):
        value = lookup(config, problem.path) if problem.path else ABSENT
        equals = f" = {show(value)}" if value is not ABSENT else ""
        if value is ABSENT and problem.value is not ABSENT:
            equals = f" = {show(problem.value)} (the default)"
        name = show(dotted(problem.path))[1:-1]
        location = problem.location or locate(problem.path)
        lines = [f"{number}. {location}  {name}{equals}"]
        nearest = f'"{problem.nearest}"' if problem.nearest else ""
        parts = {"wrong": problem.fault, "allowed": problem.allowed, "nearest": nearest, "do": problem.remedy}
        lines += [f"   {label + ':':<9}{text}" for label, text in parts.items() if text]
        if location.startswith("--config"):
            lines.append("            --config turns 1e-3 into text: write the keys to a file, run with --configfile")
        blocks.append("\n".join(lines))
    more = len(problems) - MOST_SHOWN
    blocks += [f"... and {more} more."] if more > 0 else []
    count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
    head = f"{count} in the study config; nothing was run. Every key is described in config/README.md."
    return "\n\n".join([head, *blocks])
