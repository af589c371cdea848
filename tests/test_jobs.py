"""Which rates a setting is run at, and which seeds share a cell."""

import pytest

from bnstudy.jobs import blocks, rates_of

ROLES = [
    {"role": role, "rate": rate}
    for role, rate in {
        "lower@0.5": 0.056, "best@0.5": 0.1, "upper@0.5": 0.18, "lower@0.25": 0.1, "best@0.25": 0.18, "upper@0.25": 0.32,
        "shared": 0.03,
    }.items()
] + [{"role": "grid", "rate": rate} for rate in (0.01, 0.1, 1.0)]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "rates"),
    [
        (["best"], {0.1: True, 0.18: False}),
        (["best", "shared"], {0.1: True, 0.18: False, 0.03: False}),
        (
            ["best", "neighbours"],
            {0.1: True, 0.18: False, 0.056: False},
        ),  # 0.18 is both the other's best and a neighbour
        (["neighbours"], {0.056: False, 0.18: False}),
        (["grid"], {0.01: False, 0.1: False, 1.0: False}),
        (["best", "grid"], {0.1: True, 0.18: False, 0.01: False, 1.0: False}),
    ],
)
def test_networks_at_the_best_rate_of_the_main_target_are_kept(asked: list[str], rates: dict[float, bool]) -> None:
    assert rates_of(ROLES, asked, 0.5) == rates


def test_a_target_of_one_has_its_roles() -> None:
    assert rates_of([{"role": "best@1", "rate": 0.1}], ["best"], 1.0) == {0.1: True}


def test_cells_hold_up_to_eight_seeds() -> None:
    assert blocks([*range(19)], 16) == [[*range(8)], [*range(8, 16)], [16, 17, 18]]
    assert blocks([1, 2, 3], 1) == [[1], [2], [3]]
