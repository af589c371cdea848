"""Reading the claims file and its text file: every error at once, worded for their author.

Light on purpose (pydantic and yaml): the workflow reads it before any job starts.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

from pydantic import ValidationError

from bnstudy.claims.choices import Condition, Place, fields
from bnstudy.claims.contrast import Contrast, shades
from bnstudy.claims.kinds import Kinds, on_kinds
from bnstudy.claims.ledger import FIELDS, Answer, Claim, ClaimText, Ledger, QuestionText, Strict, Text
from bnstudy.core import yaml_file
from bnstudy.core.stats import ADVISED, max_intervals, seeds_needed

WORDS = {*ClaimText.model_fields, *QuestionText.model_fields}
"""Keys of a claim or question that the text file may give."""
TO_DO = "write `parts` (of a question `open`) with it, or under the same id in the file that `text_file` names, as in text_file: claims_text.yaml"
Model = TypeVar("Model", Ledger, Text)


def names(template: str) -> set[str]:
    """Return the names in braces; raise ValueError for braces that do not match."""
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def inconsistencies(ledger: Ledger) -> Iterator[str]:
    by_id = {c.id: c for c in ledger.claims}
    questions = {q.id for q in ledger.questions}
    if len(by_id) < len(ledger.claims) or len(questions) < len(ledger.questions):
        yield "an id is used twice"
    if "A" in questions:
        yield "question A is kept for arms that the file doesn't name; give it another id"
    for claim in ledger.claims:
        if claim.question not in questions or not claim.id.startswith(claim.question):
            yield f"{claim.id}: question {claim.question} is not this claim's; the file has {', '.join(sorted(questions))}"
        yield from (f"{claim.id}: {error}" for error in _bad_parts(claim))
        if claim.shares and not _mirrored(claim, by_id.get(claim.shares)):
            yield f"{claim.id}: its settings are not those of {claim.shares}, judged as well, with the arms exchanged"
    for place, text in [*((q.id, q) for q in ledger.questions), *((f.figure, f) for f in ledger.findings)]:
        for answers in _choices(text):
            yield from (f"{place}: {e}" for e in _bad_answers(answers, by_id))
    for q in ledger.questions:
        yield from (f"{q.id}: no claim {c}" for c in (q.lead, q.pivot) if c not in by_id)
    for finding in ledger.findings:
        if names(finding.caption):
            yield f"{finding.figure}: caption may name nothing in braces"


def _bad_parts(claim: Claim) -> Iterator[str]:
    """Yield what a claim's words lack, or say without need; words for settings that it does not have are no fault."""
    listed = {name for part in claim.parts for name in part.settings}
    unplaced = [s.name for s in claim.settings if s.name not in listed] if len(claim.parts) > 1 else []
    if unplaced:
        yield f"which of its parts {'; '.join(unplaced)} belongs to is not said: list it among the settings of one"
    nowhere = [
        s.name for s in claim.settings if not s.depth and claim.part(s.name).settings.get(s.name, "").startswith(";")
    ]
    if nowhere:
        yield f"{'; '.join(nowhere)}: a place that begins with `;` stands behind the setting's depth, and there is none"
    for part in claim.parts:
        own = [s for s in claim.settings if claim.part(s.name) is part]
        can = dict.fromkeys(shade for s in own for shade in ("supported", *shades(s)))
        if set(can) - set(part.says):
            yield f'"{part.what}" lacks words for {", ".join(k for k in can if k not in part.says)}'
        if can and set(part.says) - set(can):
            yield f'"{part.what}": {", ".join(sorted(set(part.says) - set(can)))} can never be said'
        for text in (part.fact, part.turned or part.fact):
            if names(text) - FIELDS or "effect" not in names(text):
                yield f'"{text}" must name {{effect}}, and may name {{sesoi}} besides'


def _choices(text: Any) -> Iterator[list[Answer]]:
    """Yield every list of answers of which one is said."""
    if isinstance(text, Strict):
        for name in type(text).model_fields:
            yield from _choices(getattr(text, name))
    elif isinstance(text, list) and text and isinstance(text[0], Answer):
        yield text
    elif isinstance(text, list):
        for item in text:
            yield from _choices(item)


def _bad_answers(answers: list[Answer], by_id: dict[str, Claim]) -> Iterator[str]:
    if any(not a.when for a in answers[:-1]):
        yield "the last answer alone may have no `when`: those after it are never said"
    for answer in answers:
        try:
            conditions = [Condition.read(text) for text in answer.when]
            named = fields(answer.text)
            places = [c.place for c in conditions] + [place for place, *_ in named]
        except ValueError as error:
            yield str(error)
            continue
        compared = {place: _compared(place, by_id) for place in places}
        yield from (f"{p}: the claims file has no such claim or setting" for p in places if not compared[p])
        for place, _, how in named:
            if how in ("effect", "turned") and len(compared[place]) > 1:
                sides = "; ".join(compared[place])
                yield f"{{{place} ... {how}}} is of settings that compare different things ({sides}); name some by a word in []"


def _compared(place: Place, by_id: dict[str, Claim]) -> dict[str, None]:
    """Return what the settings of a place compare, each once; nothing where there is no such claim or setting."""
    claim = by_id.get(place.claim)
    return dict.fromkeys(claim.part(s.name).what for s in claim.settings if place.takes(s.name)) if claim else {}


def _mirrored(claim: Claim, other: Claim | None) -> bool:
    """Return whether each contrast is one of ``other``'s with the arms the other way round."""
    if other is None or other.question != claim.question or other.shares or (claim.judged and not other.judged):
        return False
    have = [_place(s) for s in other.settings]
    return all(_place(s.model_copy(update={"arms": s.arms[::-1]})) in have for s in claim.settings)


def _place(contrast: Contrast) -> str:
    return contrast.model_dump_json(exclude={"name", "region", "sesoi", "unit", "margin", "reverse"})


class ClaimsError(ValueError):
    """The claims file, or its text file, cannot be used; the message lists every reason."""


def load(path: Path, kinds: Kinds | None = None) -> Ledger:
    """Read a claims file, with the words that it lacks from the text file that it names.

    Args:
        path: the claims file.
        kinds: the study's kinds of networks; the claims that are returned speak of each of them.

    Raises:
        ClaimsError: for anything wrong with either file, worded for the user.
    """
    raw = _read(path)
    if isinstance(raw, dict) and isinstance(raw.get("text_file"), str):
        text = _read(path.with_name(raw["text_file"]))
        _valid(Text, text, path.with_name(raw["text_file"]))
        raw = merged(raw, text)
    ledger = _valid(Ledger, raw, path)
    try:
        errors = [*inconsistencies(ledger)]
    except ValueError as error:  # braces of a text that do not match
        errors = [str(error)]
    if errors:
        raise _unusable(path, errors)
    placed = ledger.model_copy(update={"claims": [claim.placed() for claim in ledger.claims]})
    return on_kinds(placed, kinds or {})


def _read(path: Path) -> Any:
    try:
        return yaml_file.load(path)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise ClaimsError(f"{path} cannot be read: {error}") from None


def merged(raw: Any, text: Any) -> Any:
    """Return what a claims file says, with what it does not say itself from its text file, under the same ids."""
    whole = {**{key: text[key] for key in ("findings",) if key in text}, **raw}
    for section in {"questions", "claims"} & set(text):
        if isinstance(raw.get(section), list):
            words = {key: {"parts": said} if isinstance(said, list) else said for key, said in text[section].items()}
            own = raw[section]
            whole[section] = [{**words.get(str(e.get("id")), {}), **e} if isinstance(e, dict) else e for e in own]
    return whole


def _unusable(path: Path, errors: list[str]) -> ClaimsError:
    return ClaimsError("\n".join([f"{path} cannot be used:", *(f"  - {e}" for e in dict.fromkeys(errors))]))


def _valid(kind: type[Model], raw: Any, path: Path) -> Model:
    try:
        return kind.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        lacking = [e for e in error.errors() if e["type"] == "missing" and e["loc"][-1] in WORDS]
        errors = [_where(raw, e) for e in error.errors() if e not in lacking]
        if lacking:
            owners = dict.fromkeys(_where(raw, e).rpartition(".")[0].rpartition(".")[2] or "file" for e in lacking)
            errors.append(f"no words for {', '.join(owners)}: {TO_DO}")
        raise _unusable(path, errors) from None
    except (ValueError, TypeError) as error:
        raise ClaimsError(f"{path} cannot be read: {error}") from None


def check_seeds(path: Path, primary: Mapping[str, int], seeds: int) -> None:
    """Raise ClaimsError where a study that is meant to reach verdicts has more primary intervals than its seeds allow.

    With fewer seeds than are advised it is a trial: it runs, and every verdict is inconclusive and says why.

    Args:
        path: the claims file.
        primary: K by question.
        seeds: the study's evaluation seeds.
    """
    most, errors = max_intervals(seeds), []
    for question, count in primary.items() if seeds >= ADVISED else ():
        if count > most:
            errors.append(
                f"{question} has {count} primary settings, but {seeds} evaluation seeds allow at most {most} at 95% "
                f"together. Set seeds.evaluation to {seeds_needed(count)} or more, or list fewer settings (those that "
                f"matter less can be shown without a verdict)."
            )
    if errors:
        raise _unusable(path, errors)


def _where(raw: Any, error: Any) -> str:
    """Return an error's place, by the claim's id and the contrast's name rather than by number alone, and its message."""
    shown, here = [], raw
    for step in error["loc"]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        label = next((here[k] for k in ("id", "name", "figure") if k in here), None) if isinstance(here, dict) else None
        shown.append(str(label or step))
    message = error["msg"].removeprefix("Value error, ")
    value = error["input"]
    given = f" (given: {value!r})" if isinstance(value, (str, int, float)) else ""
    return f"{'.'.join(shown) or 'file'}: {message}{given}"
