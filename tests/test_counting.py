"""K: the primary intervals that a study's own grids contain, and that every study shipped keeps its intervals."""

import re
from typing import Any

import pytest
import yaml

from bnstudy.claims.contrast import Contrast
from bnstudy.config.study import load_study
from bnstudy.core.stats import ADVISED, rank, tail
from bnstudy.pipeline.judged import primary
from bnstudy.pipeline.plan import Plan
from helpers.judging import FILED, LEDGER, decided, judged
from helpers.project import ROOT
from helpers.synthetic import Tables

SHIPPED = [p for p in sorted((ROOT / "config").glob("*.yaml")) if not p.name.startswith("claims")]


def counted(grids: list[dict[str, Any]], **more: Any) -> dict[str, int]:
    """Return K by question of a study with these grids."""
    config = {"grids": [{"name": f"g{i}", **g} for i, g in enumerate(grids)], "claims": {"depths": {"shallow": 5}}}
    return primary(load_study({**config, **more}), LEDGER)


def settings(question: str, wanted: Any) -> int:
    """Return how many settings of the claims file are as wanted, shared ones once."""
    contrasts = [s for c in LEDGER.claims if c.question == question and not c.shares for s in c.settings]
    return sum(map(wanted, contrasts))


def test_a_setting_whose_networks_no_grid_holds_is_no_interval() -> None:
    def plain(contrast: Contrast, *arms: str) -> bool:
        named = [contrast.gain, contrast.net, contrast.batch, contrast.against, contrast.inputs]
        own = contrast.depth == "shallow" and not any(named) and contrast.rate in (None, "best")
        return own and set(contrast.arms) <= set(arms) and contrast.endpoint != "usable_rates"

    two = [{"arms": ["none", "bn"], "depths": [5]}]
    for question in ("Q1", "Q2", "Q3"):
        assert counted(two)[question] == settings(question, lambda c: plain(c, "none", "bn")), question
    more = settings("Q3", lambda c: plain(c, "none", "bn", "once") and "once" in c.arms)
    assert counted([{"arms": ["none", "bn", "once"], "depths": [5]}])["Q3"] == counted(two)["Q3"] + more
    second = settings("Q3", lambda c: plain(c, "none", "bn") and c.target == "second")
    assert counted(two, targets=[0.5])["Q3"] == counted(two)["Q3"] - second


def test_rates_and_other_networks_count_where_a_grid_asks_for_them() -> None:
    both = {"arms": ["none", "bn"], "depths": [5]}
    plain = counted([both])["Q3"]
    assert counted([{**both, "rates": ["best", "shared"]}])["Q3"] == plain  # at the shared rate nothing is judged
    assert counted([{**both, "rates": ["best", "grid"]}])["Q3"] == plain + 2
    assert counted([both, {**both, "inputs": ["raw"]}])["Q3"] == plain + 1
    noisy = {"arms": ["bn_noisy"], "depths": [5]}
    assert counted([both, noisy])["Q1"] == counted([both])["Q1"] + 2  # Q1e, and Q1i as if it were judged
    assert counted([noisy])["Q1"] == 0  # its premises speak of none and bn


def test_a_range_of_first_weights_counts_from_seven_on() -> None:
    grid = {"arms": ["none", "bn"], "depths": [5], "rates": ["grid"], "measures": []}
    few, many = ([0.5 + 0.1 * i for i in range(count)] for count in (6, 7))
    assert counted([{**grid, "gains": few}])["U"] == 0
    assert counted([{**grid, "gains": many}])["U"] == 2  # U8 and U9; the study has no deep networks


def studies() -> dict[str, dict[str, Any]]:
    """Return every config that is shipped, and every one that the manual gives as an example."""
    found = {path.name: yaml.safe_load(path.read_text()) for path in SHIPPED}
    for page in (ROOT / "README.md", ROOT / "config" / "README.md", *(ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"```yaml\n(study:.*?)```", page.read_text(), flags=re.S)
        found |= {f"{page.relative_to(ROOT)} {i}": yaml.safe_load(text) for i, text in enumerate(blocks)}
    return found


STUDIES = studies()


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_that_is_shipped_keeps_its_intervals(name: str) -> None:
    config = {k: v for k, v in STUDIES[name].items() if k != "data"}  # the images may not be here
    for grid in config.get("grids", []):  # nor may a guest's arm, which has a question of its own
        grid["arms"] = [arm for arm in grid["arms"] if ":" not in arm]
    if "grids" in config:
        config["grids"] = [grid for grid in config["grids"] if grid["arms"]]
    study = load_study(config)
    seeds = study.seeds.evaluation
    assert seeds >= ADVISED
    found = primary(study, FILED)
    assert all(rank(seeds, max(1, k)) >= 1 for k in found.values()), found
    assert sum(found.values())


def test_the_default_study_tolerates_two_aberrant_seeds() -> None:
    study = load_study(yaml.safe_load((ROOT / "config" / "config.yaml").read_text()))
    found = primary(study, FILED)
    assert max(found.values()) <= 38 and rank(study.seeds.evaluation, 38) == 3, found
    assert Plan(study).judge().primary == found


def test_the_true_joint_error_is_told(base: Tables) -> None:
    row = decided("Q3f", "supported")
    k = rank(row.n_seeds, row.intervals)
    assert (row.intervals, row.settings[0].rank) == (LEDGER.primary("Q3"), k)
    assert row.joint_error == pytest.approx(row.intervals * tail(row.n_seeds, k))
    assert judged(base, "Q3i")["Q3i"].joint_error is None  # a check is exact
