"""Test images, clean and shifted, by whose statistics the norms use; and clean ones at equal training loss."""

from typing import Any

import pandas as pd

from bnstudy.claims.endpoints.common import UNREACHED, Spec, against, ln
from bnstudy.claims.lookup import Lookup, Missing, NotEvaluable

SEVERITIES = range(1, 6)
CEILING = 80.0
"""Percent right that a network trained on the test's own colours must reach there for a severity to count."""
UNTESTED = "no run was left to test"


def accuracy(at: Lookup, setting: dict[str, Any], statistics: str, family: str) -> pd.Series:
    """Percent right, a seed, mean of the severities 1 to 5 (clean images have none)."""
    rows = at.measured("shift", setting, UNTESTED, statistics=statistics, family=family)
    if family != "clean":
        rows = rows[rows["severity"].isin(SEVERITIES)]
    return rows.groupby("seed")["accuracy"].mean()


def clean_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Clean test accuracy of arm a minus that of b, points, stored statistics."""
    a, b = (accuracy(at, at.setting(spec, arm), "running", "clean") for arm in spec["arms"])
    return at.exact(a - b)


def drop_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Points that a loses under a shift minus those that b loses, stored statistics, mean of severities 1 to 5."""
    drops = []
    for arm in spec["arms"]:
        setting = at.setting(spec, arm)
        drops.append(accuracy(at, setting, "running", "clean") - accuracy(at, setting, "running", spec["family"]))
    return at.exact(drops[0] - drops[1])


def lecture_difference(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Points that a loses from severity 0 of the lecture split to the given one, minus those that b loses.

    Arm a has no statistics; b uses the given ones at both ends ("running", or of batches "hue32", "mixed32"). Raises
    NotEvaluable for a severity whose ceiling is too low, where the study holds the ceiling.
    """
    drops = []
    for arm, statistics in zip(spec["arms"], ("running", spec["statistics"])):
        setting = at.setting(spec, arm)
        at.rate(setting)
        if "shift" not in at.tables or not at.tables["shift"]["family"].eq(spec["family"]).any():
            raise Missing(f"no test images of {spec['family']}")
        where = {"family": spec["family"], "statistics": statistics}
        ends = [
            at.measured("shift", setting, UNTESTED, severity=s, **where).set_index("seed")["accuracy"]
            for s in (0, spec["severity"])
        ]
        drops.append(ends[0] - ends[1])
    _readable(at, spec)
    return at.exact(drops[0] - drops[1])


def _readable(at: Lookup, spec: Spec) -> None:
    """Raises NotEvaluable where the median network of arm none that was trained on the colours of severity 5 reads fewer
    than CEILING percent at the severity: what is lost there may be lost in the images themselves."""
    family, severity = spec["family"], spec["severity"]
    setting = at.setting(spec, "none", inputs=f"{family}_ceiling")
    try:
        rows = at.measured("shift", setting, UNTESTED, family=family, severity=severity, statistics="running")
    except Missing:
        return
    ceiling = float(rows["accuracy"].median())
    if ceiling < CEILING:
        raise NotEvaluable(
            f"severity {severity} cannot be read: even networks trained on these colours get {ceiling:.0f}% right, "
            f"below {CEILING:.0f}%"
        )


def statistics_gain(at: Lookup, spec: Spec) -> pd.DataFrame:
    """Accuracy with `statistics` of the test images minus that with the stored ones, points; with `against`, that here
    minus the same there."""

    def gain(**change: Any) -> pd.Series:
        setting = at.setting(spec, spec["arms"][0], **change)
        fresh = accuracy(at, setting, spec["statistics"], spec["family"])
        return fresh - accuracy(at, setting, "running", spec["family"])

    return at.exact(gain() - gain(**against(spec)) if "against" in spec else gain())


def level_ratio(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(clean test loss of a / that of b) when each reached the main target in training, stored statistics."""
    a, b = (_test_loss(at, spec, arm) for arm in spec["arms"])
    return at.exact(ln(a / b))


def level_change(at: Lookup, spec: Spec) -> pd.DataFrame:
    """ln(that test loss here / against another network of the same arm)."""
    (arm,) = spec["arms"]
    return at.exact(ln(_test_loss(at, spec, arm) / _test_loss(at, spec, arm, **against(spec))))


def _test_loss(at: Lookup, spec: Spec, arm: str, **change: Any) -> pd.Series:
    setting = at.setting(spec, arm, **change)
    rows = at.measured("levels", setting, UNREACHED, checkpoint=at.level(), statistics="running")
    return rows.set_index("seed")["nll"]
