"""The report's blocks of HTML: answers, claims, tables. They word numbers; they compute no result."""

import math
import re
from typing import Any

from bnstudy.claims.numbers import natural
from bnstudy.report.figures.marks import changes, effect, escape, makers, mark, verdict_words
from bnstudy.report.figures.ruler import ruler


def answer(found: dict[str, Any]) -> str:
    """What the learner asks, the short answer, what to take from it, and what the study leaves out.

    `found`: a row of answers.json.
    """
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in found["sentences"])
    parts = (("What to take from it", "believe"), ("What holds", "right"), ("Where it stops", "stops"))
    more = "".join(
        f"<h3>{title}</h3><ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in found[key])}</ul>"
        for title, key in parts
        if found[key]
    )
    return (
        f'<p class="asked">{escape(found["asked"])}</p><div class="answer">{said}</div>{more}'
        f'<p class="note">{escape(found["open"])}</p>'
    )


def asks(found: dict[str, Any]) -> str:
    """What learners ask besides, each with its answer. `found`: a row of answers.json."""
    return "".join(
        f"<h3>{escape(ask['asked'])}</h3>{''.join(f'<p>{escape(sentence)}</p>' for sentence in ask['sentences'])}"
        for ask in found["asks"]
    )


def claim(row: dict[str, Any]) -> str:
    """One claim of claims.json: verdict, ruler, sentence, the settings' numbers, what would change the verdict."""
    shown = row["settings"] if row["verdict"] == "mixed" else row["settings"][:1]
    settings = table(
        ["setting", "effect and interval", "matters from", "n", "verdict"],
        [
            [s["name"], effect(s), natural(s["shown_sesoi"], s["unit"]), s["n_seeds"], _outcome(s)]
            for s in row["settings"]
        ],
        rulers=[ruler([s]) for s in row["settings"]],
    )
    hangs = f'<p class="note">{escape(row["robustness_sentence"])}</p>' if row.get("robustness_sentence") else ""
    return (
        f'<section class="claim" id="claim-{row["id"]}"><h4>{escape(row["statement"])} '
        f"<small>{row['id']}, {escape(makers(row['by']))}</small></h4>"
        f'<p class="verdict">{mark(row["verdict"])} <strong>{escape(verdict_words(row))}</strong> {changes(row)}{ruler(shown)}</p>'
        f"<p>{escape(row['sentence'])}</p>{hangs}"
        f"<details><summary>Every setting, and what would change the verdict</summary>{settings}"
        f'<p class="note">{escape(change(row))} Smallest effect that matters: {escape(row["sesoi_reason"])}.</p>'
        f"</details></section>"
    )


def _outcome(setting: dict[str, Any]) -> str:
    return verdict_words(setting) + (f" ({setting['reason']})" if setting["reason"] else "")


def change(row: dict[str, Any]) -> str:
    """How far a setting's interval is from the edge of what is claimed, or how many seeds would tell."""
    if row["verdict"] == "not tested":
        return "To test it, add the missing arms or depths to the config."
    found = [s for s in row["settings"] if s["n_seeds"] and (s["ci_low"] is not None or s["ci_high"] is not None)]
    if not found:
        return "No setting has an interval: more seeds or a wider grid of rates would give one."
    s = next((s for s in found if s["verdict"] == row["verdict"]), found[0])
    low = -math.inf if s["ci_low"] is None else s["ci_low"]
    high = math.inf if s["ci_high"] is None else s["ci_high"]
    edges = {"more": [s["sesoi"]], "less": [-s["sesoi"]], "within": [-s["sesoi"], s["sesoi"]]}[s["region"]]
    if s["verdict"] in ("supported", "contradicted"):
        gap = min(max(low - edge, edge - high) for edge in edges)
        size = f"a factor of {math.exp(gap):.3g}" if s["unit"] == "ln times" else f"{gap:.2g} {s['unit']}"
        return f"The interval of {s['name']} is {size} away from where its verdict would change."
    if s["estimate"] is None or not math.isfinite(high - low) or s["estimate"] in edges:
        return f"The interval of {s['name']} is open at an end: more seeds, or a longer budget, could close it."
    distance = min(abs(s["estimate"] - edge) for edge in edges)
    seeds = math.ceil(s["n_seeds"] * ((high - low) / 2 / distance) ** 2)
    told = f"about {seeds:,}" if seeds <= 1000 else "more than 1,000"
    return f"If the estimate of {s['name']} stayed, {told} seeds would decide it; this study has {s['n_seeds']}."


def table(head: list[str], rows: list[list[Any]], rulers: list[str] | None = None, ids: list[str] | None = None) -> str:
    """An HTML table that scrolls sideways by itself; `rulers` is a last column of drawings, `ids` name the rows."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in [*head, *(["against the claim"] if rulers else [])])
    body = ""
    for index, row in enumerate(rows):
        cells = "".join(f"<td>{_whole(escape(cell))}</td>" for cell in row) + (
            f"<td>{rulers[index]}</td>" if rulers else ""
        )
        body += f"<tr{f' id={chr(34)}{ids[index]}{chr(34)}' if ids else ''}>{cells}</tr>"
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _whole(text: str) -> str:
    """An interval, "(4.3 to 7.5)", that no line break parts."""
    return re.sub(r"\((\S+) to (\S+)\)", r"(\1&nbsp;to&nbsp;\2)", text)


def checks(rows: list[dict[str, Any]]) -> str:
    """Expected beside measured for every external check; anchors #check-E5."""
    if not rows:
        return '<p class="note">This configuration has no external checks on file.</p>'
    passed = sum(bool(r["passed"]) for r in rows)
    body = [
        [
            r["id"],
            r["name"],
            short(r["expected"]),
            short(r["measured"]),
            short(r["tolerance"]),
            "yes" if r["passed"] else "NO",
        ]
        for r in rows
    ]
    ids, seen = [], set()
    for index, row in enumerate(rows):  # several rows may share an id: the anchor is the first's
        ids.append(f"check-{row['id']}" + (f"-{index}" if row["id"] in seen else ""))
        seen.add(row["id"])
    head = ["id", "check", "expected", "measured", "tolerance", "passed"]
    return f"<p>{passed} of {len(rows)} passed.</p>" + table(head, body, ids=ids)


def short(value: Any) -> str:
    """A number in four figures, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))


def scorecard(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of the scorecard, with what each column sorts by."""
    return [
        {
            **row, "words": verdict_words(row), "mark": mark(row["verdict"]), "changes": changes(row), "makers": makers(row["by"]),
            "effect": effect(row["settings"][0]), "ruler": ruler(row["settings"][:1]),
            "size": (row["estimate"] or 0.0) / (row["sesoi"] or 1.0),
        }
        for row in claims
    ]  # fmt: skip
