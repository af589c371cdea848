"""Two finished studies claim by claim, as a page in Markdown: `python -m bnstudy compare results/A results/B > page.md`."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bnstudy.claims.records import ClaimRow, JudgedWith, from_json
from bnstudy.claims.sensitivity import DECIDED
from bnstudy.claims.sentences import NOT_JUDGED

FORECAST = (
    "One quantity of each untrained network is to say it before training ([what_decides.md](what_decides.md)); open is what the "
    "interval of the saving cannot tell from 1.25 times."
)


SHARES = {"95% and more": 0.95, "80% to 95%": 0.8, "below 80%": 0.0}
"""Shares of draws of the seeds that agree with a verdict, and the least of each."""
UNTOLD = "not told, since the interval ends at the least and the greatest seed"


class Study(NamedTuple):
    """A finished study's claims by id, what they were judged with, and the rows of forecasts.csv."""

    claims: dict[str, ClaimRow]
    judged: JudgedWith
    forecasts: Sequence[Mapping[str, str]] = ()


def load(folder: Path) -> Study:
    """Read a study's folder.

    Raises:
        SystemExit: It holds no finished study; the text says what to do.
    """
    try:
        claims = from_json(list[ClaimRow], json.loads((folder / "claims.json").read_text()))
        judged = from_json(JudgedWith, json.loads((folder / "ledger.json").read_text()))
        forecasts = list(csv.DictReader((folder / "forecasts.csv").read_text().splitlines()))
    except (OSError, ValueError) as error:
        remedy = "run `snakemake --cores 2` with its config"
        raise SystemExit(f"{folder} is no finished study ({error}); {remedy}") from None
    return Study({row.id: row for row in claims}, judged, forecasts)


def page(folders: Sequence[Path], studies: Sequence[Study]) -> str:
    """Return the page: what the two studies are, how settings on the same networks came out, how forecasts fared, where
    they disagree, where only one decides, and all claims side by side.

    They disagree on a claim that both decide with different verdicts; a contradiction of another shade is one too.

    Args:
        names: The names of the two studies.
        studies: The two studies, in the same order.

    Returns:
        The page in Markdown.
    """
    first, second = (study.claims for study in studies)
    same = len({folder.name for folder in folders}) < len(folders)  # one study made twice: its folders tell which
    names = [folder.as_posix() if same else folder.name for folder in folders]
    pairs = {name: (first[name], second[name]) for name in first if name in second}
    shared = [name for name, two in pairs.items() if all(row.verdict != NOT_JUDGED for row in two)]
    both = [n for n in shared if all(row.verdict in DECIDED for row in pairs[n])]
    apart = [n for n in both if outcome(pairs[n][0]) != outcome(pairs[n][1])]
    one = [n for n in shared if n not in both and any(row.verdict in DECIDED for row in pairs[n])]
    lines = [f"# {names[0]} and {names[1]}, claim by claim", ""]
    lines += [f"- **{name}**: {summary(study.judged)}" for name, study in zip(names, studies)]
    lines += ["", f"`python -m bnstudy compare {' '.join(map(Path.as_posix, folders))}` makes this page.", ""]
    agreed = f"Of {len(shared)} claims both studies decide {len(both)}; on {len(both) - len(apart)} of these they agree"
    alone = f"{len(one)} are decided by one alone, {len(shared) - len(both) - len(one)} by neither"
    lines += [f"{agreed}, on {len(apart)} they don't. {alone}.", ""]
    lines += repeated(names, [pairs[name] for name in shared])
    lines += ["## Was it forecast where batch norm saves steps?", "", FORECAST, ""]
    lines += [f"- {name}: {fared(study.forecasts)}" for name, study in zip(names, studies)] + [""]
    for title, chosen in (("Where the two disagree", apart), ("Where only one decides", one)):
        lines += [f"## {title}", ""]
        for name in chosen:
            lines += [f"**{name}. {pairs[name][0].statement}**", ""]
            lines += [f"- {study}: *{outcome(row)}*. {row.sentence}" for study, row in zip(names, pairs[name])]
            lines += [""]
        lines += [] if chosen else ["None.", ""]
    lines += ["## Side by side", "", "The effect is that of the first setting, with its interval.", ""]
    lines += [f"| claim | {names[0]} | | {names[1]} | |", "|---|---|---|---|---|"]
    for name, two in pairs.items():
        cells = [text for row in two for text in (outcome(row), row.effect)]
        lines.append("| " + " | ".join([f"{name}. {two[0].statement}", *cells]).replace("\n", " ") + " |")
    return "\n".join(lines) + "\n"


def repeated(names: Sequence[str], pairs: Sequence[tuple[ClaimRow, ClaimRow]]) -> list[str]:
    """Return how the settings came out that compare the same networks in both studies, and whether the first one's seeds
    had told it; nothing where no setting does."""
    came: dict[str, list[bool]] = {share: [] for share in (*SHARES, UNTOLD)}
    turned = 0
    for first, second in pairs:
        again = {(row.name, row.networks): row for row in second.settings if row.n_seeds}
        for row in first.settings:
            if not row.n_seeds or (other := again.get((row.name, row.networks))) is None:
                continue
            agree = row.stability
            share = UNTOLD if agree is None else next(name for name, least in SHARES.items() if agree >= least)
            came[share].append(row.verdict != other.verdict)
            turned += {row.verdict, other.verdict} == {"supported", "contradicted"}
    every = sum(came.values(), [])
    if not every:
        return []
    said = f"Of {len(every)} settings on the same networks {sum(every)} came out otherwise, {turned} of them the other way round."
    lines = ["## Setting by setting", "", f"{said} By how many draws of the seeds of {names[0]} agree with a verdict:"]
    lines += ["", "| draws that agree | settings | came out otherwise |", "|---|---|---|"]
    return [*lines, *(f"| {share} | {len(rows)} | {sum(rows)} |" for share, rows in came.items()), ""]


def fared(forecasts: Sequence[Mapping[str, str]]) -> str:
    """Return how many forecasts came true, and those that did not."""
    count = Counter(row["outcome"] for row in forecasts)
    wrong = [row for row in forecasts if row["outcome"] == "wrong"]
    kinds = Counter((row["net"], row["gain"], "saves" if row["saves"] == "True" else "saves nothing") for row in wrong)
    each = [f"{n} of {net} at gain {float(gain):g}, forecast: {said}" for (net, gain, said), n in kinds.items()]
    told = "; ".join(each)
    return f"{count['right']} right, {count['wrong']} wrong{f' ({told})' if told else ''}, {count['open']} open."


def outcome(row: ClaimRow) -> str:
    """Return the verdict of a claim, with its shade where it is contradicted."""
    return f"{row.verdict} ({row.detail})" if row.detail else row.verdict


def summary(judged: JudgedWith) -> str:
    """Return what a study's networks are, at which depths and targets its claims look, and how many seeds it has."""
    depths = ", ".join(f"{name} {depth}" for name, depth in judged.depths.items())
    base = ", ".join(f"{key} {value}" for key, value in judged.base.items())
    targets = " and ".join(f"{target:g}" for target in judged.targets)
    return f"{base}; depths {depths}; target losses {targets}; n = {judged.seeds}"
