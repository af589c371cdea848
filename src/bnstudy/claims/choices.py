"""The small language in which the text file chooses sentences and names networks and effects.

A place is a claim or some of its settings: Q3a, or Q3a[deep, main], the settings with both words in the names that the
claims file gives them. A condition asks for the outcomes of a place: "Q3a[deep] has opposite or against", "Q2a lacks
supported", "Q1b is supported" (some settings are decided, and all decided ones are so). A field takes words from a place:
{Q3a.opposite} the networks that came out so, {Q3a.opposite.short} the same in ten words, {Q3a.opposite.brief} in five, {Q3a.opposite.effect} their effects, {Q3a.opposite.turned} the ratios upside
down, {Q3a.sentence} the claim's whole sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bnstudy.claims.sentences import DECIDED, ORDER

GROUPS = {"decided": DECIDED, "measured": (*DECIDED, "shown", "open"), "listed": ORDER}
"""Words for several outcomes; "listed" is any."""
PLACE = r"(?P<claim>[A-Z]\d+[a-z]?)(?:\[(?P<some>[^\]]+)\])?"
CONDITION = re.compile(PLACE + r" (?P<verb>has|lacks|is) (?P<outcomes>[a-z ]+)")
FIELD = re.compile(PLACE + r"\.(?P<outcomes>[a-z ]+?)(?:\.(?P<how>effect|turned|short|brief))?")


class Place(NamedTuple):
    """A claim, and words that the names of its settings must have."""

    claim: str
    words: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Return whether a setting of this name, as the claims file writes it, belongs to the place."""
        return all(word in name for word in self.words)

    def __str__(self) -> str:
        return f"{self.claim}[{', '.join(self.words)}]" if self.words else self.claim


class Condition(NamedTuple):
    """What a place is asked for: has, lacks or is one of these outcomes."""

    place: Place
    verb: str
    outcomes: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Condition:
        """Return a condition; raise ValueError where the text is none."""
        if not (found := CONDITION.fullmatch(text)):
            raise ValueError(f'"{text}" is no condition; write it as in "Q3a[deep] has opposite or open"')
        return cls(_place(found), found["verb"], _outcomes(found["outcomes"]))


def _place(found: re.Match[str]) -> Place:
    return Place(found["claim"], tuple(word.strip() for word in (found["some"] or "").split(",") if word))


def _outcomes(text: str) -> tuple[str, ...]:
    names = text.split(" or ")
    if unknown := [name for name in names if name not in GROUPS and name not in ORDER]:
        raise ValueError(f"{', '.join(unknown)}: no outcome; there are {', '.join([*ORDER, *GROUPS])}")
    return tuple(dict.fromkeys(o for name in names for o in GROUPS.get(name, (name,))))


def fields(text: str) -> list[tuple[Place, tuple[str, ...], str]]:
    """Return the fields of a text: a place, its outcomes, and what is taken: where, short, brief, effect, turned or sentence.

    Raises:
        ValueError: for a field that cannot be read.
    """
    return [_field(field) for field in re.findall(r"\{([^}]*)\}", text)]


def _field(text: str) -> tuple[Place, tuple[str, ...], str]:
    if not (found := FIELD.fullmatch(text)):
        raise ValueError(
            f"{{{text}}}: no such field; write it as in {{Q3a.opposite}}, {{Q3a.opposite.effect}} or {{Q3a.sentence}}"
        )
    if found["outcomes"] == "sentence":
        return _place(found), ORDER, "sentence"
    return _place(found), _outcomes(found["outcomes"]), found["how"] or "where"


def fill(text: str, value: Callable[[Place, Sequence[str], str], str]) -> str:
    """Return a text with ``value`` of each of its fields."""
    return re.sub(r"\{([^}]*)\}", lambda m: value(*_field(m[1])), text)
