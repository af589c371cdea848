"""From the verdicts of a question to its answer: no sentence stands that some verdict doesn't choose."""

from collections.abc import Mapping, Sequence

from bnstudy.claims.ledger import Answer, Ledger, Question
from bnstudy.claims.records import AnswerRow, AskRow, ClaimRow, FindingRow
from bnstudy.claims.sentences import fields, listing, sentence, verdict

MAKERS = {"L": "the lecture", "A": "the answers", "O": "the objection", "P": "the literature", "S": "this study"}
BRIEF = {
    "inconclusive": "The study can't say whether {short}.",
    "mixed": "It depends on the setting whether {short}.",
    "not tested": "Not tested here: whether {short}.",
}
SHADES = {
    "opposite": " (the opposite)", "negligible": " (too small to matter)", "not enough": " (not by enough to matter)",
}  # fmt: skip


def choose(answers: Sequence[Answer], verdicts: Mapping[str, str]) -> str:
    """Return the template of the first answer whose `when` holds.

    Args:
        answers: the answers; the last one has no `when`.
        verdicts: verdicts as from :func:`verdict`, by claim ("Q4c") and by claim and contrast ("Q4c.3").

    Raises:
        ValueError: where none holds.
    """
    for answer in answers:
        if all(_is(verdicts[claim], listed) for claim, listed in answer.when.items()):
            return answer.text
    raise ValueError("no answer holds; the last one must have no `when`")


def _is(verdict: str, listed: Sequence[str]) -> bool:
    return verdict in listed or verdict.partition(".")[0] in listed


class Speaker:
    """Says what the verdicts of a study choose; {Q1b[effect]} takes a field of Q1b, {Q1b[sentence]} its sentence."""

    def __init__(self, ledger: Ledger, rows: Sequence[ClaimRow]) -> None:
        self.values, self.verdicts = {}, {}
        for row in rows:
            claim = ledger.claim(row.id)
            said = sentence(row, claim, ledger)
            brief = BRIEF.get(row.verdict, said).format(short=claim.short)
            self.values[row.id] = {**fields(row, claim), "sentence": said, "brief": brief}
            self.verdicts[row.id] = verdict(row)
            self.verdicts |= {f"{row.id}.{i}": verdict(s) for i, s in enumerate(row.settings, 1)}

    def text(self, answers: Sequence[Answer]) -> str:
        """Return the first answer that holds, with its numbers."""
        return choose(answers, self.verdicts).format_map(self.values)

    def texts(self, lists: Sequence[Sequence[Answer]]) -> tuple[str, ...]:
        """Return one sentence per list, the empty ones left out."""
        return tuple(filter(None, map(self.text, lists)))

    def brief(self, question: Question) -> tuple[str, ...]:
        """Return the sentences about the question's lead and pivot claims, for a page's first screen.

        What is left open or depends is said without its reasons.
        """
        about = {question.lead, question.pivot}
        lists = [answers for answers in question.sentences if about & {claim for a in answers for claim in a.when}]
        short = {claim: {**values, "sentence": values["brief"]} for claim, values in self.values.items()}
        return tuple(choose(answers, self.verdicts).format_map(short) for answers in lists)

    def short(self, row: ClaimRow) -> str:
        """Return the claim in a few words."""
        return self.values[row.id]["short"]


def answers(ledger: Ledger, rows: Sequence[ClaimRow]) -> list[AnswerRow]:
    """Return the short answer to each question, from the rows of claims.json."""
    speaker, answer_rows = Speaker(ledger, rows), []
    for question in ledger.questions:
        question_rows = [row for row in rows if row.question == question.id]
        answer_rows.append(
            AnswerRow(
                id=question.id, title=question.title, asked=question.asked, lead=question.lead, pivot=question.pivot,
                brief=speaker.brief(question), sentences=speaker.texts(question.sentences),
                believe=speaker.texts(question.believe), right=right(question_rows, speaker),
                stops=stops(question_rows, speaker),
                asks=tuple(AskRow(asked=a.asked, sentences=speaker.texts(a.sentences)) for a in question.asks),
                open=_open(question, question_rows, speaker),
            )
        )  # fmt: skip
    return answer_rows


def right(rows: Sequence[ClaimRow], speaker: Speaker) -> tuple[str, ...]:
    """Return what holds, a sentence for each group of makers, and what holds for some contrasts alone."""
    said = []
    for by in dict.fromkeys(row.by for row in rows):
        held = [speaker.short(row) for row in rows if row.by == by and row.verdict == "supported"]
        if held:
            makers = [MAKERS[letter] for letter in by.split(", ")]
            verb = "is" if len(makers) == 1 and by != "A" else "are"
            text = f"{' and '.join(makers)} {verb} right here that {'; that '.join(held)}."
            said.append(text[0].upper() + text[1:])
    for row in rows:
        if row.verdict == "mixed":
            yes, no = (listing(row.settings, v) for v in ("supported", "contradicted"))
            said.append(f"In part it holds that {speaker.short(row)}: for {yes}, not for {no}.")
    return tuple(said)


def stops(rows: Sequence[ClaimRow], speaker: Speaker) -> tuple[str, ...]:
    """Return what doesn't hold as said, and what the study can't say. No speaker is named: the claim fails, here."""
    said = []
    fails = [speaker.short(row) + SHADES.get(row.detail or "", "") for row in rows if row.verdict == "contradicted"]
    if fails:
        said.append(f"It doesn't hold here that {'; that '.join(fails)}.")
    undecided = [speaker.short(row) for row in rows if row.verdict == "inconclusive"]
    if undecided:
        said.append(f"The study can't say whether {'; whether '.join(undecided)}.")
    return tuple(said)


def _open(question: Question, rows: Sequence[ClaimRow], speaker: Speaker) -> str:
    missing = [speaker.short(row) for row in rows if row.verdict == "not tested"]
    lacks = f"Not tested in this configuration: whether {'; whether '.join(missing)}. " if missing else ""
    return lacks + question.open


def findings(ledger: Ledger, rows: Sequence[ClaimRow]) -> dict[str, FindingRow]:
    """Return what is said of each figure, its title chosen by verdict."""
    speaker, by_figure = Speaker(ledger, rows), {}
    for finding in ledger.findings:
        title = speaker.text(finding.title).rstrip(".")
        alt, caption = (text.format(title=title) for text in (finding.alt, finding.caption))
        by_figure[finding.figure] = FindingRow(title=title, alt=alt, caption=caption)
    return by_figure
