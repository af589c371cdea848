"""The whole way on the smallest study, and what an edit makes the workflow do again."""

import html
import json
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

import faults
from bnstudy.core.fingerprints import closure
from bnstudy.core.plugins import names
from bnstudy.report.results import COLUMNS
from helpers import project


def snakemake(folder: Path, *arguments: str) -> str:
    return project.snakemake(folder, *arguments, "--configfile", "tests/nano.yaml")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the nano study has been run."""
    folder = tmp_path_factory.mktemp("study")
    project.copy(folder, "tests")
    snakemake(folder, "--cores", "2")
    return folder


def cells(folder: Path) -> set[str]:
    return {p.name for p in (folder / "results/cells").iterdir()}


def test_it_goes_all_the_way(study: Path) -> None:
    claims = json.loads((study / "results/nano/claims.json").read_text())
    page = (study / "results/nano/report.html").read_text()
    assert {c["question"] for c in claims} == {"Q1", "Q2", "Q3", "Q4", "U"}
    assert all(f'id="claim-{c["id"]}"' in page and c["verdict"] in page for c in claims)
    assert "https://" not in page.split("</style>")[0] and 'src="http' not in page
    assert sum(json.loads(p.read_text())["trained"] for p in indexes(study)) == len(cells(study)) > 0
    tested = {c["id"] for c in claims if c["verdict"] != "not tested"}
    assert tested >= set("Q1a Q1b Q1g Q2a Q2b Q2c Q2d Q2f Q3a Q3i Q4b Q4g U1 U4 U6".split())


def test_the_linter_finds_nothing_but_the_lack_of_an_environment_a_rule() -> None:
    """One environment serves all rules: the one that `make` sets up."""
    said = project.python(project.ROOT, "-m", "snakemake", "--lint").stderr
    found = re.findall(r"^\s+\* (.*)", said, re.MULTILINE)
    assert found and set(found) == {"Specify a conda environment or container for each rule.:"}, said


@pytest.mark.parametrize("arm", names("arms", "build"))
@pytest.mark.parametrize("net", names("nets", "build"))
def test_training_depends_on_no_other_part(arm: str, net: str) -> None:
    found = closure("bnstudy.training.train", f"bnstudy.arms.{arm}", f"bnstudy.nets.{net}")
    assert {name.split(".")[1] for name in found} <= {"core", "data", "arms", "nets", "training"}
    core, arms = ({n.split(".")[2] for n in found if n.startswith(f"bnstudy.{part}.")} for part in ("core", "arms"))
    assert core <= set("cell names rng setting store".split())
    assert arms <= {arm, *"base find guest bn none noise bn_noisy once".split()}


@pytest.mark.parametrize("measure", names("measures", "measure"))
def test_a_word_for_readers_measures_nothing_again(measure: str) -> None:
    assert "bnstudy.core.words" not in closure(f"bnstudy.measures.{measure}")


def test_plan_counts_what_is_stored(study: Path) -> None:
    said = project.python(study, "-m", "bnstudy", "plan", "--config", "tests/nano.yaml").stdout
    stored, wanted = map(int, re.findall(r"\d+", said)[:2])
    assert 0 < stored == wanted <= len(cells(study)) and "about 0.0 min" in said, said


def test_checks_and_findings_are_written(study: Path) -> None:
    checks = json.loads((study / "results/nano/checks.json").read_text())
    assert {c["id"] for c in checks} == {f"E{i}" for i in range(1, 20)} and all(c["passed"] for c in checks)
    assert (study / "results/nano/tables/shift_size.csv").read_text().count("\n") == 1 + 8 * 5
    assert json.loads((study / "results/nano/findings.json").read_text())


def test_tables_have_the_columns_that_figures_use(study: Path) -> None:
    paths = [study / f"results/nano/tables/{name}.csv" for name in COLUMNS]
    read = {path.stem: set(pd.read_csv(path, nrows=0)) for path in paths if path.exists()}
    assert {name: set(COLUMNS[name]) - columns for name, columns in read.items()} == dict.fromkeys(read, set())
    assert {"rates", "sweep", "convergence", "curves", "shift"} <= set(read)


def test_the_number_of_cores_changes_no_byte(study: Path, tmp_path: Path) -> None:
    def results(folder: Path) -> dict[str, bytes]:
        files = [folder / "results/nano/claims.json", *(folder / "results/nano/tables").iterdir()]
        return {p.name: p.read_bytes() for p in files}

    for name in (*project.FOLDERS, "tests"):
        shutil.copytree(study / name, tmp_path / name)
    shutil.copy(study / "Snakefile", tmp_path)
    project.checked(tmp_path, study)
    snakemake(tmp_path, "results/nano/claims.json", "--cores", "1")
    assert results(tmp_path) == results(study)


def test_one_process_has_the_same_bytes_and_goes_on(study: Path, tmp_path: Path) -> None:
    """All stages without Snakemake; what is there is not made again."""

    def results(folder: Path) -> dict[str, bytes]:
        files = [folder / "results/nano/claims.json", *(folder / "results/nano/tables").iterdir()]
        return {p.name: p.read_bytes() for p in files if p.name[0] != "."}  # without Snakemake's own stamp

    shutil.copytree(study / "config", tmp_path / "config")
    shutil.copy(study / "tests/nano.yaml", tmp_path)
    project.checked(tmp_path, study)

    def run(*options: str) -> str:
        done = project.python(tmp_path, "-m", "bnstudy", "run", "--config", "nano.yaml", *options, project=study)
        assert done.returncode == 0 or "--minutes" in options, done.stderr
        return done.stderr

    assert "Run again" in run("--minutes", "0")
    run("--cores", "2")
    assert results(tmp_path) == results(study)
    (tmp_path / "results/nano/rates.json").unlink()
    again = run()
    assert "choose" in again and "sweep" not in again and results(tmp_path) == results(study)
    made = json.loads((tmp_path / "results/nano/provenance.json").read_text())
    assert made["device"] == made["versions"]["torch"].split("+")[0]
    assert made["cells_trained"] and "choose" in made["stages"]


@pytest.mark.parametrize("command", ["--unlock", "--summary", "--dag"])
def test_what_starts_no_job_needs_no_number_of_cores(study: Path, command: str) -> None:
    assert ("digraph" in snakemake(study, command)) == (command == "--dag")


def test_the_report_of_snakemake_holds_the_page_the_claims_and_the_figures_with_their_captions(study: Path) -> None:
    snakemake(study, "--report", "all.html")
    held = re.findall(r'"results/nano/([^"]+)": \{.*?"caption": ("(?:[^"\\]|\\.)*")', (study / "all.html").read_text())
    captions = {name: html.unescape(re.sub("<[^>]+>", "", json.loads(text))) for name, text in held}
    page = (study / "results/nano/report.html").read_text()
    figures = re.findall(r'<figure id="fig-([^"]+)">\s*<h4>(.*?)</h4>.*?<figcaption>(.*?)<div>', page, re.DOTALL)
    expected = {f"figures/{id}.svg": html.unescape(f"{title}\n{caption}\n") for id, title, caption in figures}
    assert len(expected) >= 2
    assert {name: text for name, text in captions.items() if name in expected} == expected
    assert set(captions) == {"report.html", "claims.json", "contrasts.csv", *expected} and all(captions.values())


def test_what_is_damaged_is_named_and_made_again_by_the_same_command(study: Path, tmp_path: Path) -> None:
    """One bit in a file of every kind, a cell without its cell.json, and a table that is gone."""
    shutil.copytree(study, tmp_path / "a")
    base, want = tmp_path / "a", faults.numbers(study)
    index = json.loads((base / "results/nano/evaluate/bn_mlp_d2to3.json").read_text())["cells"]
    (base / "results/cells" / index[0]["cell"] / "cell.json").unlink()
    (base / "results/nano/tables/drift.csv").unlink()
    counts = faults.flips(base, 1, random.Random(0), want)
    said = (base / "said.log").read_text()
    assert counts["bits flipped"] == len(faults.KINDS) and faults.fine(counts), (counts, said)
    named = ("nano/tables", "nano/rates.json", "nano/claims.json", "cells/")  # of a folder what differs first
    assert counts["runs"] == 1 and all(f"results/{name}" in said for name in named), said


def test_nothing_in_a_name_is_a_command(study: Path, tmp_path: Path) -> None:
    """Neither in that of the project's folder nor in that of the claims file."""
    base = tmp_path / 'it\'s a "b";c $HOME {x} $(touch pwned) :\u00fc'
    shutil.copytree(study, base)
    counts = faults.injections(base, 1, random.Random(0))
    assert faults.fine(counts) and not list(tmp_path.rglob("pwned")), (counts, (base / "said.log").read_text())
    assert "rule claims" in (base / "said.log").read_text()


@contextmanager
def added(file: Path, text: str) -> Iterator[None]:
    """Add a line to a file of the study, and take it away again."""
    before = file.read_text()
    file.write_text(f"{before}\n{text}\n")
    yield
    file.write_text(before)


def test_a_comment_in_the_trainer_and_a_new_arm_file_change_nothing(study: Path) -> None:
    arm = study / "src/bnstudy/arms/rms.py"
    arm.write_text((study / "src/bnstudy/arms/affine.py").read_text())
    with added(study / "src/bnstudy/training/train.py", "# a remark"):
        plan = snakemake(study, "-n")
    arm.unlink()
    assert "Nothing to be done" in plan


def test_a_line_of_code_in_the_trainer_trains_again(study: Path) -> None:
    with added(study / "src/bnstudy/training/train.py", "EDITED = 1"):
        plan = snakemake(study, "-n")
    assert "sweep" in plan and "evaluate" in plan


def test_a_figure_redraws_only(study: Path) -> None:
    with added(study / "src/bnstudy/report/figures/surface.py", "EDITED = 1"):
        plan = snakemake(study, "-n", "--quiet", "rules")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", plan, re.MULTILINE))
    assert counts == {"all": "1", "notebook": "1", "report": "1", "total": "3"}, plan


@pytest.fixture
def nano(study: Path) -> Iterator[Path]:
    """The config of the nano study, put back afterwards."""
    path = study / "tests/nano.yaml"
    text = path.read_text()
    yield path
    path.write_text(text)


def indexes(study: Path) -> list[Path]:
    """What the training jobs of all studies wrote."""
    return [p for stage in ("sweep", "evaluate") for p in study.glob(f"results/*/{stage}/*.json")]


def retrained(study: Path) -> dict[str, int]:
    """Trains what the edited config lacks; cells trained by job and stage, from jobs that ran again."""
    before = {p: p.stat().st_mtime_ns for p in indexes(study)}
    snakemake(study, "--until", "evaluate", "--cores", "2")
    files = [p for p in indexes(study) if before.get(p) != p.stat().st_mtime_ns]
    return {f"{p.parent.name} {p.stem}": json.loads(p.read_text())["trained"] for p in files}


def test_what_is_new_alone_is_trained(study: Path, nano: Path) -> None:
    """A rate, a depth, an arm and a block of seeds more: networks that were there train at that rate and on those seeds."""
    had, text = cells(study), nano.read_text()
    for old, new in (
        ("[0.03, 0.1]", "[0.003, 0.03, 0.1]"), ("depths: [2, 3]", "depths: [2, 3, 4]"),
        ("[none, bn]", "[none, bn, bn_frozen]"), ("evaluation: 8", "evaluation: 16"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    nano.write_text(text)
    trained, added = retrained(study), cells(study) - had
    assert had < cells(study) and sum(trained.values()) == len(added)
    jobs = {f"{stage} {arm}_mlp_d2to4" for stage in ("sweep", "evaluate") for arm in ("none", "bn", "bn_frozen")}
    assert {job for job, n in trained.items() if n} == jobs
    specs = [json.loads((study / "results/cells" / cell / "cell.json").read_text())["spec"] for cell in added]
    of = [(spec["setting"]["arm"], spec["setting"]["depth"], spec) for spec in specs]
    assert {(arm, depth) for arm, depth, _ in of} == {*product(("none", "bn", "bn_frozen"), (2, 3, 4))}
    known = [spec for arm, depth, spec in of if arm != "bn_frozen" and depth < 4]
    tuned = [spec["rate"] for spec in known if spec["keep"] == "steps"]
    evaluated = [min(spec["seeds"]) for spec in known if spec["keep"] != "steps"]
    assert set(tuned) == {0.003} and len(tuned) <= 8
    assert set(evaluated) == {108} and len(evaluated) <= 12


def test_another_study_and_an_edited_search_for_rates_use_what_is_trained(study: Path, nano: Path) -> None:
    nano.write_text(nano.read_text().replace("study: nano", "study: searched"))
    done = retrained(study)
    assert len(done) == 4 and not any(done.values()), done
    rates = study / "results/searched/rates.json"
    chosen = rates.stat().st_mtime_ns
    with added(study / "src/bnstudy/training/tune.py", "EDITED = 1"):
        done = retrained(study)
    assert len(done) == 4 and not any(done.values()), done
    assert rates.stat().st_mtime_ns != chosen


def test_jobs_of_an_earlier_config_are_no_part_of_the_tables(study: Path, nano: Path) -> None:
    nano.write_text(nano.read_text().replace("study: nano", "study: fewer").replace("[none, bn]", "[none, bn, once]"))
    retrained(study)
    nano.write_text(nano.read_text().replace("[none, bn, once]", "[none, bn]"))
    assert (study / "results/fewer/sweep/once_mlp_d2to3.json").is_file()
    snakemake(study, "--until", "summarize", "--cores", "2")
    left = {stage: {p.stem for p in study.glob(f"results/fewer/{stage}/*.json")} for stage in ("sweep", "evaluate")}
    assert left == {stage: {"none_mlp_d2to3", "bn_mlp_d2to3"} for stage in left}


def test_any_config_and_any_fault_in_short(tmp_path: Path) -> None:
    assert faults.fine(faults.configs(tmp_path, 30, random.Random(0)))
