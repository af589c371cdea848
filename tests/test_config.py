"""The study's config: the defaults, what follows from them, and what a user is told about a wrong file."""

import json
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bnstudy.config import study as c
from bnstudy.config.__main__ import main
from bnstudy.config.data import IMAGES
from bnstudy.config.kinds import recipe
from bnstudy.config.models import DEFAULT_FILE
from bnstudy.core.plugins import names
from bnstudy.data import cifar10, fashion_mnist
from helpers.project import ROOT, python

GRID = "grids:\n  - {name: a, arms: [none, bn], depths: [5, 10, 20], rates: [best, shared]}\n"
POWERS = "".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 10))

WHOLE = "study.yaml  (the whole file)"
MADE = {
    "too many settings": (
        f"grids:\n  - {{name: a, arms: [none], depths: {list(range(2, 201))}, gains: {list(range(1, 60))}}}\n",
        'study.yaml:1  grids = [{"name": "a", "arms": ["none"], "depths": [2, 3, 4, 5, 6, 7, 8, 9, 10, 11,  ...',
        "the grids make 11741 settings", "shorten the lists of the largest grid", "at most 10000",
    ),
    "number beyond all bounds": (
        f"stack: {10**30}\n", f"study.yaml:1  stack = {10**30}", "the number is too large", "write a smaller number",
    ),
    "YAML bomb": (
        f"x0: &x0 [1]\n{POWERS}", WHOLE, "the file stands for more than 20000 values",
        "write a few values, without anchors", "20000 values, 12 levels",
    ),
    "nested too deeply": (
        "targets: " + "[" * 5000 + "]" * 5000, WHOLE, "the file is nested too deeply", "remove brackets", "12 levels at most",
    ),
    "nested to the end of the file": ("[" * 900_000, WHOLE, "the file is nested too deeply", "remove brackets"),
    "not UTF-8": (
        "study: a\ntitle: caf\udce9\n", "study.yaml:2  (the whole file)", "the file is not UTF-8 text: byte 0xe9",
        "save the file with the encoding UTF-8", "UTF-8",
    ),
}  # fmt: skip
"""Texts that are made, or that no YAML file can hold, and what is said of them."""
CASES: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "tests/wrong_configs.yaml").read_text()) | {
    name: dict(zip(("file", "head", "wrong", "do", "allowed"), case)) for name, case in MADE.items()
}


def message(file: Path, text: str) -> str:
    """What a user is told about a config file of this text."""
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SystemExit) as stop:
        c.read_study(file)
    assert isinstance(stop.value.code, str)  # a text, and so exit status 1
    assert "Traceback" not in stop.value.code
    return stop.value.code


def blocks(text: str) -> list[str]:
    return text.split("\n\n")[1:]


def part(block: str, label: str) -> str:
    found = [line for line in block.splitlines() if line.startswith(f"   {label}:")]
    return found[0].split(":", 1)[1].strip() if found else ""


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_file_is_explained(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = CASES[case]
    told = blocks(message(tmp_path / "study.yaml", expected["file"]))
    [block] = [block for block in told if block.splitlines()[0].split(". ", 1)[1] == expected["head"]]
    for label in ("wrong", "allowed", "do"):
        assert expected.get(label, "") in part(block, label)
    assert part(block, "nearest") == expected.get("nearest", "")
    assert all(len(line) < 400 for line in block.splitlines())


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    text = "study: data\ntitel: x\nstack: 0\nstack: 0\ndata: {source: a, pool: true}\n" + GRID.replace("5,", "1,")
    heads = [block.splitlines()[0] for block in blocks(message(tmp_path / "a.yaml", text))]
    for key in ("study", "titel", "stack", "data.source", "data.pool", "grids[0].depths[0]"):
        assert any(f"  {key} = " in head for head in heads), key
    assert len(heads) == 7  # stack is written twice, and wrong


def test_one_wrong_grid_does_not_hide_what_the_others_have(tmp_path: Path) -> None:
    text = "grids:\n  - {name: a, arms: [nun], depths: [5]}\n" + 2 * "  - {name: b, arms: [bn], depths: [5]}\n"
    told = message(tmp_path / "a.yaml", text)
    assert "grids[0].arms[0]" in told and "grids[2].name" in told and "claims" not in told


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    told = message(tmp_path / "a.yaml", 'study: "\\e[31m\\n1. forged"\n"\\e[0m": 1\n')
    assert "\x1b" not in told and "\n1. forged" not in told


def test_values_from_the_command_line_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("study: a\nlearning_rates: [0.1, 0.3]\n")
    given = {"study": "a", "learning_rates": ["1e-3", 1]}  # what --config 'learning_rates=[1e-3,1]' makes of it
    with pytest.raises(SystemExit, match="learning_rates=.*\n.*text(.*\n)+.*--configfile"):
        c.load_study(given, [file])
    with pytest.raises(SystemExit, match="1. --config on the command line  study"):
        c.load_study({"study": "A"})


def test_the_default_config_states_every_default() -> None:
    written = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study = json.loads(c.StudyConfig().model_dump_json())
    assert study.pop("beside") is None  # left out: whatever reference studies there are
    # their own defaults stand above them; that they make the same study is the last line's
    grids = dict.fromkeys(("kinds", "grids"))
    data = {k: v for k, v in study["data"].items() if v is not None}  # path, images: only where asked for
    assert written | grids == {**study, "data": data} | grids
    assert [*written, "beside"] == list(c.StudyConfig.model_fields)
    assert c.read_study(ROOT / "config/config.yaml") == c.StudyConfig()
    # if this fails: python -m bnstudy.config --default > config/config.yaml
    assert (ROOT / "config/config.yaml").read_text() == DEFAULT_FILE.read_text()


STUDIES = [
    *(f"config/{name}.yaml" for name in ("config", "again", "thorough", "map", "quick", "fashion_mnist", "cifar10")),
    "tests/nano.yaml",
]


@pytest.mark.parametrize("name", STUDIES)
def test_the_studies_of_the_project_load(name: str) -> None:
    assert c.read_study(ROOT / name)
    assert "$schema=../workflow/schemas/study.schema.json" in (ROOT / name).read_text().splitlines()[0]


def test_one_line_is_a_study(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("study: mine\n")
    assert c.read_study(file) == c.StudyConfig(study="mine")


def test_an_unknown_option_says_how_it_is_called() -> None:
    with pytest.raises(SystemExit, match="usage: python -m bnstudy.config --schema"):
        main(["--help"])


def test_the_schema_is_the_models() -> None:
    """If this fails: python -m bnstudy.config --schema > workflow/schemas/study.schema.json"""
    assert json.loads((ROOT / "workflow/schemas/study.schema.json").read_text()) == c.schema()


@pytest.mark.parametrize("measure", names("measures", "measure"))
def test_the_columns_of_every_measure_are_documented(measure: str) -> None:
    text = (ROOT / "config/README.md").read_text()
    columns = import_module(f"bnstudy.measures.{measure}").COLUMNS
    assert f"| `{measure}.csv` |" in text
    assert [column for column in columns if f"`{column}`" not in text] == []


def test_the_readme_names_every_key_and_arm() -> None:
    text = (ROOT / "config/README.md").read_text()
    models = [c.StudyConfig, *(f.annotation for f in c.StudyConfig.model_fields.values())]
    keys = {key for model in models for key in getattr(model, "model_fields", {})}
    keys |= {"name", "arms", "depths", "gains", "inputs", "rates"}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    assert [arm for arm in names("arms", "build") if f"`{arm}`" not in text] == []


def test_a_study_is_checked_against_the_users_images(tmp_path: Path) -> None:
    """700 images of 18 x 24, three classes of 560, 138 and 2."""
    x, y = np.arange(700 * 18 * 24).reshape(700, 18, 24).astype(np.uint8), np.repeat([0, 1, 2], [560, 138, 2])
    np.savez(tmp_path / "mine.npz", x=x, y=y)

    def told(**keys: int) -> str:
        data = {"source": "npz", "path": str(tmp_path / "mine.npz"), "pool": 3, "train": 320, "heldout": 128, **keys}
        return message(tmp_path / "a.yaml", yaml.safe_dump({"data": data}))

    assert "allowed: one of 1, 2, 3, 6" in told(pool=4) and "sides, 18 and 24 pixels" in told(pool=4)
    assert "data.pool = 9" in told(pool=9) and "data.pool = 8" in told(pool=8)  # each divides one side only
    assert "= 848, but npz has 700 images" in told(test=400)
    assert "class 2 has 2 of 700 images, too few for one among the" in told(test=200)
    grid = {"name": "a", "arms": ["none"], "depths": [5, 10, 20], "pools": [3, 4]}
    text = {"data": {"source": "npz", "path": str(tmp_path / "mine.npz"), "train": 320, "test": 128}, "grids": [grid]}
    assert "grids[0].pools[1] = 4" in message(tmp_path / "a.yaml", yaml.safe_dump(text))


@pytest.mark.parametrize("source", ["mnist5k", "digits", "fashion_mnist"])
def test_what_is_known_of_the_sources_is_true(source: str) -> None:
    if source == "fashion_mnist" and not fashion_mnist.DEBIAN.is_dir():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    images = import_module(f"bnstudy.data.{source}").load()
    counts = np.bincount(images.y).tolist()
    assert IMAGES[source] == (counts, *images.x.shape[2:], None)


def test_cifar10_in_a_folder_is_counted(tmp_path: Path) -> None:
    for name in cifar10.FILES[0]:
        (tmp_path / name).write_bytes(b"".join(bytes([n % 10]) + bytes(3072) for n in range(100)))
    data = {"source": "cifar10", "path": str(tmp_path), "train": 400}
    assert "= 2448, but cifar10 has 600 images" in message(tmp_path / "a.yaml", yaml.safe_dump({"data": data}))


def test_settings_are_the_union_of_the_grids() -> None:
    grids = [
        {"name": "main", "arms": ["none", "bn", "once"], "depths": [5, 20], "rates": ["best", "shared"]},
        {"name": "gains", "arms": ["none", "bn"], "depths": [10], "gains": [0.71, 1.41], "measures": ["drift"]},
        {"name": "window", "arms": ["none", "bn"], "depths": [5], "rates": ["grid"], "measures": []},
        {"name": "adam", "arms": ["bn"], "depths": [5], "optimizers": ["adam"], "widths": [32, 64]},
        {"name": "skip", "arms": ["bn"], "depths": [5], "nets": ["resmlp", "cnn"]},
    ]
    study = c.StudyConfig.model_validate_json(json.dumps({"grids": grids}))
    found = c.settings(study)
    assert len(found) == 6 + 4 + 0 + 2 + 2  # the third grid adds rates to settings of the first
    of = {(s.arm, s.depth, s.gain, s.inputs, s.net, s.width, s.optimizer): asked for s, asked in found.items()}
    plain = (1.0, "standardized", "mlp", 64, "sgd")
    assert of["bn", 5, *plain].rates == ("best", "grid", "shared")
    assert of["bn", 5, *plain].measures == of["once", 5, *plain].measures == names("measures", "measure")
    assert of["once", 5, *plain].rates == ("best", "shared")
    drifting = of["none", 10, 1.41, *plain[1:]]
    assert (drifting.rates, drifting.measures) == (("best",), ("drift",))
    assert ("bn", 5, 1.0, "standardized", "mlp", 32, "adam") in of and ("none", 5, *plain[:4], "adam") not in of
    assert {s.net: s.arm for s in found if s.net != "mlp"} == {"resmlp": "bn", "cnn": "bn"}
    backwards = study.model_copy(update={"grids": study.grids[::-1]})
    assert list(c.settings(backwards).items()) == list(found.items())


def test_steps_and_seeds() -> None:
    study = c.StudyConfig()
    assert [recipe(study, depth).steps for depth in (2, 10, 11, 20)] == [400, 400, 800, 800]
    assert c.evaluation_seeds(study) == tuple(range(100, 118)) and c.evaluation_seeds(study, 2) == (100, 101)
    assert c.tuning_seeds(study) == [10_000, 10_001, 10_002]
    most = c.StudyConfig(seeds={"tuning": 10_000, "evaluation": 9_000, "first": 1_000})  # type: ignore[arg-type]
    assert not set(c.evaluation_seeds(most)) & set(c.tuning_seeds(most))


def test_names_are_read_without_importing(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import no_such_module\nfrom x import y as build\n")
    (tmp_path / "other.py").write_text("def build(models, channels, place): ...\n")
    (tmp_path / "helper.py").write_text('"""def build("""\nclass A:\n    def build(self): ...\n')
    (tmp_path / "broken.py").write_text("def build(:\n")
    (tmp_path / "my-arm.py").write_text("def build(): ...\n")
    assert names(tmp_path, "build") == ("mine", "other")
    heavy = "import sys, bnstudy.config.study; sys.exit(bool({'torch', 'numpy', 'pandas'} & set(sys.modules)))"
    assert python(ROOT, "-c", heavy).returncode == 0


TOY = """
if not config:
    configfile: "config.yaml"
from bnstudy.config.study import load_study
study = load_study(config, files=list(workflow.configfiles))
rule all:
    shell: "echo {study.study}"
"""
THROUGH = {
    "default": ([], 0, []),
    "misspelt key, key twice": (
        ["--configfile", "bad.yaml"], 1, ["bad.yaml:2  data.trian", '"train"', "bad.yaml:4  stack", "first in line 3"],
    ),
    "YAML bomb": (["--configfile", "bomb.yaml"], 1, ["bomb.yaml", "more than 20000"]),
    "empty mapping": (["--configfile", "empty.yaml"], 1, ["empty.yaml", "sets no key"]),
    "command line": (["--config", "learning_rates=[1e-3,0.1]"], 1, ["--config", "1.0e-3", "--configfile"]),
}  # fmt: skip


@pytest.mark.parametrize("case", THROUGH)
def test_through_snakemake(case: str, tmp_path: Path) -> None:
    arguments, status, expected = THROUGH[case]
    (tmp_path / "Snakefile").write_text(TOY)
    files = {"config": "study: a\n", "bad": "study: a\ndata: {trian: 3}\nstack: 2\nstack: 3\n", "empty": "{}\n"}
    for name, text in (files | {"bomb": f"x0: &x0 [1]\n{POWERS}"}).items():
        (tmp_path / f"{name}.yaml").write_text(text)
    done = python(tmp_path, "-m", "snakemake", "-n", "--quiet", "all", *arguments, project=ROOT)
    told = done.stdout + done.stderr
    assert done.returncode == status, told
    assert [words for words in expected if words not in told] == [], told
    assert "Traceback" not in told and "Error in file" not in told


NUMBERS = st.integers() | st.floats(allow_subnormal=False)  # training flushes those to zero, for the whole process
ODD = st.sampled_from(["1e-3", "best", "none", "bn", "[key]", [], {}, [[]], {"name": 1}, 2**70, "\ud800"])
KEYS = st.sampled_from(["name", "arms", "depths", 1, None, "[key]", "file"])
JUNK = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.binary(max_size=3) | ODD
JUNK |= st.lists(st.integers(-1, 30), max_size=4) | st.dictionaries(KEYS, st.integers())


def _mutate(value: Any, data: st.DataObject) -> Any:
    """``value`` with something inside it replaced, deleted or added."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else list(range(len(value)))))
        action = data.draw(st.sampled_from(["inside", "inside", "inside", "delete", "add"]))
        if action == "inside":
            value[key] = _mutate(value[key], data)
        elif action == "delete":
            del value[key]
        elif isinstance(value, dict):
            value[data.draw(st.sampled_from(["pool", "naem", "", "grids", 3, None, "[key]"]))] = _junk(data)
        else:
            value.append(deepcopy(value[key]) if data.draw(st.booleans()) else _junk(data))
        return value
    return _junk(data)


def _junk(data: st.DataObject) -> Any:
    """A copy: later mutations change it in place, and the samples must stay as they are."""
    return deepcopy(data.draw(JUNK))


def _loads_or_stops(read: Any) -> None:
    try:
        assert isinstance(read(), c.StudyConfig)
    except SystemExit as stop:
        assert isinstance(stop.code, str) and "\n\n1. " in stop.code
        assert all(line.isprintable() for line in stop.code.split("\n"))


@effort(max_examples=300, deadline=None)
@given(st.data())
def test_any_config_loads_or_is_explained(data: st.DataObject) -> None:
    config = json.loads(c.StudyConfig().model_dump_json())
    for _ in range(data.draw(st.integers(1, 3))):
        config = _mutate(config, data)
    _loads_or_stops(lambda: c.load_study(config))


@effort(max_examples=150, deadline=None)
@given(st.data())
def test_any_file_loads_or_is_explained(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    raw = (ROOT / "tests/nano.yaml").read_bytes()
    at = data.draw(st.integers(0, len(raw)))
    junk = st.one_of(st.binary(max_size=5), st.sampled_from([b"\t", b"[", b"}", b"&a ", b"*a", b"!!int ", b"? "]))
    file = tmp_path_factory.getbasetemp() / "mutant.yaml"
    file.write_bytes(raw[:at] + data.draw(junk) + raw[at + data.draw(st.integers(0, 9)) :])
    _loads_or_stops(lambda: c.read_study(file))


def test_an_empty_tag_is_no_traceback(tmp_path: Path) -> None:
    """PyYAML itself raises IndexError for it."""
    assert "not YAML" in message(tmp_path / "study.yaml", "stack: !!int \n")
