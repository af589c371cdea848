"""The page: one file made of the executed notebooks; it opens from disk and asks the network for nothing."""

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import mistune

from bnstudy import store
from bnstudy.show import MARKS

PACKAGES = (
    "torch",
    "snakemake",
    "numpy",
    "pandas",
    "scipy",
    "seaborn",
    "matplotlib",
    "papermill",
    "pydantic",
)


def provenance(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """What made the report: config and its hash, versions, platform, commit, and how many cells were trained."""
    stages = [json.loads(p.read_text()) for s in ("sweep", "evaluate") for p in (folder / s).glob("*.json")]
    rows = [r for s in stages for r in s["rows"]]
    targets = {r["target"] for r in rows}
    return {
        "config": config,
        "config_sha256": store.key(config),
        "versions": {name: version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain")),
        "runs": len(rows) // max(len(targets), 1),
        "diverged": sum(r["diverged_at"] is not None for r in rows) // max(len(targets), 1),
        "cells_trained": sum(s["trained"] for s in stages),
        "cells_reused": sum(len(s["cells"]) - s["trained"] for s in stages),
    }


def build(folder: Path, notebooks: list[Path], template: Path, config: dict[str, Any], out: Path) -> None:
    """Write provenance.json and the page. Raises ValueError for a notebook output that the page would drop."""
    made = provenance(folder, config)
    store.write_json(folder / "provenance.json", made)
    claims = json.loads((folder / "claims.json").read_text())
    answers = json.loads((folder / "answers.json").read_text())
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    page = environment.from_string(template.read_text()).render(
        sections=[(p.stem, body(p)) for p in notebooks], claims=claims, answers=answers, marks=MARKS, made=made,
        seeds=config["seeds"]["evaluation"], title=config["title"],
        config=json.dumps(config, indent=1),
    )  # fmt: skip
    out.write_text(page, encoding="utf-8")


def body(notebook: Path) -> str:
    """The markdown and HTML of an executed notebook, in order."""
    parts: list[str] = []
    markdown = mistune.create_markdown(escape=False, plugins=["table"])
    for number, cell in enumerate(json.loads(notebook.read_text())["cells"], 1):
        if cell["cell_type"] == "markdown":
            parts.append(str(markdown("".join(cell["source"]))))
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get("text/html")
            if content is None:
                raise ValueError(f"{notebook}, cell {number}: output {output['output_type']} has no place on the page")
            parts.append("".join(content))
    return "\n".join(parts)


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # not a checkout, or no git: the report says so by an empty commit
