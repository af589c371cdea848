"""The report's blocks of HTML: claims, tables. They word numbers; they compute no result."""

import math
from collections.abc import Mapping, Sequence

from bnstudy.claims.records import ClaimRow, ContrastRow
from bnstudy.claims.sentences import NOT_JUDGED, by_reason, listing
from bnstudy.claims.stability import DRAWS, MOST
from bnstudy.report.page.checking import Thetas, csv, seeds
from bnstudy.report.page.marks import verdict_words
from bnstudy.report.page.templates import filled
from bnstudy.report.results import CheckRow

FIGURE = "application/vnd.bnstudy.figure+json"
"""The kind of output by which a notebook hands a figure to the page."""


def claim(row: ClaimRow, thetas: Thetas | None = None, networks: Mapping[str, str] | None = None) -> str:
    """Return one claim: verdict, sentence, every setting with its own ruler and seeds, what would change the verdict.

    What is compared stands above its settings; those that a kind of network lacks are told below. `thetas` are those of
    contrasts.csv, `networks` those that the page has a row of, in words.
    """
    ends = {s.name: (thetas or {}).get((row.id, s.name), ()) for s in row.settings}

    def dots(s: ContrastRow) -> list[float]:
        return [(low + high) / 2 for _, low, high in ends[s.name] if math.isfinite(low) and math.isfinite(high)]

    def own_seeds(s: ContrastRow) -> str:
        return seeds(s, row.intervals, ends[s.name], networks or {})

    lacking = by_reason([s for s in row.settings if not s.counts])
    places = {reason: listing([_where(s) for s in settings]) for reason, settings in lacking.items()}
    said = {"change": change(row), "turns": turns, "where": _where, "csv": csv(row, thetas or {}), "lacking": places}
    return filled("claim.html", row=row, dots=dots, seeds=own_seeds, **said)


def _where(contrast: ContrastRow) -> str:
    """Return where a contrast is taken, in words."""
    return contrast.label.replace("; ", ", ") or contrast.name


def change(row: ClaimRow) -> str:
    """Return how many draws of the seeds give the verdict again, or how many seeds would reach one."""
    if row.verdict == NOT_JUDGED:
        return "No verdict is reached here: its intervals are not among those that hold together."
    if row.verdict == "not tested":
        return "To test it, add the missing arms or depths to the config."
    known = [s for s in row.settings if s.n_seeds]
    if not known and row.checks:
        return "Its number is exact: it has no interval over seeds."
    if not known:
        return "No setting has an interval: more seeds or a wider grid of rates would give one."
    said = []
    if row.stability is not None:
        said.append(f"Of {DRAWS} draws of these seeds anew, {_percent(row.stability)} give the same verdict.")
    if row.verdict == "inconclusive":
        told = f"about {row.seeds_to_decide:,}" if row.seeds_to_decide else f"more than {MOST:,}"
        said.append(f"If more seeds were like these {known[0].n_seeds}, it would take {told} to decide it.")
    return " ".join(said)


def turns(row: ContrastRow) -> str:
    """Return how far a setting's interval is from the edges of its verdict and its shade, or how many seeds would tell."""
    low = -math.inf if row.ci_low is None else row.ci_low
    high = math.inf if row.ci_high is None else row.ci_high
    if row.verdict == "open":
        told = f"about {row.seeds_to_decide:,} seeds" if row.seeds_to_decide else "more seeds or a longer budget"
        return f"{told} would decide it"
    edges = {"more": [row.sesoi], "less": [-row.sesoi], "within": [-row.sesoi, row.sesoi]}[row.region]
    gap = _size(min(max(low - edge, edge - high) for edge in edges), row.unit)
    same = "" if row.stability is None else f"; {_percent(row.stability)} of draws agree"
    if row.verdict == "contradicted" and row.region != "within" and row.sesoi and row.margin >= 0:
        far = -edges[0]  # its shade hangs on the far edge
        shade = _size(min(abs(low - far), abs(high - far)), row.unit)
        same = f", and {shade} from where “{verdict_words(row).partition(': ')[2]}” would{same}"
    return f"the interval is {gap} away from where the verdict would change{same}"


def _size(gap: float, unit: str) -> str:
    return f"a factor of {math.exp(gap):.3g}" if unit == "ln times" else f"{gap:.2g} {unit}"


def _percent(share: float) -> str:
    """Return a share of draws; all of them alone are 100%, and none of them alone 0%."""
    return f"{100 * share:.0f}%" if share in (0, 1) else f"{min(99, max(1, round(100 * share)))}%"


def table(name: str, head: Sequence[str], rows: Sequence[Sequence[object]], ids: Sequence[str] = ()) -> str:
    """Return an HTML table that scrolls sideways by itself, called `name` for those who hear it; `ids` name the rows."""
    return filled("table.html", name=name, head=head, rows=rows, ids=ids)


def checks(rows: Sequence[CheckRow]) -> str:
    """Return expected beside measured for every external check; anchors are as #check-E5."""
    if not rows:
        return '<p class="note">This configuration has no external checks on file.</p>'
    head = ["id", "check", "expected", "measured", "tolerance", "passed"]
    numbers = [[short(row["expected"]), short(row["measured"]), short(row["tolerance"])] for row in rows]
    body = [[row["id"], row["name"], *cells, "yes" if row["passed"] else "NO"] for row, cells in zip(rows, numbers)]
    ids: list[str] = []
    for index, row in enumerate(rows):  # several rows may share an id: the anchor is the first's
        anchor = f"check-{row['id']}"
        ids.append(f"{anchor}-{index}" if anchor in ids else anchor)
    passed = sum(bool(row["passed"]) for row in rows)
    return f"<p>{passed} of {len(rows)} passed.</p>" + table("External checks", head, body, ids)


def short(value: object) -> str:
    """Return a number in four figures, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))
