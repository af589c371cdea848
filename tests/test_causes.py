"""Why a workflow failed is said again at its end, in whichever words Snakemake told of the failed job."""

from pathlib import Path

import pytest

from bnstudy.pipeline.causes import causes

REASON = "Nothing was trained.\nmynorm:Mine:\n1. mynorm defines no Mine.\n   Write another name."
TRACEBACK = (
    'before\nTraceback (most recent call last):\n  File "a.py", line 1, in <module>\n    x\nValueError: no such\nthing'
)
TOLD = {
    "at length": "rule data:\n    log: {folder}/data.log\n\nError in rule rehearse:\n    message: None\n    jobid: 3\n    log: {folder}/rehearse.log (check log file(s))\n",
    "on a cluster": "Error in rule rehearse:\n    message: SLURM-job '3' failed.\n    jobid: 3\n    log: {folder}/rehearse.log, {folder}/3.log (check log file(s) for error details)\n",
    "in short": "RuleException:\nCommand 'set -e;  python -m bnstudy rehearse --out x 2> >(tee {folder}/rehearse.log >&2)' returned non-zero exit status 1.\n",
    "with a plain log": "Command 'python -m bnstudy checks --out x 2> {folder}/rehearse.log' returned non-zero exit status 1.\n",
}


def said_after(folder: Path, told: str, reason: str = REASON) -> str:
    """What is said after Snakemake told of a job that left a reason in its log."""
    (folder / "rehearse.log").write_text(reason)
    (folder / "snakemake.log").write_text(told.format(folder=folder))
    return causes([folder / "snakemake.log", folder / "none.log"])


@pytest.mark.parametrize("way", TOLD)
def test_the_reasons_of_a_failed_job_are_the_last_lines(way: str, tmp_path: Path) -> None:
    (tmp_path / "data.log").write_text("all went well")
    said = said_after(tmp_path, TOLD[way])
    assert said.endswith(REASON) and "The job rehearse failed" in said and "all went well" not in said
    assert "None" not in said


def test_of_a_job_on_a_cluster_the_state_and_the_log_of_the_queue_are_said(tmp_path: Path) -> None:
    told = TOLD["on a cluster"]
    said = said_after(tmp_path, told + told.replace("rehearse", "sweep"))
    for job in ("rehearse", "sweep"):
        where = f"(all it said is in {tmp_path}/{job}.log and {tmp_path}/3.log)"
        assert f"The job {job} failed {where}:\nSLURM-job '3' failed." in said


def test_of_a_traceback_the_error_is_said(tmp_path: Path) -> None:
    said = said_after(tmp_path, TOLD["in short"], TRACEBACK)
    assert said.endswith("before\nValueError: no such\nthing") and "File" not in said


def test_without_a_failed_job_nothing_is_said(tmp_path: Path) -> None:
    assert said_after(tmp_path, "rule data:\n    log: data.log\n") == ""
