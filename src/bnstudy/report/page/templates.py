"""The page's templates, filled: what stands in them is escaped, but for the HTML that the functions of this folder make."""

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from bnstudy.claims.sentences import elsewhere
from bnstudy.core import words
from bnstudy.report.page import marks
from bnstudy.report.page.glossary import explained
from bnstudy.report.page.ruler import ruler


def filled(name: str, /, **values: object) -> str:
    """Return a template of this folder, filled.

    Raises:
        jinja2.UndefinedError: a value that it names is missing.
    """
    return TEMPLATES.get_template(name).render(values)


def whole(text: object) -> str:
    """Return a cell in which no line break parts an interval, "(4.3 to 7.5)"."""
    return re.sub(r"\((\S+) to (\S+)\)", "(\\1\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}\\2)", str(text))


TEMPLATES = Environment(
    loader=PackageLoader(__package__ or "", "."), undefined=StrictUndefined, autoescape=True, trim_blocks=True
)
TEMPLATES.filters |= {"whole": whole, "explained": explained}
TEMPLATES.globals |= {
    "download": marks.download, "elsewhere": elsewhere, "makers": marks.makers, "ruler": ruler, "sources": marks.sources,
    "verdict_words": marks.verdict_words, "words": words,
}  # fmt: skip
