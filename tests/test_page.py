"""The page from synthetic studies: whole, self-contained, and saying what the tables say, whichever way they point."""

import base64
import csv
import html
import io
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import escape
from matplotlib.figure import Figure

from bnstudy.claims.numbers import figures as numbers
from bnstudy.report import show
from bnstudy.report.page.blocks import FIGURE, change, turns
from bnstudy.report.page.build import strength
from bnstudy.report.results import Results
from helpers import synthetic
from helpers.clashes import clashes
from helpers.judging import FILED
from helpers.pages import NOTEBOOKS, page, source
from helpers.project import ROOT
from helpers.read_page import BOUND, cards, figures, found, unpacked


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study "support" with its page, every figure drawn; test_workflow.py has pages whose notebooks ran in kernels."""
    folder, pictures, found = tmp_path_factory.mktemp("kernels"), show._pictures, list[str]()

    def looked_at(id: str, draw: Callable[[float], Figure]) -> dict[str, str]:
        def drawn(width: float) -> Figure:
            figure = draw(width)
            found.extend(f"{id} at {width} in: {clash}" for clash in clashes(figure))
            return figure

        return pictures(id, drawn)

    page(folder, synthetic.tables("support", seeds=12, grids=True), looked_at, seeds=12)
    (folder / "clashes.json").write_text(json.dumps(found))
    return folder


@pytest.fixture(scope="session")
def support(kernels: Path) -> str:
    return (kernels / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def oppose(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(tmp_path_factory.mktemp("oppose"), synthetic.tables("oppose", seeds=12, grids=True), seeds=12)


@pytest.fixture(scope="session")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> str:
    tables = synthetic.swap(synthetic.tables("support", seeds=12, grids=True))
    return page(tmp_path_factory.mktemp("swapped"), tables, seeds=12)


def test_everything_is_there(support: str) -> None:
    assert set(figures(support)) == {
        "drift", "drift-by-stage", "affine", "drift-steps", "noisy", "ics", "input-offset",
        "severity", "remembering", "xhat", "statistics-on-clean",
        "lecture-samples", "lecture", "control", "test-batches", "effective",
        "starts", "depths", "depths-2", "depths-3", "survival", "window", "rate-window-by-gain", "steps-by-gain", "map",
        "steps-by-inputs", "gradients", "landscape", "detached", "loss-curves",
        "reach", "share-left", "adaptation", "saved", "variance", "growth", "halves", "skips", "skips-gradients",
        "modes", "batch-size", "levels", "post", "post-accuracy", "kurtosis",
    }  # fmt: skip
    formulas = sum(c.source.count("$$") // 2 for n in NOTEBOOKS for c in source(n).cells if c.cell_type == "markdown")
    assert support.count('<math display="block"') == formulas >= 7
    assert len(re.findall(r'<section class="claim" id="claim-(\w+)"', support)) == len(FILED.claims)
    assert "no simulation of the intervals" in support and "no verdicts under other choices" in support
    # verdict rule, confounds and what was changed; intervals; checks; scorecard; runs; the range of first weights; the inputs' and the surface's numbers;
    # relative drop
    assert support.count("<table>") == 3 + 1 + 1 + 1 + 1 + 1 + 2 + 1
    for anchor in ("q2", "q3", "runs", "claim-Q1b", "check-E5", "checking", "sources"):
        assert f'id="{anchor}"' in support
    places = [support.index(f'id="{anchor}"') for anchor in "answers how q1 q4 u quiz scorecard methods".split()]
    assert places == sorted(places)
    assert "1 of 2 passed" in support and "<td>NO</td>" in support
    assert len(support.encode()) < 4e6


def test_texts_of_figures_never_overlap_and_stay_inside(kernels: Path) -> None:
    assert json.loads((kernels / "clashes.json").read_text()) == []


def test_it_asks_the_network_for_nothing(support: str) -> None:
    silent = re.sub(r'aria-\w+="[^"]*"', "", support)
    assert not re.findall(r'(?:src|data|srcset|action|poster)="(?!data:)[^"]*"', silent)
    links = re.findall(r'<(\w+)[^>]*? href="([^"]+)"', support)
    within = ("#", "data:application/gzip;base64,", "data:image/png;base64,")
    assert all(to.startswith(within) or tag == "a" for tag, to in links)
    assert "<link" not in support and "@import" not in support and "url(http" not in support
    assert "default-src 'none'; img-src data:;" in support


def test_script_matches_its_hash(support: str) -> None:
    import hashlib

    script = found(r"<script>(.*?)</script>", support, re.S)
    assert f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" in support


def test_an_alternative_names_each_number_by_what_it_sets_over_what(support: str) -> None:
    """The numbers of Q4c are two kinds of ratio: of the gradients' steadiness, and of steps by which half has the norm."""
    _, _, numbers = figures(support)["halves"][2].partition("steadiness of gradients that batch norm gains at the last")
    first, what, second = numbers.partition("steps with batch norm in the early half alone / in the later half alone")
    assert what and "at loss 0.5" in first and "at 20 layers" in second and "at 20 layers" not in first


def test_figures_have_alternatives_and_data(support: str) -> None:
    blocks = re.findall(r'<figure id="fig-.*?</figure>', support, re.S)
    assert len(blocks) == len(figures(support))
    for block in blocks:
        assert len(re.findall(r'role="img" aria-label="[^"]{40,}"', block)) == 2 and block.count("<svg") == 2
        rows = list(csv.reader(unpacked(block).splitlines()))
        assert len(rows) > 2 and all(len(row) == len(rows[0]) for row in rows)


def test_no_colour_is_left_fixed(support: str) -> None:
    pictures = "".join(re.findall(r"<svg.*?</svg>", support, re.S))
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\([^)]*\)", "", pictures))


FREE = [
    "drift-by-stage", "depths-2", "loss-curves", "post-accuracy", "control", "test-batches", "effective", "skips-gradients",
]  # fmt: skip


def test_titles_follow_the_verdicts(support: str, oppose: str) -> None:
    one, other = figures(support), figures(oppose)
    assert one.keys() == other.keys()
    assert {name for name in BOUND if one[name][0] == other[name][0] or one[name][2] == other[name][2]} == set()
    assert all(one[name][0] in one[name][2] for name in BOUND)
    for name in FREE:  # bound to no claim, so they may say nothing that a verdict could turn
        words = [figure[name][2].partition(" Medians: ")[0] for figure in (one, other)]
        assert one[name][0] == other[name][0] and words[0] == words[1], name
    assert "contradicted" in oppose


def toys(text: str) -> dict[str, list[str]]:
    """What each toy says: of every frame, in the order of their addresses, and the answer to its guess."""
    found = dict(re.findall(r'<section class="toy" id="toy-(\w+)"(.*?)</section>', text, re.S))
    said = r'id="toy-(\S+)" data-at.*?<p class="said">(.*?)</p>'
    first = r'<p class="lead">(.*?)</p>|out</summary><p>(.*?)</p>'
    leads = {name: re.findall(first, toy) for name, toy in found.items()}
    frames = {name: [text for _, text in sorted(re.findall(said, toy, re.S))] for name, toy in found.items()}
    return {name: frames[name] + ["".join(lead) for lead in leads[name]] for name in found}


def test_every_toy_turns_with_the_tables(support: str, swapped: str) -> None:
    """What is arithmetic, and pictures that are not shifted, say the same whatever the tables say."""
    one, other = toys(support), toys(swapped)
    assert one.keys() == other.keys() == {"shake", "break", "start", "poke"}
    for name in one:
        same = [said for said, turned in zip(one[name], other[name], strict=True) if said == turned]
        fixed = ("Handed on", "They stay where they are", "The pictures as they are.")
        assert all(said.startswith(fixed) for said in same), name
        assert len(same) < len(one[name])


def test_toys_say_what_the_tables_say(support: str, kernels: Path) -> None:
    results = Results(kernels)
    runs = results.at("convergence", target=results.target, depth=10)
    steps = runs.groupby("arm")["steps"].median().round().astype(int)
    frame = found(r'id="toy-start-plain-1-10layers"(.*?)</p></div>', support, re.S)
    assert f"{steps['none']} without batch norm, {steps['bn']} with it" in frame
    pokes = results.at("intervention", depth=10, layer=11, checkpoint=results.main, kind="gradient", dose=0.1)
    change = 100 * pokes.groupby("arm")["values"].median()
    frame = found(r'id="toy-poke-thevalues-10-gradientstep-trained"(.*?)</p></div>', support, re.S)
    assert f"{numbers(change['none'])}% without batch norm, {numbers(change['bn'])}% with it" in frame
    tests = results.at("shift", depth=5, arm="none", family="contrast", severity=5, statistics="running")
    frame = found(r'id="toy-break-contrast-5"(.*?)</p></div>', support, re.S)
    assert f"without {tests['accuracy'].median():.0f}%" in frame


@pytest.mark.parametrize("place", range(5))
def test_a_number_is_rebuilt_from_its_seeds(place: int, support: str, kernels: Path) -> None:
    """From the table behind a claim, by hand: median, k-th from either end; to the digits that are shown."""
    pairs = [(c, s) for c in Results(kernels).claims.values() for s in c.settings if s.rank]
    known = [(c, s) for c, s in pairs if None not in (s.ci_low, s.ci_high) and s.ci_high - s.ci_low > 1e-6]  # type: ignore[operator]
    claim, setting = random.Random(0).sample(known, 5)[place]
    block = found(rf'<section class="claim" id="claim-{claim.id}">(.*?)</section>', support, re.S)
    assert f"n = {setting.n_seeds}, k = {setting.rank}, K = {claim.intervals}" in block
    row = next(row for row in csv.DictReader(io.StringIO(unpacked(block))) if row["setting"] == setting.name)
    told = [value for name, value in row.items() if name.startswith("seed ") and value]
    ends = [[float(end) for end in value.split("..")] for value in told]
    low, high = sorted(end[0] for end in ends), sorted(end[-1] for end in ends)
    k, n = int(row["k"]), len(ends)
    lower, upper = low[(n - 1) // 2], low[n // 2]
    middle = (lower * upper) ** 0.5 if row["unit"] == "times" else (lower + upper) / 2
    said = re.findall(r"−?[\d.]+\d|−?\d", setting.effect)
    values = [low[k - 1], high[-k]] if setting.estimate is None else [middle, low[k - 1], high[-k]]
    for value, text in zip(values, said, strict=True):
        assert text in {numbers(value, digits) for digits in range(2, 7)}, (setting.effect, value)


def test_a_number_leads_to_its_cells_and_commit(support: str) -> None:
    """Three clicks: the claim, its seeds, the networks that it compares; cell and commit stand there."""
    block = found(r'<section class="claim" id="claim-Q1b">(.*?)</section>', support, re.S)
    for network in re.findall(r'href="#net-([^"]+)"', block):
        row = found(rf'<tr id="net-{re.escape(network)}">(.*?)</tr>', support, re.S)
        assert re.search(r"<code>[0-9a-f]{16}", row)
    assert 'href="#net-bn-5-1-' in block and 'href="#net-none-5-1-' in block
    assert "commit <code>0123abcd</code>" in support


KIND = "(Line plot|Dot plot|Scatter plot|Kaplan-Meier curves)"


def test_findings_and_figures_know_each_other(kernels: Path) -> None:
    """Every finding of the claims file is the title of a figure, and every figure bound to a claim has a finding.

    For those who cannot see it, a figure names its kind, its subject, its title, its arms and seeds, and numbers.
    """
    pictures = [
        output["data"][FIGURE]
        for name in NOTEBOOKS
        for cell in json.loads((kernels / "notebooks" / f"{name}.ipynb").read_text())["cells"]
        for output in cell.get("outputs", [])
        if FIGURE in output.get("data", {})
    ]
    bound = {picture["id"]: picture for picture in pictures if picture["claim"]}
    findings = json.loads((kernels / "findings.json").read_text())
    assert set(bound) == set(findings)
    for name, picture in bound.items():
        title, told = picture["title"], findings[name]
        subject, caption, _ = picture["caption"].partition(told["caption"])  # no subject where it is the title
        assert told["title"] in ("", title) and caption
        assert re.match(rf"{KIND}: {re.escape(subject + title)}\. .*n = 12\. .*\d", picture["alt"]), picture["alt"]


def first_screen(text: str) -> list[str]:
    """Return the words of the first screen, those of its pictures as well."""
    header = found(r'<header class="first"(.*?)</header>', text, re.S)
    words = html.unescape(re.sub(r"<[^>]+>", " ", header)).split()
    return [word for word in words if re.search("[A-Za-z]", word)]


def test_the_first_screen_is_short_and_has_a_picture_for_each_question(support: str, oppose: str) -> None:
    for text in (support, oppose):
        assert len(cards(text)) == 4 and all(card.count('<svg class="mini"') == 1 for card in cards(text))
        told = re.sub(r"<svg.*?</svg>", " ", text, flags=re.S)
        assert len(first_screen(told)) <= 160


def test_every_card_turns_with_its_verdicts_and_tables(support: str, oppose: str, swapped: str) -> None:
    for one, other, turned in zip(cards(support), cards(oppose), cards(swapped), strict=True):
        assert one != other and one != turned
        alt = [found(r'class="mini"[^>]*aria-label="([^"]*)"', card) for card in (one, turned)]
        assert alt[0] != alt[1]


def test_a_story_has_its_parts_in_order_and_its_evidence_folded(support: str) -> None:
    for question in ("q1", "q2", "q3", "q4"):
        story = found(rf'<section class="story" id="{question}">(.*?)\n</section>', support, re.S)
        parts = ("<blockquote", "<fieldset", "<figure", 'class="mechanism"', 'class="argument"', 'class="lecture"',
            'class="unclear"', '<details class="evidence">', 'class="claim"')  # fmt: skip
        places = [story.index(part) for part in parts]
        assert places == sorted(places), question
        told = story[: story.index('<details class="evidence">')]
        assert told.count("<figure") <= 3 and 'href="#claim-' in told and re.search(r"check E\d+", told)
        assert story.count("<details") == story.count("</details>")


def test_a_claim_shows_every_setting_with_its_own_ruler(support: str, kernels: Path) -> None:
    blocks = dict(re.findall(r'<section class="claim" id="claim-(\w+)">(.*?)</section>', support, re.S))
    for claim in Results(kernels).claims.values():
        assert blocks[claim.id].count('class="ruler"') == len(claim.settings)
        for setting in claim.settings:
            assert escape(setting.label) in blocks[claim.id]


def test_the_scorecard_sorts_by_what_each_setting_shows(kernels: Path) -> None:
    claim = next(iter(Results(kernels).claims.values()))
    less = replace(claim.settings[0], unit="ln times", sesoi=0.5, estimate=-2.0)
    points = replace(claim.settings[0], unit="points", sesoi=10.0, estimate=20.0)
    assert strength(replace(claim, region="less", settings=(less,))) == 4.0
    assert strength(replace(claim, region="more", settings=(points,))) == 2.0
    assert strength(replace(claim, region="more", settings=(replace(less),))) == -4.0


def test_identities_are_those_of_the_claims_file(support: str) -> None:
    section = support[support.index("What holds by arithmetic") : support.index("Confounds")]
    for identity in FILED.identities:
        assert escape(identity.text) in section and f'href="#claim-{identity.claims[0]}"' in section


def test_figure_text_is_legible_on_a_phone(support: str) -> None:
    """On a page 390 pixels wide, 16 of them margin on either side."""
    pictures = re.findall(r'<div class="narrow".*?</svg>', support, re.S)
    assert len(pictures) == len(figures(support))
    of_class = dict(re.findall(r"\.(s\d+) \{[^}]*font-size: ?([\d.]+)px", support))
    for picture in pictures:
        scale = (390 - 2 * 16) / float(found(r'viewBox="0 0 ([\d.]+)', picture))
        sizes = re.findall(r"font-size: ?([\d.]+)px", picture)
        sizes += [of_class[name] for name in re.findall(r'class="(s\d+)"', picture) if name in of_class]
        assert sizes and min(map(float, sizes)) * scale >= 11


def test_what_would_change_a_verdict(kernels: Path) -> None:
    claim = next(iter(Results(kernels).claims.values()))
    row = replace(
        claim.settings[0], label="at 5 layers", unit="points", region="more", n_seeds=16, sesoi=2.0, verdict="supported",
        estimate=4.0, ci_low=3.0, ci_high=5.0, stability=0.9975,
    )  # fmt: skip
    within = {"region": "within", "estimate": 0.5, "ci_low": 0.0, "ci_high": 1.5, "stability": None}
    times = {"unit": "ln times", "region": "less", "estimate": -4.0, "ci_low": -5.0, "ci_high": -2.0 - np.log(3)}
    assert turns(row) == "the interval is 1 points away from where the verdict would change; 99% of draws agree"
    assert turns(replace(row, **within)).endswith("0.5 points away from where the verdict would change")  # type: ignore[arg-type]
    assert "a factor of 3 away" in turns(replace(row, **times))  # type: ignore[arg-type]
    against = replace(row, verdict="contradicted", detail="opposite", margin=0.0)
    against = replace(against, estimate=-5.0, ci_low=-9.0, ci_high=-3.5)
    far = "the interval is 5.5 points away from where the verdict would change, and {} from where “{}” would; 99% of draws agree"
    assert turns(against) == far.format("1.5 points", "the opposite")
    less = replace(against, region="less", ci_low=3.5, ci_high=9.0)
    assert turns(less) == far.format("1.5 points", "the opposite")
    small = replace(against, detail="negligible", ci_low=-0.5, ci_high=1.0)
    assert "1 points away" in turns(small) and "and 1.5 points from where “too small to matter” would" in turns(small)
    assert turns(replace(row, verdict="open", seeds_to_decide=45)) == "about 45 seeds would decide it"
    assert turns(replace(row, verdict="open")) == "more seeds or a longer budget would decide it"

    def said(verdict: str, **changed: Any) -> str:
        return change(replace(claim, **{"verdict": verdict, "settings": (row,), "stability": 1.0, **changed}))

    assert said("mixed") == "Of 400 draws of these seeds anew, 100% give the same verdict."
    assert said("inconclusive", stability=None, seeds_to_decide=64).endswith("it would take about 64 to decide it.")
    assert "more than 1,000" in said("inconclusive") and said("supported", stability=None) == ""
    assert "add the missing arms" in said("not tested")


def test_a_kernel_needs_no_home_and_no_path(kernels: Path, tmp_path: Path) -> None:
    """As on a cluster node: no PATH, no HOME, nothing registered; the kernel is this interpreter's."""
    call = f"from pathlib import Path; from bnstudy.pipeline.notebook import execute; execute(Path('report/methods.ipynb'), {{'study': {str(kernels)!r}}}, Path({str(tmp_path / 'm.ipynb')!r}))"
    scene = {"PYTHONPATH": str(ROOT / "src"), "HOME": "/nonexistent", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    subprocess.run([sys.executable, "-c", call], env=scene, cwd=ROOT, check=True, capture_output=True)
    assert "E5" in (tmp_path / "m.ipynb").read_text()


def test_table_frames_keep_the_arm_called_none(kernels: Path) -> None:
    results = Results(kernels)
    assert set(results.at("convergence", target=0.5)["arm"]) >= {"none", "bn"}
    assert results.table("nothing").empty and results.seeds == 12 and results.targets == [0.5, 0.25]
    assert results.at("drift")["gain"].unique().tolist() == [1.0]
