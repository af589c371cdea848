"""How stable verdicts are: draws of the seeds, judged by the same rule, against closed forms and plain counting."""

from math import comb, inf

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.contrast import Contrast, Premise
from bnstudy.claims.decide import Evaluation, Values, decide
from bnstudy.claims.records import ContrastRow
from bnstudy.claims.stability import DRAWS, stability
from bnstudy.core.stats import median_interval, rank
from helpers.judging import LEDGER, decided
from helpers.rows import contrast_row
from helpers.thetas import exact

STEPS = Contrast.model_validate(
    {"name": "s", "endpoint": "steps_ratio", "arms": ["none", "bn"], "depth": "deep", "sesoi": 1.0, "unit": "times"}
)
ERROR = 3 * (0.25 / DRAWS) ** 0.5
"""Three standard errors of a share of draws, at most."""


def judged(
    values: np.ndarray | list[float], intervals: int = 1, contrast: Contrast = STEPS, *premises: np.ndarray
) -> Evaluation:
    """Return a contrast with these values per seed, as the rule judges it."""
    values = np.asarray(values, float)
    low, high = median_interval(values, values, intervals)[1:3]
    row: ContrastRow = contrast_row(verdict=decide(low, high, contrast.sesoi, contrast.region)[0], n_seeds=len(values))
    frames = [pd.DataFrame({"lower": v, "upper": v}) for v in (values, *premises)]
    return Evaluation(row, Values(contrast, frames[0], frames[1:]))


@pytest.mark.parametrize("below, intervals", [(0, 1), (1, 1), (2, 1), (3, 25), (4, 1)])
def test_a_share_is_the_binomial_one(below: int, intervals: int) -> None:
    """Of n seeds so many lie below the smallest effect, the others above: a draw is supported where fewer than k are."""
    n, p = 18, below / 18
    k = rank(n, intervals)
    found = judged([0.0] * below + [2.0] * (n - below), intervals)
    supported = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k))
    assert found.row.verdict == ("supported" if below < k else "open") and k > 1
    expected = supported if below < k else 1 - supported
    assert stability([found], intervals)[0] == pytest.approx(expected, abs=ERROR)


def test_a_claim_is_drawn_whole() -> None:
    """Two contrasts of the same seeds move together: both supported or both open, never one alone."""
    values = [0.0] * 3 + [2.0] * 15
    one, both = stability([judged(values)], 1), stability([judged(values), judged(values)], 1)
    apart = stability([judged(values), judged([2.0] * 3 + [0.0] * 3 + [2.0] * 12)], 1)
    assert one == both and apart[0] is not None and both[0] is not None and abs(apart[0] - both[0]) > 0.05


def test_a_premise_is_drawn_too() -> None:
    """The values are clear, the premise holds in the draws in which fewer than k seeds are below it."""
    premise = Premise(endpoint="steps_ratio", arms=["none", "bn"], sesoi=1.0, otherwise="it fails")
    contrast = STEPS.model_copy(update={"premises": [premise]})
    needed = np.array([0.0] * 3 + [2.0] * 15)
    same = stability([judged([5.0] * 18, 1, contrast, needed)], 1)[0]
    assert same == stability([judged(needed)], 1)[0] and same is not None and 0.3 < same < 0.95


def test_what_cannot_be_drawn_has_no_share() -> None:
    bare = Evaluation(contrast_row(verdict="open"))
    assert stability([bare], 1) == (None, None)
    assert rank(10, 25) == 1 and stability([judged([2.0] * 10, 25)], 25)[0] is None  # no draw leaves the range
    held = judged([2.0] * 18)
    assert stability([held, bare], 1) == (1.0, None)  # half of the settings decide, in every draw
    assert stability([held, bare, bare], 1)[0] == 1.0 and stability([held, bare, bare], 1)[1] is None


def test_so_many_seeds_would_decide() -> None:
    """Twice as far from the edge needs about a quarter of the seeds; a median on the edge is never decided."""
    spread = np.linspace(-1, 1, 19)[1:]
    near, far = (stability([judged(1 + shift + spread, 25)], 25)[1] for shift in (0.15, 0.3))
    assert near is not None and far is not None and 2.5 <= near / far <= 6
    assert stability([judged(1 + np.linspace(-1, 1, 18), 25)], 25)[1] is None
    assert stability([judged([2.0] * 18, 25)], 25)[1] is None  # decided


def test_censored_seeds_are_drawn_with_both_ends() -> None:
    lower = pd.DataFrame({"lower": [2.0] * 18, "upper": [inf] * 18})
    found = Evaluation(contrast_row(verdict="supported", n_seeds=18), Values(STEPS, lower, []))
    assert stability([found], 1) == (1.0, None)
    turned = Evaluation(found.row, Values(STEPS.model_copy(update={"region": "less"}), lower, []))
    assert stability([turned], 1)[0] == 0.0


def test_the_judge_tells_it_of_claims_and_settings() -> None:
    n = len(exact(np.zeros(16)))
    sesoi = LEDGER.claim("Q3f").settings[0].sesoi
    some = exact(np.r_[np.zeros(3), np.full(n - 3, 3.0)] * sesoi)
    row = decided("Q3f", [some, "open"])
    assert row.settings[0].stability is not None and 0.2 < row.settings[0].stability < 1.0
    assert row.settings[1].seeds_to_decide and row.verdict == "inconclusive" and row.seeds_to_decide
    assert decided("Q3f", "supported").stability == 1.0 and decided("Q3f", "supported").seeds_to_decide is None


def test_settings_of_other_numbers_of_seeds_are_each_drawn_as_they_are() -> None:
    """A kind of network may have fewer seeds: its interval is drawn from its own, and the claim's verdict from both."""
    few, many = judged([0.0] * 5 + [2.0] * 9), judged([2.0] * 18)
    one, both = stability([few], 1)[0], stability([many, few], 1)[0]
    assert few.row.verdict == "open" and rank(14, 1) > 1 and both == 1.0 and one is not None and one < 1.0
    least = judged([2.0] * 10, 25)
    assert rank(10, 25) == 1 and stability([judged([2.0] * 18, 25), least], 25)[0] is None
