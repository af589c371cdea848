"""From the verdicts of a question to its answer: no sentence stands that some verdict doesn't choose."""

from collections.abc import Mapping, Sequence
from typing import Any

from bnstudy.claims.ledger import Answer, Ledger, Question
from bnstudy.claims.sentences import fields, listing, sentence, verdict

Row = dict[str, Any]
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
    """The template of the first answer whose `when` holds; verdicts as from ``verdict``, by claim, and by
    claim and setting ("Q4c.3")."""
    for answer in answers:
        if all(_is(verdicts[claim], listed) for claim, listed in answer.when.items()):
            return answer.text
    raise ValueError("no answer holds; the last one must have no `when`")


def _is(found: str, listed: Sequence[str]) -> bool:
    return found in listed or found.partition(".")[0] in listed


class Speaker:
    """Says what the verdicts of a study choose; {Q1b[effect]} takes a field of Q1b, {Q1b[sentence]} its sentence."""

    def __init__(self, ledger: Ledger, rows: Sequence[Row]) -> None:
        self.values, self.verdicts = {}, {}
        for row in rows:
            claim = ledger.claim(row["id"])
            said = sentence(row, claim, ledger)
            brief = BRIEF.get(row["verdict"], said).format(short=claim.short)
            self.values[row["id"]] = {**fields(row, claim), "sentence": said, "brief": brief}
            self.verdicts[row["id"]] = verdict(row)
            self.verdicts |= {f"{row['id']}.{i}": verdict(s) for i, s in enumerate(row["settings"], 1)}

    def say(self, answers: Sequence[Answer]) -> str:
        """The first answer that holds, with its numbers."""
        return choose(answers, self.verdicts).format_map(self.values)

    def each(self, lists: Sequence[Sequence[Answer]]) -> list[str]:
        """One sentence a list, the empty ones left out."""
        return [said for said in map(self.say, lists) if said]

    def brief(self, question: Question) -> list[str]:
        """The sentences about the question's lead and pivot claims, for a page's first screen: what is left open or
        depends is said without its reasons."""
        about = {question.lead, question.pivot}
        lists = [answers for answers in question.sentences if about & {claim for a in answers for claim in a.when}]
        short = {claim: {**values, "sentence": values["brief"]} for claim, values in self.values.items()}
        return [choose(answers, self.verdicts).format_map(short) for answers in lists]


def answers(ledger: Ledger, rows: Sequence[Row]) -> list[Row]:
    """The short answer to each question.

    {id, title, asked, lead, pivot, brief, sentences, believe, right, stops, asks, open}: `sentences` the short answer, `brief` the
    part of it about lead and pivot;
    `believe` what to take away; `right` what of the claims holds, by who made them; `stops` what doesn't, and what is
    undecided; `asks` [{asked, sentences}]; `open` what isn't tested, and where the measurements end.
    """
    speaker, out = Speaker(ledger, rows), []
    for q in ledger.questions:
        mine = [row for row in rows if row["question"] == q.id]
        out.append(
            {
                "id": q.id, "title": q.title, "asked": q.asked, "lead": q.lead, "pivot": q.pivot,
                "brief": speaker.brief(q), "sentences": speaker.each(q.sentences), "believe": speaker.each(q.believe),
                "right": right(mine, speaker), "stops": stops(mine, speaker),
                "asks": [{"asked": a.asked, "sentences": speaker.each(a.sentences)} for a in q.asks],
                "open": _open(q, mine, speaker),
            }
        )  # fmt: skip
    return out


def right(rows: Sequence[Row], speaker: Speaker) -> list[str]:
    """What holds, a sentence for each group of makers, and what holds for some settings alone."""
    said = []
    for by in dict.fromkeys(row["by"] for row in rows):
        held = [_short(row, speaker) for row in rows if row["by"] == by and row["verdict"] == "supported"]
        if held:
            makers = [MAKERS[letter] for letter in by.split(", ")]
            verb = "is" if len(makers) == 1 and by != "A" else "are"
            text = f"{' and '.join(makers)} {verb} right here that {'; that '.join(held)}."
            said.append(text[0].upper() + text[1:])
    for row in rows:
        if row["verdict"] == "mixed":
            yes, no = (listing(row["settings"], v) for v in ("supported", "contradicted"))
            said.append(f"In part it holds that {_short(row, speaker)}: for {yes}, not for {no}.")
    return said


def stops(rows: Sequence[Row], speaker: Speaker) -> list[str]:
    """What doesn't hold as said, and what the study can't say. No speaker is named: the claim fails, here."""
    said = []
    fails = [_short(row, speaker) + SHADES.get(row["detail"], "") for row in rows if row["verdict"] == "contradicted"]
    if fails:
        said.append(f"It doesn't hold here that {'; that '.join(fails)}.")
    undecided = [_short(row, speaker) for row in rows if row["verdict"] == "inconclusive"]
    if undecided:
        said.append(f"The study can't say whether {'; whether '.join(undecided)}.")
    return said


def _open(question: Question, rows: Sequence[Row], speaker: Speaker) -> str:
    missing = [_short(row, speaker) for row in rows if row["verdict"] == "not tested"]
    lacks = f"Not tested in this configuration: whether {'; whether '.join(missing)}. " if missing else ""
    return lacks + question.open


def _short(row: Row, speaker: Speaker) -> str:
    return speaker.values[row["id"]]["short"]


def findings(ledger: Ledger, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    """{figure: {title, alt, caption}}, each finding chosen by verdict."""
    speaker, out = Speaker(ledger, rows), {}
    for f in ledger.findings:
        title = speaker.say(f.title).rstrip(".")
        out[f.figure] = {"title": title, **{k: getattr(f, k).format(title=title) for k in ("alt", "caption")}}
    return out
