"""An executed notebook as HTML: its markdown, its HTML outputs, its figures; anything else is an error."""

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mistune

from bnstudy.report.page.blocks import FIGURE
from bnstudy.report.page.marks import scrolling
from bnstudy.report.page.templates import filled

EVIDENCE = "### Evidence"
"""The heading of a notebook below which everything is folded on the page."""
FOLD = '<details class="evidence"><summary>Evidence: further figures, every claim, how it was measured</summary>'


class Renderer(mistune.HTMLRenderer):
    """Markdown with formulas in TeX, set as MathML, and tables that scroll sideways by themselves."""

    def __init__(self) -> None:
        super().__init__(escape=False)

    def block_math(self, text: str) -> str:
        return scrolling("Formula", mathml(text, block=True))

    def inline_math(self, text: str) -> str:
        return mathml(text, block=False)

    def table(self, text: str) -> str:
        return scrolling("Table", f"<table>{text}</table>")


def mathml(tex: str, block: bool) -> str:
    """Return TeX as MathML.

    Raises:
        docutils.utils.math.MathError: a command is unknown.
    """
    from docutils.utils.math.latex2mathml import tex2mathml

    return tex2mathml(tex.strip(), as_block=block).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")


def body(notebook: Path) -> str:
    """Return the HTML of an executed notebook, cell by cell; what follows the heading "Evidence" is folded.

    Raises:
        ValueError: an output has no place on the page (printed text, errors, tables or pictures that did not come through
            `bnstudy.report.show`); the text names the notebook and the cell's number, from 1.
    """
    markdown = mistune.create_markdown(renderer=Renderer(), plugins=["table", "math"])
    parts: list[str] = []
    for index, cell in enumerate(json.loads(notebook.read_text(encoding="utf-8"))["cells"], 1):
        text = "".join(cell["source"])
        if text.strip() == EVIDENCE:
            parts.append(FOLD)
        elif cell["cell_type"] == "markdown":
            parts.append(str(markdown(text)))
        for output in cell.get("outputs", []):
            parts.append(_output(output, f"{notebook}, cell {index}"))
    return "\n".join(parts) + "</details>" * (FOLD in parts)


def figures(notebooks: Iterable[Path], folder: Path) -> None:
    """Write the figures of executed notebooks to a folder: ID.svg, and ID.rst, the title and caption in reStructuredText."""
    folder.mkdir(exist_ok=True)
    cells = (cell for path in notebooks for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    for data in (output.get("data", {}) for cell in cells for output in cell.get("outputs", [])):
        if figure := data.get(FIGURE):
            title, caption = (re.sub(r"([^\w\s]|_)", r"\\\1", figure[name]) for name in ("title", "caption"))
            (folder / f"{figure['id']}.svg").write_text(figure["wide"], encoding="utf-8")
            (folder / f"{figure['id']}.rst").write_text(f"**{title}**\n\n{caption}\n", encoding="utf-8")


def _output(output: dict[str, Any], place: str) -> str:  # an output as nbformat has it
    data = output.get("data", {})
    if FIGURE in data:
        return filled("figure.html", **data[FIGURE])
    # A value at the end of a cell is an accident, however well it may show in Jupyter.
    if output["output_type"] == "display_data" and "text/html" in data:
        return "".join(data["text/html"])
    if output.get("name") == "stderr":  # a library's warning, which is for whoever runs the notebook
        return ""
    said = output.get("text") or output.get("evalue") or ", ".join(data)
    raise ValueError(
        f"{place}: output {output['output_type']} has no place on the page ({html.unescape(''.join(said))[:200]!r}); "
        "show it with bnstudy.report.show, or don't print it"
    )
