"""From a number to what it rests on: a claim's seeds, the networks compared, and the stored cells that hold them."""

import math
from collections.abc import Iterable, Mapping, Sequence

from bnstudy.claims.numbers import UNITS, figures
from bnstudy.claims.records import ClaimRow, ContrastRow
from bnstudy.core import words
from bnstudy.core.setting import slug
from bnstudy.report.page.marks import download, escape
from bnstudy.report.page.templates import filled
from bnstudy.report.results import Results

Ends = tuple[int, float, float]
"""A seed, and the least and the most that it can say: the same where nothing is censored."""
Thetas = Mapping[tuple[str, str], Sequence[Ends]]
"""What the seeds say by claim and setting: contrasts.csv."""


def shown(row: ContrastRow, thetas: Iterable[Ends]) -> list[Ends]:
    """Return what each seed says in the direction of the printed effect, from the least to the most."""
    both = [(seed, row.shown(low), row.shown(high)) for seed, low, high in thetas]
    ends = [(seed, min(low, high), max(low, high)) for seed, low, high in both]
    return sorted(ends, key=lambda end: end[1:])


def seeds(row: ContrastRow, intervals: int, thetas: Sequence[Ends], networks: Mapping[str, str]) -> str:
    """Return the seeds of a setting, ordered, so that median and interval can be read off, with links to its networks."""
    if not thetas:
        return ""
    told = ", ".join(f"{_span(low, high, row.unit)} ({seed})" for seed, low, high in shown(row, thetas))
    unit = UNITS.get(row.unit, row.unit)
    links = "; ".join(f'<a href="#net-{n}">{escape(networks[n])}</a>' for n in row.networks if n in networks)
    how = f"The interval goes from the {_nth(row.rank)} to the {_nth(row.rank)} from the end." if row.rank else ""
    mean = "geometric mean" if row.unit == "ln times" else "mean"
    middle = f"The estimate is the {'middle one' if len(thetas) % 2 else mean + ' of the two in the middle'}."
    return (
        f'<details class="seeds"><summary>n = {row.n_seeds}, k = {row.rank}, K = {intervals}</summary><p class="note">In order, seeds in brackets: {told}{unit and " " + unit}. '
        f"{middle} {how}</p>" + (f'<p class="note">Networks: {links}.</p>' if links else "") + "</details>"
    )


def csv(claim: ClaimRow, thetas: Thetas) -> str:
    """Return a link to a claim's seeds: a row a setting, in natural units, "2.1..inf" for what is known to lie there."""
    found = [(row, thetas.get((claim.id, row.name), ())) for row in claim.settings]
    if not (names := sorted({seed for _, ends in found for seed, *_ in ends})):
        return ""
    lines = [["setting", "what", "unit", "n", "k", "K", *(f"seed {seed}" for seed in names)]]
    for row, ends in found:
        said = {seed: _plain(low, high, row.unit) for seed, low, high in shown(row, ends)}
        unit = "times" if row.unit == "ln times" else row.unit
        counts = [row.n_seeds, row.rank, claim.intervals]
        lines.append([f'"{row.name}"', f'"{row.what}"', unit, *map(str, counts), *(said.get(n, "") for n in names)])
    return download(claim.id, "\n".join(map(",".join, lines)) + "\n", "Every seed (CSV)")


def cells(results: Results) -> str:
    """Return every network of the study with its rates, what each rate is, and the names of the cells that hold it."""
    named = networks(results)
    found: dict[tuple[str, float], list[str]] = {}
    for cell in results.cells:
        found.setdefault((slug(cell["setting"]), cell["rate"]), []).append(cell["cell"])
    rates, roles = results.table("rates"), dict[tuple[str, float], list[str]]()
    for row in rates.to_dict("records"):
        roles.setdefault((slug({str(name): value for name, value in row.items()}), row["rate"]), []).append(row["role"])
    commit = results.provenance.get("commit") or "unknown"

    def order(item: tuple[tuple[str, float], list[str]]) -> tuple[str, int, float]:
        (name, rate), _ = item
        kinds = {role.partition("@")[0] for role in roles.get((name, rate), [])}
        # the rates that claims rest on, then the grid
        return name, 0 if "best" in kinds else 1 if "shared" in kinds else 2, rate

    rows = sorted(found.items(), key=order)
    return filled("cells.html", found=rows, named=named, roles=roles, commit=commit) if rows else ""


def networks(results: Results) -> dict[str, str]:
    """Return the networks of which the study has cells, each in words."""
    own = {**results.base, "gain": 1.0, "inputs": "standardized"}
    named = {}
    for setting in (cell["setting"] for cell in results.cells):
        differs = {name: setting[name] for name in own if setting[name] != own[name]}
        said = words.factors({"depth": setting["depth"], **differs})
        named[slug(setting)] = f"{words.network(str(setting['arm']))}, {said}"
    return named


def _nth(k: int) -> str:
    return f"{k}{'th' if 10 < k % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(k % 10, 'th')}"


def _plain(low: float, high: float, unit: str) -> str:
    ends = [f"{math.exp(end) if unit == 'ln times' else end:.6g}" for end in (low, high)]
    return ends[0] if low == high else "..".join(ends)


def _span(low: float, high: float, unit: str) -> str:
    ends = [figures(math.exp(end) if unit == "ln times" else end, 3) for end in (low, high)]
    return ends[0] if low == high else " to ".join(ends)
