"""What is said of a question, as blocks of HTML: its card on the first screen, and its story."""

from collections.abc import Collection, Mapping

from bnstudy.claims.ledger import Story
from bnstudy.claims.records import AnswerRow, ClaimRow
from bnstudy.claims.sentences import elsewhere
from bnstudy.report.page.marks import escape


def card(row: AnswerRow, picture: str) -> str:
    """Return a question's card: the learner's words, the finding, a small picture, and where it stops."""
    if row.card is None:
        return ""
    return (
        f'<article><p class="asked">{row.id[1:]} · “{escape(row.card.asked)}”</p>'
        f'<h2><a href="#{row.id.lower()}">{escape(row.card.finding)}</a></h2>{picture}'
        f'<p class="stops">{escape(row.card.stops)}</p></article>'
    )


def question(row: AnswerRow) -> str:
    """Return the learner's words, and a guess to make before reading on; page.js folds its answer."""
    if row.story is None:
        return f'<p class="asked">{escape(row.asked)}</p>'
    guess = row.story.guess
    options = "".join(
        f'<label><input type="radio" name="guess-{row.id}"> {escape(option)}</label>' for option in guess.options
    )
    return (
        f'<blockquote class="asked">{escape(row.story.asked)}</blockquote>'
        f'<fieldset class="guess"><legend>Your guess: {escape(guess.question)}</legend>{options}'
        f"<details open><summary>What came out</summary><p>{escape(guess.answer)}</p></details></fieldset>"
    )


def story(row: AnswerRow, checks: Collection[str], claims: Mapping[str, ClaimRow]) -> str:
    """Return the argument, what holds by arithmetic, what the lecture says, and what may still be unclear.

    `checks` are the ids of the checks that the page shows, which can be linked. Where a reference study decides a step's
    claim in `claims` otherwise, the step says so.
    """
    note = f'<p class="note">{escape(row.open)}</p>' if row.open else ""
    return (_told(row.story, checks, claims) if row.story else "") + note


def _told(told: Story[str], checks: Collection[str], claims: Mapping[str, ClaimRow]) -> str:
    steps = "".join(
        f'<li>{escape(step.text + (elsewhere(claims[step.claim]) if step.claim in claims else ""))} <a class="source" href="#claim-{escape(step.claim)}">{escape(step.claim)}</a></li>'
        for step in told.argument
    )
    why = told.mechanism
    measured = f"check {escape(why.check)}"
    if why.check in checks:
        measured = f'<a href="#check-{escape(why.check)}">{measured}</a>'
    lecture = "".join(
        f"<dt>{escape(said.minute)} <span>{escape(said.says)}</span></dt>"
        f"<dd><b>Right:</b> {escape(said.right)}</dd><dd><b>Where it stops:</b> {escape(said.stops)}</dd>"
        for said in told.lecture
    )
    unclear = "".join(f"<h4>{escape(doubt.asked)}</h4><p>{escape(doubt.answer)}</p>" for doubt in told.unclear)
    return (
        f'<h3>Step by step</h3><ol class="argument">{steps}</ol>'
        f'<aside class="mechanism"><h3>{escape(why.title)}</h3><p>{escape(why.text)}</p>'
        f'<p class="note">This holds by arithmetic: {measured} measures it.</p></aside>'
        + (f'<h3>What the lecture says</h3><dl class="lecture">{lecture}</dl>' if lecture else "")
        + (f'<h3>Still unclear?</h3><div class="unclear">{unclear}</div>' if unclear else "")
    )
