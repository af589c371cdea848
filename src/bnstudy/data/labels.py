"""Label shift: the images of a class stay what they are, the share of each class changes."""

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.rng import rng


def proportions(severity: int, major: int, own: np.ndarray) -> np.ndarray:
    """Shares [classes]: the data's ``own`` at severity 0, class ``major`` alone at 5, between them in equal steps."""
    shares = (1 - severity / 5) * own
    shares[major] += severity / 5
    return shares


def counts(shares: np.ndarray, size: int, first: int) -> np.ndarray:
    """Whole numbers with sum ``size``, nearest to size * shares (largest remainders; among equal ones the classes from
    ``first`` on, cyclically, so that no class is always the favoured one)."""
    exact = np.round(size * shares, 9)
    whole = np.floor(exact).astype(int)
    turn = (np.arange(len(shares)) - first) % len(shares)
    whole[np.lexsort((turn, whole - exact))[: size - whole.sum()]] += 1
    return whole


def largest(labels: Tensor) -> int:
    """Images in a set whose severities can all be had from ``labels`` [M, n]: as many as the rarest class has, in whole
    batches of 32 where it has 32."""
    fewest = min(int(row.bincount().min()) for row in labels)
    return fewest // 32 * 32 or fewest


def chosen(labels: Tensor, severity: int, major: int, size: int, seed: int) -> Tensor:
    """``size`` different places in ``labels`` [n] with the shares of that severity, in random order. The labels' own
    shares are those of the training images: splits are stratified.

    Each class takes its turn as ``major``; the sets then begin at other images of a class, so that those of severity 0
    have few images in common.
    """
    found = labels.bincount().numpy()
    each = counts(proportions(severity, major, found / len(labels)), size, major)
    places = []
    for label, n in enumerate(each):
        own = torch.nonzero(labels == label)[:, 0]
        places.append(own.roll(-(major * len(own)) // len(found))[: int(n)])
    return torch.cat(places)[torch.randperm(size, generator=rng(seed, "label shift", severity, major))]
