"""What a notebook calls: it shows stories, claims and figures of a study as outputs that the page can place."""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import groupby

import pandas as pd
from matplotlib.figure import Figure

from bnstudy.claims.records import FindingRow
from bnstudy.core import words
from bnstudy.core.setting import FACTORS
from bnstudy.report.figures.checkpoints import when
from bnstudy.report.figures.picture import INTERVALS, Numbers, Picture
from bnstudy.report.figures.style import NARROW, WIDE, arm_name, drawing
from bnstudy.report.figures.summary import FEWEST
from bnstudy.report.figures.svg import to_svg
from bnstudy.report.page import blocks, methods, toys
from bnstudy.report.page.checking import networks
from bnstudy.report.page.marks import escape
from bnstudy.report.page.templates import filled
from bnstudy.report.results import Results

LINE = ("arm", "depth", "net", "gain", "inputs", "checkpoint")
"""What parts the lines of a figure, of the columns that all rows of a network have."""


def question(results: Results, id: str) -> None:
    """Show a question in the learner's words, and a guess to make before reading on."""
    _html(filled("question.html", row=results.answers[id]))


def story(results: Results, id: str) -> None:
    """Show the argument that answers a question, step by step, and what the lecture says."""
    known = {row["id"] for row in results.checks}
    _html(filled("story.html", row=results.answers[id], checks=known, claims=results.claims))


def toy(results: Results, id: str) -> None:
    """Show a toy, with a guess to make before playing; nothing where the study has no runs for it."""
    if text := toys.html(id, results):
        _html(text)


def asks(results: Results, question: str) -> None:
    """Show what learners ask besides, and the answers that verdicts choose."""
    _html(filled("asks.html", asks=results.answers[question].asks))


def claims(results: Results, question: str) -> None:
    """Show every claim of a question."""
    own, named = [row for row in results.claims.values() if row.question == question], networks(results)
    rows = "".join(blocks.claim(row, results.thetas, named) for row in own)
    _html(f'<div id="claims-{question}">{rows}</div>')


def checks(results: Results) -> None:
    """Show the external checks, expected beside measured."""
    _html(blocks.checks(results.checks))


def levels(results: Results) -> None:
    """Show how many intervals each question has, and the error that they make together."""
    _html(methods.levels(list(results.claims.values())))


def coverage(results: Results) -> None:
    """Show how often the intervals cover the truth, by simulation."""
    _html(methods.coverage(results.table("coverage")))


def identities(results: Results) -> None:
    """Show what holds by arithmetic, as the claims file lists it."""
    _html(methods.identities(results.ledger.identities))


def robustness(results: Results) -> None:
    """Show what every verdict becomes under other choices."""
    _html(methods.robustness(results.table("robustness")))


def numbers(table: Numbers) -> None:
    """Show a small table; nothing where it has no rows."""
    if table.rows:
        text = f"<h4>{escape(table.title)}</h4>{blocks.table(table.title, table.head, table.rows)}"
        _html(f'{text}<p class="note">{escape(table.how)}</p>')


def figure(*pictures: Picture) -> None:
    """Show figures at two widths, each with its data, or say what the study lacks for it."""
    for picture in pictures:
        _figure(picture)


def _figure(picture: Picture) -> None:
    results, table, arms, subject = picture.results, picture.table, picture.arms, picture.subject
    have = set(table["arm"]) if "arm" in table else set(arms)
    needs = arms if picture.needs is None else picture.needs
    if table.empty or not set(needs) <= have:
        run = set(results.table("rates")["arm"]) if table.empty else have
        lacks = ", ".join(arm_name(a) for a in needs if a not in run) or "the runs for it"
        _html(f'<p class="note">{escape(f"{subject}: no figure, since this study lacks {lacks}.")}</p>')
        return
    finding = _finding(picture)
    title = finding.title or picture.found or subject
    seeds, fewer, least = _seeds(results, table)
    intervals = "Medians over seeds" if picture.intervals == INTERVALS and seeds < FEWEST else picture.intervals
    count = f"{intervals}, n = {seeds}." if intervals else f"n = {seeds}."
    caption = [f"{subject}." if title != subject else "", finding.caption, picture.how, count]
    if picture.claim and re.search(r"\bcases\b", title):
        caption.append(f"The title counts all cases of claim {picture.claim}, drawn or not.")
    if fewer:
        caption.append(f"Only seeds that got that far: {'; '.join(fewer)}.")
    late = {line: told for line, told in _late(results, table).items() if not any(f.startswith(line) for f in fewer)}
    if late:
        caption.append(f"Never at training loss {results.target:g}: {'; '.join(late.values())}.")
    if picture.intervals == INTERVALS and least < FEWEST:
        caption.append(f"Below {FEWEST} seeds no interval is drawn.")
    if lacking := [arm_name(a) for a in arms if a not in have]:
        caption.append(f"Not among these runs: {', '.join(lacking)}.")
    shown = [arm_name(a) for a in arms if a in have]
    said = f"{picture.kind}: {subject}.{f' {title}.' if title != subject else ''}"
    alt = f"{said} {', '.join(shown)}{'; ' * bool(shown)}n = {seeds}.{_values(picture)}"
    _show(picture, title, " ".join(filter(None, caption)), alt)


def images(picture: Picture) -> None:
    """Show sample images at two widths, with what was done to them as data; nothing where the study wrote no samples or
    the table is empty."""
    if picture.results.samples and len(picture.table):
        _show(picture, picture.subject, picture.how, f"Images: {picture.subject}. {picture.how}")


def _show(picture: Picture, title: str, caption: str, alt: str) -> None:
    output: dict[str, str | None] = {
        "id": picture.id, "title": title, "caption": caption, "alt": alt,
        "claim": picture.claim if picture.claim in picture.results.claims else None,
        **_pictures(picture.id, picture.draw), "csv": _csv(picture.table),
    }  # fmt: skip
    plain = f"figure {picture.id}: {title}"
    _display({blocks.FIGURE: output, "image/svg+xml": output["wide"], "text/plain": plain})


def _pictures(id: str, draw: Callable[[float], Figure]) -> dict[str, str]:
    """Return the figure as SVG at both widths."""
    with drawing():
        return {label: to_svg(draw(width), f"{id}-{label}") for label, width in (("wide", WIDE), ("narrow", NARROW))}


def _finding(picture: Picture) -> FindingRow:
    """Return what the verdict says of the figure; nothing where none speaks of it."""
    row = picture.results.claims.get(picture.claim or "")
    none = FindingRow(title="", caption="")
    return picture.results.findings.get(picture.id, none) if row and row.verdict != "not tested" else none


def _values(picture: Picture) -> str:
    """Return the numbers of the claim that a figure shows, or else its own, for those who cannot see them."""
    row = picture.results.claims.get(picture.claim or "")
    measured = [s for s in row.settings if s.n_seeds] if row else []
    parts = groupby(measured, lambda s: s.what)  # each says what is set over what in its own words
    said = {what: "; ".join(f"{s.label or s.name}: {s.effect}" for s in settings) for what, settings in parts}
    return "".join(f" {what}: {effects}." for what, effects in said.items()) or f" {picture.told}".rstrip()


def _seeds(results: Results, table: pd.DataFrame) -> tuple[int, list[str], int]:
    """Return how many seeds could be there, in words the lines that lack some, and the fewest seeds of any.

    A line is an arm at a depth, and where they vary in a kind of network, first weights, inputs and stage of training.
    """
    if "seed" not in table:  # rows that are medians over seeds already
        return results.seeds, [], results.seeds
    present = set(table["seed"])
    total = max(results.seeds, len(present)) if present <= set(results.table("convergence")["seed"]) else len(present)
    if "arm" not in table:
        return total, [], len(present)
    varied = _varied(table)
    groups = table.groupby(varied, sort=False)["seed"].nunique()
    short = groups[groups < total]
    return total, [f"{_line(varied, key)}, {count} of {total}" for key, count in short.items()], int(groups.min())


def _late(results: Results, table: pd.DataFrame) -> dict[str, str]:
    """Return in words how many runs never arrived, by line, where the rows of a figure do not tell: of networks that
    are drawn, and of those that are lacking in one panel for it. Runs at other rates than are drawn do not count."""
    network = [*FACTORS, "rate"]
    if not {*network, "seed"} <= set(table) or {"reached", "time", "loss"} & set(table):
        return {}
    if "checkpoint" in table and not table["checkpoint"].str.startswith("loss").any():
        return {}  # drawn at a step, at which all of them are
    best, runs = results.everywhere("convergence", target=results.target), results.table("convergence")
    drawn = runs[runs["target"] == results.target].merge(table[network].drop_duplicates())
    panels = table[[factor for factor in FACTORS if factor != "arm"]].drop_duplicates()
    lacking = best.merge(panels.merge(table[["arm"]].drop_duplicates(), how="cross"))
    lacking = lacking.merge(table[[*FACTORS]].drop_duplicates(), how="left", indicator=True)
    shown = pd.concat([drawn, lacking[lacking["_merge"] == "left_only"]])
    varied = [column for column in _varied(table) if column in shown]
    counts = shown.assign(late=~shown["reached"].astype(bool)).groupby(varied, sort=False)["late"].agg(["sum", "size"])
    told = ((_line(varied, key), late, of) for key, late, of in counts.itertuples())
    return {line: f"{line}, {late} of {of}" for line, late, of in told if late}


def _varied(table: pd.DataFrame) -> list[str]:
    return [c for c in LINE if c in table and (c in ("arm", "depth") or table[c].nunique() > 1)]


def _line(columns: Sequence[str], key: Hashable) -> str:
    """Return in words what a line of a figure is of."""
    values = zip(columns, key if isinstance(key, tuple) else (key,))
    where = [when(value) if column == "checkpoint" else words.factor(column, value) for column, value in values]
    return " at ".join(filter(None, [where[0], ", ".join(where[1:])]))


def _csv(table: pd.DataFrame) -> str:
    """Return the rows drawn, without columns that say the same in every row (but for a table of one row)."""
    varied = [c for c in table if table[c].nunique(dropna=False) > 1] if len(table) > 1 else list(table)
    return table[varied].replace("\n", " ", regex=True).to_csv(index=False, float_format="%.5g", lineterminator="\n")


def _html(text: str) -> None:
    _display({"text/html": text, "text/plain": ""})


def _display(bundle: Mapping[str, object]) -> None:
    from IPython.display import display

    display(bundle, raw=True)
