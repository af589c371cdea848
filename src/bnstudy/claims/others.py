"""Claims for arms that the claims file doesn't speak of: each against no normalization and against batch norm.

They form a question of their own, A, which shares an error of 5% as the others do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.ledger import Claim, Ledger, Question
from bnstudy.claims.lookup import Factors
from bnstudy.core.setting import FIXED

if TYPE_CHECKING:
    import pandas as pd

QUESTION = "A"
BASES = {"none": "no normalization", "bn": "batch norm"}
TEXTS = {
    "supported": "{{short}}, for {{supported_settings}}. For {{first}}: {{effect}}, n = {{n}}.",
    "contradicted.opposite": "{arm} does worse than {base}, for {{contradicted_settings}}. For {{first}}: {{effect}}, n = {{n}}.",
    "contradicted.negligible": "{arm} makes no difference that matters against {base}, for {{contradicted_settings}}. For {{first}}: {{effect}}, n = {{n}}.",
}
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
    claims = list(_claims(rates, tables.get("shift"), sorted(set(rates["arm"]) - named - set(BASES)), depths))
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
        for other, words in BASES.items():
            settings = [*_settings(rates, shift, arm, other, depths)]
            if settings:
                number += 1
                text = f"{arm} does better than {words}"
                yield Claim.model_validate(
                    {
                        "id": f"{QUESTION}{number}", "question": QUESTION, "by": ["S"], "statement": f"{text}.",
                        "short": text, "sesoi_reason": REASON, "settings": settings,
                        "texts": {k: t.format(arm=arm, base=words) for k, t in TEXTS.items()},
                    }
                )  # fmt: skip


def _settings(
    rates: pd.DataFrame, shift: pd.DataFrame | None, arm: str, other: str, depths: Mapping[str, int]
) -> Iterator[Contrast]:
    """Yield contrasts of steps, then of accuracy, at every place (depth, gain, inputs) where both arms were run."""
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
        for depth, gain, inputs in places:
            name = next((n for n, d in depths.items() if d == depth), None)
            if name:
                where = "" if gain == 1 else f", gain {gain:g}"
                where += "" if inputs == "standardized" else f", {inputs} inputs"
                text = f"{what}, {{{name}}}{where}"
                yield Contrast(name=text, depth=name, gain=gain, inputs=inputs, **contrast)  # type: ignore[arg-type]
