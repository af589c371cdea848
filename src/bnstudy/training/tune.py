"""Choose a rate by the steps to a target loss: the endpoint itself is the tuning criterion."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bnstudy.core.cell import CellSpec
from bnstudy.core.setting import Setting
from bnstudy.training.convergence import WINDOW, steps_to, trailing


@dataclass(frozen=True)
class Outcome:
    """How one run did with one target."""

    setting: Setting
    rate: float
    seed: int
    target: float
    steps: int | None
    """Steps to the target; None for a run that never gets there (right-censored)."""
    reached: bool
    diverged_at: int | None
    budget: int
    """Steps that the run was given."""
    final_loss: float | None


@dataclass(frozen=True)
class Choice:
    """The rate chosen for one target, and why it cannot be evaluated where it cannot."""

    target: float
    rate: float
    evaluable: bool
    reason: str


def outcomes(cell: CellSpec, loss: np.ndarray, diverged: np.ndarray) -> list[Outcome]:
    """Return how the runs of a cell did with each target, from their loss [steps, M] and step of divergence [M]."""
    last = trailing(loss)[-1]
    found = []
    for target in cell.targets:
        steps = steps_to(loss, diverged, target)
        for i, seed in enumerate(cell.seeds):
            reached = math.isfinite(steps[i])
            outcome = Outcome(
                setting=cell.setting,
                rate=cell.rate,
                seed=seed,
                target=target,
                steps=int(steps[i]) if reached else None,
                reached=reached,
                diverged_at=int(diverged[i]) or None,
                budget=cell.steps,
                final_loss=None if diverged[i] or not np.isfinite(last[i]) else float(last[i]),
            )
            found.append(outcome)
    return found


def best(runs: Sequence[Outcome], target: float) -> tuple[float, bool]:
    """Return the best rate for a target, and whether any rate reaches it.

    The best rate has the lowest median of steps; of those, the lowest mean of ln steps; then, where some seed never gets
    there, so that all were trained to the budget, the lowest mean log loss; then it is the smallest.
    """

    def score(rate: float) -> tuple[float, float, float, float]:
        of_rate = [r for r in runs if r.rate == rate and r.target == target]
        steps = [r.steps or math.inf for r in of_rate]
        logs = [math.log(max(r.final_loss, 1e-12)) if r.final_loss is not None else math.inf for r in of_rate]
        return float(np.median(steps)), float(np.mean(np.log(steps))), float(np.mean(logs)), rate

    scores = sorted(score(rate) for rate in {r.rate for r in runs})
    return scores[0][-1], math.isfinite(scores[0][0])


def settled(runs: Sequence[Outcome], target: float) -> bool:
    """Return whether longer training would leave :func:`best` what it is.

    It would if some rate reaches the target, and no other rate that has runs still on their way could have as low a
    median, even if they arrived with the next step.
    """

    def least(of_rate: list[Outcome]) -> float:
        return float(np.median([r.steps or (math.inf if r.diverged_at else r.budget + 1) for r in of_rate]))

    winner, reached = best(runs, target)
    by_rate = {r.rate: [s for s in runs if s.rate == r.rate and s.target == target] for r in runs}
    others = [of_rate for rate, of_rate in by_rate.items() if rate != winner and not all(map(_done, of_rate))]
    lead = np.median([r.steps or math.inf for r in by_rate[winner]])
    return reached and all(least(of_rate) > lead for of_rate in others)


def nearby(rate: float, decades: float) -> float:
    """Return the rate that is ``decades`` away, to three digits."""
    return float(f"{rate * 10**decades:.3g}")


def budgets(steps: int) -> list[int]:
    """Return the budgets at which tuning pauses to see whether it may end: 2, 3, 4, 6 and 8 eighths of ``steps``.

    None is too short to see a trailing mean fall.
    """
    return sorted({max(steps * eighths // 8, min(steps, 2 * WINDOW)) for eighths in (2, 3, 4, 6, 8)})


def search(
    grid: Sequence[float],
    targets: Sequence[float],
    steps: int,
    run: Callable[[list[float], int], list[Outcome]],
) -> tuple[list[Outcome], list[Choice]]:
    """Find the best rate of a setting for each target.

    Train over the grid, extend an edge that wins once by half a decade, and refine by a quarter of one. Rates are trained
    on, up to ``steps``, only until longer training could change no choice (:func:`settled`): the choice is that of whole
    budgets, unless a run diverges between two targets, which ends its past success too. A winner on the extended edge is
    not evaluable.

    Args:
        grid: The rates to begin with.
        targets: The losses to reach.
        steps: The whole budget.
        run: Trains the rates that it is given for so many steps, and returns how their runs did.

    Returns:
        The last outcomes at each rate (their budget says how far the runs went), and the choice for each target.
    """
    by_rate: dict[float, list[Outcome]] = {}
    stages = budgets(steps)
    budget = stages.pop(0)

    def runs() -> list[Outcome]:
        return [outcome for of_rate in by_rate.values() for outcome in of_rate]

    def winners() -> list[float]:
        return [best(runs(), target)[0] for target in targets]

    def train(rates: list[float]) -> None:
        nonlocal budget
        while True:
            by_rate.update({rate: [] for rate in rates})
            for outcome in run(rates, budget) if rates else []:
                by_rate[outcome.rate].append(outcome)
            if not stages or all(settled(runs(), target) for target in targets):
                return
            budget, rates = stages.pop(0), [rate for rate, of_rate in by_rate.items() if not all(map(_done, of_rate))]

    train(list(grid))
    low, high = min(grid), max(grid)
    edges = {nearby(low, -0.5) for w in winners() if w == low} | {nearby(high, 0.5) for w in winners() if w == high}
    train(sorted(edges - set(by_rate)))
    train(sorted({nearby(w, d) for w in winners() for d in (-0.25, 0.25)} - set(by_rate)))
    chosen = []
    for target in targets:
        rate, reached = best(runs(), target)
        at_edge = reached and any(rate <= e < low or rate >= e > high for e in edges)
        reason = "rate on the grid's edge" if at_edge else "" if reached else "no rate reaches the target"
        chosen.append(Choice(target=target, rate=rate, evaluable=not at_edge, reason=reason))
    return runs(), chosen


def _done(run: Outcome) -> bool:
    """Return whether longer training could tell no more of a run and target."""
    return bool(run.reached or run.diverged_at)
