"""The report's blocks of HTML: answers, claims, tables. They word numbers; they compute no result."""

import math
import re
from collections.abc import Sequence

from bnstudy.claims.records import AnswerRow, ClaimRow, ContrastRow
from bnstudy.claims.sentences import natural
from bnstudy.report.page.marks import changes, effect, escape, makers, mark, verdict_words
from bnstudy.report.page.ruler import ruler
from bnstudy.report.results import CheckRow

FIGURE = "application/vnd.bnstudy.figure+json"
"""The kind of output by which a notebook hands a figure to the page."""


def answer(row: AnswerRow) -> str:
    """Return what the learner asks, the short answer, what to take from it, and what the study leaves out."""
    parts = (("What to take from it", row.believe), ("What holds", row.right), ("Where it stops", row.stops))
    more = "".join(
        f"<h3>{title}</h3><ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"
        for title, sentences in parts
        if sentences
    )
    return (
        f'<p class="asked">{escape(row.asked)}</p><div class="answer">{_paragraphs(row.sentences)}</div>{more}'
        f'<p class="note">{escape(row.open)}</p>'
    )


def asks(row: AnswerRow) -> str:
    """Return what learners ask besides, each with its answer."""
    return "".join(f"<h3>{escape(ask.asked)}</h3>{_paragraphs(ask.sentences)}" for ask in row.asks)


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def claim(row: ClaimRow) -> str:
    """Return one claim: verdict, ruler, sentence, the settings' numbers, what would change the verdict."""
    shown = row.settings if row.verdict == "mixed" else row.settings[:1]
    settings = table(
        ["setting", "effect and interval", "matters from", "n", "verdict"],
        [[s.name, effect(s), natural(s.shown_sesoi, s.unit), s.n_seeds, _outcome(s)] for s in row.settings],
        rulers=[ruler([s]) for s in row.settings],
    )
    hangs = f'<p class="note">{escape(row.robustness_sentence)}</p>' if row.robustness_sentence else ""
    return (
        f'<section class="claim" id="claim-{row.id}"><h4>{escape(row.statement)} '
        f"<small>{row.id}, {escape(makers(row.by))}</small></h4>"
        f'<p class="verdict">{mark(row.verdict)} <strong>{escape(verdict_words(row))}</strong> {changes(row)}{ruler(shown)}</p>'
        f"<p>{escape(row.sentence)}</p>{hangs}"
        f"<details><summary>Every setting, and what would change the verdict</summary>{settings}"
        f'<p class="note">{escape(change(row))} Smallest effect that matters: {escape(row.sesoi_reason)}.</p>'
        f"</details></section>"
    )


def _outcome(contrast: ContrastRow) -> str:
    return verdict_words(contrast) + (f" ({contrast.reason})" if contrast.reason else "")


def change(row: ClaimRow) -> str:
    """Return how far a setting's interval is from the edge of what is claimed, or how many seeds would tell."""
    if row.verdict == "not tested":
        return "To test it, add the missing arms or depths to the config."
    known = [s for s in row.settings if s.n_seeds and (s.ci_low is not None or s.ci_high is not None)]
    if not known:
        return "No setting has an interval: more seeds or a wider grid of rates would give one."
    s = next((s for s in known if s.verdict == row.verdict), known[0])
    low = -math.inf if s.ci_low is None else s.ci_low
    high = math.inf if s.ci_high is None else s.ci_high
    edges = {"more": [s.sesoi], "less": [-s.sesoi], "within": [-s.sesoi, s.sesoi]}[s.region]
    if s.verdict in ("supported", "contradicted"):
        gap = min(max(low - edge, edge - high) for edge in edges)
        size = f"a factor of {math.exp(gap):.3g}" if s.unit == "ln times" else f"{gap:.2g} {s.unit}"
        return f"The interval of {s.name} is {size} away from where its verdict would change."
    if s.estimate is None or not math.isfinite(high - low) or s.estimate in edges:
        return f"The interval of {s.name} is open at an end: more seeds, or a longer budget, could close it."
    distance = min(abs(s.estimate - edge) for edge in edges)
    seeds = math.ceil(s.n_seeds * ((high - low) / 2 / distance) ** 2)
    told = f"about {seeds:,}" if seeds <= 1000 else "more than 1,000"
    return f"If the estimate of {s.name} stayed, {told} seeds would decide it; this study has {s.n_seeds}."


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    rulers: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> str:
    """Return an HTML table that scrolls sideways by itself; `rulers` is a last column of drawings, `ids` name the rows."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in [*head, *(["against the claim"] if rulers else [])])
    body = ""
    for index, row in enumerate(rows):
        cells = "".join(f"<td>{_whole(escape(cell))}</td>" for cell in row)
        drawing = f"<td>{rulers[index]}</td>" if rulers else ""
        body += f"<tr{f' id={chr(34)}{ids[index]}{chr(34)}' if ids else ''}>{cells}{drawing}</tr>"
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


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
    return f"<p>{passed} of {len(rows)} passed.</p>" + table(head, body, ids=ids)


def short(value: object) -> str:
    """Return a number in four figures, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))
