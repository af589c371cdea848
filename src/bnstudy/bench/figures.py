"""From timed pairs to the rows of results/bench.json."""

import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
"""{id, what, value, low, high, n}; value, low and high are None where nothing could be measured."""

IDS = (
    "plain_loop",
    "process_per_run",
    "gemm_none",
    "gemm_bn",
    "cnn_gemm",
    "measures_share",
    "workflow_share",
    "job_peak_gib",
    "results_gib",
    "seconds_per_seed",
)
"""The figures that every run of the benchmark gives; further rows follow them."""


def row(name: str, what: str, values: Sequence[float]) -> Row:
    """The median of ``values`` with the least and the greatest."""
    if not values:
        return {"id": name, "what": what, "value": None, "low": None, "high": None, "n": 0}
    low, high = min(values), max(values)
    return {"id": name, "what": what, "value": statistics.median(values), "low": low, "high": high, "n": len(values)}


def line(each: Row) -> str:
    """One row of the table that is printed."""
    if each["value"] is None:
        return f"{each['id']:24} {'-':>8}   {each['what']}"
    low, high = f"{each['low']:.3g}", f"{each['high']:.3g}"
    return f"{each['id']:24} {each['value']:8.3g}   {low} to {high}, n = {each['n']}"
