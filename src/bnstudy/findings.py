"""What a finished study found, every interval included, as a page in Markdown: docs/findings.md is the default study's."""

import json
from pathlib import Path

from bnstudy.claims.records import AnswerRow, from_json
from bnstudy.claims.sentences import elsewhere
from bnstudy.compare import FORECAST, fared, load, outcome, summary


def page(folder: Path) -> str:
    """Return what a study found as a page in Markdown, every interval included.

    Args:
        folder: The study's folder, results/NAME or one of results/reference.

    Raises:
        SystemExit: It holds no finished study; the text says what to do.
    """
    study = load(folder)
    try:
        answers = from_json(list[AnswerRow], json.loads((folder / "answers.json").read_text(encoding="utf-8")))
        made = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{folder} is no finished study ({error}); run `make report` first") from None
    lines = [
        f"# What the study `{made['config']['study']}` found",
        "",
        f"`python -m bnstudy findings {folder.as_posix()}` makes this page.",
        "",
        f"{made['runs']:,} networks were trained ({made['platform']}, torch {made['versions']['torch']}); "
        f"{made['diverged']:,} of them diverged and count as never arriving. "
        f"The study's own networks: {summary(study.judged)}. Each effect is a median over {study.judged.counts} paired seeds; its interval "
        "holds together with all others of its question at 95%. It says what holds in these networks, not in all.",
    ]
    for answer in answers:
        lines += ["", f"## {answer.id} {answer.title}", "", answer.asked]
        for claim in study.claims.values():
            if claim.question == answer.id:
                said = f"**{claim.id}. {claim.statement}** *{outcome(claim)}*. {claim.sentence}{elsewhere(claim)}"
                lines += ["", said]
    lines += [
        "",
        "## Was it forecast where batch norm saves steps?",
        "",
        f"{FORECAST} In this study and those in the folder beside it:",
        "",
    ]
    beside = (path.parent for path in sorted(folder.parent.glob("*/forecasts.csv")))
    lines += [f"- {other.name}: {fared(load(other).forecasts)}" for other in beside]
    return "\n".join(lines) + "\n"
