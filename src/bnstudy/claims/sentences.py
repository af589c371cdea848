"""A claim in words: every outcome of its settings is said, with its direction and both sides of its effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bnstudy.claims.ledger import Claim, Part
from bnstudy.claims.numbers import effect
from bnstudy.claims.records import ClaimRow, ContrastRow
from bnstudy.core import words
from bnstudy.core.setting import DEPTHS

ORDER = (
    "supported", "opposite", "higher", "lower", "against", "negligible", "not enough", "shown", "open", "unmeasured",
)  # fmt: skip
"""The outcomes of a setting, in the order in which they are said: the strongest first, what is not known last."""
DECIDED = ORDER[:7]
BOUND = ("at least", "at most")
"""How an effect begins of which one end alone is known."""
NOT_EVALUABLE = "not evaluable: "
NOT_JUDGED = "not judged"
"""In place of the verdict of a claim whose numbers are shown alone."""
TURNED = {"supported": "contradicted", "contradicted": "supported"}
REVERSED = ("opposite", "against")
"""Outcomes that point the other way than the claim."""
TARGETS = ("main", "second")
PLACED = ("at", "by", "for", "from", "in", "of", "on", "to", "under", "with")
"""Words that places which share their beginning may share up to."""
ROOM = {"where": None, "short": 10, "brief": 5}
"""So many words name networks: in sentences by themselves, in a story, and in a headline."""
LONGEST = 28
"""So many words stand in one sentence, where its places can be parted."""
UNIT = {"sd": "an sd", "points": "a point", "percent": "a percent", "decades": "a decade", "ln times": "the ratio"}


def outcome(row: ContrastRow) -> str:
    """Return what a setting came out as, one of ORDER.

    "against" is a contradiction that is not enough for the opposite, and yet lies wholly on its side; "unmeasured" has no
    interval, and "shown" has one without a verdict.
    """
    if row.shown_low is None and row.shown_high is None:
        return "unmeasured"
    if row.verdict == NOT_JUDGED:
        return "shown"
    if row.detail == "not enough" and row.ci_high is not None and row.ci_high < 0:
        return "against"
    return row.detail or row.verdict


def sentence(row: ClaimRow, claim: Claim) -> str:
    """Return all that the settings of a claim came out as: decided ones first, then what is left open, then what is lacking.

    The settings of one part that share an outcome share their sentences: what it says and where, then the effects. What a
    kind of networks lacks is left out, unless it is all that there is.
    """
    groups: dict[tuple[int, str], list[ContrastRow]] = {}
    pairs = [(claim.part(contrast.name), setting) for contrast, setting in zip(claim.settings, row.settings)]
    pairs = [pair for pair in pairs if pair[1].counts] or pairs
    parts = [part for part, _ in pairs]
    lacking = [setting for _, setting in pairs if outcome(setting) == "unmeasured"]
    for part, setting in pairs:
        if setting not in lacking:
            groups.setdefault((claim.parts.index(part), outcome(setting)), []).append(setting)
    said, about = list[str](), -1
    for index, name in sorted(groups, key=lambda g: (ORDER.index(g[1]), g[0])):
        part, settings = claim.parts[index], groups[index, name]
        whole = len(settings) == sum(p is part for p in parts)
        said += [*_placed(lead(part, name, index != about), settings, whole), fact(part, settings)]
        said += _narrow(settings) if name != "shown" else []
        about = index
    return " ".join([*said, *_lacking(lacking, len(lacking) == len(pairs))])


def fact(part: Part, settings: Sequence[ContrastRow]) -> str:
    """Return the sentence with the effects of some settings and both of their sides."""
    turns = bool(part.turned) and all((s.shown_estimate or s.shown_high or s.shown_low or 0) < 0 for s in settings)
    text = part.turned if turns and part.turned else part.fact
    return _sentence(text.format(effect=effects(part, settings, turns), sesoi=settings[0].threshold))


def effects(part: Part, settings: Sequence[ContrastRow], turned: bool = False, interval: bool = True) -> str:
    """Return the effect of each setting, or their range where there are more than two.

    Args:
        part: the part that the settings belong to.
        settings: settings that have a number.
        turned: whether ratios are turned upside down.
        interval: whether the interval is said.
    """
    rows = [_turned(s) if turned else s for s in settings]
    words = [_effect(row, part, interval) for row in rows]
    if len(rows) <= 2 and not (part.sides and min(map(_size, rows)) < 0 < max(map(_size, rows))):
        first, last = words[0], words[-1]
        return last if first == last else f"{first if interval else _short_of(first, last)} and {last}"
    ranked = sorted(rows, key=_size)
    if part.sides and _size(ranked[-1]) <= 0:
        ranked.reverse()
    first, last = (_effect(row, part, False) for row in (ranked[0], ranked[-1]))
    if first == last:
        return first
    below, above = (outcome(row) in REVERSED and row.unit == "ln times" for row in (ranked[0], ranked[-1]))
    marks = [" (the reverse)" if end and below != above else "" for end in (below, above)]
    of, to = ("from", "to") if first.startswith(BOUND) or last.startswith(BOUND) else ("between", "and")
    return f"{of} {_short_of(first, last)}{marks[0]} {to} {last}{marks[1]}"


def _effect(row: ContrastRow, part: Part, interval: bool) -> str:
    if row.shown_estimate is not None and not interval:
        return effect(row.shown_estimate, row.shown_estimate, row.shown_estimate, row.unit, sides=part.sides)
    # where a verdict would turn: no difference, and what matters on either side
    edges = () if row.unit == "relative error" else (0.0, row.shown_sesoi, -row.shown_sesoi)
    return effect(row.shown_estimate, row.shown_low, row.shown_high, row.unit, edges, part.sides)


def _short_of(first: str, last: str) -> str:
    """Return the first of two effects without the words at its end that the last one repeats."""
    a, b = first.split(), last.split()
    while len(a) > 1 and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return " ".join(a)


def _size(row: ContrastRow) -> float:
    """Return the estimate, or the end that stands for one that is missing."""
    return next((v for v in (row.shown_estimate, row.shown_low, row.shown_high) if v is not None), 0.0)


def _turned(row: ContrastRow) -> ContrastRow:
    """Return a setting seen from the other side: b over a."""
    estimate, low, high = (None if v is None else -v for v in (row.shown_estimate, row.shown_high, row.shown_low))
    return replace(row, shown_estimate=estimate, shown_low=low, shown_high=high)


def lead(part: Part, name: str, first: bool = True) -> str:
    """Return what an outcome says; what is left open names the claim unless the sentence before did."""
    if name == "shown":
        return "Shown without a verdict"
    if name == "open" and not first:
        return "It is left open"
    if name == "open":
        claim = part.says["supported"]
        return f"Whether {claim[0].lower() if claim[1:2].islower() else claim[0]}{claim[1:]} stays open"
    if name == "against":
        return f"{part.says['opposite']}, at least a little,"
    return part.says[name]  # type: ignore[index]


def _placed(lead: str, settings: Sequence[ContrastRow], whole: bool) -> list[str]:
    """Return a lead with where it holds, in as many sentences as its places take."""
    labels = [s.label for s in settings]
    room = LONGEST - len(lead.split())
    if whole and len(labels) > 2 and len(listing(labels).split()) > room:
        return [_sentence(f"{lead} in all {len(labels)} settings")]
    groups = [labels[:1]]
    for place in labels[1:]:
        if len(listing([*groups[-1], place]).split()) > room:
            groups.append([place])
        else:
            groups[-1].append(place)
    first, *more = map(listing, groups)
    return [_sentence(f"{lead} {first}"), *(_sentence(f"The same {text}") for text in more)]


def _lacking(settings: Sequence[ContrastRow], whole: bool) -> list[str]:
    """Return why settings have no number, each reason once."""
    said, reasons = [], by_reason(settings)
    for reason, rows in reasons.items():
        places = [] if whole and len(reasons) == 1 else _placed("No result", rows, False)
        said += [*places, _sentence(f"{'There is no result' if not places else 'The reason'}: {reason}")]
    return said


def by_reason(settings: Iterable[ContrastRow]) -> dict[str, list[ContrastRow]]:
    """Return settings by why they have no number."""
    found: dict[str, list[ContrastRow]] = {}
    for s in settings:
        found.setdefault((s.reason or "there is no interval").removeprefix(NOT_EVALUABLE), []).append(s)
    return found


def _narrow(settings: Sequence[ContrastRow]) -> Iterable[str]:
    """Yield a sentence where a verdict hangs on a thousandth of its unit."""
    for s in settings:
        ends = [end for end in (s.ci_low, s.ci_high) if end is not None]
        gaps = [abs(end - edge) for end in ends for edge in {s.sesoi, -s.sesoi}]
        if s.unit in UNIT and gaps and round(min(gaps), 3) <= 0.001:
            yield _sentence(f"That hangs on a thousandth of {UNIT[s.unit]} {listing([s.label])}")


def others_against(row: ClaimRow) -> list[str]:
    """Return which reference studies decide a claim otherwise."""
    against = TURNED.get(row.verdict)
    return [name for name, verdict in row.beside.items() if verdict == against]


def elsewhere(row: ClaimRow) -> str:
    """Return sentences, with a space before them, on which reference studies decide a claim otherwise; "" where none does."""
    said = list[str]()
    for name in others_against(row):
        fact = row.beside_facts.get(name, "").rstrip(".")
        what = f": {fact[:1].lower()}{fact[1:]}" if fact else ""
        study = words.study(name)
        said.append(
            f" In “{study}” too{what}." if said else f" In the study “{study}” it is {TURNED[row.verdict]}{what}."
        )
    return "".join(said)


def listing(labels: Sequence[str]) -> str:
    """Return places in a sentence, the words that all begin and end with said once: "at 5 and 20 layers"."""
    if len(set(labels)) == 1:
        return labels[0].replace(";", ",")
    rows = [label.replace(";", "").split() for label in dict.fromkeys(labels)]
    head, tail = list[str](), list[str]()
    if len(rows) > 1:
        # ends first: "in networks to a loss" and "in networks with skips to a loss" are no "in networks to and with skips"
        while min(map(len, rows)) > 1 and len({row[-1] for row in rows}) == 1:
            tail.insert(0, rows[0][-1])
            rows = [row[:-1] for row in rows]
        # "at 20 layers" and "for gradients at 20 layers" are no "at and for gradients at 20 layers"
        if any(len(row) == 1 and row[0] in PLACED for row in rows) and max(map(len, rows)) > 1:
            rows, tail = [[*row, *tail] for row in rows], []
        while min(map(len, rows)) > 1 and len({row[0] for row in rows}) == 1:
            head.append(rows[0][0])
            rows = [row[1:] for row in rows]
        # "convolutional networks and networks with skips" would be three kinds of networks
        while head and head[-1] not in PLACED and any(a != b and b[: len(a)] == a for a in rows for b in rows):
            rows = [[head[-1], *row] for row in rows]
            head.pop()
    *some, last = (" ".join(row) for row in rows)
    middle = f"{', '.join(some)} and {last}" if some else last
    return " ".join([*head, middle, *tail])


def label(
    template: str, depths: Mapping[str, int], targets: Sequence[float], depth: str = "{} layers", the: str = "the "
) -> str:
    """Return where a setting is taken, with the study's own depths and target losses; one that it lacks is named in words."""
    said = {name: depth.format(depths[name]) if name in depths else f"{the}{name} depth" for name in DEPTHS}
    for place, name in enumerate(TARGETS):
        said[name] = f"loss {targets[place]:g}" if place < len(targets) else f"{the}{name} loss"
    return template.format_map(said)


def places(found: Sequence[ContrastRow], every: Sequence[ContrastRow], room: int | None = None) -> str:
    """Return where some of a claim's settings are taken: their networks, or all of it where others share these networks.

    Args:
        found: the settings.
        every: all settings that they are some of.
        room: more words than this become a kind of networks, where that says it, or a count, "in 3 of 4 cases".
    """
    heads, others = [_head(s) for s in found], {_head(s) for s in every if s not in found}
    if others.isdisjoint(heads):
        text, cases, of = listing(heads), len(set(heads)), len({_head(s) for s in every})
    else:
        one = len({_head(s) for s in every}) == 1
        text = listing([s.label.partition("; ")[2] or s.label if one else s.label for s in found])
        cases, of = len(found), len(every)
    if room is None or len(text.split()) <= room:
        return text
    kinds = list(dict.fromkeys(s.kind for s in found))
    if all(kinds) and {s.kind for s in every if s not in found}.isdisjoint(kinds):
        text = listing([f"in {words.kind(kind)}" for kind in kinds])
        if len(text.split()) <= room:
            return text
    return f"in {cases} of {of} cases" if cases < of else "in both cases" if of == 2 else f"in all {of} cases"


def _head(row: ContrastRow) -> str:
    return row.label.partition(";")[0]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
