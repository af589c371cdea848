"""Reading the claims file: every error at once, worded for its author.

Light on purpose (pydantic and yaml): the workflow reads it before any job starts.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import ValidationError

from bnstudy.claims.contrast import Contrast, shades
from bnstudy.claims.ledger import FIELDS, Answer, Claim, Ledger, keys
from bnstudy.core import yaml_file
from bnstudy.core.stats import max_intervals, seeds_needed

VERDICT_SEEDS = 10
"""From here on a study is meant to reach verdicts: a file with more primary intervals than its seeds allow is refused.
Below, it is a trial: it runs, and where its seeds allow no interval every verdict is inconclusive and says why."""


def names(template: str) -> set[str]:
    """The names in braces; ValueError for braces that do not match."""
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
        lacking = [k for k in keys(claim) if k not in claim.texts and k not in ledger.texts]
        if lacking:
            yield f"{claim.id}: texts lack {', '.join(lacking)}"
        if set(claim.texts) - set(keys(claim)):
            yield f"{claim.id}: texts {', '.join(sorted(set(claim.texts) - set(keys(claim))))} can never be said"
        for text in (*claim.texts.values(), *ledger.texts.values()):
            if names(text) - FIELDS:
                yield f"{claim.id}: {', '.join(sorted(names(text) - FIELDS))}: no such field; there are {', '.join(sorted(FIELDS))}"
        if claim.shares and not _mirrored(claim, by_id.get(claim.shares)):
            yield f"{claim.id}: its settings are not those of {claim.shares} with the arms exchanged"
    for place, answers in _choices(ledger):
        yield from (f"{place}: {e}" for e in _bad_answers(answers, by_id))
    for q in ledger.questions:
        yield from (f"{q.id}: no claim {c}" for c in (q.lead, q.pivot) if c not in by_id)
    for finding in ledger.findings:
        if (names(finding.alt) | names(finding.caption)) - {"title"}:
            yield f"{finding.figure}: alt and caption may name {{title}} alone"


def _choices(ledger: Ledger) -> Iterator[tuple[str, list[Answer]]]:
    """Every list of answers of which one is said, and where it stands."""
    for q in ledger.questions:
        for answers in (*q.sentences, *q.believe, *(a for ask in q.asks for a in ask.sentences)):
            yield q.id, answers
    for finding in ledger.findings:
        yield finding.figure, finding.title


def _bad_answers(answers: list[Answer], by_id: dict[str, Claim]) -> Iterator[str]:
    if not answers or answers[-1].when or any(not a.when for a in answers[:-1]):
        yield "the last answer, and no other, has no `when`"
    for answer in answers:
        for name, verdicts in answer.when.items():
            allowed = _verdicts(name, by_id)
            if set(verdicts) - set(allowed):
                yield f"when {name} is {', '.join(sorted(set(verdicts) - set(allowed)))}: allowed are {', '.join(allowed)}"
        for field in names(answer.text):
            claim, _, key = field.partition("[")
            if claim not in by_id or key.rstrip("]") not in FIELDS | {"sentence"}:
                yield f"{{{field}}}: write {{CLAIM[FIELD]}}, as in {{Q1b[effect]}}"


def _verdicts(name: str, by_id: dict[str, Claim]) -> list[str]:
    """What a claim ("Q4c") or one of its settings ("Q4c.3") can come out as."""
    claim, _, number = name.partition(".")
    if claim not in by_id or int(number or 1) > len(by_id[claim].settings):
        return []
    if not number:
        return [*keys(by_id[claim]), "contradicted"]
    found = shades(by_id[claim].settings[int(number) - 1])
    return ["supported", *(f"contradicted.{s}" for s in found), "open", "contradicted"]


def _mirrored(claim: Claim, other: Claim | None) -> bool:
    """Whether each setting is one of ``other``'s with the arms the other way round."""
    if other is None or other.question != claim.question or other.shares:
        return False
    have = [_key(s, s.arms) for s in other.settings]
    return all(_key(s, s.arms[::-1]) in have for s in claim.settings)


def _key(setting: Contrast, arms: list[str]) -> dict[str, Any]:
    return {
        **setting.model_dump(exclude={"name", "region", "sesoi", "unit", "margin", "reverse"}),
        "arms": arms,
    }


class ClaimsError(ValueError):
    """The claims file cannot be used; the message lists every reason."""


def load(path: Path, seeds: int | None = None) -> Ledger:
    """Read the claims file. With ``seeds`` (10 or more) also refuse more primary intervals than these seeds allow.

    Raises ClaimsError, worded for the user, for anything wrong with the file.
    """
    try:
        raw = yaml_file.load(path)
        ledger = Ledger.model_validate_json(json.dumps(raw))
        errors = list(inconsistencies(ledger))
    except ValidationError as error:
        errors = [_where(raw, e) for e in error.errors()]
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise ClaimsError(f"{path} cannot be read: {error}") from None
    else:
        errors += _too_many(ledger, seeds or 0)
    if errors:
        raise ClaimsError("\n".join([f"{path} cannot be used:", *(f"  - {e}" for e in errors)]))
    return ledger


def _too_many(ledger: Ledger, seeds: int) -> Iterator[str]:
    for question in ledger.questions if seeds >= VERDICT_SEEDS else []:
        count, most = ledger.primary(question.id), max_intervals(seeds)
        if count > most:
            yield (
                f"{question.id} has {count} primary settings, but {seeds} evaluation seeds allow at most {most} at 95% "
                f"together. Set seeds.evaluation to {seeds_needed(count)} or more, or list fewer settings (those that "
                f"matter less can be shown without a verdict)."
            )


def _where(raw: Any, error: Any) -> str:
    """Place by the claim's id and the setting's name rather than by number alone."""
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
