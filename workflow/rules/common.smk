import os
import shlex
import sys
from pathlib import Path

from bnstudy.config.study import load_study
from bnstudy.core.fingerprints import ROOT
from bnstudy.pipeline import alive
from bnstudy.pipeline.causes import causes, say_last
from bnstudy.pipeline.cost import megabytes, minutes
from bnstudy.pipeline.mend import mend
from bnstudy.pipeline.outlook import warning
from bnstudy.pipeline.plan import NOTEBOOKS, Plan
from bnstudy.pipeline.provenance import begin, end
from snakemake_interface_executor_plugins.settings import SharedFSUsage

STORAGE = workflow.storage_settings
if STORAGE.default_storage_provider or SharedFSUsage.all() - STORAGE.shared_fs_usage:
    raise SystemExit(
        "Trained networks are stored in results/cells/, beside the files that Snakemake knows: all machines must share "
        "this folder.\nLeave out --default-storage-provider and --shared-fs-usage; docs/cells.md says why.\nNothing was run."
    )

PLAN = Plan(load_study(config, files=list(workflow.configfiles)))

# workflow.cores ends every command that needs no cores: --unlock, --report, --executor slurm. There -j says how many jobs
# run at once at most.
CORES = workflow.resource_settings.cores or min(
    workflow.resource_settings.nodes or 1, len(PLAN.jobs)
)
if workflow.is_main_process and alive.works(sys.argv[1:]):
    alive.hold(Path(PLAN.folder))
    print(warning(PLAN, CORES), file=sys.stderr)
    mend(PLAN)

begin(CORES)

# Jobs run with the interpreter that runs Snakemake, whether or not its environment is activated.
BIN = (
    shlex.quote(str(Path(sys.executable).parent)).replace("{", "{{").replace("}", "}}")
)
shell.prefix(f"set -euo pipefail; export PATH={BIN}:$PATH; ")


wildcard_constraints:
    job="[a-z0-9_]+_d[0-9]+(to[0-9]+)?",


# Short, or with a download: on a cluster they run where Snakemake does, and no job waits in a queue for them.
localrules:
    all,
    data,
    choose,
    summarize,
    claims,
    notebook,
    report,


onsuccess:
    end(Path(PLAN.folder))


onerror:
    end(Path(PLAN.folder))
    say_last(causes([Path(log)] if isinstance(log, str) else [*map(Path, log)]))
