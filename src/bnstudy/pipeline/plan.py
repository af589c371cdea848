"""From a study to its jobs: functions of the config, without torch, for the Snakefile and `bnstudy plan`."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from bnstudy.claims.file import ClaimsError, check_seeds, load
from bnstudy.claims.records import JudgedWith
from bnstudy.config.checks import BASE_GAIN, BASE_INPUTS, label
from bnstudy.config.data import reading_of
from bnstudy.config.files import shipped
from bnstudy.config.kinds import OWN
from bnstudy.config.study import Asked, StudyConfig, evaluation_seeds, settings, tuning_seeds
from bnstudy.core import store
from bnstudy.core.cell import Keep, Splits
from bnstudy.core.fingerprints import digest, stamp
from bnstudy.core.names import module_of
from bnstudy.core.plugins import defines, names
from bnstudy.core.setting import Setting
from bnstudy.data import local
from bnstudy.data.local import ImagesSpec
from bnstudy.pipeline import cost, judged, records, stamps
from bnstudy.pipeline.notebook import pythonpath
from bnstudy.training.stacks import trained_by

MOST_STACKED = 1024
NOTEBOOKS = ("q1", "q2", "q3", "q4", "u", "methods")
SHARED_SECONDS = 525.0
"""About how many seconds of training the depths of an arm that share a job take at most: starting a job takes one or two."""


class Plan:
    """The jobs of one study.

    A job is one arm on one kind of network, at one depth or, if that is little work, at several; it is named
    ``{arm}_{net}_d{depth}`` or ``{arm}_{net}_d{least}to{greatest}``. What is not in its specification cannot influence it.
    """

    def __init__(self, study: StudyConfig) -> None:
        self.claims = shipped(study.claims.file)
        try:  # before any work: a claims file that cannot be used, or asks more than the seeds allow
            ledger = load(self.claims)
            self.primary = judged.primary(study, ledger)
            self.fewest = min([study.seeds.evaluation, *(kind.seeds for kind in judged.kinds(study).values())])
            check_seeds(self.claims, self.primary, self.fewest)
        except ClaimsError as error:
            raise SystemExit(f"{error}\nNothing was run.") from None
        self.config = study
        text = ledger.text_file
        files = (self.claims, *([self.claims.with_name(text)] if text else []))
        self.judged_by = [store.sha256(file) for file in files]
        self.name = study.study
        self.beside = _beside(study)
        self.folder = f"results/{study.study}"
        self.device = study.training.device
        self.torch = version("torch").split("+")[0] if self.device == "cpu" else card()
        self.gpu = 0 if self.device == "cpu" else 1
        self.jobs = dict(_jobs(study))
        self.images = images_spec(study)
        self.rehearsed = [f"{self.folder}/rehearsal.json"] if self.rehearse().parts else []
        code = stamps.images(study.data.source).partition("=")[2]
        anywhere = replace(self.images, path=None)  # where the user's file lies changes nothing
        self.data = f"{self.folder}/data/{store.key([anywhere, code])}.npz"

    def rehearse(self) -> records.RehearseJob:
        """Return what of the study comes from outside, to be tried before anything is trained, and what stands beside it."""
        measures: dict[tuple[str, str, int, int], set[str]] = {}
        for s, asked in settings(self.config).items():
            measures.setdefault((s.arm, s.net, s.width, s.batch), set()).update(asked.measures)
        every = [records.Rehearsed(*part, measures=tuple(sorted(of))) for part, of in sorted(measures.items())]
        places = {(p.net, p.width, p.batch) for p in every if p.outside}
        parts = tuple(p for p in every if (p.net, p.width, p.batch) in places)
        modules = sorted({module_of("arms", p.arm) for p in parts} | {module_of("nets", p.net) for p in parts})
        code = {module: digest(module) for module in [*modules, *(["bnstudy.pipeline.rehearsal"] if parts else [])]}
        return records.RehearseJob(parts=parts, code=code, torch=self.torch)

    def sweep(self, job: str) -> records.SweepJob:
        """Return what the tuning job of that name is told."""
        seeds = tuple(tuning_seeds(self.config))
        settings = (records.Swept(setting, asked.recipe, seeds) for setting, asked in self.jobs[job].items())
        return records.SweepJob(**vars(self._training(job)), settings=tuple(settings))

    def evaluate(self, job: str) -> records.EvaluateJob:
        """Return what the evaluating job of that name is told."""
        settings = []
        for setting, asked in self.jobs[job].items():
            seeds = evaluation_seeds(self.config, asked.recipe.seeds)
            keep, beside = _keep(asked.measures), _keep(asked.beside)
            settings.append(records.Evaluated(setting, asked.recipe, seeds, asked.rates, keep=keep, beside=beside))
        return records.EvaluateJob(**vars(self._training(job)), settings=tuple(settings))

    def choose(self) -> records.ChooseJob:
        """Return what the job that gathers the rates is told."""
        asked = settings(self.config).items()
        base = records.Base(arm="none", gain=BASE_GAIN, inputs=BASE_INPUTS)
        grid = tuple(records.Grid(setting, of.recipe.rates) for setting, of in asked if "grid" in of.rates)
        return records.ChooseJob(code=digest("bnstudy.training.tune"), base=base, grid=grid)

    def measure(self, job: str) -> records.MeasureJob:
        """Return what the measuring job of that name is told."""
        measured = self.jobs[job].items()
        names = sorted({name for _, asked in measured for name in (*asked.measures, *asked.beside)})
        code = {name: digest(f"bnstudy.measures.{name}") for name in names}
        settings = tuple(records.Measured(setting, asked.measures, asked.beside) for setting, asked in measured)
        return records.MeasureJob(code=code, torch=self.torch, device=self.device, settings=settings)

    def summarize(self) -> records.SummarizeJob:
        """Return what the job that writes the tables is told."""
        return records.SummarizeJob(pool=self.config.data.pool, code=digest("bnstudy.pipeline.tables"))

    def judge(self) -> JudgedWith:
        """Return what the claims' own names stand for in this study."""
        own, networks = judged.kind(self.config, OWN), judged.other_networks(self.config)
        return JudgedWith(**vars(own), networks=networks, primary=self.primary, kinds=judged.kinds(self.config))

    def code(self, stage: str, part: str = "") -> str:
        """Return the stamp of the code that a stage's job, of that name or on that notebook, depends on."""
        if stage == "data":
            return stamps.images(self.config.data.source)
        if stage == "notebook":
            return stamps.notebook(part)
        if stage == "rehearse":
            return stamp(*self.rehearse().code)
        if stage == "measure":
            return stamp(*(f"bnstudy.measures.{name}" for name in self.measure(part).code))
        if stage in ("sweep", "evaluate"):
            first = next(iter(self.jobs[part]))
            return stamp(*trained_by(first.arm, first.net, self.device), "bnstudy.training.tune")
        return stamp(*stamps.FIXED[stage])

    def effective(self) -> dict[str, Any]:  # a document for the report, not a record: nobody computes with it
        """Return the whole config, defaults included."""
        return self.config.model_dump(mode="json")

    def spec(self, name: str, content: object) -> str:
        """Write a job's specification for the process that does the job; return the file's path.

        The path holds a digest of the content: a job whose specification changed has another path, which makes Snakemake
        run it again, and a file that a running job reads is never changed.
        """
        path = Path(self.folder, "specs", f"{name}-{store.key(content)}.json")
        if not path.is_file():
            store.write_text(path, store.canonical(content) + "\n")  # sorted: an order of keys cannot change a byte
        return str(path)

    def files(self, stage: str) -> list[str]:
        """Return the files that all jobs of a stage write."""
        return [f"{self.folder}/{stage}/{job}.json" for job in self.jobs]

    def work(self, job: str) -> float:
        """Return about how many seconds a job takes.

        Those with more to do start first, so that no core waits for a long one at the end.
        """
        return sum(_work(self.config, *item) for item in self.jobs[job].items())

    def _training(self, job: str) -> records.TrainingJob:
        study, first = self.config, next(iter(self.jobs[job]))
        momentum, stack = study.training.momentum, _stack(study, first.net)
        splits = Splits(train=study.data.train, test=study.data.test, heldout=study.data.heldout)
        code, tune = digest(*trained_by(first.arm, first.net, self.device)), digest("bnstudy.training.tune")
        return records.TrainingJob(momentum, stack, splits, code=code, torch=self.torch, device=self.device, tune=tune)


@cache
def card() -> str:
    """Return torch and the card that this machine trains on, asked in a process of its own: planning does without torch.

    On a machine that only plans for others, the environment variable BNSTUDY_CARD says what theirs is. The program ends,
    saying why, where there is no card.
    """
    if given := os.environ.get("BNSTUDY_CARD"):
        return given
    command = [sys.executable, "-m", "bnstudy.training.device"]
    asked = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": pythonpath()})
    if asked.returncode:
        said = asked.stderr.strip() or "the card cannot be asked"
        raise SystemExit(f"training.device is cuda, but {said}\nNothing was run.")
    return asked.stdout.strip()


def _stack(study: StudyConfig, net: str) -> int:
    """Return how many networks train together at most; on a card the trainer knows what fits."""
    if study.training.device != "cpu":
        return MOST_STACKED
    return 1 if defines("nets", net, "ALONE") else study.stack


REFERENCES = Path("results/reference")
"""Where finished studies are kept that others are set beside."""


def images_spec(study: StudyConfig) -> ImagesSpec:
    """Return what the images depend on: the source, the digest of the user's files that it reads, the number kept."""
    data, reading = study.data, reading_of(study.data)
    try:
        sha256 = None if data.path is None else local.fingerprint(data.source, Path(data.path), reading)
    except (ValueError, OSError) as error:
        raise SystemExit(f"{error}\nNothing was run.") from None
    return ImagesSpec(source=data.source, path=data.path, sha256=sha256, images=data.images, reading=reading)


def _beside(study: StudyConfig) -> list[str]:
    """Return the folders of the reference studies that the study's verdicts are set beside."""
    have = {path.parent.name: str(path.parent) for path in sorted(REFERENCES.glob("*/claims.json"))}
    wanted = [name for name in have if name != study.study] if study.beside is None else study.beside
    if unknown := [name for name in wanted if name not in have]:
        allowed = ", ".join(have) or "none"
        raise SystemExit(
            f"beside: {', '.join(unknown)}: no such study in {REFERENCES}; there are {allowed}. Take the name out, or keep a "
            f"finished study there with `python -m bnstudy reference results/NAME`.\nNothing was run."
        )
    return [have[name] for name in wanted]


def _keep(measures: Sequence[str]) -> Keep:
    """Return what the cells of a setting must keep for its measures (see :func:`bnstudy.training.train.train_on`)."""
    trained = set(measures) - set(names("measures", "UNTRAINED"))
    if not trained:
        return "curve"
    return "end" if trained <= set(names("measures", "AT_END")) else "levels"


def _jobs(study: StudyConfig) -> Iterator[tuple[str, dict[Setting, Asked]]]:
    """Yield each job: its name and its settings."""

    def place(item: tuple[Setting, Asked]) -> tuple[str, str, int]:
        return label(item[0].arm), item[0].net, item[0].depth

    items = sorted(settings(study).items(), key=place)
    for (arm, net), of_arm in groupby(items, lambda item: place(item)[:2]):
        job: dict[Setting, Asked] = {}
        seconds = 0.0
        for _, of_depth in groupby(of_arm, lambda item: item[0].depth):
            more = dict(of_depth)
            takes = sum(_work(study, *item) for item in more.items())
            if job and seconds + takes > SHARED_SECONDS:
                yield _name(arm, net, job), job
                job, seconds = {}, 0.0
            job, seconds = job | more, seconds + takes
        yield _name(arm, net, job), job


def _name(arm: str, net: str, job: Iterable[Setting]) -> str:
    depths = [setting.depth for setting in job]
    least, greatest = min(depths), max(depths)
    return f"{arm}_{label(net)}_d{least}" + (f"to{greatest}" if greatest > least else "")


def _work(study: StudyConfig, setting: Setting, asked: Asked) -> float:
    """Return about how many seconds a setting takes, tuned and evaluated, if every run lasts the whole budget."""
    recipe = asked.recipe
    rates = len(recipe.rates)
    runs = study.seeds.tuning * rates + recipe.seeds * cost.evaluated(asked.rates, len(recipe.targets), rates)
    return cost.seconds(recipe.steps, setting, runs)
