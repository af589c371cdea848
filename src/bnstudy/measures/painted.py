"""Networks trained on coloured images, tested on other colours; and any networks tested on other shares of classes."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bnstudy.data.colour import HUES, colour_at, gray_twin, spurious, wheel
from bnstudy.data.labels import chosen, largest
from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.view import SeedView, in_batches

BATCH = 32


class Tested(NamedTuple):
    """What one condition gave: logits [M, classes, n] for images of these labels [M, n]."""

    family: str
    severity: int
    statistics: str
    logits: Tensor
    labels: Tensor


def lecture(cell: TrainedCell, net: Any, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """The lecture split at severities 0 to 5, and the gray twin of each of its images.

    In six passes every test image has each of the six hues once. The images of a batch are the same for both kinds of
    batches: in `hue32` they have one hue, in `mixed32` the hues alternate.
    """
    pool = cell.pixels
    ground = cell.setting.inputs.removesuffix("_ceiling")
    place = torch.arange(view.labels.shape[1])
    for family, tone in ((ground, lambda colour: colour), (f"{ground}_twin", gray_twin)):
        for severity in range(6):
            found: dict[str, list[Tensor]] = {}
            passes = len(HUES) if severity else 1  # at severity 0 all hues are the same dark gray
            plain: dict[tuple[float, ...], dict[str, Tensor]] = {}  # by colour: the twins of three hues are the same
            for first in range(passes):
                colour = tone(colour_at(severity, HUES[first]))
                key = tuple(round(c, 6) for c in colour.tolist())
                if key not in plain:
                    plain[key] = _of_one_hue(net, view(pool, colour.expand(len(place), 3)), statistics)
                for name, logits in plain[key].items():
                    found.setdefault(name, []).append(logits)
                if statistics:
                    mixed = view(pool, tone(colour_at(severity, HUES[(place + first) % len(HUES)])))
                    found.setdefault("mixed32", []).append(in_batches(net, mixed, BATCH))
            for name, each in found.items():
                yield Tested(family, severity, name, torch.cat(each, 2), view.labels.repeat(1, passes))


def _of_one_hue(net: Any, x: Tensor, statistics: bool) -> dict[str, Tensor]:
    """Logits with stored statistics and with those of batches; leaves the networks on batch statistics."""
    net.set_statistics("running", update=False)
    found = {"running": net(x)}
    net.set_statistics("batch", update=False)
    return {**found, "hue32": in_batches(net, x, BATCH)} if statistics else found


def spurious_colour(cell: TrainedCell, net: Any, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """The hue tells the class as in training (severity 0), less and less, not at all (5); and, in the family
    `spurious_colour_swapped`, every image in the hue farthest from its own class's, which is another class's."""
    pool, classes, labels = cell.pixels, len(cell.images.classes), view.labels.cpu()
    conditions = [("spurious_colour", severity) for severity in range(6)]
    for family, severity in (*conditions, ("spurious_colour_swapped", 5)):
        if family.endswith("swapped"):
            colours = wheel(classes)[(labels + classes // 2) % classes]
        else:
            draw = partial(spurious, classes=classes, severity=severity, purpose="spurious test")
            colours = torch.stack([draw(own, seed=seed) for own, seed in zip(labels, cell.seeds)])
        x = view(pool, colours)
        net.set_statistics("running", update=False)
        yield Tested(family, severity, "running", net(x), view.labels)
        if statistics:
            net.set_statistics("batch", update=False)
            yield Tested(family, severity, f"batch{BATCH}", in_batches(net, x, BATCH), view.labels)
            yield Tested(family, severity, "whole", net(x), view.labels)


def label_shift(cell: TrainedCell, net: Any, view: SeedView, statistics: bool) -> Iterator[Tested]:
    """Clean images in sets in which one class is more frequent than the others, each class in its turn.

    `batch32` are batches of such a set, `whole` is the set. Stored statistics leave an image's logits what they are,
    whatever comes along; batches do not.
    """
    x, size = view(cell.pixels), largest(view.labels)
    net.set_statistics("running", update=False)
    stored = net(x)
    net.set_statistics("batch", update=False)
    for severity in range(6):
        found: dict[str, list[Tensor]] = {}
        labels = []
        for major in range(len(cell.images.classes)):
            places = [chosen(own, severity, major, size, seed) for own, seed in zip(view.labels.cpu(), cell.seeds)]
            own = torch.stack(places).to(x.device)
            labels.append(view.labels.gather(1, own))
            found.setdefault("running", []).append(_take(stored, own))
            if statistics:
                images = _take(x, own)
                if size >= BATCH:
                    found.setdefault(f"batch{BATCH}", []).append(in_batches(net, images, BATCH))
                found.setdefault("whole", []).append(net(images))
        for name, logits in found.items():
            yield Tested("label", severity, name, torch.cat(logits, 2), torch.cat(labels, 1))


def _take(values: Tensor, places: Tensor) -> Tensor:
    """The columns ``places`` [M, k] of ``values`` [M, C, n], each network its own -> [M, C, k]."""
    return values.gather(2, places[:, None].expand(-1, values.shape[1], -1)).contiguous()
