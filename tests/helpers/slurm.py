"""A Slurm of one machine, this one: its own key, ports and folders, started and stopped by a test that runs as root."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "sbatch", "srun", "squeue", "scancel")
FILES = (Path("/etc/slurm/slurm.conf"), Path("/etc/slurm/cgroup.conf"))
"""Where the programs of Slurm look for them, whatever they are told."""
KIND = "onekind"
"""The type of the one node."""
CONFIG = """\
ClusterName=bnstudy
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={other}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=100000,sched_interval=5,bf_interval=5
MpiDefault=none
ReturnToService=2
MinJobAge=3600
InactiveLimit=0
KillWait=5
DefMemPerCPU=1000
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Features={kind} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=UNLIMITED State=UP
"""


def lacks() -> str:
    """Return why no Slurm can be started here; "" where one can."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return "a Slurm for a test is started by root, on Linux"
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        return f"no {', '.join(missing)}: apt-get install slurm-wlm munge"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "no snakemake-executor-plugin-slurm: pip install -e '.[slurm]'"
    if there := [str(path) for path in FILES if path.exists()]:
        return f"{' and '.join(there)} is there: this machine has a Slurm of its own"
    return ""


@contextmanager
def started(folder: Path) -> Iterator[None]:
    """Run a Slurm whose files are in ``folder``, but for two that its programs look for in /etc/slurm.

    The test skips where another one started a Slurm meanwhile.
    """
    if reason := lacks():
        pytest.skip(reason)
    host = socket.gethostname().split(".")[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 512
    port, other = free_ports()
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "slurm.conf").write_text(
        CONFIG.format(folder=folder, host=host, port=port, other=other, cores=os.cpu_count(), memory=memory, kind=KIND)
    )
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    names = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed", "socket": "socket"}
    try:
        for link in FILES:
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.unlink(missing_ok=True)  # a killed test left one that leads nowhere
            link.symlink_to(folder / link.name)
        call("munged", "--force", *(f"--{name}={folder}/munge.{ending}" for name, ending in names.items()))
        call("slurmctld", "-c")
        call("slurmd", "-N", host)
        until(lambda: call("sinfo", "-h", "-o", "%T") == "idle", "a node of the Slurm is idle")
        yield
        call("scancel", "--user", "root")
        until(lambda: not call("squeue", "-h"), "its jobs have ended")
    finally:
        for name in ("slurmd", "slurmctld", "munge"):
            stop(folder / f"{name}.pid")
        for link in FILES:
            if link.resolve().parent == folder.resolve():
                link.unlink()


def call(*command: str) -> str:
    """Run a program of Slurm, which must succeed; return what it says."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.strip()


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until ``true`` says so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"after {seconds} s it isn't so that {what}"
        time.sleep(0.2)


def stop(pid_file: Path) -> None:
    """End the process whose number a file holds, and wait until it has."""
    if not pid_file.is_file():
        return
    pid = int(pid_file.read_text())
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens at."""
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
