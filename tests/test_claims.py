"""Which claims a study tests, and what is said of one that stays open."""

import pandas as pd

from bnstudy.claims.judge import judge
from bnstudy.claims.lookup import NotEvaluable
from bnstudy.config.kinds import own_factors
from bnstudy.config.study import StudyConfig, settings
from bnstudy.report.results import COLUMNS
from helpers.judging import LEDGER, decided


def planned(study: StudyConfig) -> set[str]:
    """Claims that a study has a network for, judged on the rates that it plans and on nothing else. Q3i rests on a check."""
    rows = []
    for setting, asked in settings(study).items():
        roles = {
            "best": [f"best@{target:g}" for target in study.targets],
            "neighbours": [f"{role}@{study.targets[0]:g}" for role in ("lower", "upper")],
        }
        for role in (role for kind in asked.rates for role in roles.get(kind, [kind])):
            rows.append({**vars(setting), "role": role, "rate": 0.1, "evaluable": False, "reason": "planned"})
    every = {name: pd.DataFrame(columns=columns) for name, columns in COLUMNS.items()} | {"rates": pd.DataFrame(rows)}
    claims = study.claims
    found = judge(
        LEDGER,
        every,
        {str(name): depth for name, depth in claims.depths.items()},
        study.targets,
        study.seeds.evaluation,
        own_factors(study),
    )[0]
    return {row.id for row in found if row.verdict != "not tested"}


def test_the_default_study_leaves_no_claim_untested() -> None:
    study, every = StudyConfig(), {claim.id for claim in LEDGER.claims}
    assert planned(study) == every - {"Q3i"}
    fewer = [grid for grid in study.grids if not grid.name.startswith(("lecture", "window", "skips"))]
    assert planned(study.model_copy(update={"grids": tuple(fewer)})) == every - {"Q3i", "Q2e", "Q3b", "U7"}


def test_a_sentence_gives_the_numbers_of_what_it_speaks_of() -> None:
    """At depth 5 nothing is known of batch norm's rate: what is said of a supported claim is about depth 20."""
    row = decided("Q1a", [NotEvaluable("rate on the grid's edge"), "supported"])
    assert [s.verdict for s in row.settings] == ["open", "supported"] and row.verdict == "supported"
    assert (
        row.sentence.startswith("Gamma and beta move what batch norm hands on at 20 layers.")
        and "0.12 sd" in row.sentence
    )
    assert row.sentence.endswith("No result at 5 layers. The reason: rate on the grid's edge.") and row.estimate is None
