"""Pivot points of the session before."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import BarArrays
from streams.engine.market.compute import compute
from streams.engine.market.market import Market
from tests.streams.engine.candles import MINUTE, MONDAY, klines, walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes
from tests.streams.engine.indicators.test_against_recordings import SKENDER, table

DAY = 1_440 * MINUTE
BARS = walk(4_800, seed=58, origin_ms=MONDAY - 600 * MINUTE)
LEVELS = ("pivot", "r1", "r2", "r3", "s1", "s2", "s3")


def test_a_days_levels_come_from_the_day_before() -> None:
    found = compute(Indicator("pivots"), BARS.ohlcv, open_time_ms=BARS.open_time_ms)
    days = BARS.open_time_ms // DAY
    first, *later = sorted(set(days))
    assert np.isnan(found["pivot"][days == first]).all()
    for day in later:
        before = BARS.ohlcv[days == day - 1]
        high, low, close = before[:, 1].max(), before[:, 2].min(), before[-1, 3]
        pivot = (high + low + close) / 3
        wanted = {
            "pivot": pivot, "r1": 2 * pivot - low, "r2": pivot + high - low, "r3": high + 2 * (pivot - low),
            "s1": 2 * pivot - high, "s2": pivot - high + low, "s3": low - 2 * (high - pivot),
        }  # fmt: skip
        for name, level in wanted.items():
            assert found[name][days == day] == pytest.approx(level, rel=1e-12)


def test_after_a_flat_day_every_level_is_its_price() -> None:
    flat = np.tile([0.07, 0.07, 0.07, 0.07, 1.0], (50, 1))
    found = compute(Indicator("pivots"), flat, open_time_ms=MONDAY + 60 * MINUTE * np.arange(50))
    for name in LEVELS:
        assert (found[name][24:] == 0.07).all()


def test_they_may_fire_after_a_day_that_was_complete() -> None:
    """The first day had begun before the first bar; the third has a gap that is too long to fill."""
    keep = np.ones(len(BARS), bool)
    keep[2_100:2_130] = False
    market = Market("BTCUSDT")
    slot = market.acquire(Indicator("pivots", output="r1"), "1m")
    usable: dict[int, list[bool]] = {}
    for bar in klines(BarArrays(BARS.open_time_ms[keep], BARS.ohlcv[keep])):
        market.apply(bar)
        usable.setdefault(bar.open_time_ms // DAY, []).append(math.isfinite(slot.frame.now[slot.column]))
    origins, whole, broken, after = usable.values()
    assert not any(origins)
    assert not any(whole)
    cut = int(BARS.open_time_ms[2_100]) % DAY // MINUTE
    assert broken == [True] * cut + [False] * (len(broken) - cut)
    assert not any(after)


@needs_recordings
def test_stock_indicators() -> None:
    """Theirs begin with the month."""
    dates = [
        datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
        for row in table(SKENDER / "quotes_default.csv")
    ]
    times = np.array([round(date.timestamp()) * 1_000 for date in dates])
    found = compute(Indicator("pivots", (("anchor", 3),)), quotes(), open_time_ms=times)
    for name in LEVELS:
        assert_equal(found[name], expected("pivot-points", "pp" if name == "pivot" else name))
