"""The static site: every page is there, and every link arrives."""

import re
import shutil
from pathlib import Path

import pytest

from bnstudy.pipeline import site
from helpers import project, synthetic
from helpers.pages import here, study


def test_every_page_is_there_and_every_link_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.copy(tmp_path)
    shutil.copy(project.ROOT / "README.md", tmp_path)
    one = tmp_path / "results/reference/one"
    study(one, synthetic.tables("support", seeds=12, thin=True), seeds=12)
    shutil.copytree(one, one.with_name("other"))
    monkeypatch.setattr(
        site, "execute", lambda notebook, told, out: shutil.copy(here(Path(told["study"]), [notebook.stem])[0], out)
    )
    (tmp_path / "site").mkdir()
    (tmp_path / "site/old.html").touch()
    site.site(tmp_path, tmp_path / "site")
    pages = {file.name: file.read_text() for file in (tmp_path / "site").glob("*.html")}
    docs = {f"{file.stem}.html" for file in (tmp_path / "docs").glob("*.md")}
    assert set(pages) == {"index.html", "config.html", "study_one.html", "study_other.html"} | docs
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    for name, text in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            file, _, anchor = link.partition("#")
            if "//" in file or file.startswith("data:"):
                continue
            assert (tmp_path / "site" / (file or name)).is_file(), (name, link)
            assert not anchor or anchor in ids[file or name], (name, link)
    norm = (tmp_path / "site/api/bnstudy/arms/base.html").read_text()
    assert 'id="Norm"' in norm
    assert "findings.html" in pages["index.html"] and "study_one.html" in pages["teaching.html"]
