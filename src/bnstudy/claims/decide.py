"""One contrast of a claim: its theta per seed, its interval and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bnstudy.claims.contrast import PLACE, Contrast, Premise
from bnstudy.claims.endpoints.table import ENDPOINTS
from bnstudy.claims.lookup import Factors, Lookup, Missing, NotEvaluable, Unmeasured, total
from bnstudy.claims.numbers import effect, threshold
from bnstudy.claims.records import ContrastRow
from bnstudy.claims.sentences import NOT_EVALUABLE, label
from bnstudy.core.setting import slug
from bnstudy.core.stats import Interval, median_interval, rank

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = Interval(None, -math.inf, math.inf, "")


class Values(NamedTuple):
    """What the seeds say of a contrast: theta as judged, [seed -> lower, upper], and the values that its premises need."""

    contrast: Contrast
    theta: pd.DataFrame
    premises: list[pd.DataFrame]


class Evaluation(NamedTuple):
    """A contrast as judged, and its values, or None where it has none.

    ``failed`` is why it could not be evaluated: Missing where the study lacks a network, Unmeasured where a table lacks the
    network's rows, Unreached where it lacks those of a checkpoint.
    """

    row: ContrastRow
    values: Values | None = None
    failed: type[Exception] | None = None

    def theta(self) -> list[tuple[int, float, float]]:
        """Return theta as (seed, lower, upper); empty where the contrast could not be evaluated."""
        if self.values is None or not self.row.n_seeds:
            return []
        return [(int(seed), low, high) for seed, low, high in self.values.theta[["lower", "upper"]].itertuples()]


def decide(low: float, high: float, sesoi: float, region: str = "more") -> tuple[str, str | None]:
    """Return the verdict on one contrast from the interval of its theta.

    Args:
        low: the interval's lower end; it may be infinite.
        high: the interval's upper end; it may be infinite.
        sesoi: the smallest effect size of interest, at least 0.
        region: what is claimed: "more" is theta > sesoi, "less" theta < -sesoi, "within" abs theta < sesoi.

    Returns:
        The verdict, "supported", "contradicted" or "open"; and the shade of a contradiction, else None: "opposite",
        "negligible", or "not enough" (one of the two), and for "within" "higher" or "lower".

    >>> decide(1.2, 3.0, sesoi=1.0)
    ('supported', None)
    >>> decide(-0.9, 0.4, sesoi=1.0)
    ('contradicted', 'negligible')
    >>> decide(0.4, 1.6, sesoi=1.0)
    ('open', None)
    """
    if region == "within":
        if -sesoi < low and high < sesoi:
            return "supported", None
        shade = "higher" if low > sesoi else "lower" if high < -sesoi else None
        return ("contradicted", shade) if shade else ("open", None)
    if region == "less":
        low, high = -high, -low
    if low > sesoi:
        return "supported", None
    if high >= sesoi:
        return "open", None
    if high < -sesoi:
        return "contradicted", "opposite"
    return "contradicted", "negligible" if low > -sesoi else "not enough"


def combine(verdicts: Sequence[str]) -> str:
    """Return a claim's verdict from those of its contrasts (what could not be evaluated is "open").

    It is mixed where two disagree, else decided where at least half of all the listed ones are. Never an average.

    Args:
        verdicts: "supported", "contradicted" or "open", one per contrast.

    Returns:
        "supported", "contradicted", "mixed" or "inconclusive".

    >>> combine(["supported", "open"]), combine(["supported", "open", "open"]), combine(["supported", "contradicted"])
    ('supported', 'inconclusive', 'mixed')
    """
    yes, no = verdicts.count("supported"), verdicts.count("contradicted")
    if yes and no:
        return "mixed"
    if max(yes, no) * 2 >= len(verdicts) and verdicts:
        return "supported" if yes else "contradicted"
    return "inconclusive"


def evaluate(lookup: Lookup, contrast: Contrast, intervals: int) -> Evaluation:
    """Judge one contrast of a claim.

    Args:
        lookup: the study's tables.
        contrast: what is judged.
        intervals: K, the number of intervals that are to hold together.

    Returns:
        The contrast's row of claims.json with its theta per seed. What the study lacks, or cannot evaluate, is "open",
        has no theta, and says why.
    """
    lookup, values = lookup.of(contrast.on), None
    try:
        if contrast.endpoint == "check":
            return _checked(lookup, contrast)
        values = _values(lookup, contrast)
        _hold_premises(values, intervals)
    except (Missing, NotEvaluable) as error:
        reason = str(error) if isinstance(error, Missing) else f"{NOT_EVALUABLE}{error}"
        return Evaluation(_row(lookup, contrast, UNKNOWN, reason=reason), values, type(error))
    lower, upper = values.theta["lower"], values.theta["upper"]
    interval = median_interval(lower.to_numpy(), upper.to_numpy(), intervals)
    row = _row(lookup, contrast, interval, len(lower), interval.reason or None)
    row = replace(row, rank=rank(len(lower), intervals))
    if row.reason is None and row.verdict == "open" and math.isinf(interval.low) and math.isinf(interval.high):
        row = replace(row, reason=_lost(lookup, contrast, lower.index[lower != upper], len(lower)))
    return Evaluation(row, values)


def _lost(lookup: Lookup, contrast: Contrast, seeds: pd.Index, of: int) -> str:
    """Return why these seeds have no number: a network never arrived, or had at no look a loss near enough to be compared."""
    never = set(seeds) if ENDPOINTS[contrast.endpoint].timed else set()
    for setting in [] if never else _settings(lookup, contrast):
        runs = lookup.rows("convergence", setting, rate=lookup.rate(setting), target=lookup.targets[0])
        never |= set(seeds) - set(runs.loc[runs["reached"].astype(bool), "seed"])
    other = "no look at the loss came near enough" if contrast.checkpoint in (None, "main") else "there is no number"
    told = {"a network never arrived": len(never), other: len(seeds) - len(never)}
    return ", ".join(f"in {count} of {of} seeds {what}" for what, count in told.items() if count)


def _values(lookup: Lookup, contrast: Contrast) -> Values:
    theta = total((-1 if contrast.reverse else 1, _theta(lookup, contrast)))
    return Values(contrast, theta + contrast.margin, [_premise(lookup, p, contrast) for p in contrast.premises])


def _premise(lookup: Lookup, premise: Premise, contrast: Contrast) -> pd.DataFrame:
    """Return what a premise says; at other rates, where the study did not measure it, what it says at the best ones."""
    try:
        return _theta(lookup, premise, contrast)
    except Unmeasured:
        if not lookup.roles:
            raise
        return _theta(lookup.changed(lookup.change), premise, contrast)


def _theta(lookup: Lookup, part: Contrast | Premise, whole: Contrast | None = None) -> pd.DataFrame:
    """Return [seed -> lower, upper] of a contrast, or of a premise of the contrast ``whole``."""
    spec = {**(whole or part).model_dump(exclude_none=True), **part.model_dump(exclude_none=True)}
    key = repr([(k, spec.get(k)) for k in ("endpoint", "arms", *PLACE)])
    if key not in lookup.contrasts:
        function = ENDPOINTS[part.endpoint].theta
        assert function is not None  # a check has none, and is judged without
        theta = function(lookup, spec)
        if not theta.index.equals(lookup.seeds):
            count = len(lookup.seeds)
            raise ValueError(f"endpoint {part.endpoint} speaks of other seeds than the {count} evaluated ones")
        lookup.contrasts[key] = theta
    return lookup.contrasts[key]


def _hold_premises(values: Values, intervals: int) -> None:
    """Raise NotEvaluable where a premise isn't shown to hold, by an interval of the question's own width."""
    for premise, theta in zip(values.contrast.premises, values.premises):
        interval = median_interval(theta["lower"].to_numpy(), theta["upper"].to_numpy(), intervals)
        if interval.reason:
            raise NotEvaluable(interval.reason)
        if not interval.low > premise.sesoi:
            unit = _unit(premise)
            shown = effect(interval.estimate, _finite(interval.low), _finite(interval.high), unit)
            raise NotEvaluable(premise.otherwise.format(effect=shown, sesoi=threshold(premise.sesoi, unit)))


def _checked(lookup: Lookup, contrast: Contrast) -> Evaluation:
    """Judge an external check: what it measured is exact, so both ends of its interval are that number."""
    rows: dict[Any, Any] = {}  # whatever pandas gives, by a row's name and by its key
    if "checks" in lookup.tables:
        checks = lookup.tables["checks"]
        for column in checks.columns.intersection(["name", "key"]):
            rows |= checks[checks["id"] == contrast.check].set_index(column).to_dict("index")
    for name in filter(None, (contrast.row, contrast.sound)):
        value = rows.get(name, {}).get("measured")
        if value is None or math.isnan(value):
            raise Missing(f'no result of check {contrast.check}, "{name}"')
    if contrast.sound and not rows[contrast.sound]["passed"]:
        raise NotEvaluable(f'check {contrast.check}, "{contrast.sound}", did not pass')
    measured, where = float(rows[contrast.row]["measured"]), rows[contrast.row].get("where")
    row = _row(lookup, contrast, Interval(measured, measured, measured, ""))
    return Evaluation(replace(row, label=where) if isinstance(where, str) else row)


def _row(lookup: Lookup, contrast: Contrast, interval: Interval, n: int = 0, reason: str | None = None) -> ContrastRow:
    """Return theta as judged, and as shown: value = (theta - margin), the sign turned back where the claim turned it."""

    def shown(theta: float) -> float:
        return contrast.margin - theta if contrast.reverse else theta - contrast.margin

    estimate, low, high, _ = interval
    verdict, detail = decide(low, high, contrast.sesoi, contrast.region)
    shown_low, shown_high = (_finite(shown(end)) for end in ((high, low) if contrast.reverse else (low, high)))
    shown_estimate = None if estimate is None else shown(estimate)
    unit, matters = _unit(contrast), shown(contrast.sesoi)
    edges = () if contrast.endpoint == "check" else (0.0, matters, -matters)
    return ContrastRow(
        name=label(contrast.name, lookup.depths, lookup.targets, "depth {}", ""), region=contrast.region, sesoi=contrast.sesoi, unit=unit,
        estimate=estimate, ci_low=_finite(low), ci_high=_finite(high),
        ci_low_open=low == -math.inf, ci_high_open=high == math.inf,
        shown_estimate=shown_estimate, shown_low=shown_low, shown_high=shown_high, shown_sesoi=matters,
        verdict=verdict, detail=detail, n_seeds=n, reason=reason,
        effect=effect(shown_estimate, shown_low, shown_high, unit, edges), threshold=threshold(matters, unit),
        kind=contrast.on, margin=contrast.margin, reverse=contrast.reverse, networks=tuple(dict.fromkeys(map(slug, _settings(lookup, contrast)))),
    )  # fmt: skip


def _settings(lookup: Lookup, contrast: Contrast) -> list[Factors]:
    """Return the networks that a contrast compares; none where the study has no such depth."""
    if contrast.depth not in lookup.depths:
        return []
    spec = contrast.model_dump(exclude_none=True)
    others: tuple[Factors, ...] = ({}, spec.get("against", {}))
    return [lookup.setting(spec, arm, **other) for other in others for arm in contrast.arms
            if other.get("depth", contrast.depth) in lookup.depths]  # fmt: skip


def _unit(part: Contrast | Premise) -> str:
    return "ln times" if part.unit == "times" else part.unit


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
