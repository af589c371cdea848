"""The page in a real browser, at the widths of a desk and of a phone: nothing overlaps, nothing is fetched, it prints.

The page is that of a made study, or the file that the environment variable BNSTUDY_PAGE names.
"""

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

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
