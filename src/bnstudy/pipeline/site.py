"""A static site of what is committed: the page of each reference study, the findings, the documents, and the interfaces."""

import re
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path

import mistune

from bnstudy.pipeline.notebook import execute
from bnstudy.pipeline.plan import NOTEBOOKS
from bnstudy.report.figures.style import variables
from bnstudy.report.page.build import build
from bnstudy.report.page.walk import Renderer

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>{css}</style></head>
<body><div class="page"><nav aria-label="Contents"><ul>{links}</ul></nav><main><section>{body}</section></main></div></body></html>
"""


ALSO = ("bnstudy.claims.endpoints", "bnstudy.claims.records", "bnstudy.nets.base", "bnstudy.report.show")
"""Modules whose interfaces are shown though no example in the documents imports them."""


class Linked(Renderer):
    """Markdown whose links lead to other pages of the site, or to the net; a link to a file that is not there is its text."""

    def __init__(self, here: Path, places: dict[Path, str]) -> None:
        super().__init__()
        self.here, self.places = here, places

    def link(self, text: str, url: str, title: str | None = None) -> str:
        file, _, anchor = url.partition("#")
        target = self.places.get((self.here / file).resolve(), file if "//" in file or not file else None)
        return text if target is None else f'<a href="{escape(target + "#" * bool(anchor) + anchor)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f'<img alt="{escape(text)}" src="{self.places[(self.here / url).resolve()]}" style="max-width: 100%">'

    def heading(self, text: str, level: int, **attrs: object) -> str:
        return f'<h{level} id="{re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")}">{text}</h{level}>\n'


def site(project: Path, out: Path) -> None:
    """Write the site to the folder `out`, which is emptied: it can be published as it is.

    Args:
        project: The project's folder, with README.md, docs/, config/ and results/reference/.
        out: The folder to make.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    places = {project / "README.md": "index.html", project / "config/README.md": "config.html"}
    places |= {file: f"{file.stem}.html" for file in sorted((project / "docs").glob("*.md"))}
    pictures = {file: file.name for end in ("png", "svg") for file in (project / "docs").glob(f"*.{end}")}
    for file, name in pictures.items():
        shutil.copy(file, out / name)
    studies = sorted(file.parent for file in (project / "results/reference").glob("*/claims.json"))
    links = "".join(f'<li><a href="study_{study.name}.html">Study {study.name}</a></li>' for study in studies)
    links = f'<li><a href="index.html">Start</a></li>{links}<li><a href="api/index.html">Interfaces</a></li>'
    css = (resources.files("bnstudy.report.page") / "page.css").read_text(encoding="utf-8")
    css = css.replace("/*LIGHT*/", variables("light")).replace("/*DARK*/", variables("dark"))
    for file, name in places.items():
        markdown = mistune.create_markdown(renderer=Linked(file.parent, places | pictures), plugins=["table", "math"])
        body = str(markdown(file.read_text(encoding="utf-8")))
        title = escape(file.stem.replace("_", " "))
        (out / name).write_text(HEAD.format(title=title, css=css, links=links, body=body), encoding="utf-8")
    for study in studies:
        with tempfile.TemporaryDirectory() as folder:
            done = [Path(folder) / f"{name}.ipynb" for name in NOTEBOOKS]
            for notebook in done:
                execute(project / "report" / notebook.name, {"study": str(study)}, notebook)
            build(study, done, project / "docs/quiz.md", out / f"study_{study.name}.html")
    interfaces(list(places), out / "api")


def interfaces(documents: Sequence[Path], out: Path) -> None:
    """Write signatures and docstrings of ALSO, and of every module that an example in one of the documents imports."""
    import pdoc

    text = "\n".join(file.read_text(encoding="utf-8") for file in documents)
    pdoc.render.configure(docformat="google", footer_text="Batch normalization, cross-examined")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are imported for type checkers alone
        pdoc.pdoc(*sorted({*ALSO, *re.findall(r"from (bnstudy[\w.]+) import", text)}), output_directory=out)
