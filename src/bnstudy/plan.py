"""From a study to its jobs: pure functions of the config, without torch, for the Snakefile and `bnstudy plan`."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from bnstudy import store
from bnstudy.claims_file import ClaimsError, load
from bnstudy.code import digest
from bnstudy.config import Study, evaluation_seeds, settings, steps, tuning_seeds

MEASURES = ("drift", "moments", "affine", "shift", "xhat")
NOTEBOOKS = ("q1", "q2", "q3", "q4", "methods")


class Plan:
    """The jobs of one study. A job is named ``{arm}_d{depth}``; its specification is one canonical JSON text, and
    what is not in it cannot influence the job."""

    def __init__(self, study: Study) -> None:
        try:  # before any work: a claims file that cannot be used, or asks more than the seeds allow
            load(Path(study.claims.file), study.seeds.evaluation)
        except ClaimsError as error:
            raise SystemExit(f"{error}\nNothing was run.") from None
        self.config = study
        self.study = study.study
        self.folder = f"results/{study.study}"
        self.settings = [(_as_dict(s), list(rates)) for s, rates in settings(study).items()]
        self.jobs = list(dict.fromkeys(f"{s['arm']}_d{s['depth']}" for s, _ in self.settings))
        self.data_spec = {"source": study.data.source, "pool": study.data.pool}
        code = digest("bnstudy.data.images", f"bnstudy.data.{study.data.source}")
        self.data = f"results/data/{store.key([self.data_spec, code])}.npz"

    def sweep(self, job: str) -> str:
        mine = [s for s, _ in self.settings if f"{s['arm']}_d{s['depth']}" == job]
        return store.canonical({**self._common(mine[0]), "settings": mine, "seeds": tuning_seeds(self.config)})

    def evaluate(self, job: str) -> str:
        mine = [(s, r) for s, r in self.settings if f"{s['arm']}_d{s['depth']}" == job]
        asked = [{"setting": s, "rates": r} for s, r in mine]
        return store.canonical({**self._common(mine[0][0]), "settings": asked, "seeds": evaluation_seeds(self.config)})

    def choose(self) -> str:
        study = self.config
        grid = [s for s, rates in self.settings if "grid" in rates]
        return store.canonical({"target": study.targets[0], "rates": list(study.learning_rates), "grid": grid})

    def measure(self) -> str:
        each = {m: digest(f"bnstudy.measures.{m}") for m in MEASURES}
        return store.canonical({"measures": each})

    def judged(self) -> str:
        """What the claims' own names stand for in this study: depths, target losses, number of seeds."""
        study = self.config
        named = {"depths": dict(study.claims.depths), "targets": list(study.targets)}
        return store.canonical({**named, "seeds": study.seeds.evaluation})

    def effective(self) -> str:
        """The whole config, defaults included."""
        return store.canonical(self.config.model_dump(mode="json"))

    def checks(self) -> str:
        """The external checks and the simulation of the interval: the same for all studies of this code."""
        arms = [f"bnstudy.arms.{arm}" for arm in ("none", "bn", "bn_frozen")]
        return f"results/data/checks-{digest('bnstudy.checks.run', 'bnstudy.coverage', 'bnstudy.nets.mlp', *arms)}"

    def notebook(self) -> str:
        """What the notebooks draw with."""
        return digest("bnstudy.notebook", "bnstudy.figures.show", *(f"bnstudy.figures.q{i}" for i in range(1, 5)))

    def files(self, stage: str) -> list[str]:
        """The files that all jobs of a stage write."""
        return [f"{self.folder}/{stage}/{job}.json" for job in self.jobs]

    def code(self, *modules: str) -> str:
        return digest(*modules)

    def _common(self, setting: dict[str, Any]) -> dict[str, Any]:
        study = self.config
        family = study.network.family
        modules = ("bnstudy.train", f"bnstudy.arms.{setting['arm']}", f"bnstudy.nets.{family}")
        return {
            "family": family,
            "rates": list(study.learning_rates),
            "steps": steps(study, setting["depth"]),
            "momentum": study.training.momentum,
            "targets": list(study.targets),
            "stack": study.stack,
            "splits": {"train": study.data.train, "test": study.data.test, "heldout": study.data.heldout},
            "code": digest(*modules),
            "torch": version("torch").split("+")[0],
        }


def _as_dict(setting: Any) -> dict[str, Any]:
    names = ("arm", "depth", "gain", "inputs", "width", "batch", "optimizer")
    return {name: getattr(setting, name) for name in names}


def outlook(plan: Plan) -> str:
    """How many cells are stored, how many will be trained, and about how many minutes that takes on two cores.

    The rates that tuning will add or choose are not known beforehand: a setting is counted with one refinement more
    on either side, and evaluations whose rates.json is missing with one cell a rate asked for.
    """
    import json
    from itertools import product

    from bnstudy.jobs import CELLS, blocks, cell_base, kept_rates

    rates_file = Path(plan.folder) / "rates.json"
    known = json.loads(rates_file.read_text()) if rates_file.is_file() else []
    stored = wanted = 0
    seconds = 0.0
    for job in plan.jobs:
        for stage in ("sweep", "evaluate"):
            spec = json.loads(plan.sweep(job) if stage == "sweep" else plan.evaluate(job))
            for entry in spec["settings"]:
                setting, asked = (entry, ["grid"]) if stage == "sweep" else (entry["setting"], entry["rates"])
                base = cell_base(spec, setting, Path(plan.data))
                mine = [r for r in known if all(r[k] == v for k, v in setting.items())]
                keep = kept_rates(mine, asked)
                rates = keep | (set(spec["rates"]) if "grid" in asked else set())
                unknown = 2 if stage == "sweep" else len(asked) - ("grid" in asked) if not mine else 0
                for rate, seeds in product(rates, blocks(spec["seeds"], spec["stack"])):
                    cell = {**base, "rate": rate, "seeds": seeds, "keep": stage == "evaluate" and rate in keep}
                    wanted += 1
                    if store.stored(CELLS, store.key(cell)):
                        stored += 1
                    else:
                        seconds += _seconds(spec["steps"], setting, len(seeds))
                if unknown:
                    count = unknown * len(blocks(spec["seeds"], spec["stack"]))
                    wanted += count
                    seconds += unknown * _seconds(spec["steps"], setting, len(spec["seeds"]))
    return (
        f"{stored} of about {wanted} cells are stored; training the rest takes about {seconds / 120:.1f} min on 2 cores"
    )


def _seconds(steps: int, setting: dict[str, Any], networks: int) -> float:
    """A rough cost: 60 microseconds a hidden layer and step at width and batch 64, as timed on one core of a server."""
    return steps * networks * 60e-6 * (setting["depth"] + 1) * setting["width"] * setting["batch"] / 64**2


def prune() -> int:
    """Delete stored cells that no study's index refers to; returns how many."""
    import json
    import shutil

    wanted: set[str] = set()
    for path in Path("results").glob("*/sweep/*.json"):
        wanted |= set(json.loads(path.read_text())["cells"])
    for path in Path("results").glob("*/evaluate/*.json"):
        wanted |= {c["cell"] for c in json.loads(path.read_text())["cells"]}
    gone = [p for p in Path("results/cells").glob("*") if p.name not in wanted]
    for path in gone:
        shutil.rmtree(path)
    return len(gone)
