"""The return since the origin."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine import indicators
from streams.engine.market.compute import compute
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


def test_it_begins_anew_with_the_day_and_counts_from_an_instant_on() -> None:
    closes = [8.0, 9.0, 10.0, 12.0, 11.0, 20.0]
    bars, day = candles(closes), 86_400_000
    times = np.array([day - 2, day - 1, day, day + 1, 2 * day, 2 * day + 1], np.int64)  # two bars a day
    leaf = Indicator("cumulative_return", (("anchor", 1),))
    values = compute(leaf, bars, open_time_ms=times)["cumulative_return"]
    assert values[2:].tolist() == pytest.approx([0.0, 20.0, 0.0, 900 / 11])
    since = 10**9 + day
    late = Indicator("cumulative_return", (("anchor", since),))
    values = compute(late, bars, open_time_ms=np.arange(6) * 60_000 + since - 60_000)["cumulative_return"]
    assert np.isnan(values[0])
    assert values[1:].tolist() == pytest.approx([0.0, 100 / 9, 100 / 3, 200 / 9, 1_100 / 9])
