"""How stable a verdict is: the seeds drawn again, with replacement, and each draw judged by the same rule.

It needs no training, and tells what an interval does not: whether a few of the seeds decide. The seeds at hand stand for
those that might have been, so a share is itself an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, takewhile

import numpy as np

from bnstudy.claims.decide import Evaluation, combine, decide
from bnstudy.core.stats import ends, rank

DRAWS = 400
"""How often the seeds are drawn again."""
MOST = 1000
"""The largest number of seeds that is tried for what is open."""
LIKELY = 0.8
"""So large a share of the draws must decide what is open."""


def stability(evaluations: Sequence[Evaluation], intervals: int) -> tuple[float | None, int | None]:
    """Return how stable the verdict on some contrasts of one claim is.

    Args:
        evaluations: the contrasts as judged. Where kinds of networks have different numbers of seeds, a draw takes of each
            the same multiple of its number; what is returned counts those of the first.
        intervals: K, as they were judged with.

    Returns:
        The share of draws of as many seeds in which the same verdict comes out. It is None where no contrast has values,
        and where one is the whole range of its seeds (k = 1): every draw's then lies inside it, and cannot turn.
        And about how many seeds would decide what is open: the least tried of which four in five draws do. It is None
        where the verdict is decided, and where even MOST seeds would not.
    """
    if not any(e.values for e in evaluations):
        return None, None
    seeds, *others = [len(e.values.theta) for e in evaluations if e.values]
    verdict = combine([e.row.verdict for e in evaluations])
    share = None
    if rank(min([seeds, *others]), intervals) > 1:
        share = float(np.mean([v == verdict for v in _drawn(evaluations, seeds, seeds, intervals)]))
    if verdict != "inconclusive":
        return share, None
    sizes = (round(seeds * 2 ** (step / 2)) for step in count(1))  # each about 1.4 times the last
    for more in takewhile(lambda size: size <= MOST, sizes):
        if np.mean([v != "inconclusive" for v in _drawn(evaluations, more, seeds, intervals)]) >= LIKELY:
            return share, more
    return share, None


def _drawn(evaluations: Sequence[Evaluation], size: int, of: int, intervals: int) -> list[str]:
    """Return the verdict of each draw of ``size`` seeds for ``of``, the same ones for all contrasts."""
    return [combine(verdicts) for verdicts in zip(*(_verdicts(e, size, of, intervals) for e in evaluations))]


def _verdicts(evaluation: Evaluation, size: int, of: int, intervals: int) -> list[str]:
    """Return the verdict on one contrast in each draw: open where a premise does not hold, as judged without values."""
    if not (values := evaluation.values):
        return [evaluation.row.verdict] * DRAWS
    contrast, seeds = values.contrast, len(values.theta)
    size = round(size * seeds / of)
    k = rank(size, intervals)
    if not k:
        return ["open"] * DRAWS
    draws = np.random.default_rng([seeds, size]).integers(seeds, size=(DRAWS, size))
    (low, high), *needed = (
        ends(theta["lower"].to_numpy()[draws], theta["upper"].to_numpy()[draws], k)
        for theta in (values.theta, *values.premises)
    )
    holds = np.ones(DRAWS, bool)
    for premise, (least, _) in zip(contrast.premises, needed):
        holds &= least > premise.sesoi
    judged = zip(low.tolist(), high.tolist(), holds.tolist())
    return [decide(a, b, contrast.sesoi, contrast.region)[0] if held else "open" for a, b, held in judged]
