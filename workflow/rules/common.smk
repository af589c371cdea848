import shlex
import sys
from pathlib import Path

from bnstudy.config.study import load_study
from bnstudy.pipeline import alive
from bnstudy.pipeline.causes import causes, say_last
from bnstudy.pipeline.mend import mend
from bnstudy.pipeline.outlook import warning
from bnstudy.pipeline.plan import NOTEBOOKS, Plan
from bnstudy.pipeline.provenance import begin, end

PLAN = Plan(load_study(config, files=list(workflow.configfiles)))

if workflow.is_main_process and alive.works(sys.argv[1:]):
    alive.hold(Path(PLAN.folder))
    print(warning(PLAN, workflow.cores or 1), file=sys.stderr)
    mend(PLAN)

begin(workflow.cores or 1)

# Jobs run with the interpreter that runs Snakemake, whether or not its environment is activated.
BIN = (
    shlex.quote(str(Path(sys.executable).parent)).replace("{", "{{").replace("}", "}}")
)
shell.prefix(f"set -euo pipefail; export PATH={BIN}:$PATH; ")


wildcard_constraints:
    job="[a-z0-9_]+_d[0-9]+(to[0-9]+)?",


localrules:
    all,


onsuccess:
    end(Path(PLAN.folder))


onerror:
    end(Path(PLAN.folder))
    say_last(causes([Path(log)] if isinstance(log, str) else [*map(Path, log)]))
