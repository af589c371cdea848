"""Does a verdict hang on a choice? Every claim judged again under other thresholds, targets, rates and networks.

Each change is judged by the same rule, on those of the claim's settings that it concerns and that the study holds, and
is set beside the verdict that the same settings have without it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bnstudy.claims.contrast import Contrast
from bnstudy.claims.decide import evaluate
from bnstudy.claims.judge import combine
from bnstudy.claims.ledger import Claim, Ledger
from bnstudy.claims.needs import STEPS
from bnstudy.core.setting import SKIP

if TYPE_CHECKING:
    import pandas as pd

    from bnstudy.claims.lookup import Lookup

Row = dict[str, Any]
GRIDS: tuple[dict[str, Any], ...] = (
    {"optimizer": "adam"}, {"batch": 32}, {"batch": 128}, {"width": 32}, {"width": 128}, {"pool": 1},
)  # fmt: skip
"""Networks of another kind; pool 1 keeps the images' own size."""
DECIDED = ("supported", "contradicted", "mixed")
NOT_RECOMPUTED = "not recomputed"


class Change(NamedTuple):
    """``setting`` gives the setting to judge instead, or None where the change says nothing about it; ``factors`` and
    ``roles`` as in ``Lookup.at``."""

    name: str
    setting: Callable[[Contrast], Contrast | None]
    factors: Mapping[str, Any] = {}
    roles: Mapping[str, str] = {}


def run(
    ledger: Ledger,
    tables: "Mapping[str, pd.DataFrame]",
    depths: Mapping[str, int],
    targets: Sequence[float],
    seeds: int,
    base: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Rows of robustness.csv: {id, change, verdict, base_verdict, flipped, kind, settings}. Arguments as of ``judge``.

    `base_verdict` is that of the same settings without the change; `settings` how many of the claim's are among them.
    `kind`: same, flipped (supported, contradicted and mixed are exchanged), weakened (decided before, now open), decided
    (open before), or not recomputed (the change concerns none of the claim's settings, or the study holds none).
    """
    from bnstudy.claims.lookup import Lookup

    own, views, out = Lookup(tables, depths, targets, seeds, base), dict[str, Lookup](), []
    for claim in ledger.claims:
        intervals = ledger.primary(claim.question)
        before = [evaluate(own, s, intervals)[0] for s in claim.settings]
        for change in changes(claim, own.base):
            view = own
            if change.factors or change.roles:
                key = repr((change.factors, change.roles))
                view = views.setdefault(key, own.at(change.factors, change.roles))
            out.append(_judge_again(claim, change, before, view, intervals))
    return out


def changes(claim: Claim, base: Mapping[str, Any]) -> Iterator[Change]:
    """All that a claim is tried under."""
    yield Change("half the smallest effect", partial(rescaled, factor=0.5))
    yield Change("twice the smallest effect", partial(rescaled, factor=2.0))
    yield Change("targets swapped", swapped)
    arms = dict.fromkeys(arm for s in claim.settings if tuned(s) for arm in s.arms)
    for role, word in (("lower", "lower"), ("upper", "higher")):
        yield Change(f"{word} rates", tuned, roles=dict.fromkeys(arms, role))
        if len(arms) > 1:
            for arm in arms:
                yield Change(f"{word} rate for {arm}", partial(tuned, arm=arm), roles={arm: role})
    skip: tuple[dict[str, Any], ...] = ({"net": SKIP[base["net"]]},) if base.get("net") in SKIP else ()
    for factors in (*GRIDS, *skip):
        if any(base.get(k) != v for k, v in factors.items()):
            name = " ".join(f"{k} {v}" for k, v in factors.items())
            yield Change(name, partial(silent, factors=factors), factors=factors)


def rescaled(setting: Contrast, factor: float) -> Contrast | None:
    """The setting with its smallest effect, and its premises', times ``factor``. Where the sesoi is 0 the margin is the
    smallest effect; of a share (percent) the distance to the nearer bound, 0 or 100, is halved."""
    margin = setting.margin * factor
    if setting.unit == "percent" and factor > 1:
        margin = -100 + (100 + setting.margin) / factor
    premises = [p.model_copy(update={"sesoi": p.sesoi * factor}) for p in setting.premises]
    new = setting.model_copy(update={"sesoi": setting.sesoi * factor, "margin": margin, "premises": premises})
    return None if new == setting else new


def swapped(setting: Contrast) -> Contrast | None:
    """The setting with the second target for the main one and the other way round, where steps or rates are counted."""
    if setting.endpoint not in STEPS | {"usable_rates"}:
        return None
    return setting.model_copy(update={"target": "main" if setting.target == "second" else "second"})


def tuned(setting: Contrast, arm: str | None = None) -> Contrast | None:
    """The setting, where it counts steps at each arm's own best rate, of this arm too if one is named."""
    counts = setting.endpoint in STEPS and setting.rate != "shared" and arm in (None, *setting.arms)
    return setting if counts else None


def silent(setting: Contrast, factors: Mapping[str, Any]) -> Contrast | None:
    """The setting, where it names none of the factors itself."""
    said = {k for network in (setting, setting.against) if network for k in factors if getattr(network, k) is not None}
    return None if said or setting.endpoint == "check" else setting


def _judge_again(claim: Claim, change: Change, before: Sequence[Row], view: "Lookup", intervals: int) -> Row:
    pairs = []
    for setting, old in zip(claim.settings, before):
        other = change.setting(setting)
        if other is None or _lacks(old):
            continue
        new = evaluate(view, other, intervals)[0]
        if not _lacks(new):
            pairs.append((old["verdict"], new["verdict"]))
    row: Row = {"id": claim.id, "change": change.name, "verdict": NOT_RECOMPUTED, "base_verdict": "", "flipped": False}
    row |= {"kind": NOT_RECOMPUTED, "settings": f"{len(pairs)} of {len(claim.settings)}"}
    if pairs:
        was, now = (combine([pair[i] for pair in pairs]) for i in (0, 1))
        row |= {"verdict": now, "base_verdict": was, "kind": kind(was, now)}
        row["flipped"] = row["kind"] == "flipped"
    return row


def _lacks(row: Row) -> bool:
    """Whether the study doesn't hold what a setting speaks of."""
    return row["absent"] or row["unmeasured"]


def kind(before: str, after: str) -> str:
    """What became of a verdict."""
    if before == after:
        return "same"
    if before not in DECIDED:
        return "decided"
    return "flipped" if after in DECIDED else "weakened"


def attach(claims: Sequence[Row], found: Sequence[Row]) -> None:
    """Give each row of claims.json `robustness` and `weakened`, the changes that flip it and that leave it open, and
    `robustness_sentence`."""
    for row in claims:
        mine = [r for r in found if r["id"] == row["id"]]
        row["robustness"] = [r["change"] for r in mine if r["kind"] == "flipped"]
        row["weakened"] = [r["change"] for r in mine if r["kind"] == "weakened"]
        row["robustness_sentence"] = sentence(row["verdict"], mine)


def sentence(verdict: str, found: Sequence[Row]) -> str:
    """What the changes do to a claim's verdict, in words."""
    tried = [r for r in found if r["kind"] != NOT_RECOMPUTED]
    if not tried:
        return "Not recomputed under any change."
    moved: dict[tuple[str, str], list[str]] = {}
    for row in tried:
        if row["kind"] != "same":
            moved.setdefault((row["base_verdict"], row["verdict"]), []).append(row["change"])
    if not moved:
        count = "the one change" if len(tried) == 1 else f"all {len(tried)} changes"
        return f"{'Holds' if verdict in DECIDED else 'Stays open'} under {count} tried."
    said = [f"Changes from {a} to {b} with {', '.join(names)}." for (a, b), names in moved.items()]
    left = len(tried) - sum(map(len, moved.values()))
    return " ".join([*said, f"The same under {left} of {len(tried)} changes tried."])
