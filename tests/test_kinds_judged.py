"""Claims on kinds of networks: a contrast per kind, a verdict on each, and what the page says of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.file import load
from bnstudy.claims.judge import ClaimsError, judge
from bnstudy.claims.kinds import on_kinds
from bnstudy.claims.ledger import Ledger
from bnstudy.claims.lookup import JudgedKind, Missing, NotEvaluable, Unreached
from bnstudy.claims.records import ClaimRow, JudgedWith
from bnstudy.core.setting import Setting
from bnstudy.core.stats import median_interval
from bnstudy.report.page import blocks
from helpers.synthetic import BASE
from helpers.thetas import SEEDS, feed, given, theta

CLAIM = """
questions:
  - {{id: Q1, title: t, asked: a, open: o, lead: Q1a, pivot: Q1a}}
claims:
  - id: Q1a
    question: Q1
    by: [L]
    statement: Batch norm saves steps.
    sesoi_reason: r
    endpoint: steps_ratio
    arms: [none, bn]
    unit: times
    sesoi: ln 1.25
    {kinds}
    settings: [{settings}]
    parts:
      - what: without / with
        says: {{supported: It saves steps, opposite: It costs steps, negligible: It changes little, not enough: It saves too few}}
        fact: it takes {{effect}} the steps
        settings: {{"{{shallow}}": "at {{shallow}}; to {{main}}", "{{deep}}": "at {{deep}}"}}
"""
SHALLOW = '{name: "{shallow}", depth: shallow}'
DEEP = '{name: "{deep}", depth: deep}'


def claims(folder: Path, *settings: str, kinds: str = "kinds: all") -> Path:
    path = folder / "claims.yaml"
    path.write_text(CLAIM.format(kinds=kinds, settings=", ".join(settings)))
    return path


JUDGED = JudgedWith(base=BASE, depths={"shallow": 5, "deep": 20}, targets=(0.5, 0.25), seeds=SEEDS)
KINDS = {
    "mlp": JudgedKind(base=BASE, depths={"shallow": 5, "deep": 20}, targets=(0.5, 0.25), seeds=SEEDS),
    "started_small": JudgedKind(base=BASE, gain=0.41, depths={"shallow": 5}, targets=(0.5, 0.25), seeds=SEEDS),
    "cnn": JudgedKind(base={**BASE, "net": "cnn"}, depths={"shallow": 4}, targets=(1.0,), seeds=SEEDS),
}


def test_a_claim_of_all_kinds_has_a_contrast_for_each(tmp_path: Path) -> None:
    path = claims(tmp_path, SHALLOW, DEEP)
    plain, ledger = load(path), load(path, KINDS)
    assert [s.name for s in plain.claims[0].settings] == ["{shallow}", "{deep}"] and plain.primary("Q1") == 2
    assert [(s.on, s.depth) for s in ledger.claims[0].settings] == [
        (kind, depth) for kind in KINDS for depth in ("shallow", "deep")
    ]
    names = [s.name for s in ledger.claims[0].settings]
    assert names[:3] == [
        "{shallow}, plain networks", "{deep}, plain networks", "{shallow}, networks of kind started small",
    ]  # fmt: skip
    places = ledger.claims[0].parts[0].settings
    assert places[names[0]] == "at {shallow} in plain networks; to {main}"
    assert places[names[1]] == "at {deep} in plain networks"
    own = load(claims(tmp_path, SHALLOW, DEEP, kinds=""), KINDS)
    assert own == load(claims(tmp_path, SHALLOW, DEEP, kinds=""))  # claims of the study's own networks stay


def test_one_setting_alone_can_be_of_all_kinds(tmp_path: Path) -> None:
    general = SHALLOW.replace("}", "}", 1).replace("depth: shallow", "depth: shallow, kinds: all")
    ledger = load(claims(tmp_path, DEEP, general, kinds=""), KINDS)
    assert [s.on for s in ledger.claims[0].settings] == ["", *KINDS]


def test_a_contrast_that_names_its_networks_is_made_once(tmp_path: Path) -> None:
    """Two kinds differ in nothing but the gain: a contrast that gives it itself is the same in both."""
    fixed = SHALLOW.replace("depth: shallow", "depth: shallow, gain: 0.71")
    assert [s.on for s in load(claims(tmp_path, fixed), KINDS).claims[0].settings] == ["mlp", "cnn"]


def test_a_claims_file_does_not_say_what_the_study_sets(tmp_path: Path) -> None:
    with pytest.raises(ClaimsError, match="the study sets `on` itself"):
        load(claims(tmp_path, SHALLOW.replace("depth:", '"on": cnn, depth:')))


def judged(ledger: Ledger, wanted: list[Any], patch: pytest.MonkeyPatch) -> ClaimRow:
    """Return the claim whose contrasts come out as wanted."""
    [claim] = ledger.claims
    feed(patch, given(claim.settings, wanted))
    [row], _ = judge(ledger, {}, replace(JUDGED, kinds=KINDS))
    return row


LACKS = Missing("the study lacks it"), Unreached("no run reached the loss this is measured at")


@pytest.mark.parametrize(
    "wanted, verdict, each",
    [
        (["supported", "supported", "opposite"], "mixed", ["supported", "supported", "contradicted"]),
        (["supported", "open", "open"], "inconclusive", ["supported", "inconclusive", "inconclusive"]),
        (["supported", *LACKS], "supported", ["supported", "not evaluable", "not evaluable"]),
        ([LACKS[1], "opposite", LACKS[0]], "contradicted", ["not evaluable", "contradicted", "not evaluable"]),
        ([LACKS[1], *LACKS], "inconclusive", ["not evaluable"] * 3),
        ([LACKS[0]] * 3, "not tested", ["not evaluable"] * 3),
        (["supported", *[NotEvaluable("rate on the grid's edge")] * 2], "inconclusive", ["supported", *["inconclusive"] * 2]),
    ],
)  # fmt: skip
def test_each_kind_has_a_verdict_of_its_own(
    wanted: list[Any], verdict: str, each: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kind lacks counts neither for nor against; what it has and cannot be evaluated stays open."""
    row = judged(load(claims(tmp_path, SHALLOW), KINDS), wanted, monkeypatch)
    assert row.verdict == verdict and list(row.kinds.items()) == list(zip(KINDS, each))
    assert [s.kind for s in row.settings] == list(KINDS)
    if verdict == "mixed":
        first = "It saves steps at 5 layers in plain networks and networks of kind started small to loss 0.5."
        assert row.sentence.startswith(first)
        assert "It costs steps at 4 layers in convolutional networks, to loss 1." in row.sentence


def test_the_settings_of_the_studys_own_networks_count_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = load(claims(tmp_path, SHALLOW, DEEP, kinds=""))
    row = judged(ledger, ["supported", LACKS[1]], monkeypatch)
    assert row.verdict == "supported" and row.kinds == {}
    three = ledger.claims[0].settings * 2
    wide = ledger.model_copy(update={"claims": [ledger.claims[0].model_copy(update={"settings": three[:3]})]})
    feed(monkeypatch, given(three[:2], ["supported", LACKS[1]]))
    assert judge(wide, {}, JUDGED)[0][0].verdict == "supported"


def runs(setting: Setting, targets: tuple[float, ...], rate: float, steps: np.ndarray) -> list[dict[str, Any]]:
    return [
        {**vars(setting), "rate": rate, "seed": seed, "target": target, "steps": n * (1 + i), "reached": True, "budget": 600}
        for i, target in enumerate(targets)
        for seed, n in enumerate(steps)
    ]  # fmt: skip


def test_a_kind_is_read_at_its_own_gain_depth_target_and_seeds(tmp_path: Path) -> None:
    """From tables of both kinds, against medians of the numbers put in."""
    plain: dict[str, Any] = {"inputs": "standardized", "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2}
    rng = np.random.default_rng(0)
    kinds = {**KINDS, "cnn": JudgedKind(base={**BASE, "net": "cnn"}, depths={"shallow": 4}, targets=(1.0,), seeds=12)}
    places = {"mlp": ("mlp", 5, 1.0), "started_small": ("mlp", 5, 0.41), "cnn": ("cnn", 4, 1.0)}
    rows: list[dict[str, Any]] = []
    rates: list[dict[str, Any]] = []
    ratios = {}
    for i, (kind, (net, depth, gain)) in enumerate(places.items()):
        steps = {arm: rng.integers(50, 90, kinds[kind].seeds) * (1 + i * (arm == "none")) for arm in ("none", "bn")}
        ratios[kind] = np.log(steps["none"] / steps["bn"])
        for arm, taken in steps.items():
            setting = Setting(arm=arm, net=net, depth=depth, gain=gain, **plain)
            rows += runs(setting, kinds[kind].targets, 0.1, taken)
            role = f"best@{kinds[kind].targets[0]:g}"
            rates.append({**vars(setting), "role": role, "rate": 0.1, "evaluable": True, "reason": ""})
    tables = {"convergence": pd.DataFrame(rows), "rates": pd.DataFrame(rates)}
    ledger = load(claims(tmp_path, SHALLOW), kinds)
    [row], thetas = judge(ledger, tables, replace(JUDGED, kinds=kinds))
    for found in row.settings:
        interval = median_interval(ratios[found.kind], ratios[found.kind], 3)
        assert found.n_seeds == len(ratios[found.kind]) == (12 if found.kind == "cnn" else SEEDS)
        assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx(interval[:3])
    assert row.settings[2].label == "at 4 layers in convolutional networks; to loss 1"
    assert len(thetas) == 2 * SEEDS + 12


def test_without_kinds_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    general, own = (load(claims(tmp_path, SHALLOW, DEEP, kinds=k)) for k in ("kinds: all", ""))
    assert on_kinds(general, {}) is general
    feed(monkeypatch, given(own.claims[0].settings, ["supported", "open"]))
    found = [judge(ledger, {}, JUDGED) for ledger in (general, own)]
    assert found[0] == found[1] and len(theta(own.claims[0].settings[0], "open")) == SEEDS


def test_two_depths_with_one_number_make_one_contrast(tmp_path: Path) -> None:
    one = {"cnn": replace(KINDS["cnn"], depths={"shallow": 4, "deep": 4})}
    [contrast] = load(claims(tmp_path, SHALLOW, DEEP), one).claims[0].settings
    assert (contrast.on, contrast.depth) == ("cnn", "shallow")
    assert on_kinds(load(claims(tmp_path, SHALLOW), KINDS), KINDS) == load(claims(tmp_path, SHALLOW), KINDS)


def test_what_a_kind_lacks_is_told_below_its_settings_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = judged(load(claims(tmp_path, SHALLOW), KINDS), ["supported", LACKS[0], "opposite"], monkeypatch)
    assert [s.counts for s in row.settings] == [True, False, True] and "lacks" not in row.sentence
    shown, below = blocks.claim(row).partition("settings")[2].split("</ul>")[:2]
    assert shown.count("<svg") == 2 and "lacks" not in shown
    assert "Not evaluable at 5 layers in networks of kind started small, to loss 0.5: the study lacks it." in below
    assert "plain networks: supported; networks of kind started small: not evaluable; conv" in blocks.claim(row)
    every = judged(load(claims(tmp_path, SHALLOW), KINDS), [LACKS[0]] * 3, monkeypatch)
    assert "the study lacks it" in every.sentence  # where there is nothing else
