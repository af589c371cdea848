"""Summarize timed pairs as the metrics of results/bench.json."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Metric(NamedTuple):
    """One entry of results/bench.json: the median of ``n`` values, the least and the greatest; None without a value."""

    id: str
    what: str
    value: float | None
    low: float | None
    high: float | None
    n: int


IDS = tuple(
    "plain_loop process_per_run gemm_none gemm_bn cnn_gemm"
    " measures_share workflow_share job_peak_gib results_gib seconds_per_seed".split()
)
"""The metrics that every run of the benchmark gives; further ones follow them."""


def metric(name: str, what: str, values: Sequence[float]) -> Metric:
    """Return the median of ``values`` with the least and the greatest."""
    if not values:
        return Metric(name, what, None, None, None, 0)
    return Metric(name, what, statistics.median(values), min(values), max(values), len(values))


def line(metric: Metric) -> str:
    """Return the line of the printed table for one metric."""
    if metric.value is None:
        return f"{metric.id:24} {'-':>8}   {metric.what}"
    return f"{metric.id:24} {metric.value:8.3g}   {metric.low:.3g} to {metric.high:.3g}, n = {metric.n}"
