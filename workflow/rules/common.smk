import sys
from pathlib import Path

from bnstudy.config.study import load_study
from bnstudy.core.fingerprints import digest
from bnstudy.pipeline.causes import causes, say_last
from bnstudy.pipeline.plan import NOTEBOOKS, Plan
from bnstudy.pipeline.provenance import begin, end

PLAN = Plan(load_study(config, files=list(workflow.configfiles)))

begin(workflow.cores or 1)

# Jobs run with the interpreter that runs Snakemake, whether or not its environment is activated.
shell.prefix(f"set -euo pipefail; export PATH={Path(sys.executable).parent}:$PATH; ")


wildcard_constraints:
    job="[a-z0-9_]+_d[0-9]+(to[0-9]+)?",


localrules:
    all,
    study_checks,


onsuccess:
    end(Path(PLAN.folder))


onerror:
    end(Path(PLAN.folder))
    say_last(causes([Path(log)] if isinstance(log, str) else [*map(Path, log)]))
