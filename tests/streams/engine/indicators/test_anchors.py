"""What an anchor makes of sums that never forget: the same sum, less what it was before the session."""

import math

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import BarArrays, Floats
from streams.engine.market.compute import compute
from streams.engine.market.market import Market
from tests.streams.engine.candles import MINUTE, MONDAY, klines, walk

HOUR = 60 * MINUTE
DAYS = 24
# 40 days of hours from a Thursday on: 16 November 2023.
BARS = walk(40 * DAYS, seed=81)
TIMES = MONDAY - 4 * DAYS * HOUR + HOUR * np.arange(len(BARS))
SUMS = ["obv", "adi", "vpt"]


def values(name: str, anchor: int = 0) -> Floats:
    params = (("anchor", anchor),) if anchor else ()
    return compute(Indicator(name, params), BARS.ohlcv, open_time_ms=TIMES)[name]


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("anchor, firsts", [(1, range(24, 960, 24)), (2, range(96, 960, 168)), (3, [360])])
def test_a_sum_begins_anew_with_every_session(name: str, anchor: int, firsts: range | list[int]) -> None:
    plain, anchored = values(name), values(name, anchor)
    ends = [*list(firsts)[1:], len(BARS)]
    for first, end in zip(firsts, ends, strict=True):
        wanted = plain[first:end] - plain[first - 1]
        assert anchored[first:end] == pytest.approx(wanted, abs=1e-9 * np.nanmax(np.abs(plain)))


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_counts_from_an_instant_on(name: str) -> None:
    plain, anchored = values(name), values(name, int(TIMES[100]) - 1)
    assert np.isnan(anchored[:100]).all()
    wanted = plain[100:] - plain[99]
    assert anchored[100:] == pytest.approx(wanted, abs=1e-9 * np.nanmax(np.abs(plain)))


def test_the_negative_volume_index_begins_with_1000_again() -> None:
    plain, anchored = values("nvi"), values("nvi", 1)
    for first in range(24, len(BARS), 24):
        wanted = 1_000.0 * plain[first : first + 24] / plain[first - 1]
        assert anchored[first : first + 24] == pytest.approx(wanted, rel=1e-12)


def test_a_smoothed_sum_averages_only_the_sessions_own() -> None:
    params = (("anchor", 1), ("smoothing_factor", 5))
    found = compute(Indicator("vpt", params), BARS.ohlcv, open_time_ms=TIMES)["vpt"]
    sums = values("vpt", 1)
    for first in range(24, 240, 24):
        assert np.isnan(found[first : first + 4]).all()
        assert found[first + 4] == pytest.approx(sums[first : first + 5].mean(), rel=1e-9)


@pytest.mark.parametrize("name, first", [("adi", 0), ("obv", 24), ("vpt", 24), ("nvi", 24)])
def test_a_day_may_be_used_if_all_of_it_is_there(name: str, first: int) -> None:
    """The bar before it too, for those that compare with it."""
    market = Market("BTCUSDT")
    slot = market.acquire(Indicator(name, (("anchor", 1),)), "1h")
    slot_of_all = market.acquire(Indicator(name), "1h")
    usable, usable_of_all = [], []
    for bar in klines(BarArrays(MONDAY + MINUTE * np.arange(3_000), walk(3_000).ohlcv)):
        market.apply(bar)
        if market.closes("1h", market.next - 1):
            usable.append(math.isfinite(slot.frame.now[slot.column]))
            usable_of_all.append(math.isfinite(slot_of_all.frame.now[slot_of_all.column]))
    assert usable == [row >= first for row in range(50)]
    assert usable_of_all == [row >= (name == "vpt") for row in range(50)]
