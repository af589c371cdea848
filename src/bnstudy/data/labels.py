"""Label shift: the images stay as they are, and the share of each class changes."""

import numpy as np
import torch
from torch import Tensor

from bnstudy.core.rng import rng


def proportions(severity: int, major: int, usual: np.ndarray) -> np.ndarray:
    """Return shares [classes]: the ``usual`` ones at severity 0, class ``major`` alone at 5, equal steps between them.

    >>> proportions(5, 1, np.array([0.5, 0.5])).tolist()
    [0.0, 1.0]
    """
    shares = (1 - severity / 5) * usual
    shares[major] += severity / 5
    return shares


def counts(shares: np.ndarray, size: int, first: int) -> np.ndarray:
    """Return the whole numbers with sum ``size`` that are nearest to size * shares (largest remainders).

    Among equal remainders the classes from ``first`` on go first, cyclically, so that no class is always favoured.

    >>> counts(np.array([0.5, 0.5]), 3, first=1).tolist()
    [1, 2]
    """
    exact = np.round(size * shares, 9)
    whole = np.floor(exact).astype(int)
    turn = (np.arange(len(shares)) - first) % len(shares)
    whole[np.lexsort((turn, whole - exact))[: size - whole.sum()]] += 1
    return whole


def largest(labels: Tensor) -> int:
    """Return the size of the largest set that ``labels`` [M, n] allow at every severity: the number of images of the
    rarest class, in whole batches of 32 where there are 32."""
    fewest = min(int(row.bincount().min()) for row in labels)
    return fewest // 32 * 32 or fewest


def chosen(labels: Tensor, severity: int, major: int, size: int, seed: int) -> Tensor:
    """Return ``size`` different places in ``labels`` [n] with the shares of that severity, in random order.

    The shares in ``labels`` are those of the training images, since splits are stratified. Each class takes its turn as
    ``major``; the sets then begin at different images of a class, so that those of severity 0 have few in common.
    """
    usual = labels.bincount().numpy()
    wanted = counts(proportions(severity, major, usual / len(labels)), size, major)
    places = []
    for label, n in enumerate(wanted):
        members = torch.nonzero(labels == label)[:, 0]
        places.append(members.roll(-(major * len(members)) // len(usual))[: int(n)])
    return torch.cat(places)[torch.randperm(size, generator=rng(seed, "label shift", severity, major))]
