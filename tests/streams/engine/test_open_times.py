"""A kernel may ask when a row's bar opened: in every frame, however the row came there."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Indicator
from streams.engine.bars import TIME, BarArrays, Floats
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.market.frames import Frame
from streams.engine.market.market import Market
from tests.streams.engine.candles import MINUTE, MONDAY, klines, walk, with_gaps
from tests.streams.engine.naive import NaiveMarket

TIMEFRAMES: Final = ("1m", "3m", "1h")
BARS: Final = with_gaps(walk(1_700, seed=31, origin_ms=MONDAY + 7 * MINUTE), 0.01, 12)
KLINES: Final = klines(BARS)


def times(frame: Frame) -> Floats:
    return frame.bars[: frame.next - frame.first, TIME]


def wanted(naive: NaiveMarket, frame: Frame) -> list[int]:
    if frame.timeframe == "1m":
        return [bar[0] for bar in naive.bars][frame.first : frame.next]
    rows = naive.rows(frame.timeframe, len(naive.bars) - 1)
    return [row.open_ms for row in rows][frame.first : frame.next]


def check(market: Market, naive: NaiveMarket) -> None:
    for frame in market.operands.frames.values():
        assert times(frame).tolist() == wanted(naive, frame), frame.timeframe


@pytest.mark.parametrize("programs", [CompiledProgram, SourceProgram])
def test_rows_know_when_they_opened(programs: type[Program]) -> None:
    """Pushed, filled, after long gaps, folded live and folded afterwards."""
    market, naive = Market("BTCUSDT", programs=programs), NaiveMarket()
    market.acquire(Indicator("sma"), "3m")
    for number, bar in enumerate(KLINES[:1_200]):
        market.apply(bar)
        naive.apply(bar)
        if number == 600:
            market.acquire(Indicator("sma"), "1h")
        if number % 97 == 0:
            check(market, naive)
    check(market, naive)
    assert set(market.operands.frames) == set(TIMEFRAMES)
    assert market.counters["gaps"] > 2
    assert market.counters["filled"] > 5


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, len(KLINES) - 1))
def test_rows_know_it_after_a_restart_and_after_reading_back(cut: int) -> None:
    market, naive = Market("BTCUSDT", capacity=100), NaiveMarket()
    for timeframe in TIMEFRAMES:
        market.acquire(Indicator("sma", (("window", 3),)), timeframe)
    for bar in KLINES[:cut]:
        market.apply(bar)
        naive.apply(bar)
    saved = market.snapshot()
    inside = BARS.open_time_ms >= (Market.read_from_ms(saved) or 0)
    restored = Market.restore(saved, BarArrays(BARS.open_time_ms[inside], BARS.ohlcv[inside]))
    for bar in KLINES[cut:]:
        restored.apply(bar)
        naive.apply(bar)
    base, *higher = restored.operands.frames.values()
    assert times(base).tolist() == wanted(naive, base)
    for frame in higher:
        found = times(frame)
        known = np.isfinite(found)  # rows from before the restart hold only what windows read
        assert found[known].tolist() == np.array(wanted(naive, frame))[known].tolist()
    restored.load_history(BARS)
    check(restored, naive)
