"""Arms from outside the package: found, tried, keyed by their code, judged against none and bn."""

import json
import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bnstudy.claims.judge import judge
from bnstudy.claims.others import with_others
from bnstudy.claims.records import to_json
from bnstudy.config import study as c
from bnstudy.core import fingerprints as code
from bnstudy.core.names import module_of
from bnstudy.pipeline import trial
from bnstudy.report.figures.movement import drift_and_steps
from bnstudy.report.figures.ranking import ranking
from bnstudy.report.results import COLUMNS, Results
from helpers import pages
from helpers.judging import FILED, GIVEN
from helpers.project import ROOT, copy, shell
from helpers.synthetic import Tables, drop, tables

README = re.search(r"`mynorm.py`:\n\n```python\n(.*?)```", (ROOT / "config/README.md").read_text(), re.DOTALL)
assert README
MINE = README[1]


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ("mynorm:RMSNrm", r'defines no RMSNrm(.*\n)+.*"RMSNorm"'),
        ("mynrom:RMSNorm", "no module mynrom"),
        ("mynorm:", "package.module:Name"),
        ("my norm:X", "package.module:Name"),
        ("bnstudy.arms.bn:build", "beside the project"),
        ("mynorm:rmsnorm", "differ in more than capitals"),
    ],
)
def test_a_name_that_cannot_be_used_is_explained(
    arm: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mynorm.py").write_text(MINE + "\nrmsnorm = RMSNorm\n" * (arm == "mynorm:rmsnorm"))
    file = tmp_path / "mine.yaml"
    file.write_text(f'grids:\n  - {{name: a, arms: [none, "mynorm:RMSNorm", "{arm}"], depths: [5, 10, 20]}}\n')
    with pytest.raises(SystemExit, match=said):
        c.read_study(file)


def test_its_code_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mynorm.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("A = 1  # a remark\n")

    def digest() -> str:
        code._source.cache_clear()
        return code.digest(module_of("arms", "mynorm:RMSNorm"))

    first = digest()
    (tmp_path / "helper.py").write_text("A = 1\n")
    assert digest() == first
    (tmp_path / "helper.py").write_text("A = 2\n")
    assert digest() != first


@cache
def with_fancy() -> Tables:
    """Return the support world with an arm from outside that is a copy of batch norm."""
    found = tables("support", thin=True)
    for name, table in found.items():
        if "arm" in table:
            of_bn = table.query("arm == 'bn' and depth in (5, 20) and gain == 1 and inputs == 'standardized'")
            found[name] = pd.concat([table, of_bn.assign(arm="mynorm:Fancy")], ignore_index=True)
    return found


def test_an_arm_without_claims_is_set_beside_none_and_bn() -> None:
    """Better than none, the same as batch norm."""
    found = with_fancy()
    wider = with_others(FILED, found, GIVEN)
    assert with_others(FILED, drop(found, arm="mynorm:Fancy"), GIVEN) == FILED
    added = [claim for claim in wider.claims if claim.question == "A"]
    assert [claim.id for claim in added] == ["A1", "A2"]
    assert {len(claim.settings) for claim in added} == {4} and wider.primary("A") == 8
    rows = {r.id: to_json(r) for r in judge(wider, found, GIVEN)[0]}
    assert rows["A1"]["verdict"] == "supported"
    assert "fewer steps with Fancy than with no normalization" in rows["A1"]["sentence"]
    assert (rows["A2"]["verdict"], rows["A2"]["detail"]) == ("contradicted", "negligible")
    assert "about as many steps with Fancy as with batch norm" in rows["A2"]["sentence"]


def test_all_arms_are_listed_by_their_steps_with_what_each_is(tmp_path: Path) -> None:
    found = with_fancy()
    results = Results(pages.study(tmp_path, found))
    assert ranking(results).rows == [], "no arm from outside was rehearsed"
    what = {"net": "mlp", "width": 64, "mixes_samples": True, "stores_averages": True, "draws": False}
    rows = [{"arm": arm, **what, "parameters_per_unit": 2.0} for arm in ("bn", "mynorm:Fancy")]
    (tmp_path / "rehearsal.json").write_text(json.dumps(rows))
    table = ranking(Results(tmp_path))
    arms = {row[1]: row for row in table.rows}
    assert [row[0] for row in table.rows] == [f"{n}." for n in range(1, len(arms) + 1)]
    assert arms["Fancy"][2] == "mixes samples, stores averages, 2 parameters a unit" and not arms["no normalization"][2]
    assert arms["Fancy"][3:] == arms["batch norm"][3:] and "Fancy equals batch norm here" in table.how
    middles = [float(row[3].split()[0]) for row in table.rows]
    assert middles == sorted(middles) and middles[0] < middles[-1]
    plain = "arm == 'bn' and depth == 20 and gain == 1 and inputs == 'standardized'"
    runs = found["convergence"].query(f"{plain} and target == 0.5")
    best = found["rates"].query(f"{plain} and role == 'best@0.5'")
    steps = runs[runs["rate"] == best["rate"].iloc[0]]["steps"].median()
    assert arms["batch norm"][3].startswith(f"{steps:.0f} (")


def test_a_study_that_measures_no_drift_is_drawn() -> None:
    nothing = pd.DataFrame(columns=COLUMNS["drift"])
    assert drift_and_steps(nothing, with_fancy()["convergence"].iloc[:0]).empty


def test_a_first_look_ends_with_a_study(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEEDS": 6, "STEPS": 40, "RATES": (0.03, 0.1), "GAINS": (0.41, 1.0), "TARGET": 1.5}.items():
        monkeypatch.setattr(trial, name, value)
    found = [trial.measured(arm) for arm in ("none", "torch.nn:BatchNorm1d")]
    never = found[0]._replace(arm="never", columns=dict.fromkeys(trial.COLUMNS, np.full(6, np.inf)))
    head, *rows = trial.table([*found, never])
    assert head.split()[:2] == ["arm", "rate"]
    assert [row.split()[1] for row in rows][2] == "never" and "inf (inf to inf)" in rows[2]
    for arm in found:
        assert set(arm.columns["rates"]) <= {0, 1, 2} and np.isfinite(arm.columns["steps"]).all()
        assert (arm.columns["accuracy"] > 50).all() and (arm.columns["accuracy"] != arm.columns["shifted"]).any()
    study = c.load_study(yaml.safe_load(trial.study(["none", "bn", "torch.nn:BatchNorm1d"])))
    assert [list(grid.arms) for grid in study.grids] == [["none", "bn", "torch.nn:BatchNorm1d"]]


def test_the_walk_through_of_the_readme(tmp_path: Path) -> None:
    """Every file and command of "Your own study", in the order in which they stand there."""
    copy(tmp_path)
    (tmp_path / "mynorm.py").write_text(MINE)
    text = (ROOT / "config/README.md").read_text()
    section = text[text.index("## Your own study") : text.index("## A normalizer of your own")]
    blocks = re.findall(r"(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", section, re.DOTALL)
    assert [kind for _, kind, _ in blocks] == ["yaml", "bash", "python", "bash", "yaml", "bash", "bash"]
    said = ""
    for file, _, content in blocks:
        if file:
            (tmp_path / file).write_text(content)
            continue
        if "bnstudy compare" in content:  # any finished study will do
            shutil.copytree(tmp_path / "results/mine", tmp_path / "results/default")
        said += shell(tmp_path, content)
    assert "mine.yaml: study mine, 67 settings; no errors\n" in said and "min on 2 cores" in said
    assert "study mine, 3 settings, 1 rehearsed; no errors" in said
    claims = {c["id"]: c for c in json.loads((tmp_path / "results/mine/claims.json").read_text())}
    assert claims["Q3a"]["verdict"] != "not tested" and "RMSNorm" in claims["A2"]["statement"]
    assert (tmp_path / "results/mine/evaluate/mynorm_rmsnorm_mlp_d2.json").is_file()
    assert "on 0 they don't" in (tmp_path / "compared.md").read_text()
    assert "My normalizer on my images" in (tmp_path / "results/mine/report.html").read_text()
