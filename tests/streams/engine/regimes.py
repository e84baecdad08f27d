"""Generated markets of different tempers, for tests that compare indicators: all seeded, all of one-minute candles."""

from typing import Final

import numpy as np

from streams.engine.bars import CLOSE, VOLUME, Floats
from tests.streams.engine.candles import walk

LENGTH: Final = 500


def wild(count: int = LENGTH) -> Floats:
    """Calm and wild stretches, with jumps of several percent."""
    rng = np.random.default_rng(21)
    calm = np.where(np.arange(count) // 60 % 2 == 0, 0.0005, 0.01)
    moves = rng.normal(0.0, 1.0, count) * calm + np.where(rng.random(count) < 0.02, 0.05, 0.0) * rng.choice(
        [-1, 1], count
    )
    return _candles(np.round(2_500.0 * np.exp(np.cumsum(moves)), 2), calm, rng, 2)


def trend(count: int = LENGTH) -> Floats:
    """Up without a single fall for two fifths, then down without a single rise, then sideways."""
    rng = np.random.default_rng(22)
    moves = np.abs(rng.normal(0.0, 0.002, count)) + 1e-4
    moves[count * 2 // 5 : count * 4 // 5] *= -1
    moves[count * 4 // 5 :] *= rng.choice([-1, 1], count - count * 4 // 5)
    return _candles(np.round(40.0 * np.exp(np.cumsum(moves)), 4), np.full(count, 0.001), rng, 4)


def tiny(count: int = LENGTH) -> Floats:
    """A price of many zeros."""
    return walk(count, seed=23, start=0.00001234, decimals=9).ohlcv


def quiet(count: int = LENGTH) -> Floats:
    """Minutes without a trade: runs of flat bars of volume 0, shorter and longer than most windows, and bars whose
    high, low, open and close are one price though there was a trade.
    """
    rng = np.random.default_rng(24)
    bars = walk(count, seed=24).ohlcv.copy()
    at = 70
    while at < count:
        length = int(rng.choice([1, 3, 8, 45]))
        bars[at : at + length, :VOLUME] = bars[at - 1, CLOSE]
        bars[at : at + length, VOLUME] = 0.0
        at += length + int(rng.integers(15, 60))
    still = rng.random(count) < 0.05
    bars[still, :CLOSE] = bars[still, CLOSE : CLOSE + 1]
    return bars


def generated() -> dict[str, Floats]:
    """Name to bars float64[n, 5]."""
    return {
        "walk": walk(LENGTH, seed=11).ohlcv,
        "wild": wild(),
        "trend": trend(),
        "tiny": tiny(),
        "quiet": quiet(),
    }


def _candles(close: Floats, reach: Floats, rng: np.random.Generator, decimals: int) -> Floats:
    opened = np.concatenate((close[:1], close[:-1]))
    up, down = np.abs(rng.normal(0.0, 0.5, (2, len(close)))) * reach * close
    high = np.round(np.maximum(opened, close) + up, decimals)
    low = np.round(np.minimum(opened, close) - down, decimals)
    volume = np.round(rng.gamma(1.0, 300.0, len(close)) + 0.001, 3)
    return np.ascontiguousarray(np.column_stack([opened, high, low, close, volume]))
