"""The holes of real venues, cut into candles: quiet minutes kept or left out, a few missing, outages."""

from typing import Final, NamedTuple

import numpy as np
import pytest

from streams.engine.bars import CLOSE, VOLUME, BarArrays
from tests.streams.engine.candles import MINUTE, MONDAY, SHARED, recorded, walk

OUTAGES: Final = {"6 min": 6, "2 h": 120, "3 d": 4_320}
LENGTH_MS: Final = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE, "1d": 1_440 * MINUTE}
NEEDS_SHARED: Final = (
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout"),
)
SOURCES: Final = ["generated", pytest.param("recorded", marks=NEEDS_SHARED)]


def candles(source: str, count: int) -> BarArrays:
    """`count` consecutive minutes, of a quiet perpetual or of a random walk, from a Monday's first minute on."""
    found = recorded("ADAUSDT", count) if source == "recorded" else walk(count, seed=77)
    assert len(found) == count
    assert (np.diff(found.open_time_ms) == MINUTE).all()
    return BarArrays(MONDAY + MINUTE * np.arange(count), found.ohlcv)


class Quiet(NamedTuple):
    """The same market from a venue that sends quiet minutes flat, and from one that leaves them out."""

    kept: BarArrays
    left_out: BarArrays


def quiet(bars: BarArrays, longest: int, seed: int = 5) -> Quiet:
    """Now and then up to `longest` minutes without a trade; a third of all minutes."""
    rng = np.random.default_rng(seed)
    ohlcv, silent = bars.ohlcv.copy(), np.zeros(len(bars), bool)
    at = 1
    while at < len(bars):
        stop = min(at + int(rng.integers(1, longest + 1)), len(bars) - 1)
        silent[at:stop] = True
        ohlcv[at:stop, :VOLUME] = ohlcv[at - 1, CLOSE]
        ohlcv[at:stop, VOLUME] = 0.0
        at = stop + 1 + int(rng.integers(1, 4 * longest))
    kept = BarArrays(bars.open_time_ms, ohlcv)
    return Quiet(kept, BarArrays(bars.open_time_ms[~silent], ohlcv[~silent]))


def without(bars: BarArrays, first: int, count: int) -> BarArrays:
    """The bars but for `count` from number `first` on."""
    gone = np.arange(first, first + count)
    return BarArrays(np.delete(bars.open_time_ms, gone), np.delete(bars.ohlcv, gone, 0))
