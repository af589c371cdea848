"""The study's config: strict models, every error at once, before any work. Light: pydantic and yaml only."""

import difflib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

HERE = Path(__file__).parent
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Asked = Literal["best", "shared", "grid"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Data(Strict):
    source: str = Field("mnist5k", description="a file of src/bnstudy/data with a function load")
    pool: Count = Field(2, description="average pooling factor; 1 keeps the pixels")
    train: Count = Field(2944, description="training images a seed")
    test: Count = Field(1024, description="clean test images a seed")
    heldout: Count = Field(1024, description="unlabelled images a seed, for re-estimated statistics")


class Network(Strict):
    family: str = Field("mlp", description="a file of src/bnstudy/nets")
    width: Count = Field(64, description="units a hidden layer")


class Training(Strict):
    batch: Annotated[int, Field(ge=2)] = Field(64, description="images a step")
    optimizer: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    steps: Annotated[int, Field(ge=20)] = Field(600, description="budget of a network")
    deep_steps: Annotated[int, Field(ge=20)] = Field(1200, description="budget from deep_from layers on")
    deep_from: Count = 11


class Seeds(Strict):
    tuning: Annotated[int, Field(ge=1)] = Field(3, description="seeds that choose the rate, never evaluated")
    evaluation: Annotated[int, Field(ge=2)] = Field(16, description="seeds that the verdicts rest on")


class Grid(Strict):
    name: str
    arms: Annotated[list[str], Field(min_length=1)]
    depths: Annotated[list[Count], Field(min_length=1)]
    gains: Annotated[list[Positive], Field(min_length=1)] = [1.0]
    inputs: Annotated[list[Literal["standardized", "raw", "mixed"]], Field(min_length=1)] = ["standardized"]
    rates: Annotated[list[Asked], Field(min_length=1)] = ["best"]


class Claims(Strict):
    file: str = "config/claims.yaml"
    depths: dict[Literal["shallow", "middle", "deep"], Count] = {"shallow": 5, "middle": 10, "deep": 20}


class Study(Strict):
    study: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]*$")] = "default"
    title: str = "Batch normalization, cross-examined"
    data: Data = Data()
    network: Network = Network()
    training: Training = Training()
    targets: Annotated[list[Positive], Field(min_length=1)] = [0.5, 0.25]
    learning_rates: Annotated[list[Positive], Field(min_length=2)] = [
        3e-4,
        1e-3,
        3e-3,
        0.01,
        0.03,
        0.1,
        0.3,
        1.0,
    ]
    seeds: Seeds = Seeds()
    stack: Count = Field(16, description="networks trained together in one process")
    grids: Annotated[list[Grid], Field(min_length=1)] = [
        Grid(
            name="main",
            arms=["none", "bn", "bn_frozen", "once", "affine"],
            depths=[5, 20],
            rates=["best", "shared"],
        ),
        Grid(name="depths", arms=["none", "bn"], depths=[2, 10]),
        Grid(name="gains", arms=["none", "bn", "once"], depths=[10], gains=[0.71, 1.41]),
        Grid(name="torch_gain", arms=["none", "bn", "once"], depths=[5], gains=[0.41]),
        Grid(name="window", arms=["none", "bn"], depths=[5, 20], rates=["grid"]),
        Grid(name="inputs", arms=["none", "bn"], depths=[5], inputs=["raw", "mixed"]),
    ]
    claims: Claims = Claims()


class Setting(NamedTuple):
    """One network design."""

    arm: str
    depth: int
    gain: float
    inputs: str
    width: int
    batch: int
    optimizer: str


def settings(study: Study) -> dict[Setting, tuple[str, ...]]:
    """The union of the grids: each distinct setting with the rates asked for, in a stable order."""
    found: dict[Setting, set[str]] = {}
    for grid in study.grids:
        for arm in grid.arms:
            for depth in grid.depths:
                for gain in grid.gains:
                    for inputs in grid.inputs:
                        t = study.training
                        key = Setting(arm, depth, gain, inputs, study.network.width, t.batch, t.optimizer)
                        found.setdefault(key, set()).update(grid.rates)
    return {k: tuple(sorted(found[k])) for k in sorted(found)}


def steps(study: Study, depth: int) -> int:
    """Training budget of a network of ``depth`` hidden layers."""
    return study.training.deep_steps if depth >= study.training.deep_from else study.training.steps


def evaluation_seeds(study: Study) -> list[int]:
    return list(range(study.seeds.evaluation))


def tuning_seeds(study: Study) -> list[int]:
    """Never an evaluation seed."""
    return [10_000 + i for i in range(study.seeds.tuning)]


def load_study(config: dict[str, Any], files: list[str]) -> Study:
    """The study that Snakemake's ``config`` describes; ends the program with every error found, worded for users."""
    where, errors = _lines(files)
    study = None
    try:
        study = Study.model_validate_json(json.dumps(config))
    except ValidationError as error:
        for e in error.errors():
            path = [p for p in e["loc"] if isinstance(p, (str, int))]
            errors.append(_explain(path, e, where))
    if study:
        errors += [
            f"{_at(path, where)}{'.'.join(map(str, path))}: {text}" for path, text in _cross_checks(study)
        ]
    if errors:
        _fail(errors, files)
    assert study
    return study


def _fail(errors: list[str], files: list[str]) -> NoReturn:
    head = f"{', '.join(files) or 'the config'} cannot be run; nothing was started. {len(errors)} to mend:"
    raise SystemExit("\n".join([head, *(f"  - {e}" for e in errors), "config/README.md explains every key."]))


def _cross_checks(study: Study) -> list[tuple[list[Any], str]]:
    out: list[tuple[list[Any], str]] = []
    if study.study in {"cells", "data", "bench", "reference"}:
        out.append((["study"], f"{study.study!r} is reserved; choose another name"))
    for key, path in (("source", "data"), ("family", "nets")):
        name = study.data.source if path == "data" else study.network.family
        have = _modules(path)
        if name not in have:
            out.append(
                (
                    [("data" if path == "data" else "network"), key],
                    f"{name!r} is unknown; {_nearest(name, have)}",
                )
            )
    arms = _modules("arms")
    for i, grid in enumerate(study.grids):
        out += [
            (["grids", i, "arms"], f"{a!r} is unknown; {_nearest(a, arms)}")
            for a in grid.arms
            if a not in arms
        ]
        for key in ("arms", "depths", "gains", "inputs", "rates"):
            values = getattr(grid, key)
            if len(set(values)) < len(values):
                out.append((["grids", i, key], f"{values} names a value twice"))
    names = [g.name for g in study.grids]
    if len(set(names)) < len(names):
        out.append((["grids"], f"two grids share a name: {names}"))
    rates = study.learning_rates
    if rates != sorted(set(rates)):
        out.append((["learning_rates"], f"{rates} must ascend, each rate once"))
    if study.training.batch > study.data.train:
        out.append(
            (["training", "batch"], f"{study.training.batch} is more than data.train, {study.data.train}")
        )
    base = {
        s.depth for s in settings(study) if s.arm == "none" and s.gain == 1.0 and s.inputs == "standardized"
    }
    for i, grid in enumerate(study.grids):
        lost = [d for d in grid.depths if d not in base]
        if "shared" in grid.rates and lost:
            out.append(
                (
                    ["grids", i, "rates"],
                    f"'shared' needs arm none at gain 1.0, standardized, at depths {lost}",
                )
            )
    return out


def _modules(folder: str) -> list[str]:
    """Names of the files in a folder of the package that define `build` or `load`."""
    texts = {p.stem: p.read_text() for p in (HERE / folder).glob("*.py")}
    return sorted(n for n, t in texts.items() if re.search(r"^def (build|load)\(", t, re.M))


def _nearest(name: Any, allowed: list[str]) -> str:
    near = difflib.get_close_matches(str(name), allowed, 1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"allowed: {', '.join(allowed)}"


def _explain(path: list[Any], e: Any, where: dict[tuple[Any, ...], str]) -> str:
    name, value, kind = ".".join(map(str, path)), e["input"], e["type"]
    if kind == "extra_forbidden":
        model: Any = Study
        for step in path[:-1]:
            field = (
                model.model_fields.get(step)
                if isinstance(model, type) and not isinstance(step, int)
                else None
            )
            model = field.annotation if field else Grid
        keys = list(getattr(model, "model_fields", {}))
        text = f"no such key; {_nearest(path[-1], keys)}"
    else:
        text = f"{value!r}: {e['msg'][0].lower() + e['msg'][1:]}"
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
            text += f"; YAML reads {value} as text, write {float(value)!r} or give it a point and a sign, as in 1.0e-3"
        elif isinstance(value, str) and kind.endswith("_type") and kind != "string_type":
            text += " (`--config` gives text; put the key into a file and use --configfile)"
    return f"{_at(path, where)}{name}: {text}"


def _at(path: list[Any], where: dict[tuple[Any, ...], str]) -> str:
    for n in range(len(path), 0, -1):
        if tuple(path[:n]) in where:
            return where[tuple(path[:n])] + ": "
    return ""


def _lines(files: list[str]) -> tuple[dict[tuple[Any, ...], str], list[str]]:
    """({key path: "file:line"}, errors): duplicate keys, and files too large to be a study."""
    where: dict[tuple[Any, ...], str] = {}
    errors: list[str] = []
    for file in files:
        try:
            root = yaml.compose(Path(file).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            errors.append(f"{file}: {error}")
            continue
        budget = [10_000]
        _walk(root, (), file, where, errors, budget)
        if budget[0] < 0:
            _fail([f"{file}: more than 10,000 values; anchors that multiply?"], [file])
    return where, errors


def _walk(
    node: Any, path: tuple[Any, ...], file: str, where: Any, errors: list[str], budget: list[int]
) -> None:
    budget[0] -= 1
    if budget[0] < 0 or node is None:
        return
    where.setdefault(path, f"{file}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        seen: dict[Any, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                errors.append(
                    f"{file}:{line}: {key.value}: written twice, first in line {seen[key.value]}; keep one"
                )
            seen[key.value] = line
            where[(*path, key.value)] = f"{file}:{line}"
            _walk(value, (*path, key.value), file, where, errors, budget)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            _walk(value, (*path, i), file, where, errors, budget)
