"""Effective robustness (Taori et al. 2020): what a network keeps under a shift beyond what its clean accuracy foretells.

The line is that of shifted on clean accuracy, on logit axes. It is fitted by least squares to all networks without
normalization on the same images that learned their task, whatever their depth, gain and seed; there is one for each kind
of shift and severity. Effective robustness is the accuracy above that line, in points. Where the line explains too
little, clean accuracy foretells nothing, and no number is given.
"""

import numpy as np
import pandas as pd

from bnstudy.core.setting import FACTORS
from bnstudy.core.shifted import ANOTHER

HOLDS = 0.5
"""Least R^2 of a line that is used."""
RUNS = 10
"""Least number of networks that a line is fitted to."""
LEARNED = 50.0
"""Least clean accuracy, in percent, of a network that a line is fitted to: a single one that learned nothing would lie far
off the others and draw the line by itself."""
STATISTICS = ("running", "batch32", "reestimated")
NETWORK = [*FACTORS, "rate", "seed", "statistics"]


def logit(percent: "pd.Series | np.ndarray") -> np.ndarray:
    """Return ln(p / (1 - p)) of percentages, kept within 0.1..99.9 so that none is infinite."""
    p = np.clip(np.asarray(percent, float), 0.1, 99.9) / 100
    return np.log(p / (1 - p))


def line(clean: np.ndarray, shifted: np.ndarray) -> tuple[float, float, float]:
    """Return (slope, intercept, R^2) of the least-squares line; R^2 is 0 where either side has no spread."""
    if clean.std() == 0 or shifted.std() == 0:
        return 0.0, float(shifted.mean()), 0.0
    slope = float(np.cov(clean, shifted, bias=True)[0, 1] / clean.var())
    return slope, float(shifted.mean() - slope * clean.mean()), float(np.corrcoef(clean, shifted)[0, 1] ** 2)


def used(shift: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of shift.csv that a line or a residual rests on.

    Painted inputs and label shift have no place on these lines, nor has another source, which has no severities.
    """
    keep = shift["statistics"].isin(STATISTICS) & (shift["inputs"] == "standardized")
    return shift[keep & ~shift["family"].isin(["label", ANOTHER])]


def robustness(shift: pd.DataFrame) -> pd.DataFrame:
    """Return the effective robustness of every network.

    Args:
        shift: Rows of shift.csv, of which those that :func:`used` keeps count.

    Returns:
        One row per network, kind of statistics, kind of shift (column `family`) and severity: `clean` and shifted
        `accuracy` in percent; the line's `r2` and number of `runs`; the accuracy `expected` from it and the `effective`
        robustness in points, both missing where the line does not hold.
    """
    rows = used(shift)
    clean = rows[rows["family"] == "clean"][[*NETWORK, "accuracy"]].rename(columns={"accuracy": "clean"})
    rows = rows[rows["family"] != "clean"].merge(clean, on=NETWORK)
    parts = []
    for _, same in rows.groupby(["pool", "family", "severity"]):
        base = same[(same["arm"] == "none") & (same["statistics"] == "running") & (same["clean"] >= LEARNED)]
        slope, intercept, r2 = line(logit(base["clean"]), logit(base["accuracy"])) if len(base) else [np.nan] * 3
        holds = len(base) >= RUNS and r2 >= HOLDS
        expected = 100 / (1 + np.exp(-(intercept + slope * logit(same["clean"])))) if holds else np.nan
        parts.append(same.assign(r2=r2, runs=len(base), expected=expected))
    columns = [*NETWORK[:-1], "family", "severity", "statistics", "clean", "accuracy", "r2", "runs", "expected"]
    table = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return table.assign(effective=table["accuracy"] - table["expected"])
