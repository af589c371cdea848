"""How stable a verdict is: the seeds drawn again, with replacement, and each draw judged by the same rule.

It needs no training, and tells what an interval does not: whether a few of the seeds decide. The seeds at hand stand for
those that might have been, so a share is itself an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bnstudy.claims.decide import Evaluation, Values, combine, decide
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
        share = float(np.mean([v == verdict for v in _drawn(evaluations, seeds, intervals)]))
    if verdict != "inconclusive":
        return share, None
    for more in _sizes(seeds):
        decided = [v != "inconclusive" for v in _drawn(evaluations, more, intervals)]
        if np.mean(decided) >= LIKELY:
            return share, more
    return share, None


def _sizes(seeds: int) -> Iterator[int]:
    """Yield numbers of seeds, each about 1.4 times the last, up to MOST."""
    steps = 1
    while (size := round(seeds * 2 ** (steps / 2))) <= MOST:
        yield size
        steps += 1


def _drawn(evaluations: Sequence[Evaluation], size: int, intervals: int) -> list[str]:
    """Return the verdict of each draw of ``size`` seeds, the same ones for all contrasts; None stays as it was judged."""
    seeds = next(len(e.values.theta) for e in evaluations if e.values)
    each = [
        _verdicts(e.values, round(size * len(e.values.theta) / seeds), intervals)
        if e.values
        else [e.row.verdict] * DRAWS
        for e in evaluations
    ]
    return [combine(verdicts) for verdicts in zip(*each)]


def _verdicts(values: Values, size: int, intervals: int) -> list[str]:
    """Return the verdict on one contrast in each draw; where a premise does not hold it is open."""
    k, contrast, seeds = rank(size, intervals), values.contrast, len(values.theta)
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
