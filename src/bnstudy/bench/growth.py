"""How time and memory grow with a study: ``python -m bnstudy.bench.growth`` writes docs/growth.md and docs/growth.svg.

Every point is one fresh process, measured by what the system says it used when it ended.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bnstudy.bench.fresh import one_setting, train
from bnstudy.bench.growth_page import Point, Sizes, figure, page
from bnstudy.bench.machine import fresh, used
from bnstudy.core import store


def points(sizes: Sizes, folder: Path) -> Iterator[Point]:
    """Measure one point after another; ``folder`` is for what the processes write."""
    data = str(folder / "images.npz")
    fresh("images", [(data,)])
    studies = {
        "seeds": {n: one_setting(5, sizes.steps, n) for n in sizes.seeds},
        "depth": {n: one_setting(n, sizes.steps) for n in sizes.depth},
        "width": {n: one_setting(5, sizes.steps, width=n) for n in sizes.width},
    }
    for grown, study in studies.items():
        for size, config in study.items():
            subfolder = folder / f"{grown}{size}"
            subfolder.mkdir()
            yield Point(grown, size, train(config, data, subfolder))
    for settings in sizes.settings:
        yield plan(settings, folder / f"settings{settings}")
    for rows in sizes.rows:
        yield summarize(rows, folder / f"rows{rows}")


def plan(settings: int, folder: Path) -> Point:
    """Measure how Snakemake plans a study without running it, from the project's folder."""
    from bnstudy.bench import generated

    study = generated.config(settings)
    store.write_json(folder / "study.yaml", study.model_dump(mode="json", exclude_none=True))
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "--nolock", "--configfile"]
    return Point("cells", generated.cells(study), used([*command, str(folder / "study.yaml")], Path()))


def summarize(rows: int, folder: Path) -> Point:
    """Measure the job that turns what the measures found into tables."""
    folder.mkdir()
    command = [sys.executable, "-m", "bnstudy.bench.generated", str(rows), str(folder)]
    written = subprocess.run(command, check=True, capture_output=True)
    return Point("rows", rows, used([sys.executable, "-m", "bnstudy", *json.loads(written.stdout)], folder))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bnstudy.bench.growth", description=__doc__)
    parser.parse_args()
    sizes, measured, old = Sizes(), [], Path("docs/growth.md")
    with tempfile.TemporaryDirectory(prefix="bnstudy-growth-") as folder:
        for point in points(sizes, Path(folder)):
            measured.append(point)
            seconds, gib = point.used
            print(f"{point.grown:8}{point.size:>10,}{seconds:9.1f} s{gib:7.2f} GiB", file=sys.stderr, flush=True)
    by_hand = "".join(old.read_text().partition("\n## On one card")[1:])  # of a card, which this machine may not have
    old.with_suffix(".svg").write_text(figure(measured))
    old.write_text(page(measured, sizes) + by_hand)


if __name__ == "__main__":
    main()
