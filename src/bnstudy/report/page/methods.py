"""Blocks of the methods section: what the intervals cover, what holds by arithmetic, what verdicts hang on."""

import re
from collections.abc import Sequence

import pandas as pd

from bnstudy.claims.ledger import Identity
from bnstudy.claims.records import ClaimRow
from bnstudy.core.stats import tail
from bnstudy.report.page.blocks import table
from bnstudy.report.page.templates import filled

METHODS = ("order statistics", "t", "bootstrap")
PROMISE = 0.05
"""The share of studies of one question that may hold a false verdict."""

KINDS = {
    "same": ("=", "the same verdict"),
    "flipped": ("≠", "another verdict"),
    "weakened": ("?", "no longer decided"),
    "decided": ("!", "decided only there"),
}
"""What a change does to a verdict, the worst last in `RANK`: its mark and its words."""
RANK = ["same", "decided", "weakened", "flipped"]


def coverage(frame: pd.DataFrame) -> str:
    """Return how often each kind of interval holds the truth and gives false verdicts, by distribution and n.

    `frame`: coverage.csv (distribution, n, method, coverage, false_verdicts in 0..1, simulated).
    """
    if frame.empty:
        return '<p class="note">This configuration has no simulation of the intervals on file.</p>'
    methods = [m for m in METHODS if m in set(frame["method"])]
    groups = [
        (name, group.pivot(index="n", columns="method", values=["coverage", "false_verdicts"]).sort_index())
        for name, group in frame.groupby("distribution", sort=False)
    ]
    return filled("coverage.html", promise=promise(frame), methods=methods, groups=groups)


def promise(frame: pd.DataFrame) -> str:
    """Return a sentence on whether the intervals of this study keep their promise, and how the others fare."""
    worst = frame.loc[frame.groupby("method")["false_verdicts"].idxmax()].set_index("method")
    least = frame.groupby("method")["false_verdicts"].min()
    used = worst.loc["order statistics"]
    error = 2 * (PROMISE * (1 - PROMISE) / used["simulated"]) ** 0.5
    kept = used["false_verdicts"] <= PROMISE + error
    said = [
        f"Of simulated studies whose effects all lie exactly at the smallest that matters, at most 5% should give any "
        f"verdict. The intervals used here {'keep' if kept else 'break'} that promise: {_span(least, worst, 'order statistics')} do."
    ]
    for method, named in (("t", "t intervals"), ("bootstrap", "bootstrap intervals")):
        if method in worst.index:
            verb = "keep it too" if worst.loc[method, "false_verdicts"] <= PROMISE + error else "don't keep it"
            said.append(f"Under {named}, which {verb}, {_span(least, worst, method)} do.")
    return " ".join(said)


def levels(rows: Sequence[ClaimRow]) -> str:
    """Return for each question, and number of seeds, how many intervals hold together, from which to which seed each goes,
    and how often at most one of them is wrong."""
    lines = {}
    for row in (row for row in rows if row.joint_error is not None):
        for s in (s for s in row.settings if s.rank):
            error = f"{100 * row.intervals * tail(s.n_seeds, s.rank):.2g}%"
            lines[row.question, s.n_seeds] = [row.question, row.intervals, s.n_seeds, s.rank, error]
    if not lines:
        return '<p class="note">This study has too few seeds for any interval.</p>'
    head = ["question", "intervals K", "seeds n", "k", "error of all together, at most"]
    return table("How wide the intervals are", head, list(lines.values()))


def _span(least: pd.Series, worst: pd.DataFrame, method: str) -> str:
    low, high = 100 * least[method], 100 * worst.loc[method, "false_verdicts"]
    return f"{low:.1f} to {high:.1f}%" if f"{low:.1f}" != f"{high:.1f}" else f"{low:.1f}%"


def identities(rows: Sequence[Identity]) -> str:
    """Return what holds by arithmetic, with links to the claims it concerns."""
    if not rows:
        return '<p class="note">This study has no list of identities on file.</p>'
    return filled("identities.html", rows=rows)


def column(change: str) -> str:
    """Return the column of the grid that a change belongs to: changes of one arm's rate share one."""
    return re.sub(r"^(lower|higher) rate for .*", "one arm's rate", change)


def robustness(frame: pd.DataFrame) -> str:
    """Return claims against changes, one mark per cell with its words beside it for those who hear the page.

    `frame`: robustness.csv (id, change, verdict, base_verdict, kind). Where several changes share a column, the one that
    does most to the verdict is shown.
    """
    if frame.empty:
        return '<p class="note">This study holds no verdicts under other choices.</p>'
    frame = frame.assign(column=frame["change"].map(column))
    columns = list(dict.fromkeys(frame.loc[frame["kind"].isin(RANK), "column"]))
    rows = {
        claim: [_cell(of_claim[of_claim["column"] == c]) for c in columns]
        for claim, of_claim in frame.groupby("id", sort=False)
    }
    return filled("robustness.html", kinds=KINDS, columns=columns, rows=rows)


def _cell(rows: pd.DataFrame) -> tuple[str, str]:
    """Return the mark of what the worst of some changes does, and its words; both empty where nothing was judged."""
    known = rows[rows["kind"].isin(RANK)]
    if known.empty:
        return "", ""
    worst = known.loc[known["kind"].map(RANK.index).idxmax()]
    mark, said = KINDS[worst["kind"]]
    more = "" if worst["kind"] == "same" else f": {worst['base_verdict']} becomes {worst['verdict']}, {worst['change']}"
    return mark, said + more
