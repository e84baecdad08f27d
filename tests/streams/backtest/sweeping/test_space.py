"""What a sweep varies: grids, ranges, draws, and what is wrong with them."""

from decimal import Decimal
from typing import Any

import pytest

from streams.cli.backtesting.sweeping.space import SpaceInvalid, space_of


def test_a_grid_is_every_combination_the_last_parameter_fastest() -> None:
    space = space_of({"window": [7, 14], "level": {"from": 20, "to": 30, "step": 5}})
    assert space.size == 6
    assert list(space.grid()) == [(7, 20), (7, 25), (7, 30), (14, 20), (14, 25), (14, 30)]


def test_numbers_stay_what_was_written_and_ranges_have_both_ends() -> None:
    space = space_of({"a": {"from": 0.1, "to": 0.5, "step": 0.1}, "b": ["1.50", 0.3, True, None, "x"]})
    first, second = space.parameters.values()
    assert getattr(first, "values", None) == ("0.1", "0.2", "0.3", "0.4", "0.5")
    assert getattr(second, "values", None) == ("1.50", "0.3", True, None, "x")


def test_draws_are_the_same_for_the_same_seed_and_reach_both_ends() -> None:
    space = space_of({"x": {"uniform": ["0.5", 1], "decimals": 1}, "y": [1, 2, 3]})
    assert space.size is None
    drawn = list(space.draws(300, 7))
    assert drawn == list(space.draws(300, 7))
    assert drawn != list(space.draws(300, 8))
    assert {Decimal(str(x)) for x, _ in drawn} == {Decimal(k) / 10 for k in range(5, 11)}
    assert {y for _, y in drawn} == {1, 2, 3}


def test_draws_do_not_depend_on_the_version_that_draws() -> None:
    """Of the generator only `random()` is promised to stay; these are its numbers."""
    space = space_of({"x": {"uniform": [0, 99]}})
    assert [x for (x,) in space.draws(5, 0)] == [84, 75, 42, 25, 51]


@pytest.mark.parametrize(
    "raw, field",
    [
        ([1], "sweep."),
        ({}, "sweep."),
        ({"x": []}, "sweep.x"),
        ({"x": 5}, "sweep.x"),
        ({"x": {"from": 1, "to": 2}}, "sweep.x"),
        ({"x": {"from": 1, "to": 2, "step": 0}}, "sweep.x.step"),
        ({"x": {"from": 3, "to": 2, "step": 1}}, "sweep.x.to"),
        ({"x": {"from": "one", "to": 2, "step": 1}}, "sweep.x.from"),
        ({"x": {"from": 0, "to": 1, "step": "0.000001"}}, "sweep.x"),
        ({"x": {"uniform": [1]}}, "sweep.x.uniform"),
        ({"x": {"uniform": [2, 1]}}, "sweep.x.uniform"),
        ({"x": {"uniform": [1, ".inf"]}}, "sweep.x.uniform[1]"),
        ({"x": {"uniform": [1, True]}}, "sweep.x.uniform[1]"),
        ({"x": {"uniform": [1, 2], "decimals": 9}}, "sweep.x.decimals"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(raw: Any, field: str) -> None:
    with pytest.raises(SpaceInvalid) as refused:
        space_of(raw)
    assert refused.value.field == field
