"""The dress rehearsal: arms and networks from outside do, small, all that a study will ask of them, before it trains any.

Three layers of the study's own family, width and batch size are built, trained for some steps, twice, and measured by every
measure that the study asks for, on made-up images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.instancenorm import _InstanceNorm

from bnstudy.arms.base import Norm, Place
from bnstudy.arms.find import find, make
from bnstudy.core import store
from bnstudy.core.cell import CellSpec, Splits
from bnstudy.core.setting import Setting
from bnstudy.data.images import Images
from bnstudy.measures.cell import StudyImages, TrainedCell
from bnstudy.measures.view import with_statistics_of
from bnstudy.nets.find import builder
from bnstudy.pipeline.promises import NETWORKS, Stage, alike, passed, promises, random
from bnstudy.pipeline.reasons import Reason, failed
from bnstudy.pipeline.records import Rehearsed, RehearseJob, Traits
from bnstudy.pipeline.testing import WatchedCell, mixes, without_test_mode
from bnstudy.training.train import Run, train

CLASSES, DEPTH = 4, 3
RATE, STEPS, REPEATED, TARGET = 0.003, 22, 5, 1000.0
"""A run is long enough for a mean over 20 steps, which any loss below TARGET turns into a checkpoint. What is random shows in
the first REPEATED steps."""
LEAST, FEW = 128, 32
"""Images of each split, and at least two batches of training images; and of those that averages are estimated on again."""


def rehearse(part: Rehearsed) -> list[Reason]:
    """Return why an arm on a family of networks cannot be studied."""
    outside = ":" in part.arm
    if outside and (reasons := list(_made(part))):
        return reasons
    try:
        norm, h = _last(part)
    except Exception as error:
        remedy = "Its function is called as build in bnstudy/nets/mlp.py is."
        return [failed(f"the networks {part.net} cannot be built", error, remedy)]
    stage = Stage(lambda: _norm(part, DEPTH, h), h)
    if outside and (reasons := list(_without_pixels(norm, h)) or list(promises(stage))):
        return reasons
    torch.set_num_threads(1)
    return list(_performed(part, norm if outside and mixes(stage) else None))


def described(part: Rehearsed) -> Traits:
    """Return what an arm is: of each trait, the most of any layer."""
    h = _last(part)[1]
    every = [_traits(_norm(part, layer, h), h) for layer in range(1, DEPTH + 1)]
    return Traits(**{name: max(vars(traits)[name] for traits in every) for name in vars(every[0])})


def _made(part: Rehearsed) -> Iterator[Reason]:
    """Yield why the arm cannot even be made."""
    module, _, name = part.arm.partition(":")
    remedy = f"An arm is called with the number of channels alone, and makes a torch.nn.Module: def mine(channels): return {name}(..., channels, ...); then write {module}:mine, or a module of your own, in place of {part.arm}."
    try:
        find(part.arm)
    except AttributeError:
        near = get_close_matches(name, dir(import_module(module)), 1)
        remedy = f"Did you mean {near[0]}? " if near else ""
        yield Reason(f"{module} defines no {name}", f"{remedy}Write the name of a class or function that stands in it.")
        return
    except TypeError as error:
        yield Reason(str(error), remedy)
        return
    except (Exception, SystemExit) as error:
        lacks = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        mend = f"Install {lacks}, or take the import out." if lacks not in (None, module) else "Mend that line."
        yield failed(f"importing {module} fails", error, mend)
        return
    try:
        make(part.arm, range(NETWORKS), part.width, Place(1, DEPTH), 0)
    except TypeError as error:
        yield Reason(f"called with the number of channels, {name} fails: {error}", remedy)
    except KeyError as error:  # how torch says that a class attribute has the name
        mend = "bias, statistics and update are words of the contract: give what you keep another name, e.g. own_bias."
        yield failed("it cannot be made", error, mend)
    except Exception as error:
        mend = f"It is called with the number of channels alone: let it take {part.width}, or set network.width to a number that it takes."
        yield failed(f"called with the number of channels, {part.width}, it fails", error, mend)


def _without_pixels(norm: Norm, h: Tensor) -> Iterator[Reason]:
    """Yield a reason where torch would take [samples, units] for one sample of so many units and pixels."""
    if h.dim() == 3 and any(isinstance(part, _InstanceNorm) for part in norm.modules()):
        fault = "instance normalization takes its means over the pixels of a sample, and here there are none"
        yield Reason(fault, "Use it in networks of images (network.family: cnn), or write torch.nn:LayerNorm here.")


def _last(part: Rehearsed) -> tuple[Norm, Tensor]:
    """Return the norm of the last layer, and what it gets there [M, C, B, *S], laid out as networks of the family do.

    In networks with skip connections one ends there.
    """
    seen: dict[tuple[int, str], Tensor] = {}
    arm = "none" if ":" in part.arm else part.arm
    net = builder(part.net)(_shape(part), CLASSES, DEPTH, part.width, 1.0, arm, range(NETWORKS))
    x = torch.randn(NETWORKS, int(np.prod(_shape(part))), part.batch, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net(x, lambda layer, site, value: seen.setdefault((layer, site), value.detach()))
    h = seen[DEPTH, "linear"]
    return _norm(part, DEPTH, h), h


def _norm(part: Rehearsed, layer: int, h: Tensor) -> Norm:
    return make(part.arm, range(NETWORKS), part.width, Place(layer, DEPTH), h.dim() - 3)


def _performed(part: Rehearsed, mixing: Norm | None) -> Iterator[Reason]:
    """Train twice, then measure; yield what goes wrong. ``mixing``: a norm that mixes samples when networks are tested."""
    images = _images(part)
    sizes = Splits(heldout=LEAST, test=LEAST, train=max(LEAST, 2 * part.batch))
    setting = Setting(part.arm, DEPTH, 1.0, "standardized", part.net, part.width, part.batch, "sgd", 1)
    seeds = tuple(range(NETWORKS))
    spec = CellSpec(setting, STEPS, 0.9, (TARGET,), sizes, RATE, seeds, "levels", "images", "code", "torch")
    runs = [Run(seed, RATE) for seed in seeds]
    try:
        first, second = (train(replace(spec, steps=steps), runs, images, "levels") for steps in (STEPS, REPEATED))
    except Exception as error:
        yield failed("training fails", error, "Mend that line; nothing of the kind was seen in a single pass.")
        return
    if not np.array_equal(first.loss[:REPEATED], second.loss, equal_nan=True):
        fault = "trained twice, it gives two results: its output is random"
        yield Reason(fault, "Draw with torch alone; set no seed yourself.")
        return
    if first.diverged.any():
        fault = f"its loss is no number, or a thousand times the first, within {STEPS} steps at rate {RATE}"
        yield Reason(fault, "Mind divisions by zero, roots and logarithms; add eps under a root.")
        return
    with TemporaryDirectory() as folder:
        store.put(Path(folder), spec, first.checkpoints)
        cell = WatchedCell(Path(folder), store.key(spec), Prepared(images), RATE)
        start, end = cell.net("init"), cell.net("final")
        yield from _unmoved(start, end)
        if any(norm.has_statistics and not norm.native for norm in end.norms):
            yield from _reestimated(cell, end)
        testing: list[str] = []
        for name in part.measures:
            try:
                cell.tested = False
                import_module(f"bnstudy.measures.{name}").measure(cell)
                testing += [name] * cell.tested
            except Exception as error:
                mend = "Mend that line; or leave the measure out of the grids."
                yield failed(f"the measure {name} fails", error, mend)
        if mixing and testing:
            yield without_test_mode(mixing, testing, part.measures)


def _unmoved(start: Any, end: Any) -> Iterator[Reason]:
    """Yield the parameters of norms that training left where they were."""
    before = dict(start.norms.named_parameters())
    never = {name.split(".", 1)[1].removeprefix("module.") for name in before}
    for name, value in end.norms.named_parameters():
        if not torch.equal(value, before[name]):
            never.discard(name.split(".", 1)[1].removeprefix("module."))
    for name in sorted(never):
        fault = f"{name} never moves in training: the loss does not depend on it"
        yield Reason(fault, "Let it change what passes the ReLU, or do not make it a parameter.")


def _reestimated(cell: TrainedCell, net: Any) -> Iterator[Reason]:
    """Yield a reason where passes over images still move the stored averages once these count as those of the images."""
    x = cell.split("heldout")[0][..., :FEW]
    with torch.no_grad():
        adapted = with_statistics_of(net, x)
        settled = adapted(x)
        adapted.set_statistics("batch", update=True)
        for _ in range(50):
            adapted(x)
        adapted.set_statistics("running", update=False)
        later = adapted(x)
    if not torch.allclose(settled, later, rtol=0.02, atol=0.02 * float(later.abs().max())):
        remedy = "Move each average by a constant share of what is left, as torch.nn.BatchNorm1d does: mean.lerp_(of_batch, 0.1)."
        yield Reason("passes over the same images do not bring its averages to the statistics of these images", remedy)


def _traits(norm: Norm, h: Tensor) -> Traits:
    half = h.shape[2] // 2
    other = h.clone()
    other[:, :, half:] *= 3
    before, after = (passed(norm, x, "batch")[:, :, :half] for x in (h, other))
    return Traits(
        mixes_samples=not alike(after, before),
        stores_averages=norm.has_statistics,
        draws=random(norm, h),
        parameters_per_unit=round(sum(p.numel() for p in norm.parameters()) / NETWORKS / h.shape[1], 3),
    )


class Prepared(StudyImages):
    """The made-up images in place of stored ones, clean, when all sizes of batches are tried, and under one shift."""

    def __init__(self, images: Images) -> None:
        super().__init__(Path())
        self.only = images

    def shifted(self, pool: int) -> list[tuple[str, int, Tensor]]:
        """Return (family, severity, images), the clean ones first."""
        return [shifted for shifted in super().shifted(pool) if shifted[:2] in (("clean", 0), ("contrast", 5))]

    def images(self, pool: int) -> Images:
        """Return the images."""
        return self.only

    def other(self, pool: int) -> None:
        """Return None: nobody else collected such images."""


def _shape(part: Rehearsed) -> tuple[int, int, int]:
    """Return the shape of the images: small ones are quick, but a family from outside may not take them.

    Four by four pixels are even, as an arm that pools may need.
    """
    return (3, 12, 12) if ":" in part.net else (3, 4, 4)


def _images(part: Rehearsed) -> Images:
    """Return images whose class shows in their brightness, enough for the splits."""
    drawn = np.random.default_rng(0)
    count = 2 * LEAST + max(LEAST, 2 * part.batch)
    y = np.arange(count) % CLASSES
    x = (0.5 * drawn.random((count, *_shape(part))) + 0.5 * y[:, None, None, None] / CLASSES).astype(np.float32)
    return Images(x, y.astype(np.int64), tuple("abcd"))


def rehearsed(job: RehearseJob) -> list[Mapping[str, object]]:
    """Return what each part of a job is; end the program, all reasons its last lines, where one cannot be studied.

    What is the package's own is described alone.
    """
    if broken := [(part, reasons) for part in job.parts if part.outside and (reasons := rehearse(part))]:
        raise SystemExit(report(broken))
    return [vars(part) | vars(described(part)) for part in job.parts]


def report(broken: list[tuple[Rehearsed, list[Reason]]]) -> str:
    """Return all reasons as one text; they are its last lines."""
    lines = ["Nothing was trained. config/README.md, 'A normalizer of your own', shows how an arm is written."]
    for part, reasons in broken:
        lines.append(f"{part.arm} in networks {part.net} of {part.width} units, with batches of {part.batch}:")
        for number, (fault, remedy) in enumerate(reasons, 1):
            lines += [f"{number}. {fault}.", f"   {remedy}"]
    return "\n".join(lines)
