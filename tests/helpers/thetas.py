"""The decision rule fed by hand: what the seeds say of a contrast is given, in place of measured from tables."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pytest

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.endpoints.common import Spec
from bnstudy.claims.endpoints.table import ENDPOINTS
from bnstudy.claims.lookup import Lookup

SEEDS = 16
SPANS = {
    "supported": (1.6, 2.4),
    "opposite": (-2.4, -1.6),
    "negligible": (-0.3, 0.3),
    "not enough": (-2.2, 0.4),
    "open": (-0.8, 1.8),
}
"""The least and the largest theta of a contrast that comes out so, in smallest effects of interest."""
WITHIN = {"supported": (-0.4, 0.4), "higher": (1.6, 2.4), "lower": (-2.4, -1.6), "open": (0.2, 1.8)}
"""The same where the claim says that theta lies within the smallest effect of interest."""
Given = Mapping[tuple[str, str], pd.DataFrame | Exception]
"""What is given, by a contrast's name and endpoint."""


def shades(contrast: Contrast) -> list[str]:
    """Return the ways in which a contrast can come out."""
    if contrast.region == "within":
        return list(WITHIN)
    return list(SPANS) if contrast.sesoi else ["supported", "opposite", "open"]


def theta(contrast: Contrast, word: str) -> pd.DataFrame:
    """Return [lower, upper] per seed, evenly spread, with which a contrast comes out as the word says.

    The word is "supported", "open", or the shade of what contradicts. Where the smallest effect of interest is 0 the
    spread goes by the margin.
    """
    low, high = (WITHIN if contrast.region == "within" else SPANS)[word]
    size = contrast.sesoi or 0.1 * abs(contrast.margin) or 0.1
    return exact(np.random.default_rng(1).permutation(np.linspace(low, high, SEEDS)) * size)


def exact(values: Sequence[float] | np.ndarray) -> pd.DataFrame:
    """Return [lower, upper] per seed of values of which none is censored."""
    return pd.DataFrame({"lower": values, "upper": values}, index=pd.RangeIndex(SEEDS, name="seed"))


def measured(contrast: Contrast, wanted: pd.DataFrame) -> pd.DataFrame:
    """Return what an endpoint must have measured for the contrast's theta to be the one that is wanted."""
    value = wanted - contrast.margin
    return (-value).rename(columns={"lower": "upper", "upper": "lower"}) if contrast.reverse else value


def given(contrasts: Sequence[Contrast], wanted: Sequence[str | pd.DataFrame | Exception]) -> Given:
    """Return what the endpoints are to say of each contrast: a word is what it comes out as, a frame its theta.

    A premise holds, unless the test says otherwise.
    """
    out: dict[tuple[str, str], pd.DataFrame | Exception] = {}
    for contrast, what in zip(contrasts, wanted, strict=True):
        if isinstance(what, str):
            what = theta(contrast, what)
        found = what if isinstance(what, Exception) else measured(contrast, what)
        out[contrast.name, contrast.endpoint] = found
        for premise in contrast.premises:
            out[contrast.name, premise.endpoint] = exact(np.full(SEEDS, premise.sesoi + 0.3))
    return out


def feed(patch: pytest.MonkeyPatch, what: Given) -> None:
    """Let every endpoint say what is given, whatever the tables hold."""

    def say(endpoint: str, at: Lookup, spec: Spec) -> pd.DataFrame:
        found = what[spec["name"], endpoint]
        if isinstance(found, Exception):
            raise found
        return found

    for name, endpoint in ENDPOINTS.items():
        patch.setitem(ENDPOINTS, name, endpoint._replace(theta=partial(say, name)))
