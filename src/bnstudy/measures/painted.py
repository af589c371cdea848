"""Tests of networks on other colours than they were trained on, and on other shares of the classes."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from bnstudy.data.colour import HUES, colour_at, gray_twin, spurious, wheel
from bnstudy.data.labels import chosen, largest
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.view import SeedView, in_batches
from bnstudy.nets.base import Net

BATCH = 32
"""Images per test batch."""


class Tested(NamedTuple):
    """The result of one condition: logits [M, classes, n] for images with labels [M, n]."""

    shift: str
    severity: int
    statistics: str
    logits: Tensor
    labels: Tensor


def lecture(cell: TrainedCell, net: Net, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Test the lecture split at severities 0 to 5, and the gray twin of each of its images.

    In six passes every test image has each of the six hues once. Both kinds of batches hold the same images: in `hue32`
    they have one hue, in `mixed32` the hues alternate.
    """
    pool = cell.pixels
    ground = cell.setting.inputs.removesuffix("_ceiling")
    place = torch.arange(view.labels.shape[1])
    for shift, tone in ((ground, lambda colour: colour), (f"{ground}_twin", gray_twin)):
        for severity in range(6):
            logits: dict[str, list[Tensor]] = {}
            passes = len(HUES) if severity else 1  # at severity 0 all hues are the same dark gray
            plain: dict[tuple[float, ...], dict[str, Tensor]] = {}  # by colour: the twins of three hues are the same
            for first in range(passes):
                colour = tone(colour_at(severity, HUES[first]))
                key = tuple(round(c, 6) for c in colour.tolist())
                if key not in plain:
                    plain[key] = _of_one_hue(net, view(pool, colour.expand(len(place), 3)), statistics)
                for name, of_hue in plain[key].items():
                    logits.setdefault(name, []).append(of_hue)
                if statistics:
                    mixed = view(pool, tone(colour_at(severity, HUES[(place + first) % len(HUES)])))
                    logits.setdefault("mixed32", []).append(in_batches(net, mixed, BATCH))
            for name, of_passes in logits.items():
                yield Tested(shift, severity, name, torch.cat(of_passes, 2), view.labels.repeat(1, passes))


def _of_one_hue(net: Net, x: Tensor, statistics: bool) -> dict[str, Tensor]:
    """Return the logits with stored and with batch statistics; leave the networks on batch statistics."""
    net.set_statistics("running", update=False)
    stored = net(x)
    net.set_statistics("batch", update=False)
    return {"running": stored} | ({"hue32": in_batches(net, x, BATCH)} if statistics else {})


def spurious_colour(cell: TrainedCell, net: Net, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Test with hues that tell the class as in training (severity 0), less and less, and not at all (5).

    Under the shift `spurious_colour_swapped` every image has the hue farthest from that of its class: another class's.
    """
    pool, classes, labels = cell.pixels, len(cell.images.classes), view.labels.cpu()
    conditions = [("spurious_colour", severity) for severity in range(6)]
    for shift, severity in (*conditions, ("spurious_colour_swapped", 5)):
        if shift.endswith("swapped"):
            colours = wheel(classes)[(labels + classes // 2) % classes]
        else:
            draw = partial(spurious, classes=classes, severity=severity, purpose="spurious test")
            colours = torch.stack([draw(of_seed, seed=seed) for of_seed, seed in zip(labels, cell.seeds)])
        x = view(pool, colours)
        net.set_statistics("running", update=False)
        yield Tested(shift, severity, "running", net(x), view.labels)
        if statistics:
            net.set_statistics("batch", update=False)
            yield Tested(shift, severity, f"batch{BATCH}", in_batches(net, x, BATCH), view.labels)
            yield Tested(shift, severity, "whole", net(x), view.labels)


def label_shift(cell: TrainedCell, net: Net, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Test clean images in sets in which one class is more frequent than the others; each class takes its turn.

    `batch32` are batches of such a set, and `whole` is the set. With stored statistics the logits of an image do not
    depend on the other images; with those of batches they do.
    """
    x, size = view(cell.pixels), largest(view.labels)
    net.set_statistics("running", update=False)
    stored = net(x)
    net.set_statistics("batch", update=False)
    for severity in range(6):
        logits: dict[str, list[Tensor]] = {}
        labels = []
        for major in range(len(cell.images.classes)):
            pairs = zip(view.labels.cpu(), cell.seeds)
            places = torch.stack([chosen(of_seed, severity, major, size, seed) for of_seed, seed in pairs]).to(x.device)
            labels.append(view.labels.gather(1, places))
            logits.setdefault("running", []).append(_take(stored, places))
            if statistics:
                images = _take(x, places)
                if size >= BATCH:
                    logits.setdefault(f"batch{BATCH}", []).append(in_batches(net, images, BATCH))
                logits.setdefault("whole", []).append(net(images))
        for name, of_sets in logits.items():
            yield Tested("label", severity, name, torch.cat(of_sets, 2), torch.cat(labels, 1))


def _take(values: Tensor, places: Tensor) -> Tensor:
    """Return the columns ``places`` [M, k] of ``values`` [M, C, n], chosen per network: [M, C, k]."""
    return values.gather(2, places[:, None].expand(-1, values.shape[1], -1)).contiguous()
