"""From tables to one number a seed: the quantities that the claims are about.

Each endpoint takes (lookup, spec) and returns [seed -> lower, upper], paired by seed: spec holds a setting's keys of
the claims file. Lower and upper differ where a run is censored. A seed whose run reached no such checkpoint may be
anything, (-inf, inf); no seed is ever dropped. Missing and NotEvaluable are raised as in bnstudy.claims.lookup.
"""

from collections.abc import Callable

import pandas as pd

from bnstudy.claims.endpoints.accuracy import (
    clean_difference,
    drop_difference,
    lecture_difference,
    level_change,
    level_ratio,
    statistics_gain,
)
from bnstudy.claims.endpoints.common import Spec
from bnstudy.claims.endpoints.distributions import (
    affine_motion,
    drift_growth,
    drift_ratio,
    input_offset,
    kurtosis_difference,
    variance_growth,
    xhat_growth,
    xhat_offset,
)
from bnstudy.claims.endpoints.gradients import gradient_range, ics_growth, ics_ratio, ics_slope, landscape_ratio
from bnstudy.claims.endpoints.intervention import adaptation_ratio, poke_ratio, share_left
from bnstudy.claims.endpoints.steps import steps_change, steps_excess, steps_interaction, steps_ratio, usable_rates
from bnstudy.claims.lookup import Lookup

__all__ = ["ENDPOINTS"]

ENDPOINTS: dict[str, Callable[[Lookup, Spec], pd.DataFrame]] = {
    f.__name__: f
    for f in (
        steps_ratio, steps_interaction, steps_change, steps_excess, usable_rates, clean_difference, drop_difference,
        lecture_difference, statistics_gain, level_ratio, level_change, affine_motion, drift_ratio, drift_growth,
        input_offset, variance_growth, kurtosis_difference, xhat_offset, xhat_growth, ics_ratio, ics_growth, ics_slope,
        gradient_range, landscape_ratio, poke_ratio, share_left, adaptation_ratio,
    )
}  # fmt: skip
