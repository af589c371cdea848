"""What a setting of the claims file must say for each endpoint: light, so that the file is checked before any work."""

from typing import NamedTuple

from bnstudy.core.setting import FACTORS as ALL

FACTORS = frozenset(ALL) - {"arm", "depth"}
"""What any setting may say of its network; left out, gain 1, standardized inputs and the study's own values hold."""


class Needs(NamedTuple):
    """How many arms an endpoint takes, which keys a setting must give and which it may."""

    arms: tuple[int, ...]
    must: frozenset[str]
    may: frozenset[str]


def _needs(arms: int | tuple[int, ...], must: str, may: str = "") -> Needs:
    counts = arms if isinstance(arms, tuple) else (arms,)
    return Needs(counts, frozenset(must.split()), FACTORS | frozenset(may.split()))


STEPS = frozenset({"steps_ratio", "steps_interaction", "steps_change", "steps_excess"})
"""Endpoints that rest on steps to a target at a tuned rate."""
ENDPOINTS = {
    "steps_ratio": _needs(2, "depth", "target rate"),
    "steps_interaction": _needs(2, "depth against", "target rate"),
    "steps_change": _needs(1, "depth against", "target rate"),
    "steps_excess": _needs(3, "depth", "target rate"),
    "usable_rates": _needs(2, "depth", "target"),
    "clean_difference": _needs(2, "depth"),
    "drop_difference": _needs(2, "depth family"),
    "lecture_difference": _needs(2, "depth family severity statistics"),
    "statistics_gain": _needs(1, "depth family statistics", "against"),
    "level_ratio": _needs(2, "depth"),
    "level_change": _needs(1, "depth against"),
    "affine_motion": _needs(1, "depth"),
    "drift_ratio": _needs(2, "depth column"),
    "drift_growth": _needs((1, 2), "depth column"),
    "input_offset": _needs(1, "depth"),
    "variance_growth": _needs(1, "depth"),
    "kurtosis_difference": _needs(2, "depth"),
    "xhat_offset": _needs(1, "depth family severity"),
    "xhat_growth": _needs(1, "depth family severity"),
    "ics_ratio": _needs(2, "depth matching checkpoint"),
    "ics_growth": _needs((1, 2), "depth matching checkpoint"),
    "ics_slope": _needs(2, "depth matching checkpoint"),
    "gradient_range": _needs((1, 2), "depth checkpoint"),
    "landscape_ratio": _needs(2, "depth column checkpoint"),
    "poke_ratio": _needs(2, "depth kind dose checkpoint"),
    "share_left": _needs(1, "depth kind dose checkpoint"),
    "adaptation_ratio": _needs(2, "depth match"),
    "check": Needs((0,), frozenset({"check", "row"}), frozenset({"sound"})),
}
"""One function a name in bnstudy.claims.endpoints.table, where each is defined; `check` reads checks.json and has no interval."""
