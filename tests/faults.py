"""What a study survives, tried for real on the nano study: python tests/faults.py PART [--tries N]; it prints its counts.

The parts: kills, flips, edits, twins, folders, injections, configs. Each ends with status 1 where something does not hold.
"Same bytes" is claims.json, tables/* and the cells. docs/reliability.md says what is promised.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from helpers import project  # noqa: E402

NANO = "tests/nano.yaml"
TARGET = "results/nano/claims.json"
ODD = ["a b", "it's", "a;b", 'a"b', "a:b", "a$HOME", "a{x}b", "{b}", "\u00fcber", "$(touch pwned)"]
"""Names of folders for a project."""
COMMANDS = ["$(touch pwned)", "`touch pwned`", ";touch pwned;", "&touch pwned&", "|touch pwned|", "'$(touch pwned)'"]
"""What must never run; each is set into names in several ways."""
KINDS = [
    *(f"cells/*/{file}" for file in ("cell.json", "curve.npz", "final.npz", "measures/*.parquet")),
    *(f"nano/{stage}/*.{end}" for stage, end in (("data", "npz"), ("sweep", "json"), ("evaluate", "json"))),
    *(f"nano/{file}" for file in ("measure/*.json", "rates.json", "checks.json", "coverage.csv", "tables/*.csv")),
    "nano/claims.json",
]
"""Every kind of stored file that a number of the page rests on, in results/."""

Counts = dict[str, int]


def command(target: str = TARGET, config: str = NANO, cores: int = 2) -> list[str]:
    """Return the command that makes a target."""
    return [sys.executable, "-m", "snakemake", target, "--cores", str(cores), "--configfile", config]


def start(folder: Path, arguments: list[str], said: str = "said.log") -> subprocess.Popen[str]:
    """Start a command in a project's folder, in a process group of its own; what it says goes to the file ``said``."""
    log = open(folder / said, "w")
    environment = {**os.environ, "PYTHONPATH": "src"}  # relative: no path with a colon fits into it
    return subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=log, stderr=log, text=True, start_new_session=True
    )


def run(folder: Path, arguments: list[str]) -> tuple[int, str]:
    """Run a command in a project's folder; return its exit status and what it said."""
    status = start(folder, arguments).wait(1800)
    return status, (folder / "said.log").read_text(errors="replace")


def made(folder: Path, study: str = "nano") -> dict[str, bytes]:
    """Return the files of a finished study that must never differ."""
    results = folder / "results"
    cells = [p for p in (results / "cells").glob("*/*") if p.is_file()]
    files = [results / study / "claims.json", *(results / study / "tables").glob("[!.]*"), *cells]
    return {str(p.relative_to(results)).replace(f"{study}/", "study/"): p.read_bytes() for p in files if p.is_file()}


def numbers(folder: Path) -> dict[str, bytes]:
    """Return those that hold a number that somebody reads; a cell that nobody reads stays as it is until somebody does."""
    return {name: raw for name, raw in made(folder).items() if name.startswith("study/")}


def traceback(said: str) -> bool:
    """Return whether Python's own words reached the screen."""
    return "Traceback (most recent call last)" in said


def flip(path: Path, draw: random.Random) -> None:
    """Flip one bit of a file."""
    raw = bytearray(path.read_bytes())
    bit = draw.randrange(8 * len(raw))
    raw[bit // 8] ^= 1 << bit % 8
    mode = path.stat()
    path.unlink()  # a file that stands in two folders is damaged in one of them alone
    path.write_bytes(raw)
    os.utime(path, ns=(mode.st_atime_ns, mode.st_mtime_ns))


def flips(base: Path, tries: int, draw: random.Random, want: dict[str, bytes] | None = None) -> Counts:
    """Flip one bit of a file of each kind, then run the same command: until ``tries`` bits are flipped.

    Where claims and tables still stand nothing reads what they were made from, so those are taken away, or damaged too.
    """
    want = want or numbers(base)
    counts = {"bits flipped": 0, "runs": 0, "other numbers": 0, "tracebacks": 0, "dead ends": 0}
    while counts["bits flipped"] < tries:
        for kind in KINDS:
            files = [p for p in sorted((base / "results").glob(kind)) if ".damaged" not in str(p)]
            flip(draw.choice(files), draw)
            counts["bits flipped"] += 1
        for _ in range(3):  # a damage that shows late is made good by the same command once more
            status, said = run(base, command())
            counts["runs"] += 1
            counts["tracebacks"] += traceback(said)
            if status == 0:
                break
        counts["dead ends"] += status != 0
        counts["other numbers"] += numbers(base) != want
    return counts


def kills(base: Path, tries: int, draw: random.Random) -> Counts:
    """Kill a study at random moments, all its processes at once, and start it again by the same command until it ends."""
    want, counts = made(base), {"kills": 0, "studies": 0, "other bytes": 0, "cells trained twice": 0, "dead ends": 0}
    while counts["kills"] < tries:
        shutil.rmtree(base / "results/nano")
        shutil.rmtree(base / "results/cells")
        while True:
            running = start(base, command())
            before = {p: p.stat().st_mtime_ns for p in (base / "results/cells").glob("[!.]*/cell.json")}
            try:
                status = running.wait(draw.uniform(1, 20) if counts["kills"] < tries else 1800)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                counts["kills"] += 1
                continue
            finally:
                twice = [p for p, then in before.items() if not p.is_file() or p.stat().st_mtime_ns != then]
                counts["cells trained twice"] += len(twice)
            counts["dead ends"] += status != 0
            break
        counts["studies"] += 1
        found = {name: raw for name, raw in made(base).items() if "/.new-" not in name}
        counts["other bytes"] += found != want
    return counts


def edits(base: Path, tries: int, draw: random.Random) -> Counts:
    """Edit the optimizer while a study runs, put it back, and run again: nothing of the edited code may be stored."""
    want, counts = made(base), {"edits": 0, "stopped": 0, "other bytes": 0, "tracebacks": 0}
    file = base / "src/bnstudy/training/optim.py"
    text = file.read_text()
    while counts["edits"] < tries:
        shutil.rmtree(base / "results/nano")
        shutil.rmtree(base / "results/cells")
        running = start(base, command())
        time.sleep(draw.uniform(2, 12))
        file.write_text(text.replace("p.sub_(v)", "p.sub_(0.5 * v)") + "\nEDITED = 1\n")
        counts["edits"] += 1
        counts["stopped"] += running.wait() != 0
        counts["tracebacks"] += traceback((base / "said.log").read_text())
        file.write_text(text)
        run(base, command())
        found = made(base)
        counts["other bytes"] += any(found.get(name) != raw for name, raw in want.items())
    return counts


def twins(base: Path, tries: int, draw: random.Random) -> Counts:
    """Start two studies of different names at once in an empty folder, and one of them twice."""
    want, counts = made(base), {"pairs": 0, "died": 0, "other bytes": 0, "second starts told": 0}
    (base / "other.yaml").write_text((base / NANO).read_text().replace("study: nano", "study: other"))
    for _ in range(tries):
        shutil.rmtree(base / "results")
        first = start(base, command(cores=1), "first.log")
        time.sleep(draw.uniform(0, 2))
        second = start(base, command("results/other/claims.json", "other.yaml", cores=1), "second.log")
        time.sleep(3)
        status, said = run(base, command(cores=1))
        counts["second starts told"] += status == 1 and "is being made already" in said and not traceback(said)
        for study, log in ((first, "first.log"), (second, "second.log")):
            if study.wait():
                counts["died"] += 1
                print((base / log).read_text()[-5000:], file=sys.stderr, flush=True)
        counts["other bytes"] += (made(base) != want) + (made(base, "other") != want)
        counts["pairs"] += 1
    return counts


def folders(base: Path, tries: int, draw: random.Random) -> Counts:
    """Run the study from nothing in folders of odd names."""
    want, counts = made(base), {"folders": 0, "other bytes": 0, "failed": 0, "commands run": 0}
    for name in ODD[:tries]:
        folder = base.parent / "odd" / name
        folder.mkdir(parents=True)
        project.copy(folder, "tests")
        status, _ = run(folder, command())
        counts["failed"] += status != 0
        counts["other bytes"] += made(folder) != want
        counts["commands run"] += len(list(base.parent.rglob("pwned")))
        counts["folders"] += 1
        shutil.rmtree(folder)
    return counts


def injections(base: Path, tries: int, draw: random.Random) -> Counts:
    """Name files so that a shell that reads the name runs a command: the claims file, images, the config itself."""
    counts = {"injections": 0, "commands run": 0, "failed": 0, "tracebacks": 0}
    ways = [
        f"{before}{text}{after}" for before in ("", "x ", "{y}", '"', "'") for text in COMMANDS for after in ("", "}")
    ]
    nano = (base / NANO).read_text()
    for name in ways[:tries]:
        (base / "odd.yaml").write_text(nano.replace("claims: {", f"claims: {{file: {quoted(f'config/{name}.yaml')}, "))
        shutil.copy(base / "config/claims.yaml", base / "config" / f"{name}.yaml")
        status, said = run(base, command(config="odd.yaml"))
        counts["failed"] += status != 0
        counts["tracebacks"] += traceback(said)
        counts["commands run"] += len(list(base.rglob("pwned")))
        counts["injections"] += 1
    return counts


def quoted(text: str) -> str:
    """Return text as YAML has it in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def configs(base: Path, tries: int, draw: random.Random) -> Counts:
    """Read the wrong configs of the table, and ``tries`` that Hypothesis makes: each loads or is explained."""
    import json

    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    import test_config as table
    from bnstudy.config.study import StudyConfig, load_study, read_study

    counts = {"from the table": 0, "generated": 0, "explained": 0, "tracebacks": 0, "jobs started": 0}

    def tried(read: Callable[[], object]) -> None:
        try:
            read()
        except SystemExit as stop:
            counts["explained"] += isinstance(stop.code, str)
        except Exception:
            counts["tracebacks"] += 1

    for case in table.CASES.values():
        (base / "wrong.yaml").write_bytes(case["file"].encode(errors="surrogateescape"))
        tried(lambda: read_study(base / "wrong.yaml"))
        counts["from the table"] += 1

    @settings(max_examples=tries, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def generated(data: st.DataObject) -> None:
        config = json.loads(StudyConfig().model_dump_json())
        for _ in range(data.draw(st.integers(1, 3))):
            config = table._mutate(config, data)
        counts["generated"] += 1
        tried(lambda: load_study(config))

    generated()
    counts["jobs started"] = len(list((base / "results").glob("wrong*")))
    return counts


PARTS = {"kills": kills, "flips": flips, "edits": edits, "twins": twins, "folders": folders}
PARTS |= {"injections": injections, "configs": configs}
TRIES = {"kills": 30, "flips": 300, "edits": 3, "twins": 10, "folders": 10, "injections": 30, "configs": 1000}
BAD = ("other", "tracebacks", "dead ends", "died", "failed", "commands run", "trained twice", "jobs started")
"""Counts that must be 0, by words in their names."""


def fine(counts: Counts) -> bool:
    """Return whether all that must be 0 is."""
    return not any(number for name, number in counts.items() if any(word in name for word in BAD))


def main() -> None:
    """Run one part on a fresh copy of the project."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--tries", type=int, help="how many; " + ", ".join(f"{p} {n}" for p, n in TRIES.items()))
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn at random")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        base = Path(name) / "project"
        base.mkdir()
        project.copy(base, "tests")
        status, said = run(base, command()) if a.part != "configs" else (0, "")
        if status:
            raise SystemExit(said)
        counts = PARTS[a.part](base, a.tries or TRIES[a.part], random.Random(a.seed))
    print(f"{a.part}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
    raise SystemExit(not fine(counts))


if __name__ == "__main__":
    main()
