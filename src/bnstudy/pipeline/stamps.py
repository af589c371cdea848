"""The code that each kind of job's result depends on: its modules and their digest as planned (see fingerprints.stamp)."""

import ast
import json
from pathlib import Path

from bnstudy.core.fingerprints import imported, stamp

ARMS = [f"bnstudy.arms.{arm}" for arm in ("none", "bn", "bn_frozen")]
FIXED = {
    "choose": ["bnstudy.pipeline.jobs"],
    "summarize": ["bnstudy.pipeline.tables"],
    "checks": ["bnstudy.checks.run", "bnstudy.checks.coverage", "bnstudy.nets.mlp", *ARMS],
    "claims": ["bnstudy.pipeline.verdicts"],
    "report": ["bnstudy.report.page.build", "bnstudy.pipeline.provenance"],
}
"""The modules of stages whose jobs are the same in every study."""


def images(source: str) -> str:
    """Return that of preparing the images of a source."""
    return stamp("bnstudy.data.prepare", f"bnstudy.data.{source}")


def notebook(name: str) -> str:
    """Return that of what a notebook draws with: the modules that its cells import."""
    cells = json.loads(Path(f"report/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return stamp("bnstudy.pipeline.notebook", *imported(ast.parse(text)))
