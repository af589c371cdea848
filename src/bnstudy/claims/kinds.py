"""From claims that say "all kinds" to contrasts on each kind of network that a study has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.ledger import Claim, Ledger, Part
from bnstudy.claims.lookup import JudgedKind
from bnstudy.core import words
from bnstudy.core.setting import FIXED

Kinds = Mapping[str, JudgedKind]


def on_kinds(ledger: Ledger, kinds: Kinds) -> Ledger:
    """Return the claims with a contrast per kind in place of each that says ``kinds: all``.

    Without kinds the claims stay as they are: such a contrast then speaks of the study's own networks. Two contrasts of the
    same networks make one: those of two kinds, where the contrast itself says what differs in them, and those of two depths
    to which a kind gives one number.
    """
    if not kinds:
        return ledger
    return ledger.model_copy(update={"claims": [_on_kinds(claim, kinds) for claim in ledger.claims]})


def _on_kinds(claim: Claim, kinds: Kinds) -> Claim:
    """Return a claim whose contrasts on kinds stand where the first of them stood, part by part and there kind by kind."""
    general = [contrast for contrast in claim.settings if contrast.kinds]
    if not general:
        return claim
    first = claim.settings.index(general[0])
    own = [contrast for contrast in claim.settings if not contrast.kinds]
    pairs = sorted(_pairs(general, kinds), key=lambda pair: claim.parts.index(claim.part(pair[0].name)))
    settings = [*own[:first], *(named(contrast, kind) for contrast, kind in pairs), *own[first:]]
    parts = [_part(part, pairs) for part in claim.parts]
    return claim.model_copy(update={"settings": settings, "parts": parts})


def _pairs(contrasts: list[Contrast], kinds: Kinds) -> Iterator[tuple[Contrast, str]]:
    seen: list[Any] = []
    for name, kind in kinds.items():
        for contrast in contrasts:
            said = _said(contrast, kind)
            if said not in seen:
                seen.append(said)
                yield contrast, name


def _said(contrast: Contrast, kind: JudgedKind) -> dict[str, Any]:  # values of every type that a contrast has
    """Return all that a contrast says in a kind, with the kind's values for what it leaves out, and without its name."""
    says = contrast.model_dump(exclude={"name"}, exclude_none=True)
    for place in (says, says.get("against", {})):
        if "depth" in place:
            place["depth"] = kind.depths.get(place["depth"], place["depth"])
    own = {**{name: kind.base.get(name) for name in FIXED}, "gain": kind.gain}
    return {**own, **says, "targets": kind.targets}


def named(contrast: Contrast, kind: str) -> Contrast:
    """Return the contrast as it is judged on one kind."""
    return contrast.model_copy(update={"on": kind, "kinds": None, "name": f"{contrast.name}, {words.kind(kind)}"})


def _part(part: Part, pairs: list[tuple[Contrast, str]]) -> Part:
    """Return a part that knows where its contrasts are taken, the kind's networks included."""
    places = dict(part.settings)
    for contrast, kind in pairs:
        if contrast.name in part.settings:
            network, semicolon, rest = part.settings[contrast.name].partition(";")
            places[named(contrast, kind).name] = f"{network} in {words.kind(kind)}{semicolon}{rest}"
    return part.model_copy(update={"settings": places})
