"""All arms of a study that has some from outside, one a row: what each is, how it does, and which of them are equal."""

from collections.abc import Iterator, Mapping
from math import log10
from typing import Any

import pandas as pd

from bnstudy.core import words
from bnstudy.report.figures.picture import Numbers
from bnstudy.report.figures.summary import known, median, times
from bnstudy.report.results import RUN, Results

TRAITS = {"mixes_samples": "mixes samples", "stores_averages": "stores averages", "draws": "draws random numbers"}
PLACE = ["arm", "net", "width"]
ALIKE = 1e-3
"""Arms whose losses differ by less, relative to one of them, in half of their runs are one function."""


def ranking(results: Results) -> Numbers:
    """Return the arms at one depth, the one with the fewest steps first; no rows where none is from outside."""
    title = f"All arms, by their steps to training loss {results.target:g}"
    runs = results.shown_depths(results.at("convergence", target=results.target, net=..., width=...), count=1)
    if not results.rehearsed or runs.empty:
        return Numbers(title, [], [], "")
    depth = int(runs["depth"].max())
    all_rates = results.filter(results.table("convergence"), target=results.target, depth=depth, net=..., width=...)
    grid = results.table("rates").query("role == 'grid'")[RUN[:-1]].drop_duplicates()
    tested = results.at("shift", statistics="running", depth=depth, net=..., width=...)
    columns = {
        "steps": (runs.assign(steps=times(runs)).set_index(PLACE)["steps"], 0),
        "rates": (all_rates.merge(grid).groupby([*PLACE, "seed"])["reached"].sum(), 0),
        "clean, %": (tested[tested["family"] == "clean"].set_index(PLACE)["accuracy"], 1),
        "contrast, %": (tested.query("family == 'contrast' and severity == 3").set_index(PLACE)["accuracy"], 1),
    }
    held = {head: (dict(list(of.groupby(PLACE))), digits) for head, (of, digits) in columns.items() if len(of)}
    what = {(part["arm"], part["net"], part["width"]): traits(part) for part in results.rehearsed}
    steps, several = held["steps"][0], len(runs[PLACE[1:]].drop_duplicates()) > 1
    rows: list[list[str]] = []
    for key in sorted(steps, key=lambda key: (median(steps[key]), key)):
        arm, net, width = key
        where = f", {words.factor('net', net)} of width {width}" if several else ""
        numbers = [known(seeds.get(key, []), f"z.{digits}f") for seeds, digits in held.values()]
        rows.append([f"{len(rows) + 1}.", words.arm(arm) + where, what.get(key, ""), *numbers])
    how = (
        f"At depth {depth}, each at its best rate. Medians over seeds with 95% order-statistic intervals, pointwise: "
        "neighbours whose intervals overlap may stand the other way round. Rates: at how many of the study's the target was "
        "reached. Contrast: accuracy where the contrast is shifted by severity 3. Accuracies are with stored statistics."
    )
    told = [how, *unranked(results, depth), *twins(all_rates)]
    return Numbers(title, ["", "arm", "what it is", *held], rows, " ".join(told))


def unranked(results: Results, depth: int) -> Iterator[str]:
    """Yield which arms have no best rate to be compared at, and why."""
    rates = results.filter(results.table("rates"), depth=depth, net=..., width=..., role=f"best@{results.target:g}")
    for row in rates[~rates["evaluable"].astype(bool)].itertuples():
        yield f"Not ranked: {words.arm(row.arm)}, {words.factor('net', row.net)} ({row.reason})."


def traits(part: Mapping[str, Any]) -> str:
    """Return what an arm is, in words."""
    said = [text for name, text in TRAITS.items() if part[name]]
    count = f"{part['parameters_per_unit']:g}"
    return ", ".join([*said, f"{'no' if count == '0' else count} parameter{'s' * (count != '1')} a unit"])


def twins(runs: pd.DataFrame) -> Iterator[str]:
    """Yield which arms from outside are another arm by another name, by the final losses at all rates that both ran at."""
    losses = runs.pivot_table("final_loss", [column for column in RUN if column != "arm"], "arm")
    for guest in (arm for arm in losses if ":" in arm):
        for other in (arm for arm in losses if ":" not in arm or arm < guest):
            both = losses[[guest, other]].dropna()
            apart = float(((both[guest] - both[other]).abs() / both[other]).median())  # at the fastest, rounding grows
            if apart < ALIKE:
                digits = int(-log10(max(apart, 1e-7)))
                yield f"{words.arm(guest)} equals {words.arm(other)} here: of the runs that both made, half end with losses alike to {digits} digits or more."
