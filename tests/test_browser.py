"""The page in a real browser, at the widths of a desk and of a phone: nothing overlaps, nothing is fetched, it prints.

The page is that of a made study, or the file that the environment variable BNSTUDY_PAGE names; BNSTUDY_AXE names axe.min.js
of the package axe-core.
"""

import csv
import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from bnstudy.report import show
from helpers import synthetic
from helpers.pages import page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = [1280, 390]
OVERLAPS = """() => [...document.querySelectorAll("svg")].flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  const seen = texts.filter(([said, box]) => said.trim() && box.width > 0), found = [];
  seen.forEach(([a, x], i) => seen.slice(i + 1).forEach(([b, y]) => {
    const across = Math.min(x.right, y.right) - Math.max(x.left, y.left);
    const down = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
    if (across > 1 && down > 3) found.push((svg.closest("figure, article")?.id || svg.getAttribute("aria-label") || "") + ": " + a + " over " + b);
  }));
  return found;
})"""
"""Pairs of texts of one picture that lie on each other; a line's box is 3 pixels higher than its letters."""
OUTSIDE = """() => [...document.querySelectorAll("svg")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && (box.right > frame.right + 2 || box.left < frame.left - 2);
  }).map(text => (svg.closest("figure, article")?.id || svg.getAttribute("aria-label")) + ": " + text.textContent);
})"""

SMALL = """() => [...document.querySelectorAll("button, summary, select, nav a, .toy label, .map a, input[type=range], figcaption a")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.width < 44 || box.height < 44);
}).map(one => one.tagName + " " + one.textContent.slice(0, 40))"""
"""What one touches and is smaller than a finger, 44 pixels; links inside a sentence or a cell are not asked for."""
HIDDEN = "() => [...document.querySelectorAll('.frame')].filter(frame => !frame.getBoundingClientRect().height).length"
"""How many frames of the toys are not seen."""


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Start Debian's Chromium, or another one of the PATH."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium on the PATH; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page to look at; drawn in this process."""
    if named := os.environ.get("BNSTUDY_PAGE"):
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("browser")
    page(folder, synthetic.tables("support", seeds=10, grids=True), show._pictures, seeds=10, hangs=True)
    return folder / "report.html"


def opened(browser: "Browser", file: Path, width: int, place: str = "") -> "Page":
    """Return the page at a width, everything unfolded."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(f"file://{file}{place}")
    if not place:
        tab.evaluate("() => document.querySelectorAll('details').forEach(folded => folded.open = true)")
    return tab


@pytest.mark.parametrize("width", WIDTHS)
def test_no_texts_overlap_in_any_figure(browser: "Browser", file: Path, width: int) -> None:
    tab = opened(browser, file, width)
    tab.evaluate("() => document.querySelectorAll('.frame').forEach(frame => frame.hidden = false)")
    assert tab.evaluate(OVERLAPS) == []
    assert tab.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways_but_named_frames(browser: "Browser", file: Path, width: int) -> None:
    tab = opened(browser, file, width)
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
    assert tab.evaluate("() => [...document.querySelectorAll('.scroll:not([aria-label])')].length") == 0


def test_it_fetches_only_itself_and_complains_of_nothing(browser: "Browser", file: Path) -> None:
    tab, asked, said = browser.new_page(), list[str](), list[str]()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(f"file://{file}")
    assert [url for url in asked if not url.startswith("data:")] == [f"file://{file}"]
    assert said == []


def test_the_first_screen_is_seen_at_once(browser: "Browser", file: Path) -> None:
    """All four findings with their pictures above the fold of a desk, two by two; one below the other on a phone."""
    boxes = "() => [...document.querySelectorAll('article')].map(card => card.getBoundingClientRect().toJSON())"
    wide = opened(browser, file, 1280).evaluate(boxes)
    assert [box["left"] for box in wide[:2]] == [box["left"] for box in wide[2:]] and wide[0]["left"] < wide[1]["left"]
    assert max(box["bottom"] for box in wide) <= 900
    assert len({box["left"] for box in opened(browser, file, 390).evaluate(boxes)}) == 1


def test_the_first_printed_page_is_full(browser: "Browser", file: Path) -> None:
    from pypdf import PdfReader

    tab = opened(browser, file, 1280)
    printed = PdfReader(BytesIO(tab.pdf(format="A4", page_ranges="1"))).pages[0].extract_text()
    last = tab.evaluate("() => [...document.querySelectorAll('.stops')].pop().textContent")
    words = " ".join(printed.split())
    assert last.split(".")[0] in words and "How batch norm works" in words


def test_the_scorecard_sorts_numbers_with_their_signs(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280)
    keys = "() => [...document.querySelectorAll('section table tbody tr td:last-child[data-key]')].map(cell => +cell.dataset.key)"
    for order in (1, -1):
        tab.get_by_role("button", name="against the claim").click()
        numbers = tab.evaluate(keys)
        assert numbers == sorted(numbers, key=lambda number: order * number) and min(numbers) < max(numbers)


def test_a_guess_and_a_link_unfold_what_they_ask_for(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 390, "#q1")
    tab.locator("#q1 .guess input").first.check()
    assert tab.locator("#q1 .guess details p").first.is_visible()
    assert not tab.locator("#claim-Q1b").is_visible()
    tab.locator("#q1 .argument a.source").first.click()
    tab.wait_for_timeout(200)
    assert tab.locator("#claim-Q1b").is_visible()


def test_the_page_is_small(file: Path) -> None:
    assert file.stat().st_size <= 4e6


def test_what_one_touches_is_as_large_as_a_finger(browser: "Browser", file: Path) -> None:
    assert opened(browser, file, 390).evaluate(SMALL) == []


def test_without_scripts_every_frame_and_every_answer_is_seen(browser: "Browser", file: Path) -> None:
    with_scripts = opened(browser, file, 1280)
    toys, frames = len(with_scripts.query_selector_all(".toy")), len(with_scripts.query_selector_all(".frame"))
    assert toys >= 3 and with_scripts.evaluate(HIDDEN) == frames - toys
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(f"file://{file}")
    seen = [frame for frame in tab.query_selector_all(".frame") if frame.is_visible()]
    assert len(seen) == frames and all(frame.query_selector(".said").is_visible() for frame in seen)  # type: ignore[union-attr]
    assert all(answer.is_visible() for answer in tab.query_selector_all(".guess details p"))
    assert not tab.query_selector_all(".controls, .choices, dialog")


def test_controls_choose_the_frame_and_its_address(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280, "#toy-poke")
    seen = "() => [...document.querySelectorAll('#toy-poke .frame')].filter(one => !one.hidden).map(one => one.id)"
    first = tab.evaluate(seen)
    tab.locator("#toy-poke").get_by_role("radio", name="mean and spread").check()
    tab.locator("#toy-poke input[type=range]").press("ArrowRight")
    (then,) = tab.evaluate(seen)
    assert then.startswith("toy-poke-meanandspread-10") and [then] != first and tab.url.endswith("#" + then)
    (linked,) = opened(browser, file, 390, "#" + then).evaluate(seen)
    assert linked == then


def test_a_place_of_the_map_is_a_link_to_its_frame(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 390, "#toy-start")
    for link in tab.locator("#toy-start .map a").all():
        steps = (link.text_content() or "").split(" / ")
        link.click()
        tab.wait_for_function("id => !document.getElementById(id).hidden", arg=(link.get_attribute("href") or "")[1:])
        said = tab.locator("#toy-start .frame:visible .said").text_content() or ""
        assert steps[0].capitalize() + " without" in said and steps[1] + " with it" in said


def test_shaking_computes_what_the_frames_say(browser: "Browser", file: Path) -> None:
    """The script's arithmetic is that of the frames which stand without it; the normalized row never moves for those below."""
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"file://{file}")
    tab = opened(browser, file, 1280, "#toy-shake")
    for frame in plain.query_selector_all("#toy-shake .frame"):
        tab.evaluate("id => { location.hash = id }", frame.get_attribute("id"))
        said = (frame.query_selector(".said") or frame).text_content()
        tab.wait_for_function("said => document.querySelector('#toy-shake .said').textContent === said", arg=said)
        dots = [dots.get_attribute("d") for dots in frame.query_selector_all(".dots")]
        shown = "() => [...document.querySelectorAll('#toy-shake .frame:not([hidden]) .dots')].map(one => one.getAttribute('d'))"
        assert tab.evaluate(shown) == dots
    before = tab.evaluate(shown)
    slider = tab.locator("#toy-shake input[type=range]").first
    slider.press("End")
    after = tab.evaluate(shown)
    assert after[0] != before[0] and after[1:] == before[1:]


def test_three_clicks_from_a_number_to_its_cells(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280, "#q1")
    tab.locator("#q1 .argument a.source").nth(1).click()
    claim = tab.locator("#claim-Q1b")
    claim.locator(".seeds summary").first.click()
    claim.locator(".seeds[open] a").first.click()
    row = tab.locator("tr:target")
    assert row.is_visible() and len(row.locator("code").text_content() or "") >= 16
    assert "commit" in (tab.locator("#cells + p").text_content() or "")


def test_tables_and_pictures_can_be_kept(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280)
    figure = tab.locator("figure[id^=fig-]").first
    with tab.expect_download() as kept:
        figure.get_by_text("Data (CSV)").click()
    rows = list(csv.reader(kept.value.path().read_text().splitlines()))
    assert kept.value.suggested_filename.endswith(".csv") and len(rows) > 2 and len({len(row) for row in rows}) == 1
    with tab.expect_download() as kept:
        figure.get_by_text("Picture (SVG)").click()
    text = kept.value.path().read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg") and "var(" not in text and "fill:" in text


def test_the_scorecard_filters(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280)
    rows, whole = tab.locator("table[data-filter] tbody tr:visible"), tab.locator("table[data-filter] tbody tr").count()
    tab.get_by_label("by", exact=True).select_option("lecture")
    assert 0 < rows.count() < whole and all("lecture" in row for row in rows.all_text_contents())
    assert f"{rows.count()} of {whole} claims" in (tab.locator(".choices output").text_content() or "")


def test_the_theme_turns_and_a_figure_fills_the_screen(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 1280)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    tab.locator(".theme").click()
    assert tab.evaluate(ground) != light
    tab.locator("figure[id^=fig-] button").first.click()
    screen = tab.locator("dialog.screen")
    first = screen.locator("h2").text_content()
    assert (screen.locator("svg").bounding_box() or {"height": 0})["height"] > 500
    tab.keyboard.press("ArrowRight")
    assert screen.locator("h2").text_content() != first
    assert tab.evaluate(
        "() => new Set([...document.querySelectorAll('[id]')].map(one => one.id)).size === document.querySelectorAll('[id]').length"
    )
    tab.keyboard.press("Escape")
    assert not screen.is_visible()


def test_no_printed_page_is_nearly_empty(browser: "Browser", file: Path) -> None:
    """But the last of a section; a picture's page has few words."""
    from pypdf import PdfReader

    tab = opened(browser, file, 1280)
    pages = PdfReader(BytesIO(tab.pdf(format="A4"))).pages
    bare = [number for number, one in enumerate(pages, 1) if len(one.extract_text()) < 150]
    assert len(bare) <= 1, bare


@pytest.mark.skipif("BNSTUDY_AXE" not in os.environ, reason="BNSTUDY_AXE names no axe.min.js")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_axe_finds_no_serious_fault(browser: "Browser", file: Path, width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    tab = context.new_page()
    tab.goto(f"file://{file}")
    tab.evaluate(Path(os.environ["BNSTUDY_AXE"]).read_text() + "; 1")
    found = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []
