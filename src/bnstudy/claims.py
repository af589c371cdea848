"""The claims and the one decision rule: tables -> contrasts -> intervals -> verdicts -> sentences."""

import math
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["supported", "contradicted", "mixed", "inconclusive", "not tested"]
Shade = Literal["opposite", "negligible", "not enough"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Setting(Strict):
    """One primary interval of a claim: an endpoint with its arguments and the smallest effect that matters."""

    name: str
    endpoint: str
    args: dict[str, Any]
    sesoi: float
    unit: Literal["times", "points", "sd"]


class Texts(Strict):
    """What a claim's own verdicts say; mixed, inconclusive and not tested share one wording for all claims."""

    supported: str
    opposite: str
    negligible: str


class Claim(Strict):
    id: str
    question: str
    by: list[Literal["L", "A", "O", "P"]]
    statement: str
    sesoi_reason: str
    settings: list[Setting] = Field(min_length=1)
    texts: Texts


class Question(Strict):
    title: str
    asked: str
    lead: str
    pivot: str
    open: str = Field(description="what this study does not measure yet")


class Ledger(Strict):
    questions: dict[str, Question]
    claims: list[Claim]

    def primary(self, question: str) -> int:
        """How many primary intervals a question has: they share its 5%."""
        return sum(len(c.settings) for c in self.claims if c.question == question)


SHARED = {
    "not enough": "Not as said: {name} the effect is at most {high}, short of the {sesoi} that would matter.",
    "mixed": "It depends: this holds for {supported}, not for {contradicted}.",
    "inconclusive": "{n} seeds leave it open{why}.",
    "not tested": "This configuration does not say: {reason}.",
}


def load(path: Path) -> Ledger:
    """Read the ledger; raises pydantic's ValidationError for a file that does not fit."""
    return Ledger.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def decide(low: float, high: float, sesoi: float) -> tuple[str, Shade | None]:
    """One setting: supported, contradicted (with its shade) or open, for a claimed effect above ``sesoi``."""
    if low > sesoi:
        return "supported", None
    if high < sesoi:
        if high < -sesoi:
            return "contradicted", "opposite"
        return "contradicted", "negligible" if low > -sesoi else "not enough"
    return "open", None


def combine(verdicts: list[str]) -> Verdict:
    """A claim from its settings: mixed if two disagree; else decided if at least half are; never an average."""
    yes, no = verdicts.count("supported"), verdicts.count("contradicted")
    if yes and no:
        return "mixed"
    if yes and 2 * yes >= len(verdicts):
        return "supported"
    if no and 2 * no >= len(verdicts):
        return "contradicted"
    return "inconclusive"


def natural(value: float | None, unit: str) -> str:
    """A number in its reader's unit, two figures; logarithms of ratios as times."""
    if value is None or not math.isfinite(value):
        return "beyond what was measured"
    if unit == "times":
        return f"{math.exp(value):.2g} times"
    return f"{value:.2g} {'points' if unit == 'points' else 'sd'}"


def judge(ledger: Ledger, tables: Any, depths: dict[str, int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(rows of claims.json, rows of contrasts.csv) from the tables of a study.

    ``depths`` names the study's shallow, middle and deep networks, which the ledger's settings speak of.
    """
    from bnstudy.endpoints import ENDPOINTS, Missing, NotEvaluable
    from bnstudy.stats import median_interval

    out, contrasts = [], []
    for claim in ledger.claims:
        rows: list[dict[str, Any]] = []
        for s in claim.settings:
            row: dict[str, Any] = {
                "name": s.name,
                "sesoi": s.sesoi,
                "unit": s.unit,
                "detail": None,
                "estimate": None,
            }
            row |= {"ci_low": None, "ci_high": None, "n_seeds": 0, "verdict": "open", "reason": None}
            rows.append(row)
            try:
                args = _with_depths(s.args, depths)
                row["name"] = s.name.format(**{k: f"depth {v}" for k, v in depths.items()})
                theta = ENDPOINTS[s.endpoint](tables, args)
            except (Missing, KeyError) as error:
                row |= {"verdict": "missing", "reason": f"it has {str(error).strip(chr(39))}"}
                continue
            except NotEvaluable as error:
                row["reason"] = str(error)
                continue
            for seed, (low, high) in theta[["lower", "upper"]].iterrows():
                contrasts.append({"claim": claim.id, "setting": row["name"], "seed": seed, "lower": low, "upper": high})
            interval = median_interval(theta["lower"].values, theta["upper"].values, ledger.primary(claim.question))
            row["verdict"], row["detail"] = decide(interval.low, interval.high, s.sesoi)
            row |= {"estimate": interval.estimate, "n_seeds": len(theta), "reason": interval.reason or None}
            row |= {"ci_low": _finite(interval.low), "ci_high": _finite(interval.high)}
        out.append(_claim(claim, rows))
    return out, contrasts


def _claim(claim: Claim, rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    missing = all(r["verdict"] == "missing" for r in rows)
    for r in rows:
        r["verdict"] = "open" if r["verdict"] == "missing" else r["verdict"]
    verdict = "not tested" if missing else combine([r["verdict"] for r in rows])
    same = [r for r in rows if r["verdict"] == verdict]
    head = {k: first[k] for k in ("estimate", "ci_low", "ci_high", "sesoi", "unit", "n_seeds", "reason")}
    detail = same[0]["detail"] if verdict == "contradicted" else None
    row: dict[str, Any] = {
        "id": claim.id,
        "question": claim.question,
        "statement": claim.statement,
        "by": ", ".join(claim.by),
    }
    row |= {"region": "more", "verdict": verdict, "detail": detail, **head, "settings": rows}
    return {**row, "sentence": sentence(claim, row)}


def sentence(claim: Claim, row: dict[str, Any]) -> str:
    """What a claim's verdict says, in words chosen by verdict and shade."""
    verdict, rows = row["verdict"], row["settings"]
    names = {v: ", ".join(r["name"] for r in rows if r["verdict"] == v) for v in ("supported", "contradicted", "open")}
    if verdict in ("supported", "contradicted"):
        shown = next(r for r in rows if r["verdict"] == verdict)
        outcome = "supported" if verdict == "supported" else row["detail"]
        template = getattr(claim.texts, outcome, None) or SHARED[outcome]
        values = {k: natural(shown[f], shown["unit"]) for k, f in (("low", "ci_low"), ("high", "ci_high"))}
        values |= {
            "estimate": natural(shown["estimate"], shown["unit"]),
            "sesoi": natural(shown["sesoi"], shown["unit"]),
        }
        text = template.format(**values, name=f"({shown['name']})", n=shown["n_seeds"])
        return text + (f" Left open: {names['open']}." if names["open"] else "")
    if verdict == "mixed":
        return SHARED["mixed"].format(**names)
    reason = next((r["reason"] for r in rows if r["reason"]), None)
    if verdict == "inconclusive":
        return SHARED["inconclusive"].format(n=row["n_seeds"], why=f": {reason}" if reason else "")
    return SHARED["not tested"].format(reason=reason)


def _with_depths(args: dict[str, Any], depths: dict[str, int]) -> dict[str, Any]:
    from bnstudy.endpoints import Missing

    out = dict(args)
    for key in ("depth", "depths"):
        for name in [out[key]] if isinstance(out.get(key), str) else out.get(key, []):
            if name not in depths:
                raise Missing(f"no {name} network (claims.depths)")
    if "depth" in out:
        out["depth"] = depths[out["depth"]]
    if "depths" in out:
        out["depths"] = [depths[d] for d in out["depths"]]
    return out


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def answers(ledger: Ledger, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The short answer to each question: the sentences of its lead and pivot claims."""
    by_id = {r["id"]: r for r in rows}
    out = []
    for name, q in ledger.questions.items():
        said = [by_id[c]["sentence"] for c in dict.fromkeys([q.lead, q.pivot])]
        out.append({"id": name, "title": q.title, "asked": q.asked, "sentences": said, "open": q.open})
    return out
