"""Which claims a study tests, and what is said of one that stays open."""

import numpy as np
import pandas as pd

from bnstudy.claims.judge import judge
from bnstudy.claims.lookup import NotEvaluable
from bnstudy.claims.sentences import effect, sentence
from bnstudy.config.checks import own_factors
from bnstudy.config.study import StudyConfig, settings
from bnstudy.report.results import COLUMNS
from helpers.judging import LEDGER, decided
from helpers.rows import claim_row, contrast_row


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


def test_a_sentence_takes_its_numbers_from_a_setting_with_the_claims_verdict() -> None:
    """At depth 5 nothing is known of batch norm's rate: what is said of a supported claim is about depth 20."""
    row = decided("Q1a", [NotEvaluable("rate on the grid's edge"), "supported"])
    assert [s.verdict for s in row.settings] == ["open", "supported"] and row.verdict == "supported"
    assert "by 0.12 sd" in row.sentence and "for depth 20" in row.sentence
    assert row.sentence.endswith("Left open: depth 5.") and row.estimate is None


def test_an_open_claim_says_what_is_decided_and_no_number_that_is_none() -> None:
    claim = next(c for c in LEDGER.claims if c.id == "Q4c")
    settings = [contrast_row(name=f"s{i}") for i in range(4)]

    def said() -> str:
        row = claim_row(verdict="inconclusive", reason="why", settings=tuple(settings))
        return sentence(row, claim, LEDGER)

    start = "The study can't say whether later layers gain more from batch norm than early ones: why."
    assert said() == start
    ends = {"shown_estimate": np.log(0.5), "shown_low": np.log(0.25), "shown_high": np.log(0.75)}
    halved = {**ends, "effect": effect(ends["shown_estimate"], ends["shown_low"], ends["shown_high"], "ln times")}
    settings[1] = contrast_row(name="s1", **halved)
    example = " For s1: 0.50 times (0.25 to 0.75), n = 16."
    assert said() == start + example
    settings[3] = contrast_row(name="s3", verdict="contradicted", **halved)
    found = " Fewer than half of its settings are decided: s3: contradicted, 0.50 times (0.25 to 0.75)."
    assert said() == start + example + found
    settings[1] = contrast_row(name="s1")
    assert said() == start + found
