"""The choice of a rate, on runs whose steps are made up: what is chosen must be what whole budgets would choose."""

import math
from typing import Any

import numpy as np
import pytest

from bnstudy.training.clock import looks
from bnstudy.training.tune import Outcome, best, budgets, fitted, nearby, search, settled
from helpers.trained import training_spec

GRID = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
STEPS = 1200
SETTING = training_spec("bn", depth=2, width=32, batch=32, steps=STEPS).setting


def outcome(rate: float, steps: float | None, **values: Any) -> Outcome:
    """Return how a run did that reached its target after ``steps``; None if it never did."""
    same = {"setting": SETTING, "seed": 0, "target": 0.5, "diverged_at": None, "budget": STEPS, "final_loss": 1.0}
    same["batch_steps"] = None
    return Outcome(**{**same, "rate": rate, "steps": steps, "reached": steps is not None, **values})


def known(steps: float, budget: int) -> bool:
    """Whether a run that takes so many steps is known to have arrived: two looks in a row were below the target."""
    return steps <= looks(budget)[-2]


class World:
    """Three seeds per rate; ``steps(rate, target)`` is what a run takes, inf if it never arrives."""

    def __init__(self, steps: Any) -> None:
        self.steps, self.trained = steps, 0

    def run(self, rates: list[float], budget: int) -> list[Outcome]:
        rows = []
        for rate in rates:
            for seed, factor in enumerate((0.95, 1.0, 1.2)):
                needed = [self.steps(rate, target) * factor for target in (0.5, 0.25)]
                self.trained += int(min(budget, max(needed)))
                for target, steps in zip((0.5, 0.25), needed):
                    taken = steps if known(steps, budget) else None
                    rows.append(outcome(rate, taken, seed=seed, target=target, budget=budget))
        return rows


def bowl(middle: float, least: float, second: float = 2.0) -> Any:
    """Ln steps are a parabola around the best rate; the lower target takes ``second`` times as many."""
    return lambda rate, target: least * 4 ** ((2 * math.log10(rate / middle)) ** 2) * (second if target == 0.25 else 1)


@pytest.mark.parametrize("least", [40, 140, 200, 290, 310, 590, 610, 900])
@pytest.mark.parametrize("middle", [0.002, 0.01, 0.013, 0.055, 0.1])
def test_the_choice_is_that_of_whole_budgets(least: float, middle: float, monkeypatch: pytest.MonkeyPatch) -> None:
    staged, whole = World(bowl(middle, least)), World(bowl(middle, least))
    chosen = search(GRID, [0.5, 0.25], STEPS, staged.run)[1]
    monkeypatch.setattr("bnstudy.training.tune.budgets", lambda steps: [steps])
    assert chosen == search(GRID, [0.5, 0.25], STEPS, whole.run)[1]
    if least < 140:
        assert staged.trained < whole.trained / 2


@pytest.mark.parametrize(
    ("other", "known"),
    [
        (["r 100", "r 221", "- 260"], False),  # a tie, which the mean decides once the third arrives
        (["r 100", "r 222", "- 260"], True),
        (["r 100", "r 221", "d 180"], True),  # the third never will
        (["r 100", "- 260", "- 260"], True),
        (["r 100", "- 240", "- 240"], False),  # they may be on their way down since step 220
        (["r 100", "r 110", "- 260", "- 260"], False),  # of an even number half the way counts: (110 + 240) / 2
        (["r 200", "r 217", "- 260", "- 260"], True),
        (["- 100", "- 100", "- 100"], False),  # not yet trained as far
    ],
)
def test_a_choice_is_settled_where_longer_training_cannot_change_it(other: list[str], known: bool) -> None:
    def rows(rate: float, runs: list[str]) -> list[Outcome]:
        said = [(kind, int(step)) for kind, step in map(str.split, runs)]
        ends = [{"r": (step, None), "d": (None, step)}.get(kind, (None, None)) for kind, step in said]
        return [
            outcome(rate, steps, diverged_at=died, budget=step, final_loss=None)
            for (_, step), (steps, died) in zip(said, ends)
        ]

    winner = rows(0.1, ["r 200", "r 221", "r 224"])
    assert best(winner + rows(0.3, other), 0.5) == (0.1, True)
    assert settled(winner + rows(0.3, other), 0.5) is known
    assert not settled(rows(0.3, ["r 100", "- 225", "- 225"]), 0.5)


@pytest.mark.parametrize(("beside", "fits"), [("- 225", False), ("r 210", True), ("d 50", True)])
def test_a_parabola_waits_for_the_rates_beside_the_best(beside: str, fits: bool) -> None:
    kind, step = beside.split()
    late = {"steps": int(step) if kind == "r" else None, "diverged_at": int(step) if kind == "d" else None}
    runs = [outcome(0.1, 100), outcome(0.03, **late, budget=225), outcome(0.3, 210), outcome(1.0, None, budget=225)]
    assert settled(runs, 0.5) and settled(runs, 0.5, fits=True) is fits


@pytest.mark.parametrize("seed", range(40))
def test_noisy_choices_are_those_of_whole_budgets_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps and much noise, so that ties and late runs are common; of an even number of seeds."""
    noise = np.random.default_rng(seed)
    drawn: dict[tuple[float, float, int], float] = {}
    steps = bowl(0.03, 60, 1.3)

    class Noisy(World):
        def run(self, rates: list[float], budget: int) -> list[Outcome]:
            rows = []
            for rate, target, run in [(r, t, s) for r in rates for t in (0.5, 0.25) for s in range(4)]:
                place = (rate, target, run)
                needed = drawn.setdefault(place, math.ceil(steps(rate, target) * noise.choice([0.7, 0.8, 1, 1.2, 9])))
                fails = needed % 11 == 0
                reached = known(needed, budget) and not fails
                more = {"diverged_at": 30, "final_loss": None} if fails else {}
                rows.append(outcome(rate, needed if reached else None, seed=run, target=target, budget=budget, **more))
            return rows

    chosen = search(GRID, [0.5, 0.25], STEPS, Noisy(None).run)[1]
    monkeypatch.setattr("bnstudy.training.tune.budgets", lambda steps: [steps])
    assert chosen == search(GRID, [0.5, 0.25], STEPS, Noisy(None).run)[1]


def test_budgets_grow_and_are_never_too_short() -> None:
    assert budgets(1200) == [300, 450, 600, 900, 1200]
    assert budgets(100) == [40, 50, 75, 100]
    assert budgets(40) == [40] and budgets(20) == [20]


@pytest.mark.parametrize("middle", [0.03, 0.034, 0.04, 0.055, 0.07, 0.08])
def test_a_rate_is_the_lowest_of_the_parabola_through_quarter_decades(middle: float) -> None:
    table, chosen = search(GRID, [0.5, 0.25], STEPS, World(bowl(middle, 100)).run)
    assert [c.rate for c in chosen] == [middle, middle] and all(c.evaluable for c in chosen)
    assert len(table) == 2 * 3 * (len(GRID) + 2)


def test_where_there_is_no_parabola_the_best_rate_is_chosen() -> None:
    runs = [outcome(0.03, 100), outcome(0.1, 100), outcome(0.3, 100)]
    assert fitted(runs, 0.5) == best(runs, 0.5)[0] == 0.03  # no rate below it was tried
    level = [outcome(0.01, 200), *runs, outcome(1.0, 90)]
    assert fitted([*level[:-1], outcome(1.0, None)], 0.5) == 0.0548  # two are equally fast: halfway
    assert fitted([outcome(0.03, None), outcome(0.1, 100), outcome(0.3, 110)], 0.5) == 0.1  # one never gets there


@pytest.mark.parametrize(
    ("middle", "rate", "evaluable"),
    [(0.3, 0.3, True), (0.5, 0.5, True), (0.9, 0.9, False), (1.5, 1.69, False), (0.0001, 0.000178, False)],
)
def test_an_edge_is_extended_once(middle: float, rate: float, evaluable: bool) -> None:
    """0.3 is extended to 0.949 and 0.001 to 0.000316; a winner there, or beyond it, may not be the best."""
    _, chosen = search(GRID, [0.5, 0.25], STEPS, World(bowl(middle, 60)).run)
    assert (chosen[0].rate, chosen[0].evaluable) == (rate, evaluable)
    assert chosen[0].reason == ("" if evaluable else "rate on the grid's edge")


def test_a_target_out_of_reach_is_said() -> None:
    steps = bowl(0.03, 200)
    world = World(lambda rate, target: steps(rate, target) if target == 0.5 else math.inf)
    table, chosen = search(GRID, [0.5, 0.25], STEPS, world.run)
    assert chosen[0].reason == "" and chosen[1].reason == "no rate reaches the target"
    assert {row.budget for row in table} == {STEPS}


def test_ties_go_to_the_mean_then_to_the_smaller_rate() -> None:
    def rows(rate: float, steps: list[int]) -> list[Outcome]:
        return [outcome(rate, s, final_loss=0.1) for s in steps]

    assert best(rows(0.1, [90, 100, 120]) + rows(0.3, [80, 100, 120]), 0.5) == (0.3, True)
    assert best(rows(0.1, [90, 100, 120]) + rows(0.03, [90, 100, 120]), 0.5) == (0.03, True)
    assert np.isclose(nearby(0.1, -0.25), 0.0562)
