"""The return since the origin."""

import pytest

from streams.engine import indicators
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready


def test_it_is_the_change_in_percent_of_the_first_close() -> None:
    assert ours("cumulative_return", candles([10.0, 11.0, 5.0, 10.0])).tolist() == pytest.approx(
        [0.0, 10.0, -50.0, 0.0]
    )


def test_a_market_at_rest_returns_nothing_exactly() -> None:
    assert ours("cumulative_return", candles([0.07] * 30)).tolist() == [0.0] * 30


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("cumulative_return", walk(400, seed=seed, start=0.07, decimals=6).ohlcv)


def test_it_never_forgets_and_is_ready_at_once() -> None:
    assert indicators.lookup("cumulative_return").never_forgets
    assert ready("cumulative_return") == (1,)
