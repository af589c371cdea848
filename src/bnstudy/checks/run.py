"""All external checks: they give the rows of checks.json."""

from collections.abc import Callable, Sequence
from math import isfinite

from bnstudy.checks import backward, forward, linear, meanfield
from bnstudy.checks.base import Check

CHECKS: dict[str, Callable[[], list[Check]]] = {
    "E1": backward.gradient_has_no_part_along_1_and_xhat,
    "E2": forward.outputs_have_mean_beta_and_sd_gamma,
    "E3": backward.weights_have_no_scale,
    "E4": backward.gradient_norm_follows_the_theorem,
    "E5": meanfield.gradients_explode_with_relu,
    "E6": meanfield.gradients_explode_without_relu,
    "E7": meanfield.growth_depends_on_the_gain_without_bn,
    "E8": meanfield.samples_stay_apart_with_bn,
    "E9": linear.covariate_shift_is_larger_with_bn,
    "E10": meanfield.weight_changes_compound_with_bn,
    "E11": forward.affine_inputs_leave_xhat,
    "E12": linear.mean_spoils_the_condition_number,
    "E13": linear.any_rate_fits_with_bn,
    "E14": forward.variances_are_as_in_torch,
    "E15": backward.printed_formula_lacks_1_over_m,
    "E16": meanfield.branches_fade_with_bn,
    "E17": meanfield.gradients_shatter_with_bn,
    "E18": meanfield.other_nonlinearities_explode_less,
    "E19": meanfield.layer_norm_explodes_as_bn_does,
}
"""The checks by id; each returns one row per case."""


def run(ids: Sequence[str] | None = None) -> list[dict[str, str | float | bool | None]]:
    """Return the rows of the checks named (by default all), with the id and the fields of :class:`bnstudy.checks.base.Check`.

    A measured value that is no finite number becomes None, which JSON can hold.

    Raises:
        ValueError: There is no such check; the message names all.
    """
    unknown = [i for i in ids or () if i not in CHECKS]
    if unknown:
        raise ValueError(f"unknown check {', '.join(unknown)}: checks are {', '.join(CHECKS)}")
    rows = [{"id": i, **row._asdict()} for i in (CHECKS if ids is None else ids) for row in CHECKS[i]()]
    return [row | {"measured": row["measured"] if isfinite(row["measured"]) else None} for row in rows]
