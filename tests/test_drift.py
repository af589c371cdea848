"""Drift between checkpoints and moments at one, against numpy and scipy, unit by unit."""

import numpy as np
import pytest
import torch
from scipy.stats import kurtosis, wasserstein_distance

from bnstudy.measures import drift, moments
from bnstudy.measures.common import DEAD, Units, moment_change, shape_change
from helpers.trained import cell


def shape_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over units of Wasserstein-1 between the standardized values of a and b [C, n]; dead units are left out."""
    pairs = [(x, y) for x, y in zip(a, b) if min(x.std(ddof=1), y.std(ddof=1)) > DEAD]
    distances = [wasserstein_distance(*((u - u.mean()) / u.std(ddof=1) for u in pair)) for pair in pairs]
    return float(np.mean(distances))


def cka(a: np.ndarray, b: np.ndarray) -> float:
    """Linear CKA by the n x n Gram matrices of Kornblith et al. 2019, equation 3: HSIC(K, M) / sqrt(HSIC(K, K) HSIC(M, M))."""
    k, m = (h.T @ h for h in (h - h.mean(1, keepdims=True) for h in (a, b)))
    return float((k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()))


@pytest.mark.parametrize("arm", ["none", "bn"])
def test_drift_and_moments_of_a_trained_cell(arm: str) -> None:
    c = cell(arm)
    activations = {name: dict(c.activations(name)) for name in ("init", "loss1.0", "final")}
    rows = drift.measure(c).set_index(["start", "end", "layer", "site", "seed"])
    for start, end in (("init", "loss1.0"), ("init", "final")):
        for site in ("linear", "next"):
            a, b = (activations[name][3][site][1].double().numpy() for name in (start, end))
            row = rows.loc[start, end, 3, site, c.seeds[1]]
            change = (b.mean(1) - a.mean(1)) ** 2 + (b.std(1, ddof=1) - a.std(1, ddof=1)) ** 2
            assert row["moments"] == pytest.approx(np.sqrt(change.mean() / a.var(1, ddof=1).mean()), rel=1e-4)
            assert row["shape"] == pytest.approx(shape_by_hand(a, b), rel=1e-3)
            assert row["cka"] == pytest.approx(cka(a, b), rel=1e-4)
    rows = moments.measure(c).set_index(["checkpoint", "layer", "site", "seed"])
    for site in ("linear", "next"):
        h = activations["final"][3][site][2].double().numpy()
        row = rows.loc["final", 3, site, c.seeds[2]]
        ln_sd = np.log(np.maximum(h.std(1), DEAD))
        assert row["offset"] == pytest.approx(np.sqrt((h.mean(1) ** 2 + ln_sd**2).mean()), rel=1e-4)
        assert row["variance"] == pytest.approx(h.var(1).mean(), rel=1e-4)
        alive = h[h.std(1) > DEAD]
        expected = (kurtosis(alive, axis=1).sum() - 3 * (len(h) - len(alive))) / len(h)  # a dead unit counts as -3
        assert row["excess_kurtosis"] == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert row["dead"] == pytest.approx((h.std(1) < DEAD).mean())


def test_dead_units_have_no_shape() -> None:
    g = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 3, 8, 100, generator=g)
    b = b.exp() * torch.arange(8)[:, None]  # unit 0 is dead
    for i in range(3):
        by_hand = shape_by_hand(a[i].numpy(), b[i].numpy())
        assert shape_change(Units.of(a), Units.of(b))[i].item() == pytest.approx(by_hand, rel=1e-4)
    change = (b.mean(2) - a.mean(2)).square() + (b.std(2) - a.std(2)).square()
    assert torch.allclose(moment_change(Units.of(a), Units.of(b)), (change.mean(1) / a.var(2).mean(1)).sqrt())
