"""Claims for arms that the claims file doesn't speak of: each against no normalization and against batch norm.

They form a question of their own, A, which shares an error of 5% as the others do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.ledger import Claim, Ledger, Question
from bnstudy.claims.lookup import JudgedKind
from bnstudy.core import words
from bnstudy.core.setting import FIXED

if TYPE_CHECKING:
    import pandas as pd

QUESTION = "A"
BASES = ("none", "bn")
ONE_LAYER = "bnstudy.arms.one_layer:batch_norm_in_layer_"
"""How the arms begin that differ in one number alone: a figure shows them, and no claim is made for each."""
OPEN = "No claim speaks of these arms: each is set beside no normalization and batch norm."
REASON = "1.25 times the steps is below the effect of one step of the rate grid; one accuracy point"


def with_others(ledger: Ledger, tables: Mapping[str, pd.DataFrame], own: JudgedKind) -> Ledger:
    """Return the ledger with two claims more for each arm in rates.csv that it doesn't name: against `none` and `bn`.

    Claimed are fewer steps, and more accuracy on clean images, wherever both were run at a depth of the study's ``own``
    networks that has a name.
    """
    named = {arm for claim in ledger.claims for setting in claim.settings for arm in setting.arms}
    rates, shift = tables["rates"], tables.get("shift")
    rates = rates[rates["role"].str.startswith("best@")]
    for factor in FIXED:
        rates = rates[rates[factor] == own.base[factor]]
    others = sorted(arm for arm in set(rates["arm"]) - named - set(BASES) if not arm.startswith(ONE_LAYER))
    ran = {"steps": rates, "accuracy": rates[:0] if shift is None else shift[shift["family"] == "clean"]}
    claims: list[Claim] = []
    for arm, other in product(others, BASES):
        kinds = [*_settings(ran, arm, other, own.depths)]
        if any(kinds):
            new, known = words.arm(arm), words.arm(other)
            parts = [
                {**part, "settings": {contrast.name: at for contrast, at in kind}}
                for part, kind in zip(_parts(new, known), kinds)
                if kind
            ]
            claim = {
                "id": f"{QUESTION}{len(claims) + 1}", "question": QUESTION, "by": ["S"], "sesoi_reason": REASON, "parts": parts,
                "statement": f"{new[0].upper()}{new[1:]} does better than {known}.",
                "settings": [contrast for kind in kinds for contrast, _ in kind],
            }  # fmt: skip
            claims.append(Claim.model_validate(claim))
    if not claims:
        return ledger
    asked = {"title": "Other arms", "asked": "How do the other normalizers do?", "open": OPEN}
    question = Question.model_validate({"id": QUESTION, "lead": claims[0].id, "pivot": claims[0].id, **asked})
    return ledger.model_copy(update={"questions": [*ledger.questions, question], "claims": [*ledger.claims, *claims]})


def _parts(arm: str, base: str) -> list[dict[str, Any]]:  # as a claims file would have it
    """Return what is said of the steps, and of the accuracy, of two arms in words."""
    return [
        {
            "what": f"steps with {base} / steps with {arm}",
            "says": {
                "supported": f"Training takes fewer steps with {arm} than with {base}",
                "opposite": f"Training takes more steps with {arm} than with {base}",
                "negligible": f"Training takes about as many steps with {arm} as with {base}",
                "not enough": f"Against {base}, {arm} saves no steps that matter",
            },
            "fact": f"with {base} training takes {{effect}} as many steps as with {arm}",
            "turned": f"with {arm} training takes {{effect}} as many steps as with {base}",
        },
        {
            "what": f"accuracy with {arm} − accuracy with {base}",
            "says": {
                "supported": f"Accuracy is higher with {arm} than with {base}",
                "opposite": f"Accuracy is lower with {arm} than with {base}",
                "negligible": f"Accuracy is about the same with {arm} as with {base}",
                "not enough": f"Against {base}, {arm} gains no accuracy that matters",
            },
            "fact": f"with {arm} it is {{effect}} than with {base}",
            "sides": ["higher", "lower"],
        },
    ]


def _settings(
    ran: Mapping[str, pd.DataFrame], arm: str, other: str, depths: Mapping[str, int]
) -> Iterator[list[tuple[Contrast, str]]]:
    """Yield contrasts of steps, then of accuracy, at every place (depth, gain, inputs) where both arms were run, labelled."""
    kinds: dict[str, dict[str, Any]] = {  # as a claims file would have it
        "steps": {"endpoint": "steps_ratio", "arms": [other, arm], "unit": "times", "sesoi": "ln 1.25"},
        "accuracy": {"endpoint": "clean_difference", "arms": [arm, other], "unit": "points", "sesoi": 1.0},
    }
    place = ["depth", "gain", "inputs"]
    for what, table in ran.items():
        both = [set(table.loc[table["arm"] == a, place].itertuples(index=False, name=None)) for a in (arm, other)]
        made = []
        for depth, gain, inputs in sorted(both[0] & both[1]):
            if name := next((n for n, d in depths.items() if d == depth), None):
                differs = {k: v for k, v, own in (("gain", gain, 1), ("inputs", inputs, "standardized")) if v != own}
                text = f"{what}, {{{name}}}" + "".join(f", {words.factor(k, v)}" for k, v in differs.items())
                label = f"at {{{name}}}" + "".join(f"; with {words.factor(k, v)}" for k, v in differs.items())
                made.append((Contrast(name=text, depth=name, gain=gain, inputs=inputs, **kinds[what]), label))  # type: ignore[arg-type]
        yield made
