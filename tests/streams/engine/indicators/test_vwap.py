"""VWAP against its definition, day by day."""

import math

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import BarArrays, Floats
from streams.engine.market.compute import compute
from streams.engine.market.market import Market
from tests.streams.engine.candles import MINUTE, MONDAY, klines, walk
from tests.streams.engine.indicators.test_against_recordings import SKENDER, expected, quotes

DAY = 1_440 * MINUTE
BARS = walk(5_000, seed=41, origin_ms=MONDAY + 600 * MINUTE)


def vwap(bars: BarArrays, **params: int) -> dict[str, Floats]:
    return compute(
        Indicator("vwap", tuple(sorted(params.items()))), bars.ohlcv, open_time_ms=bars.open_time_ms
    )


def test_every_day_is_averaged_by_itself() -> None:
    found = vwap(BARS, multiplier=2)
    typical, volume = BARS.ohlcv[:, 1:4].mean(axis=1), BARS.ohlcv[:, 4]
    days = BARS.open_time_ms // DAY
    assert len(set(days)) == 4
    for day in set(days):
        (rows,) = np.nonzero(days == day)
        for last in (rows[0], rows[7], rows[-1]):
            x, w = typical[rows[0] : last + 1], volume[rows[0] : last + 1]
            mean = np.average(x, weights=w)
            reach = 2 * math.sqrt(np.average((x - mean) ** 2, weights=w))
            assert found["vwap"][last] == pytest.approx(mean, rel=1e-12)
            assert found["upper"][last] == pytest.approx(mean + reach, rel=1e-9)
            assert found["lower"][last] == pytest.approx(mean - reach, rel=1e-9)


def test_from_an_instant_on_everything_counts() -> None:
    since = int(BARS.open_time_ms[70])
    found = vwap(BARS, anchor=since - 30_000)["vwap"]
    assert np.isnan(found[:70]).all()
    weights = BARS.ohlcv[70:, 4]
    assert found[-1] == pytest.approx(
        np.average(BARS.ohlcv[70:, 1:4].mean(axis=1), weights=weights), rel=1e-12
    )


def test_without_volume_there_is_no_average_and_a_flat_day_has_its_very_price() -> None:
    price = 67_123.45
    flat = np.tile([price, price, price, price, 0.3], (500, 1))
    flat[:5, 4] = 0.0
    found = vwap(BarArrays(MONDAY + MINUTE * np.arange(500), flat))
    assert np.isnan(found["vwap"][:5]).all()
    for name in ("vwap", "upper", "lower"):
        assert (found[name][5:] == price).all()


def test_it_may_fire_only_where_the_session_is_complete() -> None:
    """Law 4: not on the origin's day, which had begun, nor on one with a gap that is too long to fill."""
    keep = np.ones(len(BARS), bool)
    keep[2_400:2_420] = False
    market = Market("BTCUSDT")
    slot = market.acquire(Indicator("vwap"), "1m")
    usable = {}
    for bar in klines(BarArrays(BARS.open_time_ms[keep], BARS.ohlcv[keep])):
        market.apply(bar)
        usable[bar.open_time_ms] = math.isfinite(slot.frame.now[slot.column])
    days = [[usable[at] for at in usable if at // DAY == day] for day in sorted({at // DAY for at in usable})]
    assert not any(days[0])
    cut = int(BARS.open_time_ms[2_400]) % DAY // MINUTE
    assert all(days[1])
    assert days[2] == [True] * cut + [False] * (len(days[2]) - cut)
    assert all(days[3])


@pytest.mark.shared
@pytest.mark.skipif(not SKENDER.exists(), reason="the shared recordings are not beside the checkout")
def test_stock_indicators() -> None:
    """Theirs counts from the first bar on."""
    wanted = expected("vwap", "vwap")
    since = 10**9
    found = vwap(BarArrays(since + MINUTE * np.arange(len(wanted)), quotes()), anchor=since)["vwap"]
    assert len(wanted) > 300
    assert np.all(np.abs(found - wanted) <= 1e-9 * np.abs(wanted))
