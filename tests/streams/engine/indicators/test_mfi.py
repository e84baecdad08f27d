"""The money flow index."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_flow_at_rising_prices_in_percent_of_all_flow() -> None:
    bars = candles([10.0, 12.0, 9.0, 9.0, 10.0], volume=[1.0, 2.0, 4.0, 8.0, 1.0])
    got = ours("mfi", bars, window=2)
    assert np.isnan(got[0])
    # the first bar counts as unchanged; 24 up, 36 down; 36 down, 72 unchanged; 72 unchanged, 10 up
    assert got[1:] == pytest.approx([100.0, 40.0, 0.0, 100.0])


def test_only_rising_is_100_in_both_though_ta_divides_by_zero_for_it() -> None:
    bars = candles([float(x) for x in range(1, 31)])
    assert ours("mfi", bars)[-1] == theirs("money_flow_index", bars)[-1] == 100.0


def test_nothing_moved_or_nothing_traded_is_missing_as_it_is_in_ta() -> None:
    moving = walk(80, seed=10).ohlcv
    still = flat_from(moving, 40)
    moving[40:, 4] = 0.0
    for bars in (still, moving):
        assert np.isnan(ours("mfi", bars)[54:]).all()
        assert np.isnan(theirs("money_flow_index", bars)[54:]).all()
        assert np.isfinite(ours("mfi", bars)[13:40]).all()


def test_equal_sums_of_prices_may_count_as_a_move_as_they_do_in_ta() -> None:
    """0.7 + 0.1 + 0.3 and 0.6 + 0.2 + 0.3 are the same, but not as floats."""
    bars = candles([0.3, 0.3], high=[0.7, 0.6], low=[0.1, 0.2])
    assert 0.7 + 0.1 + 0.3 < 0.6 + 0.2 + 0.3
    assert ours("mfi", bars, window=2)[1] == theirs("money_flow_index", bars, window=2)[1] == 100.0


@pytest.mark.parametrize("window", [2, 14, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("money_flow_index", walk(400, seed=seed).ohlcv, window=window)


def test_ta_counts_the_first_bar_as_unchanged_so_it_is_ready_a_bar_later() -> None:
    bars = walk(60, seed=3).ohlcv
    late, early = ours("mfi", bars[20:]), ours("mfi", bars)[20:]
    assert ready("mfi") == (15,)
    assert late[13] != pytest.approx(early[13])
    assert np.allclose(late[14:], early[14:], rtol=1e-13)
