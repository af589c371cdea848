"""The page: one file made of the executed notebooks; it opens from disk and asks the network for nothing."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from bnstudy.claims.records import ClaimRow
from bnstudy.core import store
from bnstudy.report.figures import style
from bnstudy.report.page import blocks, marks
from bnstudy.report.page.ruler import ruler
from bnstudy.report.page.walk import body
from bnstudy.report.results import Results

NETS = {
    "mlp": "multilayer perceptrons",
    "resmlp": "multilayer perceptrons with skip connections",
    "cnn": "convolutional networks",
    "resnet": "convolutional networks with skip connections",
}
FEW = 10
"""The number of evaluation seeds below which a banner says that there are too few for verdicts."""


class Example(NamedTuple):
    """The contrast that shows how to read a ruler."""

    region: str = "more"
    sesoi: float = 1.0
    estimate: float | None = 2.2
    ci_low: float | None = 1.4
    ci_high: float | None = 3.1


def build(study_dir: Path, notebooks: list[Path], out: Path) -> None:
    """Write the report of a study to `out`, whole or not at all.

    Reads claims.json, answers.json, and where it exists provenance.json of `study_dir`; a notebook's file name is its
    section's anchor (q1 .. q4, methods), and sections stand in the order given.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a notebook's output has no place on the page, an id is used twice, or a link leads to an id that is
            not there.
    """
    import jinja2

    results = Results(study_dir)
    claims, answers = list(results.claims.values()), list(results.answers.values())
    files = resources.files(__package__ or "")
    script = (files / "page.js").read_text(encoding="utf-8").strip()
    css = (files / "page.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    config = results.provenance.get("config", {})
    seeds = int(
        config.get("seeds", {}).get("evaluation") or max((s.n_seeds for c in claims for s in c.settings), default=0)
    )
    page = environment.from_string((files / "page.html").read_text(encoding="utf-8")).render(
        title=config.get("title", "Batch normalization, cross-examined"),
        scope=_scope(config.get("data"), config.get("network"), seeds),
        seeds=seeds,
        few=FEW,
        answers=[row for row in answers if row.brief],
        verdicts={row.id: _count(claims, row.id) for row in answers},
        titles={row.id.lower(): f"{row.id} {row.title}" if row.sentences else row.title for row in answers},
        sections=[(path.stem, body(path)) for path in notebooks],
        claims=claims,
        changes=marks.changes,
        effect=marks.effect,
        makers=marks.makers,
        mark=marks.mark,
        verdict_words=marks.verdict_words,
        ruler=ruler,
        example=ruler([Example()]),
        made=_made(results.provenance.items()),
        config=json.dumps(config, indent=1, ensure_ascii=False) if config else "",
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        css=css.replace("/*LIGHT*/", style.variables("light")).replace("/*DARK*/", style.variables("dark")),
    )
    _consistent(page)
    store.write_text(out, page)


def _count(claims: list[ClaimRow], question: str) -> list[tuple[str, int]]:
    """Return the verdicts that a question's claims have, each with how many have it."""
    counts = Counter(claim.verdict for claim in claims if claim.question == question)
    return [(verdict, counts[verdict]) for verdict in marks.VERDICTS if verdict in counts]


def _scope(data: dict[str, object] | None, network: dict[str, object] | None, seeds: int) -> str:
    """Return of which networks and images the verdicts speak."""
    if not data or not network:
        return f"In these networks (n = {seeds} seeds)."
    kind = NETS.get(str(network["family"]), f"networks of family {network['family']}")
    return f"In these networks: {data['source']} images, {kind} of width {network['width']}, n = {seeds} seeds."


def _made(provenance: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """Return everything in provenance.json but the config, as (name, value) in words."""
    rows = []
    for key, value in provenance:
        if key == "config":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{k} {blocks.short(v)}" for k, v in value.items())
        if isinstance(value, list):
            value = "; ".join(f"{job['job']} {job['seconds']:,.0f} s" for job in value)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        rows.append((key.replace("_", " "), blocks.short(value)))
    return rows


def _consistent(page: str) -> None:
    """Raise ValueError for an id used twice and for a link to an id that is not on the page."""
    ids = re.findall(r'\bid="([^"]+)"', page)
    twice = sorted(i for i, n in Counter(ids).items() if n > 1)
    if twice:
        raise ValueError(f"ids used twice on the page: {', '.join(twice)}; give each figure its own id")
    targets = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    dangling = sorted(targets - set(ids))
    if dangling:
        raise ValueError(f"links to ids that are not on the page: {', '.join(dangling)}")
