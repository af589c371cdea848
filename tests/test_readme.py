"""What a stranger reads first is true: its findings are the study's, its commands and its links are there."""

import json
import re

from helpers.project import ROOT

README = (ROOT / "README.md").read_text()
ANSWERS = json.loads((ROOT / "results/reference/default/answers.json").read_text())


def test_the_findings_are_those_of_the_page() -> None:
    """If this fails: these are the lines that belong under "What it finds"."""
    cards = [row["card"] for row in ANSWERS if row["card"]]
    lines = "\n".join(f"- *{card['asked']}* {card['finding']}" for card in cards)
    assert len(cards) == 4
    assert lines in README, lines


def test_it_is_short_and_begins_with_words() -> None:
    assert len(README.splitlines()) <= 80
    before = README.partition("    make quick")[0]
    assert not re.search(r"\d+(\.\d+)? (times|points|sd)\b|\bto \d", before), "intervals stand in docs/findings.md"


def test_links_lead_somewhere_and_folders_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for name in re.findall(r"^\| `([^`]+)`", README, re.MULTILINE):
        assert (ROOT / name).exists(), name
    table = README.partition("## Where things are")[2]
    for name in re.findall(r"`([a-z]+)`", table):
        assert (ROOT / "src/bnstudy" / name).exists(), name


def test_the_pictures_are_small() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures and sum((ROOT / name).stat().st_size for name in pictures) <= 300_000


def test_its_commands_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^ {4}|`)make (\w+)", README, re.MULTILINE)) <= targets
