"""How the forecasts' rule was chosen: `python -m bnstudy.pipeline.what_decides results/default` (a finished study).

It tries each quantity of the untrained network without norm on the savings in steps that are known, keeps the one that
is right most often when it has not seen the setting, and writes docs/what_decides.md and the rule.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from bnstudy.claims.forecast import kind_of, saving
from bnstudy.claims.ledger import Rule
from bnstudy.claims.lookup import Lookup, NotEvaluable
from bnstudy.claims.records import JudgedWith, from_json, to_json
from bnstudy.config.study import evaluation_seeds, load_study
from bnstudy.core.setting import Setting
from bnstudy.core.stats import Interval
from bnstudy.measures.untrained import COLUMNS
from bnstudy.pipeline.forecast import compared, untrained

PAGE = Path("docs/what_decides.md")
ENOUGH = math.log(Rule.model_fields["saving"].default)
TEXT = Path(__file__).with_name("what_decides.md")
"""The page, with names for what is computed."""


class Known(NamedTuple):
    """A setting without norm.

    Attributes:
        saving: ln (steps without batch norm : steps with it).
        values: Each quantity, median over seeds.
        sds: Each quantity's sd over seeds.
    """

    setting: Setting
    saving: Interval
    values: Mapping[str, float]
    sds: Mapping[str, float]

    @property
    def saves(self) -> bool:
        return (self.saving.low if self.saving.estimate is None else self.saving.estimate) >= ENOUGH

    @property
    def clear(self) -> bool:
        return self.saving.low > ENOUGH or self.saving.high < ENOUGH


class Fit(NamedTuple):
    """A rule, in how many settings it is right, and how far its edges are from any of them."""

    rule: Rule
    right: int
    margin: float


def savings(folder: Path, chosen: Sequence[Setting]) -> dict[Setting, Interval]:
    """Return ln (steps without norm : steps with batch norm) of a finished study's settings, for its kind's first target.

    Settings are left out whose best rate is not known, or of which censored runs leave all open.
    """
    judged = from_json(JudgedWith, json.loads((folder / "ledger.json").read_text()))
    tables = {name: pd.read_csv(folder / "tables" / f"{name}.csv") for name in ("convergence", "rates")}
    lookup = Lookup(tables, judged, judged.kinds)
    found = {}
    for setting in chosen:
        with suppress(NotEvaluable):
            interval = saving(lookup.of(kind_of(lookup, vars(setting))), vars(setting))
            if interval.estimate is not None or interval.low > ENOUGH or interval.high < ENOUGH:
                found[setting] = interval
    return found


def fit(quantity: str, settings: Sequence[Known], sided: int = 2) -> Fit:
    """Return the band that is right most often, of equal ones that with the widest margin; ``sided`` 1: it has one edge."""
    values = np.array([known.values[quantity] for known in settings])
    saves = np.array([known.saves for known in settings])
    ordered = np.unique(values)
    edges = [ordered[0] - 2, ordered[0] - 1, *(ordered[1:] + ordered[:-1]) / 2, ordered[-1] + 1, ordered[-1] + 2]
    fits = []
    for low, high in combinations(map(float, edges), 2):
        if sided == 2 or low < ordered[0] or high > ordered[-1]:
            right = int((((values < low) | (values > high)) == saves).sum())
            margin = min(float(np.abs(values - edge).min()) for edge in (low, high))
            fits.append(Fit(Rule(quantity=quantity, low=low, high=high), right, margin))
    return max(fits, key=lambda found: (found.right, found.margin))


def right(rule: Rule, known: Known) -> bool:
    """Return whether the rule's forecast for a setting comes true."""
    return (rule.distance(known.values[rule.quantity]) > 0) == known.saves


def unseen(quantity: str, settings: Sequence[Known]) -> int:
    """Return in how many settings a band is right that was fitted to those with other untrained networks."""
    return sum(right(fit(quantity, [o for o in settings if o.values != k.values]).rule, k) for k in settings)


def page(settings: Sequence[Known], study: str, seeds: Sequence[int]) -> tuple[str, Rule]:
    """Return docs/what_decides.md, and the rule that it chooses."""
    fits = {quantity: fit(quantity, settings) for quantity in COLUMNS}
    new = {quantity: unseen(quantity, settings) for quantity in COLUMNS}
    chosen = max(COLUMNS, key=lambda quantity: (new[quantity], fits[quantity].margin))
    rule, clear = fits[chosen].rule, [known for known in settings if known.clear]
    candidates = [
        f"| {quantity} | {found.rule.low:.2f} to {found.rule.high:.2f} | {found.right} | {new[quantity]} | "
        f"{sum(right(found.rule, known) for known in clear)} | {found.margin:.2g} |"
        for quantity, found in fits.items()
    ]
    rows = []
    for known in settings:
        saves, forecast = known.saves, rule.distance(known.values[chosen]) > 0
        words = ["yes" if saves else "no", ("yes" if forecast else "no") + ("" if saves == forecast else " (wrong)")]
        cells = [describe(known.setting), effect(known.saving), *words, *(f"{known.values[q]:.2f}" for q in COLUMNS)]
        rows.append("| " + " | ".join(cells) + " |")
    wrong = [f"{describe(k.setting)} ({effect(k.saving)})" for k in settings if not right(rule, k)]
    text = TEXT.read_text(encoding="utf-8").format(
        saving=rule.saving, study=study, first=seeds[0], last=seeds[-1], quantity=chosen, meaning=COLUMNS[chosen], low=rule.low,
        high=rule.high, n=len(settings), clear=len(clear), always=sum(k.saves for k in settings),
        always_clear=sum(k.saves for k in clear), candidates="\n".join(candidates), wrong="; ".join(wrong) or "none",
        no=sum(not k.saves for k in settings), unclear=len(settings) - len(clear),
        one_sided=max(fit(q, settings, 1).right for q in COLUMNS), tried=len(COLUMNS),
        spread=np.median([k.sds[chosen] for k in settings]),
        columns=" | ".join(COLUMNS), rules="---:|" * (len(COLUMNS) - 1) + "---:", settings="\n".join(rows),
    )  # fmt: skip
    return text, rule


def describe(setting: Setting) -> str:
    """Return a setting in words, without what holds in all."""
    usual = {"inputs": "standardized", "gain": 1.0, "width": 32 if setting.net in ("cnn", "resnet") else 64}
    usual |= {"batch": 64, "optimizer": "sgd", "pool": 2}
    differs = [f"{name} {getattr(setting, name)}" for name, value in usual.items() if getattr(setting, name) != value]
    return ", ".join([setting.net, f"depth {setting.depth}", *differs])


def effect(saving: Interval) -> str:
    """Return a saving in times, with its interval."""
    estimate, low, high = (None if x is None else math.exp(x) for x in saving[:3])
    if estimate is None:
        return f"{low:.2f} or more"
    return f"{estimate:.2f} ({low:.2f} or more)" if high == math.inf else f"{estimate:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bnstudy.pipeline.what_decides", description=__doc__)
    parser.add_argument("study", type=Path, metavar="results/NAME")
    folder = parser.parse_args().study
    torch.set_num_threads(1)
    study = load_study(json.loads((folder / "provenance.json").read_text())["config"])
    found = savings(folder, compared(study))
    values = untrained(study, found)
    known = []
    for setting, interval in found.items():
        medians, sds = ({n: float(f(v)) for n, v in values[setting].items()} for f in (np.median, np.std))
        known.append(Known(setting, interval, medians, sds))
    text, rule = page(known, study.study, evaluation_seeds(study))
    PAGE.write_text(text)
    print(f"{PAGE} is written; its rule, for the claims file:\nforecast: {to_json(rule)}")


if __name__ == "__main__":
    main()
