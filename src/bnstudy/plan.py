"""From a study to its jobs: pure functions of the config, without torch, for the Snakefile and `bnstudy plan`."""

import ast
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bnstudy import store
from bnstudy.arm_names import module_of
from bnstudy.claims_file import ClaimsError, load
from bnstudy.code import digest, imported
from bnstudy.config import Study, evaluation_seeds, settings, steps, tuning_seeds
from bnstudy.config_checks import BASE_GAIN, BASE_INPUTS, label, names, own_factors
from bnstudy.data import local

NOTEBOOKS = ("q1", "q2", "q3", "q4", "u", "methods")


class Plan:
    """The jobs of one study. A job is named ``{arm}_{net}_d{depth}``; its specification is one canonical JSON text, and
    what is not in it cannot influence the job."""

    def __init__(self, study: Study) -> None:
        try:  # before any work: a claims file that cannot be used, or asks more than the seeds allow
            load(Path(study.claims.file), study.seeds.evaluation)
        except ClaimsError as error:
            raise SystemExit(f"{error}\nNothing was run.") from None
        self.config = study
        self.study = study.study
        self.folder = f"results/{study.study}"
        self.settings = [(s._asdict(), asked) for s, asked in settings(study).items()]
        depths = {_job(s): s["depth"] for s, _ in self.settings}
        self.jobs = sorted(depths, key=lambda job: -depths[job])  # long jobs first, so that no core waits at the end
        self.data_spec = _data_spec(study)
        code = digest("bnstudy.data.prepare", f"bnstudy.data.{study.data.source}")
        same = {k: v for k, v in self.data_spec.items() if k != "path"}  # where the user's file lies changes nothing
        self.data = f"results/data/{store.key([same, code])}.npz"

    def images(self) -> str:
        return store.canonical(self.data_spec)

    def sweep(self, job: str) -> str:
        mine = [s for s, _ in self.settings if _job(s) == job]
        return store.canonical({**self._common(mine[0]), "settings": mine, "seeds": tuning_seeds(self.config)})

    def evaluate(self, job: str) -> str:
        mine = [(s, a) for s, a in self.settings if _job(s) == job]
        asked = [{"setting": s, "rates": list(a.rates), "keep": _keep(a.measures)} for s, a in mine]
        common = self._common(mine[0][0])
        main = {"target": self.config.targets[0], "seeds": evaluation_seeds(self.config)}
        return store.canonical({**common, **main, "settings": asked})

    def choose(self) -> str:
        study = self.config
        grid = [s for s, asked in self.settings if "grid" in asked.rates]
        base = {"arm": "none", "gain": BASE_GAIN, "inputs": BASE_INPUTS}
        rates = {"target": study.targets[0], "rates": list(study.learning_rates)}
        return store.canonical({**rates, "base": base, "grid": grid})

    def measure(self, job: str) -> str:
        mine = [(s, a.measures) for s, a in self.settings if _job(s) == job]
        every = sorted({m for _, measures in mine for m in measures})
        wanted = [{"setting": s, "measures": list(measures)} for s, measures in mine]
        return store.canonical({"code": {m: digest(f"bnstudy.measures.{m}") for m in every}, "settings": wanted})

    def summarize(self) -> str:
        return store.canonical({"pool": self.config.data.pool, "code": digest("bnstudy.tables")})

    def judged(self) -> str:
        """What the claims' own names stand for in this study: depths, target losses, number of seeds, and the study's
        own value of each factor that other grids vary."""
        study = self.config
        named = {"depths": dict(study.claims.depths), "targets": list(study.targets)}
        return store.canonical({**named, "seeds": study.seeds.evaluation, "base": own_factors(study)})

    def effective(self) -> str:
        """The whole config, defaults included."""
        return store.canonical(self.config.model_dump(mode="json"))

    def checks(self) -> str:
        """The external checks and the simulation of the interval: the same for all studies of this code."""
        arms = [f"bnstudy.arms.{arm}" for arm in ("none", "bn", "bn_frozen")]
        return f"results/data/checks-{digest('bnstudy.checks.run', 'bnstudy.coverage', 'bnstudy.nets.mlp', *arms)}"

    def notebook(self, name: str) -> str:
        """What a notebook draws with: the modules that its cells import."""
        cells = json.loads(Path(f"report/{name}.ipynb").read_text())["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        return digest("bnstudy.notebook", *imported(ast.parse(text)))

    def files(self, stage: str) -> list[str]:
        """The files that all jobs of a stage write."""
        return [f"{self.folder}/{stage}/{job}.json" for job in self.jobs]

    def code(self, *modules: str) -> str:
        return digest(*modules)

    def _common(self, setting: dict[str, Any]) -> dict[str, Any]:
        study = self.config
        net = setting["net"]
        modules = ("bnstudy.train", module_of(setting["arm"]), f"bnstudy.nets.{net}")
        return {
            "rates": list(study.learning_rates),
            "steps": steps(study, setting["depth"]),
            "momentum": study.training.momentum,
            "targets": list(study.targets),
            "stack": 1 if net in names("nets", "ALONE") else study.stack,
            "splits": {"train": study.data.train, "test": study.data.test, "heldout": study.data.heldout},
            "code": digest(*modules),
            "torch": version("torch").split("+")[0],
        }


def _data_spec(study: Study) -> dict[str, Any]:
    """What the images depend on: the source, the digest of the user's files that it reads, the number kept."""
    data, spec = study.data, {"source": study.data.source}
    try:
        if data.path is not None:
            spec |= {"path": data.path, "sha256": local.digest(local.files(data.source, Path(data.path)))}
    except (ValueError, OSError) as error:
        raise SystemExit(f"{error}\nNothing was run.") from None
    return spec if data.images is None else {**spec, "images": data.images}


def _keep(measures: Sequence[str]) -> str:
    """What the cells of a setting must keep for its measures, as ``keep`` of :func:`bnstudy.train.train`."""
    if not measures:
        return "curve"
    return "end" if set(measures) <= set(names("measures", "AT_END")) else "levels"


def _job(setting: dict[str, Any]) -> str:
    return f"{label(setting['arm'])}_{setting['net']}_d{setting['depth']}"
