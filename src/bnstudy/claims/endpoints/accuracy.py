"""Test images, clean and shifted, by whose statistics the norms use; and clean ones at equal training loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bnstudy.claims.endpoints.common import OFF, Spec, endpoint
from bnstudy.claims.lookup import Factors, Lookup, Missing, NotEvaluable
from bnstudy.core import words

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = range(1, 6)
CEILING = 80.0
"""Percent right that a network trained on the test's own colours must reach there for a severity to count."""
UNTESTED = "no run was left to test"


def accuracy(lookup: Lookup, setting: Factors, statistics: str, family: str) -> pd.Series:
    """Return the percent right per seed, the mean of severities 1 to 5 (clean images have none).

    Raises:
        Missing: where the study tests under no such shift, as with tables, which have no pixels to move.
    """
    tested = lookup.tables.get("shift")
    if tested is not None and len(tested) and not tested["family"].eq(family).any():
        raise Missing(f"the study has no test images of {family}")
    rows = lookup.measured("shift", setting, UNTESTED, statistics=statistics, family=family)
    if family != "clean":
        rows = rows[rows["severity"].isin(SEVERITIES)]
    return rows.groupby("seed")["accuracy"].mean()


@endpoint(2, must="depth")
def clean_difference(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the clean test accuracy of arm a minus that of b, in points, with stored statistics."""
    a, b = (accuracy(lookup, lookup.setting(spec, arm), "running", "clean") for arm in spec["arms"])
    return lookup.exact(a - b)


@endpoint(2, must="depth family", may="statistics")
def drop_difference(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the points that a loses under a shift minus those that b loses.

    The loss is the mean of severities 1 to 5, or that on another source. Arm a uses stored statistics, and so does b
    unless the contrast gives it others, on clean and on shifted images alike.

    Raises:
        Missing: where the study has no images of that family.
    """
    drops = []
    for arm, statistics in zip(spec["arms"], ("running", spec.get("statistics") or "running")):
        setting = lookup.setting(spec, arm)
        lookup.rate(setting)
        shifted = accuracy(lookup, setting, statistics, spec["family"])
        drops.append(accuracy(lookup, setting, statistics, "clean") - shifted)
    return lookup.exact(drops[0] - drops[1])


@endpoint(2, must="depth family severity statistics")
def lecture_difference(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the points that a loses from severity 0 of the lecture split to the given one, minus those that b loses.

    Arm a has no statistics; b uses the given ones at both ends ("running", or of batches "hue32", "mixed32").

    Raises:
        NotEvaluable: where the study holds the ceiling of this severity, and it is too low.
    """
    drops = []
    for arm, statistics in zip(spec["arms"], ("running", spec["statistics"])):
        setting = lookup.setting(spec, arm)
        lookup.rate(setting)
        if "shift" not in lookup.tables or not lookup.tables["shift"]["family"].eq(spec["family"]).any():
            raise Missing(f"the study has no test images of {words.factor('inputs', spec['family'])}")
        where = {"family": spec["family"], "statistics": statistics}
        ends = [
            lookup.measured("shift", setting, UNTESTED, severity=s, **where).set_index("seed")["accuracy"]
            for s in (0, spec["severity"])
        ]
        drops.append(ends[0] - ends[1])
    _readable(lookup, spec)
    return lookup.exact(drops[0] - drops[1])


def _readable(lookup: Lookup, spec: Spec) -> None:
    """Refuse a severity that can hardly be read: what is lost there may be lost in the images themselves.

    Raises:
        NotEvaluable: where the median network of arm none that was trained on the colours of severity 5 gets fewer than
            CEILING percent right.
    """
    family, severity = spec["family"], spec["severity"]
    setting = lookup.setting(spec, "none", inputs=f"{family}_ceiling")
    try:
        rows = lookup.measured("shift", setting, UNTESTED, family=family, severity=severity, statistics="running")
    except Missing:
        return
    ceiling = float(rows["accuracy"].median())
    if ceiling < CEILING:
        raise NotEvaluable(
            f"severity {severity} cannot be read: even networks trained on these colours get {ceiling:.0f}% right, "
            f"below {CEILING:.0f}%"
        )


@endpoint(1, must="depth family statistics", may="against")
def statistics_gain(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return the accuracy with `statistics` of the test images minus that with the stored ones, in points.

    With `against`, return that here minus the same there.
    """

    def gain(**change: Any) -> pd.Series:
        setting = lookup.setting(spec, **change)
        fresh = accuracy(lookup, setting, spec["statistics"], spec["family"])
        return fresh - accuracy(lookup, setting, "running", spec["family"])

    return lookup.exact(gain() - gain(**spec["against"]) if "against" in spec else gain())


@endpoint(2, must="depth")
def level_ratio(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(clean test loss of a / that of b) at equal loss on training images, about where each reached the main target."""
    return _at_equal_fit(lookup, *(lookup.setting(spec, arm) for arm in spec["arms"]))


@endpoint(1, must="depth against")
def level_change(lookup: Lookup, spec: Spec) -> pd.DataFrame:
    """Return ln(that test loss here / against another network of the same arm)."""
    return _at_equal_fit(lookup, lookup.setting(spec), lookup.setting(spec, **spec["against"]))


def _at_equal_fit(lookup: Lookup, a: Factors, b: Factors) -> pd.DataFrame:
    """Return ln(clean test loss of a / that of b) at the training loss halfway (in ln) between theirs at the main target.

    Losses are those of the networks as functions, with averages measured again on training images. Each test loss is moved
    to the common level along the line to the checkpoint on its other side, by at most OFF. A seed that is farther off, or
    has no such checkpoint, has no number.

    Raises:
        NotEvaluable: where no seed has one.
    """
    import pandas as pd

    paths = [_falling(lookup, setting) for setting in (a, b)]
    ratios = {}
    for seed in paths[0].keys() & paths[1].keys():
        middle = sum(path[seed].fit[path[seed].main] for path in paths) / 2
        ends = [path[seed].at(middle) for path in paths]
        ratios[seed] = ends[0] - ends[1]
    ratio = pd.Series(ratios, dtype=float)
    if ratio.isna().all():
        names = " and ".join(lookup.describe(setting) for setting in (a, b))
        raise NotEvaluable(f"{names}: where they reach the target, their losses on training images differ too much")
    return lookup.exact(ratio)


class _Path(NamedTuple):
    """The checkpoints of a network by falling training loss: ln of that and of the test loss [n], and which is the main one."""

    fit: np.ndarray
    test: np.ndarray
    main: int

    def at(self, fit: float) -> float:
        """Return ln of the test loss where ln of the training loss is ``fit``; NaN farther than OFF from the main one."""
        if abs(fit - self.fit[self.main]) > OFF:
            return math.nan
        return float(np.interp(-fit, -self.fit, self.test, left=math.nan, right=math.nan))


def _falling(lookup: Lookup, setting: Factors) -> dict[int, _Path]:
    """Return the path of each seed that reached the main target."""
    rows = lookup.measured("levels", setting, statistics="reestimated")
    paths = {}
    for seed, of_seed in rows.sort_values("fit", ascending=False).groupby("seed"):
        if len(main := np.flatnonzero(of_seed["checkpoint"] == lookup.level())):
            fit, test = (np.log(of_seed[column].to_numpy(float)) for column in ("fit", "nll"))
            paths[seed] = _Path(fit, test, int(main[0]))
    return paths
