"""The page: one file made of the executed notebooks; it opens from disk and asks the network for nothing."""

import base64
import hashlib
import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

from bnstudy.core import store
from bnstudy.report.figures import blocks, style
from bnstudy.report.figures.marks import VERDICTS, mark
from bnstudy.report.figures.ruler import ruler
from bnstudy.report.page.walk import body

FAMILIES = {
    "mlp": "multilayer perceptrons",
    "resmlp": "multilayer perceptrons with skip connections",
    "cnn": "convolutional networks",
    "resnet": "convolutional networks with skip connections",
}
FEW = 10
"""Below this many evaluation seeds a banner says that there are too few for verdicts."""


def build(study_dir: Path, notebooks: list[Path], out: Path) -> None:
    """Write the report of a study to `out`, whole or not at all.

    Reads claims.json, answers.json, and where they exist checks.json and provenance.json of `study_dir`; a notebook's
    file name is its section's anchor (q1 .. q4, methods), and sections stand in the order given.

    Raises FileNotFoundError for a missing file, ValueError for a notebook output that has no place on the page, for
    an id used twice and for a link to an id that isn't there.
    """
    import jinja2

    claims = _read(study_dir / "claims.json")
    made = _read(study_dir / "provenance.json", {})
    answers = _read(study_dir / "answers.json")
    files = resources.files(__package__ or "")
    script = (files / "page.js").read_text(encoding="utf-8").strip()
    css = (files / "page.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    config = made.get("config", {})
    page = environment.from_string((files / "page.html").read_text(encoding="utf-8")).render(
        title=config.get("title", "Batch normalization, cross-examined"),
        scope=_scope(config, claims),
        seeds=_seeds(config, claims),
        few=FEW,
        answers=[{**a, "verdicts": _count(claims, a["id"])} for a in answers if a["brief"]],
        titles={a["id"].lower(): f"{a['id']} {a['title']}" if a["sentences"] else a["title"] for a in answers},
        sections=[(path.stem, body(path)) for path in notebooks],
        claims=blocks.scorecard(claims),
        marks={verdict: mark(verdict) for verdict in VERDICTS},
        example=ruler([{"region": "more", "estimate": 2.2, "ci_low": 1.4, "ci_high": 3.1, "sesoi": 1.0}]),
        made=_made(made),
        config=json.dumps(config, indent=1, ensure_ascii=False) if config else "",
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        css=css.replace("/*LIGHT*/", style.variables("light")).replace("/*DARK*/", style.variables("dark")),
    )
    _consistent(page)
    store.write_text(out, page)


def _read(path: Path, default: Any = None) -> Any:
    if default is not None and not path.exists():
        return default
    return json.loads(path.read_text(encoding="utf-8"))


def _count(claims: list[dict[str, Any]], question: str) -> list[tuple[str, int]]:
    """The verdicts that a question's claims have, each with how many have it."""
    found = Counter(c["verdict"] for c in claims if c["question"] == question)
    return [(verdict, found[verdict]) for verdict in VERDICTS if verdict in found]


def _seeds(config: dict[str, Any], claims: list[dict[str, Any]]) -> int:
    known = config.get("seeds", {}).get("evaluation")
    return int(known or max((s["n_seeds"] for c in claims for s in c["settings"]), default=0))


def _scope(config: dict[str, Any], claims: list[dict[str, Any]]) -> str:
    seeds = f"n = {_seeds(config, claims)} seeds"
    if not config:
        return f"In these networks ({seeds})."
    network, data = config["network"], config["data"]
    kind = FAMILIES.get(network["family"], f"networks of family {network['family']}")
    return f"In these networks: {data['source']} images, {kind} of width {network['width']}, {seeds}."


def _made(made: dict[str, Any]) -> list[tuple[str, str]]:
    """Everything in provenance.json but the config, as (name, value) in words."""
    rows = []
    for key, value in made.items():
        if key == "config":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{k} {blocks.short(v)}" for k, v in value.items())
        if isinstance(value, list):
            value = "; ".join(f"{v['job']} {v['seconds']:,.0f} s" for v in value)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        rows.append((key.replace("_", " "), blocks.short(value)))
    return rows


def _consistent(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    twice = sorted(i for i, n in Counter(ids).items() if n > 1)
    if twice:
        raise ValueError(f"ids used twice on the page: {', '.join(twice)}; give each figure its own id")
    targets = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    dangling = sorted(targets - set(ids))
    if dangling:
        raise ValueError(f"links to ids that are not on the page: {', '.join(dangling)}")
