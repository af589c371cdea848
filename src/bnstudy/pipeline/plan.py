"""From a study to its jobs: pure functions of the config, without torch, for the Snakefile and `bnstudy plan`."""

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby, product
from pathlib import Path
from typing import Any

from bnstudy.arms.names import module_of
from bnstudy.claims.file import ClaimsError, load
from bnstudy.config.checks import BASE_GAIN, BASE_INPUTS, factors, label, own_factors
from bnstudy.config.study import Asked, Setting, StudyConfig, evaluation_seeds, settings, steps, tuning_seeds
from bnstudy.core import store
from bnstudy.core.factors import SETTING
from bnstudy.core.fingerprints import digest, imported
from bnstudy.core.plugins import names
from bnstudy.data import local
from bnstudy.pipeline.cost import evaluated, seconds

NOTEBOOKS = ("q1", "q2", "q3", "q4", "u", "methods")
FEW = 300.0
"""Seconds of training, about, up to which the depths of an arm share a job: starting one takes more than a second."""


class Plan:
    """The jobs of one study. A job is one arm on one kind of network, at one depth or, if that is little work, at several;
    it is named ``{arm}_{net}_d{depth}`` or ``{arm}_{net}_d{least}to{greatest}``. Its specification is one canonical JSON
    text, and what is not in it cannot influence the job."""

    def __init__(self, study: StudyConfig) -> None:
        try:  # before any work: a claims file that cannot be used, or asks more than the seeds allow
            text = load(Path(study.claims.file), study.seeds.evaluation).text_file
        except ClaimsError as error:
            raise SystemExit(f"{error}\nNothing was run.") from None
        self.config = study
        self.claims_text = [str(Path(study.claims.file).with_name(text))] if text else []
        self.study = study.study
        self.folder = f"results/{study.study}"
        self.jobs = dict(_jobs(study))
        self.data_spec = _data_spec(study)
        code = digest("bnstudy.data.prepare", f"bnstudy.data.{study.data.source}")
        same = {k: v for k, v in self.data_spec.items() if k != "path"}  # where the user's file lies changes nothing
        self.data = f"results/data/{store.key([same, code])}.npz"

    def images(self) -> str:
        return store.canonical(self.data_spec)

    def sweep(self, job: str) -> str:
        mine = [self._entry(s) for s in self.jobs[job]]
        return store.canonical({**self._common(job), "settings": mine, "seeds": tuning_seeds(self.config)})

    def evaluate(self, job: str) -> str:
        mine = self.jobs[job].items()
        asked = [{**self._entry(s), "rates": list(a.rates), "keep": _keep(a.measures)} for s, a in mine]
        main = {"target": self.config.targets[0], "seeds": evaluation_seeds(self.config)}
        return store.canonical({**self._common(job), **main, "settings": asked})

    def choose(self) -> str:
        study = self.config
        grid = [s._asdict() for s, asked in settings(study).items() if "grid" in asked.rates]
        base = {"arm": "none", "gain": BASE_GAIN, "inputs": BASE_INPUTS}
        rates = {
            "target": study.targets[0],
            "rates": list(study.learning_rates),
            "code": digest("bnstudy.training.tune"),
        }
        return store.canonical({**rates, "base": base, "grid": grid})

    def measure(self, job: str) -> str:
        mine = self.jobs[job].items()
        every = sorted({m for _, asked in mine for m in asked.measures})
        wanted = [{"setting": s._asdict(), "measures": list(asked.measures)} for s, asked in mine]
        return store.canonical({"code": {m: digest(f"bnstudy.measures.{m}") for m in every}, "settings": wanted})

    def summarize(self) -> str:
        return store.canonical({"pool": self.config.data.pool, "code": digest("bnstudy.pipeline.tables")})

    def judged(self) -> str:
        """What the claims' own names stand for in this study: depths, target losses, number of seeds, and the study's
        own value of each factor that other grids vary, with its networks of another kind."""
        study = self.config
        named = {"depths": dict(study.claims.depths), "targets": list(study.targets)}
        kinds = {"base": own_factors(study), "networks": other_networks(study)}
        return store.canonical({**named, "seeds": study.seeds.evaluation, **kinds})

    def effective(self) -> str:
        """The whole config, defaults included."""
        return store.canonical(self.config.model_dump(mode="json"))

    def checks(self) -> str:
        """The external checks and the simulation of the interval: the same for all studies of this code."""
        arms = [f"bnstudy.arms.{arm}" for arm in ("none", "bn", "bn_frozen")]
        return (
            f"results/data/checks-{digest('bnstudy.checks.run', 'bnstudy.checks.coverage', 'bnstudy.nets.mlp', *arms)}"
        )

    def notebook(self, name: str) -> str:
        """What a notebook draws with: the modules that its cells import."""
        cells = json.loads(Path(f"report/{name}.ipynb").read_text())["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        return digest("bnstudy.pipeline.notebook", *imported(ast.parse(text)))

    def files(self, stage: str) -> list[str]:
        """The files that all jobs of a stage write."""
        return [f"{self.folder}/{stage}/{job}.json" for job in self.jobs]

    def code(self, *modules: str) -> str:
        return digest(*modules)

    def work(self, job: str) -> float:
        """How long a job takes, about: those with more to do start first, so that no core waits for a long one at the end."""
        return sum(_work(self.config, *each) for each in self.jobs[job].items())

    def _entry(self, setting: Setting) -> dict[str, Any]:
        return {"setting": setting._asdict(), "steps": steps(self.config, setting.depth)}

    def _common(self, job: str) -> dict[str, Any]:
        study, first = self.config, next(iter(self.jobs[job]))
        net = first.net
        modules = ("bnstudy.training.train", module_of(first.arm), f"bnstudy.nets.{net}")
        return {
            "rates": list(study.learning_rates),
            "momentum": study.training.momentum,
            "targets": list(study.targets),
            "stack": 1 if net in names("nets", "ALONE") else study.stack,
            "splits": {"train": study.data.train, "test": study.data.test, "heldout": study.data.heldout},
            "code": digest(*modules),
            "tune": digest("bnstudy.training.tune"),  # what becomes of trained runs: no part of a cell's key
            "torch": version("torch").split("+")[0],
        }


def other_networks(study: StudyConfig) -> list[dict[str, str | int]]:
    """Return the networks of another kind that the study sets beside its own, each by the factors that differ.

    They are those of which the grids hold two arms or more, since most claims contrast two; in the order of the grids.
    """
    own, arms = own_factors(study), dict[str, set[str]]()
    for grid in study.grids:
        crossed = dict(zip(SETTING, factors(study, grid).values()))
        for values in product(*(crossed[name] for name in own)):
            differs = {name: value for name, value in zip(own, values) if value != own[name]}
            arms.setdefault(json.dumps(differs), set()).update(grid.arms)
    return [json.loads(differs) for differs, have in arms.items() if differs != "{}" and len(have) > 1]


def _data_spec(study: StudyConfig) -> dict[str, Any]:
    """What the images depend on: the source, the digest of the user's files that it reads, the number kept."""
    data, spec = study.data, {"source": study.data.source}
    try:
        if data.path is not None:
            spec |= {"path": data.path, "sha256": local.digest(local.files(data.source, Path(data.path)))}
    except (ValueError, OSError) as error:
        raise SystemExit(f"{error}\nNothing was run.") from None
    return spec if data.images is None else {**spec, "images": data.images}


def _keep(measures: Sequence[str]) -> str:
    """What the cells of a setting must keep for its measures, as ``keep`` of :func:`bnstudy.training.train.train`."""
    if not measures:
        return "curve"
    return "end" if set(measures) <= set(names("measures", "AT_END")) else "levels"


def _jobs(study: StudyConfig) -> Iterator[tuple[str, dict[Setting, Asked]]]:
    """The settings of each job, by its name."""

    def place(each: tuple[Setting, Asked]) -> tuple[str, str, int]:
        return label(each[0].arm), each[0].net, each[0].depth

    every = sorted(settings(study).items(), key=place)
    for (arm, net), of_arm in groupby(every, lambda each: place(each)[:2]):
        shared: dict[Setting, Asked] = {}
        spent = 0.0
        for _, of_depth in groupby(of_arm, lambda each: each[0].depth):
            mine = dict(of_depth)
            takes = sum(_work(study, *each) for each in mine.items())
            if shared and spent + takes > FEW:
                yield _name(arm, net, shared), shared
                shared, spent = {}, 0.0
            shared, spent = shared | mine, spent + takes
        yield _name(arm, net, shared), shared


def _name(arm: str, net: str, of_job: Iterable[Setting]) -> str:
    depths = [s.depth for s in of_job]
    least, greatest = min(depths), max(depths)
    return f"{arm}_{net}_d{least}" + (f"to{greatest}" if greatest > least else "")


def _work(study: StudyConfig, setting: Setting, asked: Asked) -> float:
    """Seconds that tuning and evaluating a setting takes, about: every rate's run as if it lasted the whole budget."""
    rates, seeds = len(study.learning_rates), study.seeds
    runs = seeds.tuning * rates + seeds.evaluation * evaluated(asked.rates, len(study.targets), rates)
    return seconds(steps(study, setting.depth), setting._asdict(), runs)
