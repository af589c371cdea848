"""The choice of a rate by steps to a target loss: the endpoint itself is the tuning criterion."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnstudy.training.convergence import WINDOW, steps_to, trailing


def rows(spec: dict[str, Any], runs: Sequence[Any], loss: np.ndarray, diverged: np.ndarray) -> list[dict[str, Any]]:
    """One row a run and target; ``steps`` is None for a run that never gets there (right-censored)."""
    last = trailing(loss)[-1]
    out = []
    for target in spec["targets"]:
        steps = steps_to(loss, diverged, target)
        for i, run in enumerate(runs):
            reached = math.isfinite(steps[i])
            out.append(
                {
                    **spec["setting"],
                    "rate": run.rate,
                    "seed": run.seed,
                    "target": target,
                    "steps": int(steps[i]) if reached else None,
                    "reached": reached,
                    "diverged_at": int(diverged[i]) or None,
                    "budget": spec["steps"],
                    "final_loss": None if diverged[i] or not np.isfinite(last[i]) else float(last[i]),
                }
            )
    return out


def best(table: list[dict[str, Any]], target: float) -> tuple[float, bool]:
    """(rate, whether any rate reaches the target): lowest median of steps; ties by the mean of ln steps, then (where
    some seed never gets there, so that all were trained to the budget) by mean log loss, then the smaller rate."""

    def score(rate: float) -> tuple[float, float, float, float]:
        mine = [r for r in table if r["rate"] == rate and r["target"] == target]
        steps = [r["steps"] or math.inf for r in mine]
        logs = [math.log(max(r["final_loss"], 1e-12)) if r["final_loss"] is not None else math.inf for r in mine]
        return float(np.median(steps)), float(np.mean(np.log(steps))), float(np.mean(logs)), rate

    scores = sorted(score(rate) for rate in {r["rate"] for r in table})
    return scores[0][-1], math.isfinite(scores[0][0])


def settled(table: list[dict[str, Any]], target: float) -> bool:
    """Whether longer training would leave :func:`best` what it is: some rate reaches the target, and no other that has runs
    still on their way could have as low a median, if they arrived with the next step."""

    def least(rows: list[dict[str, Any]]) -> float:
        return float(np.median([r["steps"] or (math.inf if r["diverged_at"] else r["budget"] + 1) for r in rows]))

    winner, reached = best(table, target)
    rates = {r["rate"]: [s for s in table if s["rate"] == r["rate"] and s["target"] == target] for r in table}
    others = [rows for rate, rows in rates.items() if rate != winner and not all(map(_done, rows))]
    return reached and all(least(rows) > np.median([r["steps"] or math.inf for r in rates[winner]]) for rows in others)


def nearby(rate: float, decades: float) -> float:
    """The rate ``decades`` away, to three digits."""
    return float(f"{rate * 10**decades:.3g}")


def budgets(steps: int) -> list[int]:
    """Budgets at which tuning pauses to see whether it may end: 2, 3, 4, 6 and 8 eighths of ``steps``; none too short to
    see a trailing mean fall."""
    return sorted({max(steps * eighths // 8, min(steps, 2 * WINDOW)) for eighths in (2, 3, 4, 6, 8)})


def search(
    grid: Sequence[float],
    targets: Sequence[float],
    steps: int,
    run: Callable[[list[float], int], list[dict[str, Any]]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Train a setting over the grid, extend an edge once by half a decade, refine by a quarter of one.

    ``run`` trains the rates it is given for that many steps and returns their rows. Rates are trained on, up to ``steps``,
    only until longer training could change no choice (:func:`settled`): the choice is that of whole budgets, unless a run
    diverges between two targets, which ends its past success too. Returns the last rows of each rate (their `budget`
    says how far they went), and for each target {target, rate, evaluable, reason}. A winner on the extended edge is not
    evaluable.
    """
    found: dict[float, list[dict[str, Any]]] = {}
    stages = budgets(steps)
    budget = stages.pop(0)

    def table() -> list[dict[str, Any]]:
        return [row for rows in found.values() for row in rows]

    def winners() -> list[float]:
        return [best(table(), target)[0] for target in targets]

    def train(rates: list[float]) -> None:
        nonlocal budget
        while True:
            found.update({rate: [] for rate in rates})
            for row in run(rates, budget) if rates else []:
                found[row["rate"]].append(row)
            if not stages or all(settled(table(), target) for target in targets):
                return
            budget, rates = stages.pop(0), [rate for rate, rows in found.items() if not all(map(_done, rows))]

    train(list(grid))
    low, high = min(grid), max(grid)
    edges = {nearby(low, -0.5) for w in winners() if w == low} | {nearby(high, 0.5) for w in winners() if w == high}
    train(sorted(edges - set(found)))
    train(sorted({nearby(w, d) for w in winners() for d in (-0.25, 0.25)} - set(found)))
    chosen = []
    for target in targets:
        rate, reached = best(table(), target)
        at_edge = reached and any(rate <= e < low or rate >= e > high for e in edges)
        reason = "rate on the grid's edge" if at_edge else "" if reached else "no rate reaches the target"
        chosen.append({"target": target, "rate": rate, "evaluable": not at_edge, "reason": reason})
    return table(), chosen


def _done(row: dict[str, Any]) -> bool:
    """Whether longer training could tell no more of a run and target."""
    return bool(row["reached"] or row["diverged_at"])
