"""What the notebooks show: answers, claims and figures as HTML; nothing here computes a result."""

import base64
import html
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from IPython.display import HTML, display

from bnstudy.claims import natural
from bnstudy.figures.ruler import ruler
from bnstudy.figures.study import Study
from bnstudy.figures.svg import to_svg

MARKS = {"supported": "●", "contradicted": "◆", "mixed": "◐", "inconclusive": "○", "not tested": "◌"}
"""One monochrome mark a verdict, always beside its word."""
WIDE, NARROW = 6.4, 3.6
"""Inches: a figure for a page and one for a phone; the page shows whichever fits."""


def answer(study: Study, question: str) -> None:
    """The short answer: the sentences of the question's lead and pivot claims, and what is not measured."""
    found = next(q for q in json.loads((study.folder / "answers.json").read_text()) if q["id"] == question)
    text = "".join(f"<p>{html.escape(s)}</p>" for s in found["sentences"])
    asked, missing = html.escape(found["asked"]), html.escape(found["open"])
    display(HTML(f'<p class="asked">{asked}</p><div class="answer">{text}</div><p class="open">{missing}</p>'))


def claims(study: Study, question: str) -> None:
    """Every claim of a question: statement, verdict in words, ruler, and a row a setting."""
    for claim in study.claims.values():
        if claim["question"] == question:
            display(HTML(_claim(claim)))


def _claim(claim: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(s['name'])}</td><td>{s['effect']}</td>"
        f"<td>{natural(s['shown_sesoi'], s['unit'])}</td><td>{s['n_seeds']}</td>"
        f"<td>{s['verdict']}{', ' + s['detail'] if s['detail'] else ''}{_reason(s)}</td></tr>"
        for s in claim["settings"]
    )
    return (
        f'<section class="claim" id="claim-{claim["id"]}"><h3><span aria-hidden="true">{MARKS[claim["verdict"]]}</span> '
        f"{claim['verdict']}: {html.escape(claim['statement'])} <small>{claim['id']}, by {claim['by']}</small></h3>"
        f"<p>{html.escape(claim['sentence'])}</p>{ruler(claim['settings'], claim['region'])}"
        '<div class="scroll"><table><thead><tr><th>setting</th><th>effect (interval)</th>'
        f"<th>matters from</th><th>n</th><th>verdict</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _reason(setting: dict[str, Any]) -> str:
    return f" ({html.escape(setting['reason'])})" if setting["reason"] else ""


def figure(
    study: Study,
    name: str,
    claim: str,
    table: pd.DataFrame,
    draw: Callable[[float], Any],
    title: str,
    how: str,
) -> None:
    """One picture at two widths with its data; what it shows is said by the sentence of ``claim``, chosen by verdict.

    An empty ``table`` gives a note instead: the configuration lacks what the figure would draw.
    """
    if table.empty:
        display(HTML(f'<p class="lacks">{html.escape(title)}: this configuration has nothing to draw.</p>'))
        return
    finding = study.claims[claim]["sentence"] if claim in study.claims else ""
    alt = html.escape(f"{title}. {finding}", quote=True)
    pictures = "".join(
        f'<div class="{css}" role="img" aria-label="{alt}">{to_svg(draw(width), f"{name}-{css}")}</div>'
        for css, width in (("wide", WIDE), ("narrow", NARROW))
    )
    csv = base64.b64encode(table.to_csv(index=False, float_format="%.6g").encode()).decode()
    link = f'<a download="{name}.csv" href="data:text/csv;base64,{csv}">data (CSV)</a>'
    display(
        HTML(
            f'<figure id="fig-{name}"><h4>{html.escape(title)}</h4>{pictures}'
            f"<figcaption>{html.escape(finding)} {html.escape(how)} {link}</figcaption></figure>"
        )
    )
