"""Claims for arms that the claims file doesn't speak of: each against no normalization and against batch norm.

They form a question of their own, A, which shares an error of 5% as the others do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.ledger import Claim, Ledger, Question
from bnstudy.claims.lookup import Factors
from bnstudy.core import words
from bnstudy.core.setting import FIXED

if TYPE_CHECKING:
    import pandas as pd

QUESTION = "A"
BASES = ("none", "bn")
ONE_LAYER = "bnstudy.arms.one_layer:batch_norm_in_layer_"
"""How the arms begin that differ in one number alone: a figure shows them, and no claim is made for each."""
PARTS = [
    {
        "what": "steps with {base} / steps with {arm}",
        "says": {
            "supported": "Training takes fewer steps with {arm} than with {base}",
            "opposite": "Training takes more steps with {arm} than with {base}",
            "negligible": "Training takes about as many steps with {arm} as with {base}",
            "not enough": "Against {base}, {arm} saves no steps that matter",
        },
        "fact": "with {base} training takes {{effect}} as many steps as with {arm}",
        "turned": "with {arm} training takes {{effect}} as many steps as with {base}",
    },
    {
        "what": "accuracy with {arm} − accuracy with {base}",
        "says": {
            "supported": "Accuracy is higher with {arm} than with {base}",
            "opposite": "Accuracy is lower with {arm} than with {base}",
            "negligible": "Accuracy is about the same with {arm} as with {base}",
            "not enough": "Against {base}, {arm} gains no accuracy that matters",
        },
        "fact": "with {arm} it is {{effect}} than with {base}",
        "sides": ["higher", "lower"],
    },
]
OPEN = "No claim speaks of these arms: each is set beside no normalization and batch norm."
REASON = "1.25 times the steps is below the effect of one step of the rate grid; one accuracy point"


def with_others(ledger: Ledger, tables: Mapping[str, pd.DataFrame], depths: Mapping[str, int], base: Factors) -> Ledger:
    """Return the ledger with two claims more for each arm in rates.csv that it doesn't name: against `none` and `bn`.

    Claimed are fewer steps, and more accuracy on clean images, wherever both were run at a depth with a name. ``depths``
    and ``base`` are as for :func:`bnstudy.claims.judge.judge`.
    """
    named = {arm for claim in ledger.claims for setting in claim.settings for arm in setting.arms}
    rates = tables["rates"]
    rates = rates[rates["role"].str.startswith("best@")]
    for factor in FIXED:
        rates = rates[rates[factor] == base[factor]]
    others = sorted(arm for arm in set(rates["arm"]) - named - set(BASES) if not arm.startswith(ONE_LAYER))
    claims = list(_claims(rates, tables.get("shift"), others, depths))
    if not claims:
        return ledger
    asked = {"title": "Other arms", "asked": "How do the other normalizers do?", "open": OPEN}
    question = Question.model_validate({"id": QUESTION, "lead": claims[0].id, "pivot": claims[0].id, **asked})
    return ledger.model_copy(update={"questions": [*ledger.questions, question], "claims": [*ledger.claims, *claims]})


def _claims(
    rates: pd.DataFrame, shift: pd.DataFrame | None, arms: list[str], depths: Mapping[str, int]
) -> Iterator[Claim]:
    number = 0
    for arm in arms:
        for other in BASES:
            kinds = [*_settings(rates, shift, arm, other, depths)]
            if any(kinds):
                number += 1
                said = {"arm": words.arm(arm), "base": words.arm(other)}
                parts = [
                    {**_filled(part, said), "settings": {contrast.name: label for contrast, label in kind}}
                    for part, kind in zip(PARTS, kinds)
                    if kind
                ]
                claim = {
                    "id": f"{QUESTION}{number}", "question": QUESTION, "by": ["S"], "sesoi_reason": REASON, "parts": parts,
                    "statement": f"{said['arm'][0].upper()}{said['arm'][1:]} does better than {said['base']}.",
                    "settings": [contrast for kind in kinds for contrast, _ in kind],
                }  # fmt: skip
                yield Claim.model_validate(claim)


def _filled(template: Any, said: Mapping[str, str]) -> Any:
    """Return a part's words with the two arms in them."""
    if isinstance(template, str):
        return template.format(**said)
    if isinstance(template, dict):
        return {key: _filled(text, said) for key, text in template.items()}
    return template


def _settings(
    rates: pd.DataFrame, shift: pd.DataFrame | None, arm: str, other: str, depths: Mapping[str, int]
) -> Iterator[list[tuple[Contrast, str]]]:
    """Yield contrasts of steps, then of accuracy, at every place (depth, gain, inputs) where both arms were run, labelled."""
    place = ["depth", "gain", "inputs"]
    tested = shift[shift["family"] == "clean"] if shift is not None else rates.iloc[:0]

    def common(table: pd.DataFrame) -> list[tuple[Any, ...]]:
        ran = [set(table.loc[table["arm"] == a, place].itertuples(index=False, name=None)) for a in (arm, other)]
        return sorted(ran[0] & ran[1])

    kinds = (
        (
            common(rates),
            "steps",
            {"endpoint": "steps_ratio", "arms": [other, arm], "unit": "times", "sesoi": "ln 1.25"},
        ),
        (
            common(tested),
            "accuracy",
            {"endpoint": "clean_difference", "arms": [arm, other], "unit": "points", "sesoi": 1.0},
        ),
    )
    for places, what, contrast in kinds:
        made = []
        for depth, gain, inputs in places:
            name = next((n for n, d in depths.items() if d == depth), None)
            if name:
                differs = {k: v for k, v, own in (("gain", gain, 1), ("inputs", inputs, "standardized")) if v != own}
                text = f"{what}, {{{name}}}" + "".join(f", {words.factor(k, v)}" for k, v in differs.items())
                label = f"at {{{name}}}" + "".join(f"; with {words.factor(k, v)}" for k, v in differs.items())
                made.append((Contrast(name=text, depth=name, gain=gain, inputs=inputs, **contrast), label))  # type: ignore[arg-type]
        yield made
