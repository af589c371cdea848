"""Endpoints on tables small enough to work out by hand."""

from itertools import product
from math import inf, log, sqrt
from typing import Any

import pandas as pd
import pytest

from bnstudy.claims.endpoints.common import Spec
from bnstudy.claims.endpoints.table import ENDPOINTS
from bnstudy.claims.lookup import JudgedKind, Lookup, Missing, NotEvaluable, total

BASE = {"depth": 2, "gain": 1.0, "inputs": "standardized", "net": "mlp", "width": 8, "batch": 4, "optimizer": "sgd"}
PAIR = {"arms": ["none", "bn"], "depth": "shallow"}
Layers = dict[int, float]
MAIN = {"checkpoint": "loss0.5"}
DRIFT = {"site": "next", "start": "loss1.0", "end": "loss0.5"}
NOISE = {"family": "noise", "severity": 3}
STEP = {"matching": "step"}
POKE = {"kind": "gradient", "dose": 0.01}
TABLES = {
    "landscape": "landscape", "kurtosis": "moments", "drift": "drift", "ics": "ics",
    "affine": "affine", "input": "moments", "xhat": "xhat", "gradient": "gradients", "poke": "intervention", "share": "intervention", "adaptation": "adaptation",
}  # fmt: skip
"""The table that an endpoint reads, by its name without the last word."""


def rates(**reasons: str) -> pd.DataFrame:
    table = pd.DataFrame(product(("none", "bn"), ("best@0.5", "best@0.25")), columns=["arm", "role"]).assign(**BASE)
    return table.assign(
        rate=table["arm"].map({"none": 0.1, "bn": 0.3}),
        evaluable=~table["arm"].isin(list(reasons)),
        reason=table["arm"].map(reasons).fillna(""),
    )


def runs(arm: str, rate: float, steps: list[float | None], budget: int = 100) -> pd.DataFrame:
    table = pd.DataFrame({"seed": range(len(steps)), "steps": pd.Series(steps, dtype=float)})
    return table.assign(reached=table["steps"].notna(), arm=arm, **BASE, rate=rate, target=0.5, budget=budget)


def measured(arm: str, rate: float, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([{"arm": arm, **BASE, "rate": rate, **r} for r in rows])


def own(seeds: int = 4, targets: tuple[float, ...] = (0.5, 0.25), **base: int) -> JudgedKind:
    return JudgedKind(base={**base}, depths={"shallow": 2}, targets=targets, seeds=seeds)


def lookup(seeds: int = 4, **tables: pd.DataFrame) -> Lookup:
    return Lookup({"rates": rates(), **tables}, own(seeds))


def theta(endpoint: str, at: Lookup, spec: Spec) -> pd.DataFrame:
    """Return what an endpoint makes of the tables: [lower, upper] per seed."""
    function = ENDPOINTS[endpoint].theta
    assert function is not None
    return function(at, spec)


def ends(frame: pd.DataFrame) -> list[tuple[Any, Any]]:
    return [(pytest.approx(a), pytest.approx(b)) for a, b in zip(frame["lower"], frame["upper"])]


def test_steps_are_censored_on_the_side_they_are() -> None:
    """Neither, none alone, bn alone, both; the diverged run is one that did not arrive. Paired by seed, not by row."""
    none, bn = runs("none", 0.1, [80, None, 50, None]), runs("bn", 0.3, [40, 25, None, None])
    other = runs("none", 0.3, [1, 1, 1, 1])  # another rate: never looked at
    at = lookup(convergence=pd.concat([none.iloc[::-1], bn, other]))
    found = theta("steps_ratio", at, PAIR)
    assert ends(found) == [(log(2), log(2)), (log(4), inf), (-inf, log(0.5)), (-inf, inf)]
    mirrored = theta("steps_ratio", at, {"arms": ["bn", "none"], "depth": "shallow"})
    assert ends(mirrored) == [(-log(2), -log(2)), (-inf, -log(4)), (log(2), inf), (-inf, inf)]


def test_a_seed_without_a_run_may_be_anything() -> None:
    at = lookup(seeds=3, convergence=pd.concat([runs("none", 0.1, [80, 80]), runs("bn", 0.3, [40, 40, 40])]))
    found = theta("steps_ratio", at, PAIR)
    assert ends(found) == [(log(2), log(2)), (log(2), log(2)), (-inf, inf)]


def test_what_the_study_lacks_and_what_it_cannot_evaluate() -> None:
    convergence = pd.concat([runs("none", 0.1, [80]), runs("bn", 0.3, [40])])
    at = lookup(convergence=convergence)
    with pytest.raises(Missing, match="the study lacks normalized once at 2 layers"):
        theta("steps_ratio", at, {"arms": ["once", "bn"], "depth": "shallow"})
    with pytest.raises(Missing, match="no deep depth"):
        theta("steps_ratio", at, {**PAIR, "depth": "deep"})
    with pytest.raises(Missing, match="the study lacks a network without normalization at 2 layers at the shared rate"):
        theta("steps_ratio", at, {**PAIR, "rate": "shared"})
    with pytest.raises(Missing, match="no second target"):
        Lookup({"rates": rates()}, own(1, (0.5,))).target("second")
    edge = Lookup({"rates": rates(none="rate on the grid's edge"), "convergence": convergence}, own(1))
    words = "a network without normalization at 2 layers: rate on the grid's edge, which learning_rates that reach"
    with pytest.raises(NotEvaluable, match=words):
        theta("steps_ratio", edge, PAIR)


def test_no_rate_that_reaches_the_target_is_an_outcome() -> None:
    """It is `evaluable`, whatever its reason says: its runs are censored."""
    table = rates()
    table.loc[table["arm"] == "none", "reason"] = "no rate reaches the target"
    convergence = pd.concat([runs("none", 0.1, [None, None]), runs("bn", 0.3, [50, 20])])
    at = Lookup({"rates": table, "convergence": convergence}, own(2))
    assert ends(theta("steps_ratio", at, PAIR)) == [(log(2), inf), (log(5), inf)]


def test_several_widths_are_refused() -> None:
    table = rates()
    with pytest.raises(ValueError, match="rates.csv mixes several values of width"):
        Lookup({"rates": pd.concat([table, table.assign(width=16)])}, own(1, (0.5,)))


def test_sums_of_censored_values() -> None:
    a = pd.DataFrame({"lower": [1.0, 1.0, -inf], "upper": [1.0, inf, inf]})
    b = pd.DataFrame({"lower": [0.5, -inf, -inf], "upper": [0.5, 2.0, inf]})
    assert ends(total((1, a), (-1, b))) == [(0.5, 0.5), (-1.0, inf), (-inf, inf)]


def test_drift_is_the_mean_of_layers_two_on_at_the_next_input() -> None:
    def rows(values: dict[int, float], seeds: range) -> list[dict[str, Any]]:
        pair = {"start": "loss1.0", "end": "loss0.5", "site": "next"}
        out = [{"seed": s, "layer": k, **pair, "moments": x, "shape": x} for s in seeds for k, x in values.items()]
        others = [{"site": "xhat", "moments": 99.0}, {"start": "init", "moments": 9.0}]
        return out + [{**r, **other} for other in others for r in out]

    none = measured("none", 0.1, rows({1: 9, 2: 1, 3: 3}, range(2)))
    drift = pd.concat([none, measured("bn", 0.3, rows({1: 7, 2: 0.5, 3: 0.5}, range(1)))])
    spec = {**PAIR, "column": "moments"}
    assert ends(theta("drift_ratio", lookup(2, drift=drift), spec)) == [(log(4), log(4)), (-inf, inf)]
    with pytest.raises(NotEvaluable, match="no run reached"):
        theta("drift_ratio", lookup(2, drift=drift[drift["end"] != "loss0.5"]), spec)


def test_variance_that_vanishes_counts_like_one_that_explodes() -> None:
    rows = [
        {"seed": s, "checkpoint": "step100", "site": "linear", "layer": k, "variance": x}
        for s, last in enumerate((8.0, 0.5, inf))
        for k, x in ((1, 2.0), (2, last))
    ]
    at = lookup(3, moments=measured("none", 0.1, rows))
    found = theta("variance_growth", at, {"arms": ["none"], "depth": "shallow"})
    assert ends(found) == [(log(4), log(4)), (log(4), log(4)), (-inf, inf)]


@pytest.mark.parametrize(
    "endpoint, spec, where, column, none, bn, expected",
    [
        ("affine_motion", {}, {"start": "init", "end": "loss0.5"}, "change_rms", {1: 0.3, 2: 0.4}, None, sqrt(0.125) / 2),
        ("input_offset", {}, {**MAIN, "site": "next"}, "offset", {1: 0.3, 2: 0.4}, None, sqrt(0.125)),
        ("xhat_offset", NOISE, NOISE, "offset", {1: 0.1, 2: 0.7}, None, 0.5),
        ("xhat_growth", NOISE, NOISE, "offset", {1: 0.1, 2: 0.7}, None, log(7)),
        ("landscape_ratio", {"column": "change_absolute"}, MAIN, "change_absolute", {1: 0.6}, {1: 0.3}, log(2)),
        ("kurtosis_difference", {}, {**MAIN, "site": "linear"}, "excess_kurtosis", {1: 9, 2: -2, 3: 4}, {2: 1, 3: -1}, 2),
        ("drift_growth", {"column": "moments"}, DRIFT, "moments", {1: 1, 2: 5, 3: 8}, {1: 1, 2: 7, 3: 2}, log(4)),
        ("drift_growth", {"column": "moments"}, DRIFT, "moments", {1: 1, 2: 5, 3: 8}, None, log(8)),
        ("ics_ratio", STEP, {**STEP, **MAIN}, "relative", {2: 2, 3: 8}, {2: 1, 3: 1}, log(4)),
        ("ics_growth", STEP, {**STEP, **MAIN}, "relative", {2: 2, 3: 5, 4: 16}, {2: 1, 3: 9, 4: 2}, log(4)),
        ("ics_growth", STEP, {**STEP, **MAIN}, "relative", {2: 2, 3: 5, 4: 16}, None, log(8)),
        ("ics_slope", STEP, {**STEP, **MAIN}, "relative", {2: 1, 3: 2, 4: 4}, {2: 1, 3: 1, 4: 1}, log(4)),
        ("gradient_range", {}, MAIN, "norm", {1: 1, 2: 8, 3: 2}, {1: 3, 2: 1, 3: 2}, log(8) - log(3)),
        ("gradient_range", {}, MAIN, "norm", {1: 1, 2: 8, 3: 2}, None, log(8)),
        ("poke_ratio", POKE, {**POKE, **MAIN}, "values", {2: 0.9, 3: 0.4}, {2: 0.1, 3: 0.2}, log(2)),
        ("share_left", POKE, {**POKE, **MAIN}, "left", {2: 0.6, 3: 0.1}, None, 60),
        ("adaptation_ratio", {"match": "dose"}, {"match": "dose"}, "steps", {1: 40}, {1: 20}, log(2)),
        ("adaptation_ratio", {"match": "dose"}, {"match": "dose"}, "steps", {1: 4}, {1: 0}, log(4)),
    ],
)  # fmt: skip
def test_which_way_an_endpoint_points(
    endpoint: str, spec: Spec, where: Spec, column: str, none: Layers, bn: Layers | None, expected: float
) -> None:
    """Values by layer of a network of two arms, or of one; rows of any other place are never looked at."""
    arms = {"none": (0.1, none), **({"bn": (0.3, bn)} if bn else {})}
    places = [where, *({**where, key: "elsewhere"} for key in where)]
    rest = dict(seed=0, other_batch=99.0, rounding=0.0, gamma_rms=2.0, reached=True, budget=200, before=0.5)
    found = pd.concat(
        measured(arm, rate, [{**rest, **place, "layer": k, column: x if place is where else 77.0}])
        for arm, (rate, values) in arms.items()
        for place in places
        for k, x in values.items()
    )
    at = lookup(1, **{TABLES[endpoint.rpartition("_")[0]]: found})
    spec = {"arms": list(arms), "depth": "shallow", "checkpoint": "main", **spec}
    assert ends(theta(endpoint, at, spec)) == [(expected, expected)]


def test_excess_is_counted_from_halfway() -> None:
    noisy = pd.concat([rates(), rates()[lambda t: t["arm"] == "bn"].assign(arm="bn_noisy")])
    convergence = pd.concat([runs("none", 0.1, [80]), runs("bn", 0.3, [20]), runs("bn_noisy", 0.3, [120], 200)])
    at = Lookup({"rates": noisy, "convergence": convergence}, own(1))
    assert ends(theta("steps_excess", at, {"arms": ["bn_noisy", "bn", "none"], "depth": "shallow"})) == [(log(3),) * 2]


def shift(arm: str, rate: float, accuracy: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    rows = [
        {"seed": 0, "family": f, "statistics": s, "severity": i + (f != "clean"), "accuracy": a}
        for (f, s), values in accuracy.items()
        for i, a in enumerate(values)
    ]
    return measured(arm, rate, rows)


def test_shifted_accuracy() -> None:
    none = shift("none", 0.1, {("clean", "running"): [90], ("noise", "running"): [80, 70, 60, 50, 40]})
    bn = shift("bn", 0.3, {("clean", "running"): [95], ("noise", "running"): [85] * 5, ("noise", "batch32"): [90] * 5})
    at = lookup(1, shift=pd.concat([none, bn]))
    pair = {"depth": "shallow", "family": "noise"}
    assert ends(theta("drop_difference", at, {**pair, "arms": ["none", "bn"]})) == [(30 - 10,) * 2]
    assert ends(theta("clean_difference", at, {"depth": "shallow", "arms": ["bn", "none"]})) == [(5,) * 2]
    assert ends(theta("statistics_gain", at, {**pair, "arms": ["bn"], "statistics": "batch32"})) == [(5,) * 2]
    with pytest.raises(NotEvaluable):
        theta("statistics_gain", at, {**pair, "arms": ["none"], "statistics": "batch32"})


def test_what_another_source_costs_is_counted_from_clean_images_with_the_same_statistics() -> None:
    """Arm none has stored statistics alone, whatever the contrast says of the other arm."""
    other = "another source"
    none = shift("none", 0.1, {("clean", "running"): [90], (other, "running"): [60]})
    stored, again = "running", "reestimated"
    bn = {("clean", stored): [95.0], ("clean", again): [94.0], (other, stored): [70.0], (other, again): [80.0]}
    at = lookup(1, shift=pd.concat([none, shift("bn", 0.3, bn)]))
    pair = {**PAIR, "family": other}
    assert ends(theta("drop_difference", at, pair)) == [(30 - 25,) * 2]
    assert ends(theta("drop_difference", at, {**pair, "statistics": "reestimated"})) == [(30 - 14,) * 2]
    with pytest.raises(Missing, match="^the study has no test images of another source$"):
        theta("drop_difference", lookup(1, shift=none[none["family"] == "clean"]), pair)


def test_usable_rates_are_counted_on_the_grid_alone() -> None:
    grid = (0.01, 0.0316228, 0.1)
    table = pd.concat([rates(), *(rates().iloc[[i]].assign(role="grid", rate=r) for i in (0, 2) for r in grid)])
    convergence = pd.concat(
        [runs("none", r, [None, 50]) for r in grid[:2]] + [runs("none", 0.1, [50, 50])]
        + [runs("bn", r, [50, 50]) for r in grid] + [runs("bn", 0.3, [50, 50])]
    )  # fmt: skip
    at = Lookup({"rates": table, "convergence": convergence}, own(3))
    found = theta("usable_rates", at, {"arms": ["bn", "none"], "depth": "shallow"})
    assert [round(x, 4) for x in found["lower"]] == [1.0, 0.0, -inf] and found["upper"].iloc[2] == inf
    fewer = table[(table["arm"] == "bn") | (table["rate"] < 0.1)]
    other = Lookup({"rates": fewer, "convergence": convergence}, own(2, (0.5,)))
    with pytest.raises((NotEvaluable, Missing)):
        theta("usable_rates", other, {"arms": ["bn", "none"], "depth": "shallow"})


def test_first_weights_are_counted_where_a_middle_rate_gets_there() -> None:
    """Of seven gains 0.1 decades apart none trains from the middle three, and from one more in the second seed, bn from all."""
    grid, gains = (0.01, 0.03, 0.1, 0.3, 1.0), [10 ** (i / 10) for i in range(-3, 4)]
    tables: dict[str, list[pd.DataFrame]] = {"rates": [], "convergence": []}
    for gain, rate, (arm, row) in product(gains, grid, (("none", 0), ("bn", 2))):
        tables["rates"].append(rates().iloc[[row]].assign(role="grid", rate=rate, gain=gain))
        near = [0.75 < gain < 1.3, 0.75 < gain < 1.9]
        came = [arm == "bn" or (close and rate == 0.03) or rate == 1.0 for close in near]  # 1.0 is no middle rate
        steps: list[float | None] = [50 if arrived else None for arrived in came]
        tables["convergence"].append(runs(arm, rate, steps).assign(gain=gain))
    at = Lookup({name: pd.concat(parts) for name, parts in tables.items()}, own(3))
    found = theta("usable_gains", at, PAIR)
    assert [round(x, 4) for x in found["lower"]] == [-0.4, -0.3, -inf] and found["upper"].iloc[2] == inf
    middle = theta("central_gain", at, {"arms": ["none"], "depth": "shallow"})
    assert [round(x, 4) for x in middle["lower"]] == [0.0, 0.05, -inf]
    change = {"arms": ["none"], "depth": "shallow", "against": {"depth": "shallow"}}
    assert list(theta("usable_gains_change", at, change)["lower"])[:2] == [0, 0]
    fewer = {name: table[table["gain"] < 1.9] for name, table in at.tables.items()}
    lacks = "lacks a network without normalization at 2 layers over a range of first weights"
    with pytest.raises(Missing, match=lacks):
        theta("central_gain", Lookup(fewer, own(2, (0.5,))), {"arms": ["none"], "depth": "shallow"})


def test_contrasts_of_contrasts() -> None:
    table = pd.concat([rates(), rates().assign(gain=1.41)])
    plain = pd.concat([runs("none", 0.1, [80]), runs("bn", 0.3, [40])])
    big = pd.concat([runs("none", 0.1, [None]), runs("bn", 0.3, [50])]).assign(gain=1.41)
    at = Lookup({"rates": table, "convergence": pd.concat([plain, big])}, own(1))
    spec = {"depth": "shallow", "gain": 1.41, "against": {"gain": 1.0}}
    assert ends(theta("steps_interaction", at, {**spec, "arms": ["none", "bn"]})) == [(log(2) - log(2), inf)]
    assert ends(theta("steps_change", at, {**spec, "arms": ["bn"]})) == [(log(1.25),) * 2]


def levels(arm: str, rate: float, *paths: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return rows of (loss on training images, on test images) by checkpoint, a path a seed; stored averages do worse."""
    rows = [
        {"seed": seed, "checkpoint": checkpoint, "statistics": statistics, "fit": by * fit, "nll": by * nll}
        for seed, path in enumerate(paths)
        for checkpoint, (fit, nll) in path.items()
        for statistics, by in (("running", {"none": 1.0, "bn": 2.5}[arm]), ("reestimated", 1.0))
    ]
    return measured(arm, rate, rows)


def test_test_losses_are_compared_at_equal_loss_on_training_images() -> None:
    """At fits of .54 and .46 they are compared halfway, at the root of .54 x .46: none follows its line down to the next
    checkpoint and bn its line up. Both lines are power laws here, of exponent 1 and 1/2. Equal fits need no line. What is
    farther than a tenth from the common level is unknown, and so is what has no checkpoint beyond it."""
    none = {"loss1.0": (1.1, 2.2), "loss0.5": (0.54, 1.08), "final": (0.11, 0.22)}
    bn = {"loss1.0": (0.9, sqrt(0.9)), "loss0.5": (0.46, sqrt(0.46)), "final": (0.04, 0.2)}
    far, alone = {**bn, "loss0.5": (0.43, sqrt(0.43))}, {"loss0.5": (0.54, 1.08)}
    table = [levels("none", 0.1, none, {"loss0.5": (0.46, 0.92)}, none, alone), levels("bn", 0.3, bn, bn, far, bn)]
    at = lookup(4, levels=pd.concat(table))
    level = sqrt(0.54 * 0.46)
    expected = [log(2 * level / sqrt(level)), log(0.92 / sqrt(0.46))]
    found = ends(theta("level_ratio", at, PAIR))
    assert found == [(x, x) for x in expected] + [(-inf, inf)] * 2
    stored = at.tables["levels"]["statistics"].eq("running")
    others = lookup(4, levels=at.tables["levels"].assign(nll=lambda t: t["nll"].where(~stored, 77.0)))
    assert ends(theta("level_ratio", others, PAIR)) == found
    with pytest.raises(NotEvaluable, match="their losses on training images differ too much"):
        theta("level_ratio", lookup(1, levels=pd.concat([levels("none", 0.1, none), levels("bn", 0.3, far)])), PAIR)
    table = [levels("bn", 0.3, bn), levels("bn", 0.3, none).assign(batch=16)]
    made = {"rates": pd.concat([rates(), rates().assign(batch=16)]), "levels": pd.concat(table)}
    at = Lookup(made, own(1, (0.5,), batch=4))
    spec = {"arms": ["bn"], "depth": "shallow", "batch": 16, "against": {"batch": 4}}
    assert ends(theta("level_change", at, spec)) == [(expected[0],) * 2]


def test_recovery_is_compared_from_equal_losses() -> None:
    """Losses of .5 and .42 are within twice a tenth of each other, .5 and .4 are not: that network has farther to come."""

    def rows(arm: str, rate: float, *before: float) -> pd.DataFrame:
        same = {"match": "dose", "steps": 40 if arm == "none" else 20, "reached": True, "budget": 200}
        return measured(arm, rate, [{**same, "seed": seed, "before": loss} for seed, loss in enumerate(before)])

    at = lookup(2, adaptation=pd.concat([rows("none", 0.1, 0.5, 0.5), rows("bn", 0.3, 0.42, 0.4)]))
    assert ends(theta("adaptation_ratio", at, {**PAIR, "match": "dose"})) == [(log(2), log(2)), (-inf, inf)]
    at = lookup(1, adaptation=pd.concat([rows("none", 0.1, 0.5), rows("bn", 0.3, 0.4)]))
    with pytest.raises(NotEvaluable, match="before the change their losses differ too much"):
        theta("adaptation_ratio", at, {**PAIR, "match": "dose"})
