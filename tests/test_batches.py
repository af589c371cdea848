"""What the statistics of test batches can and cannot do: batches of any size, of one image, of shifted classes."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bnstudy.arms.base import Place
from bnstudy.arms.find import make
from bnstudy.core.plugins import names
from bnstudy.data.batches import scaling
from bnstudy.data.images import Images, save
from bnstudy.data.labels import chosen, counts, largest, proportions
from bnstudy.measures import shift
from bnstudy.measures.cell import StudyImages
from bnstudy.measures.painted import label_shift
from bnstudy.measures.view import SeedView, in_batches
from bnstudy.training.train import build
from helpers.trained import IMAGES, Source, alone, cell, training_spec


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> StudyImages:
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    save(IMAGES, path)
    return StudyImages(path)


def one_by_one(net: Callable[[Tensor], Tensor], x: Tensor, size: int) -> Tensor:
    """The same by definition: a forward pass a batch."""
    return torch.cat([net(batch) for batch in x.tensor_split(-(-x.shape[2] // size), 2)], 2)


GHOSTS = [
    arm for arm in names("arms", "build") if any(hasattr(make(arm, [0], 4, Place(n, 2), 0), "ghost") for n in (1, 2))
]
"""Arms that normalize small batches in one pass."""


@pytest.mark.parametrize("arm", GHOSTS)
@pytest.mark.parametrize("size", [1, 2, 7, 32, 200, 256])
@pytest.mark.parametrize("net", ["mlp", "cnn"])
def test_many_batches_in_one_pass_are_batches(net: str, arm: str, size: int) -> None:
    # float64: where a batch's variance is near 0, 1/sqrt(eps) = 316 magnifies what rounding differs
    nets = build(training_spec(arm, 1, depth=4, width=16, batch=64, net=net), IMAGES, [0, 1, 2], torch.float64)
    noise = torch.Generator().manual_seed(0)
    for p in nets.parameters():  # as if trained: no gamma of 1, no beta of 0
        p.data += 0.1 * torch.randn(p.shape, generator=noise, dtype=p.dtype)
    nets.set_statistics("batch", update=False)
    x = torch.randn(3, 64, min(40 * size, 256), generator=noise, dtype=torch.float64)
    before = deepcopy(nets.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(in_batches(nets, x, size), one_by_one(nets, x, size), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(nets(x), one_by_one(nets, x, 256), rtol=0, atol=0)  # nothing is left switched on
    assert all(torch.equal(value, before[name]) for name, value in nets.state_dict().items())


def test_an_arm_that_knows_no_ghost_batches_gets_its_batches_one_by_one() -> None:
    class Own(torch.nn.Module):
        has_statistics = True

        def forward(self, h: Tensor) -> Tensor:
            return h - h.mean(2, keepdim=True)

    norm, x = Own(), torch.randn(2, 5, 9)

    class Net:
        norms = [norm]

        def __call__(self, h: Tensor) -> Tensor:
            return norm(h)

    net: Any = Net()
    torch.testing.assert_close(in_batches(net, x, 4), one_by_one(net, x, 4))
    assert not hasattr(norm, "ghost")


def test_one_image_has_no_spread_so_all_get_the_same_answer() -> None:
    net, x = cell("bn").net("final"), cell("bn").split("test")[0]
    with torch.no_grad():
        logits = in_batches(net, x, 1)
        torch.testing.assert_close(logits, logits[..., :1].expand_as(logits), rtol=0, atol=1e-4)
        h = torch.relu(net.norms[-1].beta)[..., None]  # x-hat = 0: each layer puts out relu(beta), whatever comes in
        expected = torch.bmm(net.head, h) + net.head_bias[..., None]
    torch.testing.assert_close(logits[..., :1], expected, rtol=0, atol=1e-3)


def test_small_batches_are_tested_where_said(source: StudyImages) -> None:
    c = cell("bn")
    c.source = source
    table = shift.measure(c)
    where = {b: set(map(tuple, g[["family", "severity"]].values)) for b, g in table.groupby("statistics")}
    assert where["batch1"] == where["batch2"] == where["batch4"] == {("clean", 0), ("contrast", 3)}
    plain = where["running"] - {("label", s) for s in range(6)}
    assert len(where["running"]) == len(plain) + 6 == 1 + 8 * 5 + 6 and where["reestimated"] == plain
    assert where["batch8"] == where["batch128"] == {(f, s) for f, s in plain if s in (0, 3)}
    clean = table[table["family"] == "clean"].groupby("statistics")["accuracy"].median()
    assert clean["batch1"] < clean["batch2"] < clean["batch4"] < clean["batch8"] < clean["batch32"]
    one = table[table["statistics"] == "batch1"]
    shares = np.bincount(IMAGES.y) / len(IMAGES.y)
    assert one["accuracy"].between(100 * shares.min() - 1, 100 * shares.max() + 1).all()  # that of one class
    c.source = Source()


def test_another_source_is_tested_on_one_half_of_its_images_and_adapted_to_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other source is the study's own images, at half their contrast and in another order."""
    other = Images(IMAGES.x[::-1] / 2, IMAGES.y[::-1].copy(), IMAGES.classes)
    for arm, statistics in (("none", ["running"]), ("bn", ["running", "batch32", "reestimated"])):
        c = cell(arm)
        monkeypatch.setattr(c, "source", Source(other=other))
        table = shift.measure(c)
        table = table[table["family"] == "another source"]
        assert list(table["statistics"]) == [name for name in statistics for _ in c.seeds]
        assert set(table["severity"]) == {1}
        for m, seed in enumerate(c.seeds):
            theirs, heldout = (SeedView(c, name, other).index[m] for name in ("test", "heldout"))
            assert len(set(theirs.tolist()) | set(heldout.tolist())) == 2 * (len(other.y) // 2)
            training = IMAGES.x[scaling(IMAGES, c.spec, seed).splits["train"]].astype(float)
            seen = (torch.from_numpy(other.x).double().flatten(1) - training.mean()) / training.std()
            network = alone(c.net("final"), m, torch.float64)
            for norm in (n for n in network.modules() if isinstance(n, torch.nn.BatchNorm1d)):
                norm.momentum = None  # its averages become those of the first batch
            network(seen[heldout])
            answers = network.eval()(seen[theirs]).argmax(1)
            expected = 100 * (answers == torch.from_numpy(other.y)[theirs]).double().mean().item()
            last = table[(table["seed"] == seed) & (table["statistics"] == statistics[-1])]
            assert last["accuracy"].item() == pytest.approx(expected, abs=0.12) and 40 < expected < 99


def test_proportions_of_classes_shift_from_uniform_to_one_class() -> None:
    assert proportions(0, 3, np.full(10, 0.1)).tolist() == [0.1] * 10
    assert proportions(5, 3, np.full(10, 0.1)).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert proportions(2, 0, np.full(4, 0.25)).tolist() == pytest.approx([0.55, 0.15, 0.15, 0.15])
    for severity in range(6):
        total = np.zeros(10)
        for major in range(10):
            shares = proportions(severity, major, np.full(10, 0.1))
            wanted = counts(shares, 96, major)
            assert wanted.sum() == 96 and (abs(wanted - 96 * shares) < 1).all() and shares.sum() == pytest.approx(1)
            total += wanted
        assert (total == 96).all()  # over all sets each class is as frequent as any other


def test_label_shift_draws_images_without_replacement_with_those_proportions() -> None:
    labels = torch.from_numpy(np.random.default_rng(0).permutation(np.arange(1024) % 10))
    size = largest(labels[None])
    assert size == 96 and largest(torch.arange(250)[None] % 10) == 25
    sets = []
    for severity in range(6):
        for major in (0, 4, 9):
            places = chosen(labels, severity, major, size, 0)
            assert len(set(places.tolist())) == 96
            got = labels[places].bincount(minlength=10)
            usual = labels.bincount().numpy() / 1024
            assert got.tolist() == counts(proportions(severity, major, usual), 96, major).tolist()
            batches = labels[places].view(3, 32)
            assert severity == 5 or all(len(b.unique()) > 1 for b in batches)  # shuffled, not sorted by class
            sets += [set(places.tolist())] if severity == 0 else []
    assert not sets[0] & sets[1] and len(sets[0] & sets[2]) <= 10  # severity 0: other images each time


def test_label_shift_of_classes_of_unequal_size_starts_as_they_are() -> None:
    labels = torch.tensor([0] * 96 + [1] * 40 + [2] * 24)
    size = largest(labels[None])
    assert size == 24
    for major in range(3):
        assert labels[chosen(labels, 0, major, size, 0)].bincount(minlength=3).tolist() == [14, 6, 4]  # .6, .25, .15
        assert labels[chosen(labels, 5, major, size, 0)].unique().tolist() == [major]


def test_stored_statistics_answer_alike_whatever_comes_along_and_batches_do_not() -> None:
    c = cell("bn")
    net, view = c.net("final"), SeedView(c, "test")
    with torch.no_grad():
        tested = {(t.severity, t.statistics): t for t in label_shift(c, net, view, True)}
        net.set_statistics("running", update=False)
        stored = net(view(torch.from_numpy(IMAGES.x)))
    for m in range(3):
        ours = {tuple(np.round(v, 3)) for v in stored[m].T.tolist()}
        assert {tuple(np.round(v, 3)) for v in tested[5, "running"].logits[m].T.tolist()} <= ours
    right = {k: (t.logits.argmax(1) == t.labels).double().mean().item() for k, t in tested.items()}
    assert abs(right[5, "running"] - right[0, "running"]) < 0.03 and right[0, "whole"] - right[5, "whole"] > 0.4
    assert [t.labels.shape for t in tested.values()] == [(3, 250)] * len(tested)
    assert [t.statistics for t in label_shift(cell("none"), cell("none").net("final"), view, False)] == ["running"] * 6
