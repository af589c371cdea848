"""Which claims a study tests, and what is said of one that stays open."""

import pandas as pd

from bnstudy.claims import counting
from bnstudy.claims.judge import judge
from bnstudy.claims.kinds import on_kinds
from bnstudy.claims.lookup import Lookup, NotEvaluable
from bnstudy.config.study import StudyConfig, settings
from bnstudy.pipeline.plan import Plan
from bnstudy.report.results import COLUMNS
from helpers.judging import FILED, LEDGER, decided


def planned(study: StudyConfig) -> set[str]:
    """Claims that a study has a network for, judged on the rates that it plans and on nothing else. Q3i rests on a check."""
    rows = []
    for setting, asked in settings(study).items():
        targets = asked.recipe.targets
        roles = {
            "best": [f"best@{target:g}" for target in targets],
            "neighbours": [f"{role}@{targets[0]:g}" for role in ("lower", "upper")],
        }
        for role in (role for kind in asked.rates for role in roles.get(kind, [kind])):
            rows.append({**vars(setting), "role": role, "rate": 0.1, "evaluable": False, "reason": "planned"})
    every = {name: pd.DataFrame(columns=columns) for name, columns in COLUMNS.items()} | {"rates": pd.DataFrame(rows)}
    given = Plan(study).judge()
    ledger = on_kinds(LEDGER, given.kinds)
    found = judge(ledger, every, given)[0]
    return {row.id for row in found if row.verdict != "not tested"}


def test_the_default_study_leaves_no_judged_claim_untested() -> None:
    study, judged = StudyConfig(), {claim.id for claim in FILED.claims if claim.judged}
    assert judged - planned(study) == {"Q3i", "Q3k"}  # which rest on checks
    fewer = [grid for grid in study.grids if not grid.name.startswith(("lecture", "window"))]
    left = planned(study.model_copy(update={"grids": tuple(fewer)}))
    assert judged - left == set("Q2e Q3b Q3i Q3j Q3k U8 U9".split())


def test_each_kind_of_the_default_study_is_judged_on() -> None:
    """Of every headline claim at least three kinds are, those of both starts among them where one depth is enough."""
    given = Plan(StudyConfig()).judge()
    held = {setting: asked.rates for setting, asked in settings(StudyConfig()).items()}
    names = Lookup({}, given, given.kinds)
    for claim in on_kinds(FILED, given.kinds).claims:
        kinds = {c.on for c in claim.settings if c.on and counting.held(c, names, held)}
        if any(c.on for c in claim.settings):
            assert len(kinds) >= (2 if claim.id in ("Q4b", "Q4g") else 3), (claim.id, kinds)
    assert sum(any(c.kinds for c in claim.settings) for claim in FILED.claims) == 14


def test_a_sentence_gives_the_numbers_of_what_it_speaks_of() -> None:
    """At depth 5 nothing is known of batch norm's rate: what is said of a supported claim is about depth 20."""
    row = decided("Q1a", [NotEvaluable("rate on the grid's edge"), "supported"])
    assert [s.verdict for s in row.settings] == ["open", "supported"] and row.verdict == "supported"
    assert row.sentence.startswith("Gamma and beta move what batch norm hands on at 20 layers.")
    assert "0.12 sd" in row.sentence
    assert row.sentence.endswith("No result at 5 layers. The reason: rate on the grid's edge.") and row.estimate is None
