"""The one decision rule: tables -> contrasts -> intervals -> verdicts. Loading and wording: ledger, sentences."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bnstudy.claims.answers import answers, choose, findings
from bnstudy.claims.decide import NOT_EVALUABLE, decide, evaluate
from bnstudy.claims.file import ClaimsError, load
from bnstudy.claims.ledger import Claim, Ledger
from bnstudy.claims.sentences import effect, natural, sentence

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ClaimsError", "Ledger", "answers", "choose", "combine", "decide", "findings", "judge", "load", "natural", "sentence",
]  # fmt: skip
Row = dict[str, Any]


def combine(verdicts: Sequence[str]) -> str:
    """A claim's verdict from its settings' (what could not be evaluated is "open"): mixed where two disagree, else
    decided where at least half of all the listed ones are. Never an average."""
    yes, no = verdicts.count("supported"), verdicts.count("contradicted")
    if yes and no:
        return "mixed"
    if max(yes, no) * 2 >= len(verdicts) and verdicts:
        return "supported" if yes else "contradicted"
    return "inconclusive"


def judge(
    ledger: Ledger,
    tables: "Mapping[str, pd.DataFrame]",
    depths: Mapping[str, int],
    targets: Sequence[float] = (0.5, 0.25),
    seeds: int | None = None,
    base: Mapping[str, Any] | None = None,
) -> tuple[list[Row], list[Row]]:
    """(rows of claims.json, rows of contrasts.csv) of a study.

    ``tables``: those of results/NAME/tables by name, and as "checks" the rows of checks.json. ``depths``:
    {"shallow": 5, ...}, the numbers behind the names of the claims file. ``targets``: losses in nats, the main one first.
    ``seeds``: how many evaluation seeds there are, 0..n-1; by default as many as convergence.csv has. ``base``: the
    study's own width, batch, optimizer, pool, as in bnstudy.claims.lookup. Estimates and ends are theta (natural logarithms for
    unit "ln times"); shown_* are the same in the quantity's own direction and without its margin, still ln for "ln
    times". Numbers that are missing or infinite are None. Raises ValueError where the tables hold several values of a
    factor and `base` doesn't say which is the study's own.
    """
    from bnstudy.claims.lookup import TUNING, Lookup

    if seeds is None:
        found = tables["convergence"]["seed"]
        seeds = int(found[found < TUNING].nunique())
    at, out, contrasts = Lookup(tables, depths, targets, seeds, base), [], []
    for claim in ledger.claims:
        rows: list[Row] = []
        for setting in claim.settings:
            row, theta = evaluate(at, setting, ledger.primary(claim.question))
            rows.append(row)
            for seed, low, high in theta:
                contrasts.append({"claim": claim.id, "setting": row["name"], "seed": seed, "lower": low, "upper": high})
        out.append(_claim(claim, rows, ledger))
    return out, contrasts


def _claim(claim: Claim, rows: list[Row], ledger: Ledger) -> Row:
    verdict = "not tested" if all(row["absent"] for row in rows) else combine([row["verdict"] for row in rows])
    for row in rows:
        del row["absent"], row["unmeasured"]
        row["effect"] = effect(row)
    shades = {row["detail"] for row in rows if row["verdict"] == "contradicted"}
    detail = (shades.pop() if len(shades) == 1 else "not enough") if verdict == "contradicted" else None
    shown = verdict in ("not tested", "inconclusive")
    reasons = _reasons([row["reason"] for row in rows if row["reason"]])
    own: Row = {"id": claim.id, "question": claim.question, "statement": claim.statement, "by": ", ".join(claim.by)}
    own["lecture"] = claim.lecture
    own |= {k: v for k, v in rows[0].items() if k not in ("name", "verdict", "detail", "reason")}
    own |= {"verdict": verdict, "detail": detail, "reason": reasons if shown else None}
    checks = sorted({s.check for s in claim.settings if s.check})
    own |= {"n_seeds": max(row["n_seeds"] for row in rows), "checks": checks}
    own |= {"sesoi_reason": claim.sesoi_reason, "settings": rows}
    return own | {"sentence": sentence(own, claim, ledger)}


def _reasons(each: Sequence[str]) -> str | None:
    """The reasons of a claim's settings as one, each said once, and what can't be evaluated named once."""
    bare = [reason.removeprefix(NOT_EVALUABLE) for reason in each]
    plain = [reason for reason, rest in zip(each, bare) if reason == rest]
    rest = [rest for reason, rest in zip(each, bare) if reason != rest]
    said = [*dict.fromkeys(plain), *([NOT_EVALUABLE + "; ".join(dict.fromkeys(rest))] if rest else [])]
    return "; ".join(said) or None
