"""The Donchian channel."""

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs

BANDS = ("hband", "lband", "mband", "wband", "pband")


def band(name: str) -> str:
    return f"donchian_channel_{name}"


def test_it_spans_the_highest_and_the_lowest_of_the_window() -> None:
    bars = candles([4.0, 5.0, 6.0, 3.0], high=[5.0, 8.0, 7.0, 4.0], low=[3.0, 4.0, 6.0, 2.0])
    got = {name: ours(band(name), bars, window=2) for name in BANDS}
    assert all(np.isnan(values[0]) for values in got.values())
    assert got["hband"][1:].tolist() == [8.0, 8.0, 7.0]
    assert got["lband"][1:].tolist() == [3.0, 4.0, 2.0]
    assert got["mband"][1:].tolist() == [5.5, 6.0, 4.5]
    assert got["wband"][1:] == pytest.approx([100 * 5 / 4.5, 100 * 4 / 5.5, 100 * 5 / 4.5])
    assert got["pband"][1:].tolist() == [0.4, 0.5, 0.2]


def test_an_offset_shows_what_was_that_many_bars_ago() -> None:
    bars = walk(60, seed=3).ohlcv
    for name in BANDS:
        plain = ours(band(name), bars, window=5)
        shifted = ours(band(name), bars, window=5, offset=3)
        assert np.isnan(shifted[:3]).all()
        assert np.array_equal(shifted[3:], plain[:-3], equal_nan=True)


def test_a_flat_window_is_the_price_and_has_no_width() -> None:
    bars = flat_from(walk(80, seed=4, start=0.07, decimals=12).ohlcv, 40)
    close = bars[-1, 3]
    assert [ours(band(name), bars)[-1] for name in BANDS[:4]] == [close, close, close, 0.0]
    assert np.isnan(ours(band("pband"), bars)[-1])
    assert np.isnan(theirs(band("pband"), bars, window=20)[-1])


@pytest.mark.parametrize("params", [(20, 0), (1, 0), (2, 1), (7, 30)])
@pytest.mark.parametrize("name", BANDS)
def test_equals_ta(name: str, params: tuple[int, int]) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        assert_equals_ta(band(name), bars, window=params[0], offset=params[1])


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("donchian") == (20,) * 5
    assert ready("donchian", window=5, offset=3) == (8,) * 5


def test_an_offset_into_the_future_or_beyond_the_windows_is_refused() -> None:
    with pytest.raises(ConditionError, match="0 to"):
        ready("donchian", offset=-1)
    with pytest.raises(ConditionError, match="together"):
        ready("donchian", window=3_000, offset=2_001)
