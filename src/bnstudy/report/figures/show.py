"""What a notebook calls: it shows answers, claims and figures of a study as outputs that the page can place."""

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from bnstudy.report.figures import blocks, methods
from bnstudy.report.figures.style import NARROW, WIDE, name
from bnstudy.report.figures.summary import FEWEST
from bnstudy.report.figures.svg import to_svg
from bnstudy.report.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = "application/vnd.bnstudy.figure+json"
INTERVALS = "Medians over seeds with 95% order-statistic intervals, pointwise"


def answer(results: Results, question: str) -> None:
    """The short answer to a question, composed from its verdicts."""
    _html(blocks.answer(results.answers[question]))


def asks(results: Results, question: str) -> None:
    """What learners ask besides, and the answers that verdicts choose."""
    _html(blocks.asks(results.answers[question]))


def claims(results: Results, question: str) -> None:
    """Every claim of a question."""
    rows = "".join(blocks.claim(row) for row in results.claims.values() if row["question"] == question)
    _html(f'<div id="claims-{question}">{rows}</div>')


def checks(results: Results) -> None:
    """The external checks, expected beside measured."""
    _html(blocks.checks(results.checks))


def coverage(results: Results) -> None:
    """How often the intervals cover, by simulation."""
    _html(methods.coverage(results.table("coverage")))


def identities(results: Results) -> None:
    """What holds by arithmetic, as the claims file lists it."""
    _html(methods.identities(results.ledger["identities"]))


def robustness(results: Results) -> None:
    """What every verdict becomes under other choices."""
    _html(methods.robustness(results.table("robustness")))


def numbers(title: str, head: list[str], rows: list[list[str]], how: str) -> None:
    """A small table under a neutral title; `how` says what the numbers are. Nothing where there are no rows."""
    if rows:
        text = f"<h4>{blocks.escape(title)}</h4>{blocks.table(head, rows)}"
        _html(f'{text}<p class="note">{blocks.escape(how)}</p>')


def note(text: str) -> None:
    """A remark in small type."""
    _html(f'<p class="note">{blocks.escape(text)}</p>')


def figure(
    results: Results,
    id: str,
    draw: "Callable[[float], Figure]",
    table: pd.DataFrame,
    subject: str,
    how: str,
    claim: str | None = None,
    arms: Sequence[str] = (),
    needs: Sequence[str] = (),
    intervals: str = INTERVALS,
    kind: str = "Line plot",
) -> None:
    """One figure at two widths, with its data.

    Title, alternative text and the caption's first words are the finding that the claims file has for figure `id`,
    chosen by the verdict of `claim`; without a claim, or where it isn't tested, the neutral `subject`. `how` says how to
    read the figure. `arms` are those it would show, `needs` those it is nothing without: what is lacking is said
    instead of drawn.
    """
    have = set(table["arm"]) if "arm" in table else set(arms)
    if table.empty or not set(needs) <= have:
        missing = ", ".join(name(a) for a in needs if a not in (results.arms_run if table.empty else have))
        note(f"{subject}: no figure, since this configuration lacks {missing or 'the runs for it'}.")
        return
    found = _finding(results, id, claim)
    title = found.get("title", subject)
    seeds, fewer, least = _seeds(results, table)
    caption = [
        f"{subject}." if title != subject else "",
        found.get("caption", ""),
        how,
        f"{intervals}, n = {seeds}." if intervals else f"n = {seeds}.",
    ]
    if fewer:
        caption.append(f"Only seeds that got that far: {', '.join(fewer)}.")
    if intervals == INTERVALS and least < FEWEST:
        caption.append(f"Below {FEWEST} seeds no interval is drawn.")
    if lacks := [name(a) for a in arms if a not in have]:
        caption.append(f"This configuration lacks {', '.join(lacks)}.")
    shown = [name(a) for a in arms if a in have]
    said = found.get("alt") or f"{kind}: {subject}. {title}."
    alt = f"{said} {', '.join(shown)}{'; ' * bool(shown)}n = {seeds}."
    _show(id, draw, table, title, " ".join(filter(None, caption)), alt, claim if claim in results.claims else None)


def images(
    results: Results, id: str, draw: "Callable[[float], Figure]", table: pd.DataFrame, subject: str, how: str
) -> None:
    """Sample images at two widths, with what was done to them as `table`; nothing where the study wrote no samples or
    the table is empty."""
    if results.samples and len(table):
        _show(id, draw, table, subject, how, f"Images: {subject}. {how}")


def _show(
    id: str,
    draw: "Callable[[float], Figure]",
    table: pd.DataFrame,
    title: str,
    caption: str,
    alt: str,
    claim: str | None = None,
) -> None:
    picture = {
        "id": id,
        "title": title,
        "caption": caption,
        "alt": alt,
        "claim": claim,
        **_pictures(id, draw),
        "csv": base64.b64encode(_csv(table).encode()).decode(),
    }
    _display({FIGURE: picture, "image/svg+xml": picture["wide"], "text/plain": f"figure {id}: {title}"})


def _pictures(id: str, draw: "Callable[[float], Figure]") -> dict[str, str]:
    """The figure as SVG at both widths."""
    return {name: to_svg(draw(width), f"{id}-{name}") for name, width in (("wide", WIDE), ("narrow", NARROW))}


def _finding(results: Results, id: str, claim: str | None) -> dict[str, str]:
    """{title, alt, caption}, or nothing where no verdict speaks of the figure."""
    row = results.claims.get(claim or "")
    return results.findings.get(id, {}) if row and row["verdict"] != "not tested" else {}


def _seeds(results: Results, table: pd.DataFrame) -> tuple[int, list[str], int]:
    """Seeds that could be there, in words the arms and depths of which some are not, and the fewest seeds of any."""
    present = set(table["seed"])
    total = max(results.seeds, len(present)) if present <= set(results.table("convergence")["seed"]) else len(present)
    if "arm" not in table:
        return total, [], len(present)
    groups = table.groupby([c for c in ("arm", "depth") if c in table])["seed"].nunique()
    short = groups[groups < total]
    words = [f"{name(key[0])} at depth {key[1]}" if isinstance(key, tuple) else name(key) for key in short.index]
    return total, [f"{word} {count} of {total}" for word, count in zip(words, short, strict=True)], int(groups.min())


def _csv(table: pd.DataFrame) -> str:
    """The rows drawn, without columns that say the same in every row (but for a table of one row)."""
    varied = [c for c in table if table[c].nunique(dropna=False) > 1] if len(table) > 1 else list(table)
    return table[varied].to_csv(index=False, float_format="%.5g", lineterminator="\n")


def _html(text: str) -> None:
    _display({"text/html": text, "text/plain": ""})


def _display(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(bundle, raw=True)
