"""Choose a rate by the steps to a target loss: the endpoint itself is the tuning criterion."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bnstudy.core.cell import CellSpec
from bnstudy.core.setting import Setting
from bnstudy.training import clock


@dataclass(frozen=True)
class Outcome:
    """How one run did with one target."""

    setting: Setting
    rate: float
    seed: int
    target: float
    steps: float | None
    """Steps until the loss of the function is down to the target; None for a run that never gets there (right-censored)."""
    reached: bool
    batch_steps: int | None
    """Steps until the mean loss of the last 20 batches is below the target; None where it is not."""
    diverged_at: int | None
    budget: int
    """Steps that the run was given."""
    final_loss: float | None
    """The loss of the function at the last look."""


@dataclass(frozen=True)
class Choice:
    """The rate chosen for one target, and why it cannot be evaluated where it cannot."""

    target: float
    rate: float
    evaluable: bool
    reason: str


def outcomes(cell: CellSpec, loss: np.ndarray, looks: np.ndarray, diverged: np.ndarray) -> list[Outcome]:
    """Return how the runs of a cell did with each target.

    Args:
        cell: What they have in common.
        loss: The loss of each step's batch [steps, M], nats.
        looks: The loss of the function at each look [looks, M], nats.
        diverged: The step at which a run diverged [M]; 0 where it did not.
    """
    losses, at = looks.astype(float), clock.looks(cell.steps)
    found = []
    for target in cell.targets:
        steps = clock.steps_to(losses, at, diverged, target)
        batches = clock.batch_steps(loss.astype(float), diverged, target)
        for i, seed in enumerate(cell.seeds):
            reached = math.isfinite(steps[i])
            outcome = Outcome(
                setting=cell.setting,
                rate=cell.rate,
                seed=seed,
                target=target,
                steps=float(steps[i]) if reached else None,
                reached=reached,
                batch_steps=int(batches[i]) if math.isfinite(batches[i]) else None,
                diverged_at=int(diverged[i]) or None,
                budget=cell.steps,
                final_loss=None if diverged[i] or not np.isfinite(losses[-1, i]) else float(losses[-1, i]),
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


def settled(runs: Sequence[Outcome], target: float, fits: bool = False) -> bool:
    """Return whether longer training would leave :func:`best` what it is; with ``fits``, :func:`fitted` too.

    It would if some rate reaches the target, and no other rate that has runs still on their way could have as low a
    median, even if they arrived at once: a run that has not arrived may have been on its way down since the last look
    but one. With ``fits``, the medians beside the best must be known as well.
    """

    def least(of_rate: list[Outcome]) -> float:
        ways = [math.inf if r.diverged_at else clock.looks(r.budget)[-2] for r in of_rate]
        return float(np.median([r.steps or way for r, way in zip(of_rate, ways)]))

    winner, reached = best(runs, target)
    by_rate = {r.rate: [s for s in runs if s.rate == r.rate and s.target == target] for r in runs}
    open_ = {rate for rate, of_rate in by_rate.items() if rate != winner and not all(map(_done, of_rate))}
    lead = median(runs, winner, target)
    known = all(rate not in open_ or math.isfinite(median(runs, rate, target)) for rate in beside(runs, winner))
    return reached and all(least(by_rate[rate]) > lead for rate in open_) and (known or not fits)


def median(runs: Sequence[Outcome], rate: float, target: float) -> float:
    """Return the median steps to a target at a rate; inf where most runs never get there."""
    return float(np.median([r.steps or math.inf for r in runs if r.rate == rate and r.target == target]))


def beside(runs: Sequence[Outcome], rate: float) -> list[float]:
    """Return the next lower and the next higher rate that was tried, as far as there are any."""
    tried = sorted({r.rate for r in runs})
    place = tried.index(rate)
    return tried[max(place - 1, 0) : place] + tried[place + 1 : place + 2]


def fitted(runs: Sequence[Outcome], target: float) -> float:
    """Return the rate at which a parabola through the best rate and those beside it has its least median ln steps.

    Between rates that are equally fast a few seeds decide by their noise; their parabola does so less. It is the best rate
    itself where there is none beside it that most runs get there with.
    """
    winner = best(runs, target)[0]
    rates = sorted([winner, *beside(runs, winner)])
    steps = [median(runs, rate, target) for rate in rates]
    if len(rates) < 3 or not np.isfinite(steps).all():
        return winner
    x, y = np.log10(np.array(rates) / winner), np.log(np.maximum(steps, 1e-3))
    bend, slope, _ = np.polyfit(x, y, 2)
    return nearby(winner, -slope / (2 * bend)) if bend > 1e-9 else winner


def nearby(rate: float, decades: float) -> float:
    """Return the rate that is ``decades`` away, to three digits."""
    return float(f"{rate * 10**decades:.3g}")


def budgets(steps: int) -> list[int]:
    """Return the budgets at which tuning pauses to see whether it may end: 2, 3, 4, 6 and 8 eighths of ``steps``.

    None is too short for two looks in a row to see a loss fall.
    """
    return sorted({max(steps * eighths // 8, min(steps, 40)) for eighths in (2, 3, 4, 6, 8)})


def search(
    grid: Sequence[float],
    targets: Sequence[float],
    steps: int,
    run: Callable[[list[float], int], list[Outcome]],
) -> tuple[list[Outcome], list[Choice]]:
    """Find the best rate of a setting for each target.

    Train over the grid, extend an edge that wins once by half a decade, refine by a quarter of one, and choose by a
    parabola (:func:`fitted`). Rates are trained on, up to ``steps``, only until longer training could change no choice
    (:func:`settled`): the choice is that of whole budgets, unless a run diverges between two targets, which ends its past
    success too. A winner on the extended edge is not evaluable.

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

    def train(rates: list[float], fits: bool = False) -> None:
        nonlocal budget
        while True:
            by_rate.update({rate: [] for rate in rates})
            for outcome in run(rates, budget) if rates else []:
                by_rate[outcome.rate].append(outcome)
            if not stages or all(settled(runs(), target, fits) for target in targets):
                return
            budget, rates = stages.pop(0), [rate for rate, of_rate in by_rate.items() if not all(map(_done, of_rate))]

    train(list(grid))
    low, high = min(grid), max(grid)
    edges = {nearby(low, -0.5) for w in winners() if w == low} | {nearby(high, 0.5) for w in winners() if w == high}
    train(sorted(edges - set(by_rate)))
    train(sorted({nearby(w, d) for w in winners() for d in (-0.25, 0.25)} - set(by_rate)), fits=True)
    chosen = []
    for target in targets:
        rate, reached = best(runs(), target)
        at_edge = reached and any(rate <= e < low or rate >= e > high for e in edges)
        reason = "rate on the grid's edge" if at_edge else "" if reached else "no rate reaches the target"
        chosen.append(Choice(target=target, rate=fitted(runs(), target), evaluable=not at_edge, reason=reason))
    return runs(), chosen


def _done(run: Outcome) -> bool:
    """Return whether longer training could tell no more of a run and target."""
    return bool(run.reached or run.diverged_at)
