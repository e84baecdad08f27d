"""Law 3 and law 4 told as examples: buckets, weeks, who closes when, what a gap makes unknown."""

import math

import numpy as np
import polars as pl
import pytest
from msgspec import structs

from schemas.conditions import Indicator, Price
from streams.engine.errors import WrongInterval
from streams.engine.market.market import Market, Slot
from streams.engine.market.outcomes import Applied
from tests.streams.engine.candles import MINUTE, MONDAY, SHARED, kline, klines, recorded, walk


def flat(at_ms: int, price: float = 100.0, volume: float = 1.0) -> list[float]:
    return [price, price, price, price, volume]


def feed(market: Market, start_ms: int, minutes: int, price: float = 100.0) -> None:
    for k in range(minutes):
        market.apply(kline(start_ms + k * MINUTE, flat(0, price + k)))


def now(slot: Slot) -> float:
    return slot.frame.now[slot.column]


def test_a_higher_bar_closes_with_its_last_base_bar() -> None:
    market = Market("BTCUSDT")
    close, volume = market.acquire(Price("close"), "5m"), market.acquire(Price("volume"), "5m")
    feed(market, MONDAY, 4)
    assert math.isnan(now(close))
    market.apply(kline(MONDAY + 4 * MINUTE, flat(0, 104.0)))
    assert (now(close), now(volume), close.frame.version) == (104.0, 5.0, 1)
    assert [market.closes("5m", i) for i in range(5)] == [False, False, False, False, True]
    feed(market, MONDAY + 5 * MINUTE, 5, 200.0)
    assert (now(close), close.frame.prev[close.column]) == (204.0, 104.0)


def test_weeks_begin_on_monday_and_outlast_the_bars_that_are_kept() -> None:
    market = Market("BTCUSDT", capacity=600)
    opened, high = market.acquire(Price("open"), "1w"), market.acquire(Price("high"), "1w")
    bars = walk(7 * 1_440 + 1, seed=31)
    for bar in klines(bars)[:-1]:
        assert math.isnan(now(opened))
        market.apply(bar)
    assert market.tape.frame.first > 0
    assert now(opened) == bars.ohlcv[0, 0]
    assert now(high) == bars.ohlcv[:-1, 1].max()


def test_a_missing_last_bar_is_filled_when_the_next_one_comes() -> None:
    market = Market("BTCUSDT", fill_up_to=2)
    close, volume = market.acquire(Price("close"), "5m"), market.acquire(Price("volume"), "5m")
    feed(market, MONDAY, 3)
    outcome = market.apply(kline(MONDAY + 5 * MINUTE, flat(0, 300.0)))
    assert outcome == Applied(3, 6, filled=2)
    assert (now(close), now(volume)) == (102.0, 3.0)
    assert market.closes("5m", 4)
    assert not market.closes("5m", 5)
    assert [market.bar(i).filled for i in range(6)] == [False, False, False, True, True, False]
    assert market.bar(4)[3:8] == (102.0, 102.0, 102.0, 102.0, 0.0)


def test_a_long_gap_taints_every_timeframe_until_enough_clean_bars_have_come() -> None:
    market = Market("BTCUSDT", fill_up_to=2)
    base, five = (
        market.acquire(Indicator("sma", (("window", 3),)), "1m"),
        market.acquire(Price("close"), "5m"),
    )
    feed(market, MONDAY, 12)
    assert (now(base), now(five)) == (110.0, 109.0)
    opened = MONDAY + 17 * MINUTE
    outcome = market.apply(kline(opened, flat(0, 500.0)))
    assert outcome == Applied(12, 13, gap_ms=(MONDAY + 12 * MINUTE, opened))
    assert math.isnan(now(base))
    assert math.isnan(now(five))
    assert math.isnan(base.frame.prev[base.column])
    assert market.value(base, 11) == 110.0, "what was known before stays known there"
    assert market.value(five, 11) == 109.0
    feed(market, opened + MINUTE, 2, 501.0)
    assert now(base) == 501.0
    assert math.isnan(now(five)), "the bucket of minutes 15 to 19 misses two"
    feed(market, MONDAY + 20 * MINUTE, 5, 600.0)
    assert now(five) == 604.0


def test_a_first_bucket_that_began_before_the_first_bar_is_tainted() -> None:
    market = Market("BTCUSDT")
    volume = market.acquire(Price("volume"), "5m")
    feed(market, MONDAY + 2 * MINUTE, 3)
    assert volume.frame.version == 1
    assert math.isnan(now(volume))
    feed(market, MONDAY + 5 * MINUTE, 5)
    assert now(volume) == 5.0


def test_a_kline_of_another_interval_is_refused() -> None:
    market = Market("BTCUSDT", "5m")
    for opened in (MONDAY, MONDAY + 5 * MINUTE):
        with pytest.raises(WrongInterval):
            market.apply(kline(opened, flat(0)))
        market.apply(structs.replace(kline(MONDAY, flat(0)), interval="5m"))
    assert market.next == 1


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
@pytest.mark.parametrize("timeframe", ["5m", "4h", "1d"])
def test_recorded_minutes_fold_as_a_data_frame_folds_them(timeframe: str) -> None:
    bars = recorded("ETHUSDT", 5_000)
    market = Market("ETHUSDT", capacity=9_999)
    frame = market.acquire(Price("close"), timeframe).frame
    for bar in klines(bars):
        market.apply(bar)
    rows = pl.DataFrame(
        bars.ohlcv, schema=["open", "high", "low", "close", "volume"], orient="row"
    ).with_columns(time=pl.from_epoch(pl.Series(bars.open_time_ms), time_unit="ms"))
    wanted = rows.group_by_dynamic("time", every=timeframe).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    folded = frame.rows(frame.bars, 0, frame.version)
    expected = wanted.drop("time").to_numpy()[: len(folded)]
    assert len(folded) >= len(wanted) - 1
    assert np.array_equal(folded[:, :4], expected[:, :4])
    assert np.allclose(folded[:, 4], expected[:, 4], rtol=1e-12)
