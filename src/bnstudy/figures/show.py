"""What a notebook calls: it shows answers, claims and figures of a study as outputs that the page can place."""

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from bnstudy.figures import blocks
from bnstudy.figures.marks import finding
from bnstudy.figures.study import Study
from bnstudy.figures.style import NARROW, WIDE, name
from bnstudy.figures.summary import interval
from bnstudy.figures.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = "application/vnd.bnstudy.figure+json"
INTERVALS = "Marks are medians over seeds; bands and bars are 95% order-statistic intervals of the median, pointwise"


def answer(study: Study, question: str) -> None:
    """The short answer to a question, composed from its verdicts."""
    _html(blocks.answer(study.answers[question]))


def claims(study: Study, question: str) -> None:
    """Every claim of a question."""
    _html("".join(blocks.claim(row) for row in study.claims.values() if row["question"] == question))


def checks(study: Study) -> None:
    """The external checks, expected beside measured."""
    _html(blocks.checks(study.checks))


def coverage(study: Study) -> None:
    """How often the intervals cover, by simulation."""
    _html(blocks.coverage(study.table("coverage")))


def note(text: str) -> None:
    """A remark in small type."""
    _html(f'<p class="note">{blocks.escape(text)}</p>')


def figure(
    study: Study,
    id: str,
    draw: "Callable[[float], Figure]",
    table: pd.DataFrame,
    subject: str,
    how: str,
    claim: str | None = None,
    arms: Sequence[str] = (),
    needs: Sequence[str] = (),
    intervals: str = INTERVALS,
) -> None:
    """One figure at two widths, with its data.

    The title is the finding of `claim`, chosen by its verdict; without a claim, or one that this study doesn't hold,
    the neutral `subject`. `how` says how to read it. `arms` are those the figure would show, `needs` those it is
    nothing without: what the table lacks is said instead of drawn.
    """
    have = set(table["arm"]) if "arm" in table else set(arms)
    lacks = [name(a) for a in arms if a not in have]
    if table.empty or not set(needs) <= have:
        missing = ", ".join(name(a) for a in needs if a not in have) or "the runs for it"
        note(f"{subject}: no figure, since this configuration lacks {missing}.")
        return
    row = study.claims.get(claim or "")
    title = finding(row) if row else subject
    seeds = int(table["seed"].nunique()) if "seed" in table else 0
    caption = [f"{subject}." if row else "", how, f"{intervals}, n = {seeds}." if intervals else f"n = {seeds}."]
    if intervals == INTERVALS and seeds and pd.isna(interval(range(seeds))[0]):
        caption.append("Too few seeds for intervals: none are drawn.")
    if lacks:
        caption.append(f"This configuration lacks {', '.join(lacks)}.")
    picture = {
        "id": id,
        "title": title,
        "caption": " ".join(filter(None, caption)),
        "alt": f"{subject}, {len(have & set(arms)) or 1} lines or marks a panel, n = {seeds}. {title}",
        "wide": to_svg(draw(WIDE), f"{id}-wide"),
        "narrow": to_svg(draw(NARROW), f"{id}-narrow"),
        "csv": base64.b64encode(_csv(table).encode()).decode(),
    }
    _display({FIGURE: picture, "image/svg+xml": picture["wide"], "text/plain": f"figure {id}: {title}"})


def _csv(table: pd.DataFrame) -> str:
    """The rows drawn, without columns that say the same in every row (but for a table of one row)."""
    varied = [c for c in table if table[c].nunique(dropna=False) > 1] if len(table) > 1 else list(table)
    return table[varied].to_csv(index=False, float_format="%.5g", lineterminator="\n")


def _html(text: str) -> None:
    _display({"text/html": text, "text/plain": ""})


def _display(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(bundle, raw=True)
