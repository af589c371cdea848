"""The study's config as strict models, which hold every default and generate the editors' schema.

The default kinds and grids are many, and stand in default.yaml beside this file.
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from bnstudy.config.errors import NAME_PATTERN, JsonSchema
from bnstudy.config.values import arm_name, ascending, distinct, known, net_name, unreserved
from bnstudy.core.yaml_file import load

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Evaluated = Annotated[int, Field(ge=32, le=1_000_000)]  # of images at least 128, see config/data.py
Depth = Annotated[int, Field(ge=2, le=200)]  # measures average over layers 2..depth
Gain = Annotated[float, Field(gt=0, le=100)]
Rate = Annotated[float, Field(gt=0, le=1000)]
Target = Annotated[float, Field(gt=0, le=100)]
Steps = Annotated[int, Field(ge=20, le=1_000_000)]  # the training loss is a mean over 20 steps
Text = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=40)]
OUTSIDE = "or package.module:Name for one outside"
Arm = Annotated[Text, AfterValidator(arm_name), Field(description=f"a file of src/bnstudy/arms, {OUTSIDE}")]
MEASURE = partial(known, "measures", "measure", "measure")
Measure = Annotated[Text, AfterValidator(MEASURE), Field(description="a file of src/bnstudy/measures")]
BUILD = "a file of src/bnstudy/nets with a function build"
Net = Annotated[Text, AfterValidator(net_name), Field(description=f"{BUILD}, {OUTSIDE}")]
Pool = Annotated[int, Field(ge=1, le=1000)]
Width = Annotated[int, Field(ge=2, le=4096)]
Batch = Annotated[int, Field(ge=2, le=65_536)]
Optimizer = Literal["sgd", "adam"]
Painted = Literal["lecture_white", "lecture_gray", "lecture_white_ceiling", "lecture_gray_ceiling", "spurious_colour"]
Inputs = Literal["standardized", "raw", "mixed", "scaled", Painted]
Role = Literal["best", "shared", "neighbours", "grid"]
Value = TypeVar("Value")
Distinct = Annotated[tuple[Value, ...], Field(min_length=1), AfterValidator(distinct)]
Rates = Annotated[tuple[Rate, ...], Field(min_length=2), AfterValidator(ascending)]
Evaluations = Annotated[int, Field(ge=2, le=9_000)]
ClaimDepths = dict[Literal["shallow", "middle", "deep"], Depth]


class Strict(BaseModel):
    """A section of the config: no unknown key, no conversion, no NaN, no change afterwards."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Data(Strict):
    """Images, and how many of them each seed draws for what."""

    source: Annotated[Text, AfterValidator(partial(known, "data", "load", "data source"))] = "mnist5k"
    """a file of src/bnstudy/data with a function load"""
    path: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """the user's file or folder that the source reads"""
    keys: dict[Literal["x", "y", "test_x", "test_y", "classes", "layout"], Text] | None = None
    """names of the arrays of an npz by what they hold; left out: those of what they hold"""
    white: float | None = None
    """the stored number that is white; left out: by the type"""
    black: float | None = None
    """the stored number that is black; left out: 0"""
    size: Annotated[int, Field(ge=4, le=256)] | None = None
    """pixels of a side that the pictures of a folder are brought to"""
    kind: Literal["images", "table"] = "images"
    """what an npz holds"""
    images: Count | None = None
    """images kept of the source's; left out: all"""
    pool: Pool = 2
    """average pooling factor; 1 keeps the pixels"""
    train: Count = 2944
    """training images per seed"""
    test: Evaluated = 1024
    """clean test images per seed"""
    heldout: Evaluated = 1024
    """unlabelled images per seed, for re-estimated statistics"""


class Network(Strict):
    """What all networks have in common."""

    family: Net = "mlp"
    width: Width = 64
    """units per hidden layer; channels of a convolutional one"""


class Training(Strict):
    """How one network is trained."""

    device: Literal["cpu", "cuda"] = "cpu"
    """where networks train and are measured: processor cores, or one card (torch with CUDA)"""
    batch: Batch = 64
    """images per step"""
    optimizer: Optimizer = "sgd"
    """stochastic gradient descent with momentum, or Adam"""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """0 is plain gradient descent"""
    steps: Steps = 400
    """training budget of a network, steps"""
    deep_steps: Steps = 800
    """budget from deep_from hidden layers on, steps"""
    deep_from: Count = 11
    """hidden layers from which deep_steps counts"""


class Seeds(Strict):
    """How many networks differ in nothing but their randomness."""

    tuning: Annotated[int, Field(ge=1, le=10_000)] = 3
    """seeds that choose the learning rate; the verdicts never use them"""
    evaluation: Evaluations = 18
    """seeds that the verdicts rest on; below 12 many are inconclusive"""
    first: Annotated[int, Field(ge=0, le=1_000)] = 100
    """the first evaluation seed; the shipped claims were chosen on seeds below 100"""


class Kind(Strict):
    """A kind of network on which claims are judged by themselves; what it leaves out is the study's own."""

    net: Net | None = None
    """left out: network.family"""
    width: Width | None = None
    """left out: network.width"""
    gain: Gain = 1.0
    """of grids that give no gains"""
    pool: Pool | None = None
    """left out: data.pool"""
    steps: Steps | None = None
    """left out: training.steps"""
    deep_steps: Steps | None = None
    """left out: training.deep_steps"""
    targets: Distinct[Target] | None = None
    """left out: targets"""
    learning_rates: Rates | None = None
    """left out: learning_rates"""
    seeds: Evaluations | None = None
    """left out: seeds.evaluation"""
    depths: ClaimDepths | None = None
    """left out: claims.depths"""


class Grid(Strict):
    """A full cross of its lists; the study is the union of its grids."""

    name: Name
    """the grid's own name"""
    kinds: Distinct[Name] | None = None
    """names of kinds, each crossed with the lists; left out: the study's own network"""
    arms: Distinct[Arm]
    """normalizers, see above"""
    depths: Distinct[Depth]
    """numbers of hidden layers"""
    gains: Distinct[Gain] | None = None
    """standard deviation of the initial weights over He's sqrt(2 / inputs of the unit); left out: 1.0, or the kind's"""
    inputs: Distinct[Inputs] = ("standardized",)
    """raw: pixels in 0..1; mixed: each pixel times a fixed 10^U(0,3), all over one number so that their mean square is 1; scaled: standardized times 64; lecture_white, lecture_gray: dark ink on a white or mid-gray ground, tested in colours; their ceilings: trained on the last of these colours; spurious_colour: the colour tells the class in training"""
    rates: Distinct[Role] = ("best",)
    """best: the tuned rate; shared: that of arm none; neighbours: a quarter of a decade on either side of the one tuned for the main target; grid: every one of learning_rates"""
    measures: Annotated[tuple[Measure, ...], AfterValidator(distinct)] | None = None
    """files of src/bnstudy/measures, at the best rate, or at the neighbours where these are all that rates asks for; left out: all of them"""
    nets: Distinct[Net] | None = None
    """left out: network.family, or the kind's"""
    widths: Distinct[Width] | None = None
    """left out: network.width, or the kind's"""
    batches: Distinct[Batch] | None = None
    """left out: training.batch"""
    optimizers: Distinct[Optimizer] | None = None
    """left out: training.optimizer"""
    pools: Distinct[Pool] | None = None
    """left out: data.pool, or the kind's"""


class Claims(Strict):
    """Which claims are tested, and at which depths."""

    file: Text = "config/claims.yaml"
    """the claims, from the project's folder"""
    depths: ClaimDepths = {"shallow": 5, "middle": 10, "deep": 20}
    """hidden layers; a key left out of a written mapping: its claims are not tested"""


DEFAULT_FILE = Path(__file__).with_name("default.yaml")
"""The default study, with every key and its default; `python -m bnstudy.config --default` prints it."""
DEFAULT = load(DEFAULT_FILE)
DEFAULT_KINDS = TypeAdapter(dict[str, Kind]).validate_json(json.dumps(DEFAULT["kinds"]))
DEFAULT_GRIDS = TypeAdapter(tuple[Grid, ...]).validate_json(json.dumps(DEFAULT["grids"]))


class StudyConfig(Strict):
    """A whole study. Every key may be left out and has then the default given here."""

    model_config = ConfigDict(title="Study")

    study: Annotated[Name, AfterValidator(unreserved)] = "default"
    """folder of results/"""
    title: Text = "Batch normalization, cross-examined"
    """heading of the report"""
    data: Data = Data()
    network: Network = Network()
    training: Training = Training()
    targets: Distinct[Target] = (0.25, 0.1)
    """training losses to reach, nats; the first is the main one"""
    learning_rates: Rates = (3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
    """rates that every setting is tuned over, ascending"""
    seeds: Seeds = Seeds()
    stack: Annotated[int, Field(ge=1, le=1024)] = 18
    """networks trained together in one process; 1: one at a time"""
    kinds: dict[Name, Kind] = DEFAULT_KINDS
    """kinds of networks that grids name; one that no grid names is not studied"""
    grids: Annotated[tuple[Grid, ...], Field(min_length=1)] = DEFAULT_GRIDS
    """small full crosses whose union is the study"""
    claims: Claims = Claims()
    beside: tuple[Name, ...] | None = None
    """studies of results/reference whose verdicts stand beside; left out: all but itself"""


def schema() -> JsonSchema:
    """Return the JSON schema of a config file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudyConfig.model_json_schema()}
