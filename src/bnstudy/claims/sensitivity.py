"""Does a verdict hang on a choice? Every claim judged again under other thresholds, targets, rates and networks.

Each change is judged by the same rule, on those of the claim's contrasts that it concerns and that the study holds, and
is set beside the verdict that the same contrasts have without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.decide import Evaluation, combine, evaluate
from bnstudy.claims.endpoints.steps import OVER_GAINS
from bnstudy.claims.endpoints.table import ENDPOINTS
from bnstudy.claims.judge import together
from bnstudy.claims.ledger import Claim, Ledger
from bnstudy.claims.lookup import Factors, Lookup, Missing, Unmeasured
from bnstudy.claims.records import ClaimRow, JudgedWith, SensitivityRow
from bnstudy.core import words

if TYPE_CHECKING:
    import pandas as pd

DECIDED = ("supported", "contradicted", "mixed")
NOT_RECOMPUTED = "not recomputed"


class Change(NamedTuple):
    """One change of one choice.

    ``contrast`` gives the contrast to judge instead, or None where the change says nothing about it; ``factors`` and
    ``roles`` are as for ``Lookup.changed``; ``batches``: steps are counted on the mean loss of the last 20 batches.
    """

    name: str
    contrast: Callable[[Contrast], Contrast | None]
    factors: Factors = {}
    roles: Mapping[str, str] = {}
    batches: bool = False


def run(ledger: Ledger, tables: Mapping[str, pd.DataFrame], given: JudgedWith) -> list[SensitivityRow]:
    """Judge every claim that is judged again under every change.

    Args:
        ledger, tables, given: as for :func:`bnstudy.claims.judge.judge`.

    Returns:
        The rows of robustness.csv. `base_verdict` is that of the same contrasts without the change; `settings` says how
        many of the claim's are among them. `kind` is same, flipped (supported, contradicted and mixed are exchanged),
        weakened (decided before, now open), decided (open before), or not recomputed (the change concerns none of the
        claim's contrasts, or the study holds none).
    """
    plain, rows = Lookup(tables, given, given.kinds), []
    views = {repr(({}, {})): plain}
    batches = Lookup(on_batches(tables), given, given.kinds)
    for claim in (c for c in ledger.claims if c.judged):
        intervals = together(ledger, claim, given.primary)
        before = [evaluate(plain, contrast, intervals) for contrast in claim.settings]
        for change in changes(claim, plain.base, given.networks):
            key = repr((change.factors, change.roles))
            view = batches if change.batches else views.setdefault(key, plain.changed(change.factors, change.roles))
            rows.append(_judge_again(claim, change, before, view, intervals))
    return rows


def changes(claim: Claim, base: Factors, networks: Sequence[Factors]) -> Iterator[Change]:
    """Yield all that a claim is tried under; ``base`` is the study's own value of each factor, ``networks`` are its others."""
    yield Change("half the smallest effect", partial(rescaled, factor=0.5))
    yield Change("twice the smallest effect", partial(rescaled, factor=2.0))
    yield Change("targets swapped", swapped)
    yield Change("steps counted on batches", timed, batches=True)
    arms = dict.fromkeys(arm for contrast in claim.settings if tuned(contrast) for arm in contrast.arms)
    for role, word in (("lower", "lower"), ("upper", "higher")):
        yield Change(f"{word} rates", tuned, roles=dict.fromkeys(arms, role))
        if len(arms) > 1:
            for arm in arms:
                yield Change(f"{word} rate for {words.arm(arm)}", partial(tuned, arm=arm), roles={arm: role})
    for factors in networks:
        if any(base.get(k) != v for k, v in factors.items()):
            name = words.factors(factors)
            yield Change(name, partial(silent, factors=factors), factors=factors)


def rescaled(contrast: Contrast, factor: float) -> Contrast | None:
    """Return the contrast with its smallest effect size of interest (sesoi), and its premises', times ``factor``.

    Where the sesoi is 0 the margin is the smallest effect; of a share (percent) the distance to the nearer bound, 0 or
    100, is halved. Return None where nothing changes.
    """
    margin = contrast.margin * factor
    if contrast.unit == "percent" and factor > 1:
        margin = -100 + (100 + contrast.margin) / factor
    premises = [p.model_copy(update={"sesoi": p.sesoi * factor}) for p in contrast.premises]
    new = contrast.model_copy(update={"sesoi": contrast.sesoi * factor, "margin": margin, "premises": premises})
    return None if new == contrast else new


def swapped(contrast: Contrast) -> Contrast | None:
    """Return the contrast with the second target for the main one, or the other way round, where it has a target."""
    if "target" not in ENDPOINTS[contrast.endpoint].may:
        return None
    return contrast.model_copy(update={"target": "main" if contrast.target == "second" else "second"})


def timed(contrast: Contrast) -> Contrast | None:
    """Return the contrast where it counts steps to a target."""
    return contrast if "target" in ENDPOINTS[contrast.endpoint].may else None


def on_batches(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with the steps by the batches' own mean loss as the steps."""
    found = dict(tables)
    if "convergence" in tables:
        runs = tables["convergence"]
        found["convergence"] = runs.assign(steps=runs["batch_steps"], reached=runs["batch_steps"].notna())
    return found


def tuned(contrast: Contrast, arm: str | None = None) -> Contrast | None:
    """Return the contrast where it is taken at each arm's own best rate, and of this arm too if one is named."""
    own = contrast.rate in (None, "best") and contrast.endpoint not in ("check", "usable_rates", *OVER_GAINS)
    return contrast if own and arm in (None, *contrast.arms) else None


def silent(contrast: Contrast, factors: Factors) -> Contrast | None:
    """Return the contrast where it names none of the factors itself: by a family it names the inputs, by a kind the gain."""
    networks = (contrast, contrast.against) if contrast.against else (contrast,)
    named = any(getattr(network, k) is not None for network in networks for k in factors)
    named |= "inputs" in factors and contrast.family is not None
    named |= "gain" in factors and (bool(contrast.on) or contrast.endpoint in OVER_GAINS)
    return None if named or contrast.endpoint == "check" else contrast


def _judge_again(claim: Claim, change: Change, olds: list[Evaluation], view: Lookup, intervals: int) -> SensitivityRow:
    pairs = []
    for contrast, old in zip(claim.settings, olds):
        other = change.contrast(contrast)
        if other and not _lacks(old) and not _lacks(new := evaluate(view, other, intervals)):
            pairs.append((old.row.verdict, new.row.verdict))
    was, now = map(combine, zip(*pairs)) if pairs else ("", NOT_RECOMPUTED)
    became = kind(was, now) if pairs else NOT_RECOMPUTED
    return SensitivityRow(
        id=claim.id, change=change.name, verdict=now, base_verdict=was, flipped=became == "flipped", kind=became,
        settings=f"{len(pairs)} of {len(claim.settings)}",
    )  # fmt: skip


def _lacks(evaluation: Evaluation) -> bool:
    """Return whether the study doesn't hold what a contrast speaks of."""
    return evaluation.failed in (Missing, Unmeasured)


def kind(before: str, after: str) -> str:
    """Return what became of a verdict."""
    if before == after:
        return "same"
    if before not in DECIDED:
        return "decided"
    return "flipped" if after in DECIDED else "weakened"


def attach(claims: Sequence[ClaimRow], rows: Sequence[SensitivityRow]) -> list[ClaimRow]:
    """Return the rows of claims.json with the changes that flip each verdict, those that weaken it, and a sentence."""
    wider = []
    for claim in claims:
        claim_rows = [row for row in rows if row.id == claim.id]
        flipped, weakened = (tuple(r.change for r in claim_rows if r.kind == k) for k in ("flipped", "weakened"))
        said = sentence(claim.verdict, claim_rows) if claim_rows else ""
        wider.append(replace(claim, robustness=flipped, weakened=weakened, robustness_sentence=said))
    return wider


def sentence(verdict: str, rows: Sequence[SensitivityRow]) -> str:
    """Return what the changes do to a claim's verdict, in words."""
    if not (tried := [row for row in rows if row.kind != NOT_RECOMPUTED]):
        return "Not recomputed under any change."
    moved: dict[tuple[str, str], list[str]] = {}
    for row in tried:
        if row.kind != "same":
            moved.setdefault((row.base_verdict, row.verdict), []).append(row.change)
    if not moved:
        count = "the one change" if len(tried) == 1 else f"all {len(tried)} changes"
        return f"{'Holds' if verdict in DECIDED else 'Stays open'} under {count} tried."
    said = [f"Changes from {a} to {b} with {', '.join(names)}." for (a, b), names in moved.items()]
    left = len(tried) - sum(map(len, moved.values()))
    return " ".join([*said, f"The same under {left} of {len(tried)} changes tried."])
