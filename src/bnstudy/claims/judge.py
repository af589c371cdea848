"""The one decision rule: tables -> contrasts -> intervals -> verdicts. Loading and wording: file, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bnstudy.claims.answers import answers, findings
from bnstudy.claims.contrast import Contrast
from bnstudy.claims.decide import Evaluation, combine, decide, evaluate
from bnstudy.claims.file import ClaimsError, load
from bnstudy.claims.ledger import Claim, Ledger
from bnstudy.claims.lookup import Lookup, Missing, Unmeasured, Unreached
from bnstudy.claims.records import ClaimRow, ContrastRow, JudgedWith, ThetaRow
from bnstudy.claims.sentences import NOT_EVALUABLE, NOT_JUDGED, ORDER, label, sentence
from bnstudy.claims.stability import stability
from bnstudy.core import words
from bnstudy.core.stats import tail

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClaimsError", "Ledger", "answers", "combine", "decide", "findings", "judge", "load", "sentence"]


def judge(
    ledger: Ledger, tables: Mapping[str, pd.DataFrame], given: JudgedWith
) -> tuple[list[ClaimRow], list[ThetaRow]]:
    """Judge every claim of a study.

    Args:
        ledger: the claims, loaded for the kinds of ``given``.
        tables: those of results/NAME/tables by name, and as "checks" the rows of checks.json.
        given: what they are judged with. Of a question that its ``primary`` lacks as many intervals are to hold together
            as the claims file lists.

    Returns:
        The rows of claims.json, and those of contrasts.csv.

    Raises:
        ValueError: where the tables hold several values of a factor and ``given`` does not say which is the study's own.
    """
    lookup = Lookup(tables, given, given.kinds)
    claim_rows, theta_rows = [], []
    for claim in ledger.claims:
        intervals = together(ledger, claim, given.primary)
        evaluations = [evaluate(lookup, contrast, intervals) for contrast in claim.settings]
        for evaluation in evaluations:
            theta_rows += [
                ThetaRow(claim=claim.id, setting=evaluation.row.name, seed=seed, lower=low, upper=high)
                for seed, low, high in evaluation.theta()
            ]
        rows = [_worded(claim, contrast, e, lookup) for contrast, e in zip(claim.settings, evaluations)]
        row = _claim(claim, rows, evaluations, intervals) if claim.judged else _shown(claim, rows, intervals)
        claim_rows.append(replace(row, sentence=sentence(row, claim)))
    return claim_rows, theta_rows


def together(ledger: Ledger, claim: Claim, primary: Mapping[str, int]) -> int:
    """Return K for a claim: of its question as ``primary`` has it, else of all that the claims file lists; at least 1."""
    return max(1, primary.get(claim.question, ledger.primary(claim.question)))


def _worded(claim: Claim, contrast: Contrast, evaluation: Evaluation, lookup: Lookup) -> ContrastRow:
    """Return a setting's row with where it is taken, and what over what, in words."""
    row = evaluation.row
    place = placed(claim, contrast, lookup)
    return replace(row, label=row.label or place, what=claim.part(contrast.name).what, counts=not _beside(evaluation))


def placed(claim: Claim, contrast: Contrast, study: Lookup | JudgedWith) -> str:
    """Return where a setting is taken; beside settings on kinds of networks the study's own networks are named too."""
    own = study.kinds[contrast.on] if contrast.on else study
    text = claim.part(contrast.name).settings.get(contrast.name, f"for {contrast.name}")
    if not (contrast.on or contrast.net or contrast.gain) and any(other.on for other in claim.settings):
        same = [
            kind
            for kind, judged in study.kinds.items()
            if judged.base == dict(study.base) and judged.gain == study.gain
        ]
        network, semicolon, rest = text.partition(";")
        text = f"{network} in {words.kind(same[0])}{semicolon}{rest}" if same else text
    return label(text, own.depths, own.targets)


def _beside(evaluation: Evaluation) -> bool:
    """Return whether a contrast counts neither for nor against its claim: its kind has no such network or checkpoint."""
    return bool(evaluation.row.kind) and evaluation.failed in (Missing, Unmeasured, Unreached)


def _by_kind(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Return the verdict on each kind by itself."""
    found = {}
    for kind in dict.fromkeys(e.row.kind for e in evaluations if e.row.kind):
        verdicts = [e.row.verdict for e in evaluations if e.row.kind == kind and not _beside(e)]
        found[kind] = combine(verdicts) if verdicts else NOT_EVALUABLE.rstrip(": ")
    return found


def _claim(claim: Claim, rows: Sequence[ContrastRow], evaluations: Sequence[Evaluation], intervals: int) -> ClaimRow:
    """Return a claim's row with its verdict."""
    counted = [e for e in evaluations if not _beside(e)]
    absent = all(e.failed is Missing for e in evaluations)
    verdict = "not tested" if absent else combine([e.row.verdict for e in counted])
    same, seeds = stability(counted, intervals)
    drawn = [stability([e], intervals) for e in evaluations]
    rows = [replace(row, stability=own, seeds_to_decide=more) for row, (own, more) in zip(rows, drawn)]
    found = {row.detail for row in rows if row.verdict == "contradicted"}
    shades = [shade for shade in ORDER if shade in found]
    reasons = _reasons([row.reason for row in rows if row.reason])
    row = _row(claim, rows, verdict, intervals)
    return replace(
        row, detail=", ".join(shades) or None if verdict == "contradicted" else None,
        reason=reasons if verdict in ("not tested", "inconclusive") else None,
        joint_error=max((intervals * tail(s.n_seeds, s.rank) for s in rows if s.rank), default=None),
        stability=same, seeds_to_decide=seeds,
        kinds=_by_kind(evaluations),
    )  # fmt: skip


def _shown(claim: Claim, rows: Sequence[ContrastRow], intervals: int) -> ClaimRow:
    """Return the row of a claim that is not judged: its intervals are as wide as those of its question's claims."""
    return _row(claim, [replace(row, verdict=NOT_JUDGED, detail=None) for row in rows], NOT_JUDGED, intervals)


def _row(claim: Claim, rows: Sequence[ContrastRow], verdict: str, intervals: int) -> ClaimRow:
    first = rows[0]
    return ClaimRow(
        id=claim.id, question=claim.question, statement=claim.statement, by=", ".join(claim.by), lecture=claim.lecture,
        region=first.region, sesoi=first.sesoi, unit=first.unit,
        estimate=first.estimate, ci_low=first.ci_low, ci_high=first.ci_high,
        ci_low_open=first.ci_low_open, ci_high_open=first.ci_high_open,
        shown_estimate=first.shown_estimate, shown_low=first.shown_low, shown_high=first.shown_high,
        shown_sesoi=first.shown_sesoi, n_seeds=max(row.n_seeds for row in rows), effect=first.effect, verdict=verdict, detail=None, reason=None,
        checks=tuple(sorted({s.check for s in claim.settings if s.check})), sesoi_reason=claim.sesoi_reason,
        settings=tuple(rows), sentence="", what=first.what, intervals=intervals, heard=claim.weighed(),
    )  # fmt: skip


def _reasons(reasons: Sequence[str]) -> str | None:
    """Return the reasons of a claim's contrasts as one, each said once, and what can't be evaluated named once."""
    plain = [reason for reason in reasons if not reason.startswith(NOT_EVALUABLE)]
    rest = [reason.removeprefix(NOT_EVALUABLE) for reason in reasons if reason.startswith(NOT_EVALUABLE)]
    said = [*dict.fromkeys(plain), *([NOT_EVALUABLE + "; ".join(dict.fromkeys(rest))] if rest else [])]
    return "; ".join(said) or None
