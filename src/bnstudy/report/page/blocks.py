"""The report's blocks of HTML: claims, tables. They word numbers; they compute no result."""

import math
import re
from collections.abc import Mapping, Sequence

from bnstudy.claims.records import AnswerRow, ClaimRow, ContrastRow
from bnstudy.claims.sentences import NOT_EVALUABLE, NOT_JUDGED
from bnstudy.claims.stability import DRAWS, MOST
from bnstudy.core import words
from bnstudy.report.page.checking import Thetas, csv, seeds
from bnstudy.report.page.marks import changes, effect, escape, makers, mark, scrolling, verdict_words
from bnstudy.report.page.ruler import ruler
from bnstudy.report.results import CheckRow

FIGURE = "application/vnd.bnstudy.figure+json"
"""The kind of output by which a notebook hands a figure to the page."""


def asks(row: AnswerRow) -> str:
    """Return what learners ask besides, each with its answer."""
    return "".join(f"<h3>{escape(ask.asked)}</h3>{_paragraphs(ask.sentences)}" for ask in row.asks)


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def claim(row: ClaimRow, thetas: Thetas | None = None, networks: Mapping[str, str] | None = None) -> str:
    """Return one claim: verdict, sentence, every setting with its own ruler and seeds, what would change the verdict.

    `thetas` are those of contrasts.csv, `networks` those that the page has a row of, in words.
    """
    thetas = thetas or {}
    each = "".join(
        f"<li>{escape(_where(s))}: {escape(turns(s))}</li>"
        for s in row.settings
        if s.n_seeds and s.verdict != NOT_JUDGED
    )
    hangs = f'<p class="note">{escape(row.robustness_sentence)}</p>' if row.robustness_sentence else ""
    return (
        f'<section class="claim" id="claim-{row.id}"><h4>{escape(row.statement)} '
        f"<small>{row.id}, {escape(makers(row.by))}</small></h4>"
        f'<p class="verdict">{mark(row.verdict)} <strong>{escape(verdict_words(row))}</strong> {changes(row)}</p>'
        f"<p>{escape(row.sentence)}</p>{kinds(row)}{settings(row, thetas, networks or {})}{hangs}"
        f"<details><summary>What would change the verdict</summary>"
        f'<p class="note">{escape(change(row))} Smallest effect that matters: {escape(row.sesoi_reason)}.</p>'
        f"<ul>{each}</ul>{csv(row, thetas)}</details></section>"
    )


def kinds(row: ClaimRow) -> str:
    """Return the verdict on each kind of network by itself, and those of reference studies, where there are any."""
    said = "; ".join(f"{words.kind(kind)}: {verdict}" for kind, verdict in row.kinds.items())
    note = f'<p class="note">On each kind by itself: {escape(said)}.</p>' if said else ""
    others = "; ".join(f"{study}: {verdict}" for study, verdict in row.beside.items())
    return note + (f'<p class="note">In other studies: {escape(others)}.</p>' if others else "")


def settings(row: ClaimRow, thetas: Thetas, networks: Mapping[str, str]) -> str:
    """Return each setting of a claim: where, its ruler, effect and interval, verdict, seeds; what is compared stands above.

    Those that a kind of network lacks are told below.
    """
    said, last = "", ""
    shown = [s for s in row.settings if s.counts]
    lacking = "; ".join(
        f"{_where(s)} ({(s.reason or '').removeprefix(NOT_EVALUABLE)})" for s in row.settings if not s.counts
    )
    note = f'<p class="note">Not evaluable: {escape(lacking)}.</p>' if lacking else ""
    for s in shown:
        if s.what != last:
            said += f'<li class="what">{escape(s.what)}</li>'
            last = s.what
        ends = thetas.get((row.id, s.name), ())
        dots = [(low + high) / 2 for _, low, high in ends if math.isfinite(low) and math.isfinite(high)]
        said += (
            f"<li><span>{escape(s.label or s.name)}</span>{ruler([s], dots)}<span>{_whole(escape(effect(s)))}</span>"
            f"<span>{escape(_outcome(s))}</span>{seeds(s, row.intervals, ends, networks)}</li>"
        )
    return f'<ul class="settings">{said}</ul>{note}'


def _outcome(contrast: ContrastRow) -> str:
    return verdict_words(contrast) + (f" ({contrast.reason})" if contrast.reason else "")


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
    """Return how far a setting's interval is from the edge of its verdict and how stable that is, or how many seeds tell."""
    low = -math.inf if row.ci_low is None else row.ci_low
    high = math.inf if row.ci_high is None else row.ci_high
    if row.verdict == "open":
        told = f"about {row.seeds_to_decide:,} seeds" if row.seeds_to_decide else "more seeds or a longer budget"
        return f"{told} would decide it"
    edges = {"more": [row.sesoi], "less": [-row.sesoi], "within": [-row.sesoi, row.sesoi]}[row.region]
    gap = min(max(low - edge, edge - high) for edge in edges)
    size = f"a factor of {math.exp(gap):.3g}" if row.unit == "ln times" else f"{gap:.2g} {row.unit}"
    same = "" if row.stability is None else f"; {_percent(row.stability)} of draws agree"
    return f"the interval is {size} away from where the verdict would change{same}"


def _percent(share: float) -> str:
    """Return a share of draws; all of them alone are 100%, and none of them alone 0%."""
    return f"{100 * share:.0f}%" if share in (0, 1) else f"{min(99, max(1, round(100 * share)))}%"


def table(name: str, head: Sequence[str], rows: Sequence[Sequence[object]], ids: Sequence[str] | None = None) -> str:
    """Return an HTML table that scrolls sideways by itself, called `name` for those who hear it; `ids` name the rows."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    body = ""
    for index, row in enumerate(rows):
        cells = "".join(f"<td>{_whole(escape(cell))}</td>" for cell in row)
        body += f"<tr{f' id={chr(34)}{ids[index]}{chr(34)}' if ids else ''}>{cells}</tr>"
    return scrolling(name, f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")


def _whole(text: str) -> str:
    """Return a cell in which no line break parts an interval, "(4.3 to 7.5)"."""
    return re.sub(r"\((\S+) to (\S+)\)", r"(\1&nbsp;to&nbsp;\2)", text)


def checks(rows: Sequence[CheckRow]) -> str:
    """Return expected beside measured for every external check; anchors are as #check-E5."""
    if not rows:
        return '<p class="note">This configuration has no external checks on file.</p>'
    head = ["id", "check", "expected", "measured", "tolerance", "passed"]
    numbers = [[short(row["expected"]), short(row["measured"]), short(row["tolerance"])] for row in rows]
    body = [
        [row["id"], row["name"], *cells, "yes" if row["passed"] else "NO"]
        for row, cells in zip(rows, numbers, strict=True)
    ]
    ids: list[str] = []
    for index, row in enumerate(rows):  # several rows may share an id: the anchor is the first's
        anchor = f"check-{row['id']}"
        ids.append(f"{anchor}-{index}" if anchor in ids else anchor)
    passed = sum(bool(row["passed"]) for row in rows)
    return f"<p>{passed} of {len(rows)} passed.</p>" + table("External checks", head, body, ids)


def short(value: object) -> str:
    """Return a number in four figures, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))
