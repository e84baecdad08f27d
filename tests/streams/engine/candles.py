"""Generated candles: seeded random walks, with gaps on request, and the forms that tests need them in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from schemas.market import Kline
from streams.engine.bars import BarArrays

SHARED: Final = Path(__file__).resolve().parents[4] / "shared" / "data"
MINUTE: Final = 60_000
# 2023-11-20 00:00 UTC, a Monday: every timeframe begins a bucket here.
MONDAY: Final = 1_700_438_400_000


def walk(
    count: int, seed: int = 1, *, start: float = 100.0, decimals: int = 2, origin_ms: int = MONDAY
) -> BarArrays:
    """`count` consecutive one-minute candles of a random walk in ticks of 10^-decimals; some minutes stand
    still.
    """
    rng = np.random.default_rng(seed)
    moves = np.where(rng.random(count) < 0.15, 0.0, rng.normal(0.0, 0.001, count))
    close = np.round(start * np.exp(np.cumsum(moves)), decimals)
    opened = np.concatenate(([start], close[:-1]))
    reach = np.abs(rng.normal(0.0, 0.0004, (2, count))) * close
    high = np.round(np.maximum(opened, close) + reach[0], decimals)
    low = np.round(np.minimum(opened, close) - reach[1], decimals)
    volume = np.round(rng.gamma(2.0, 10.0, count), 3)
    return BarArrays.columns(origin_ms + MINUTE * np.arange(count), opened, high, low, close, volume)


def with_gaps(bars: BarArrays, chance: float, longest: int, seed: int = 2) -> BarArrays:
    """The same bars, now and then with up to `longest` minutes missing before one."""
    rng = np.random.default_rng(seed)
    skips = np.where(rng.random(len(bars)) < chance, rng.integers(1, longest + 1, len(bars)), 0)
    return BarArrays(bars.open_time_ms + MINUTE * np.cumsum(skips), bars.ohlcv)


def klines(bars: BarArrays, symbol: str = "BTCUSDT") -> list[Kline]:
    """The bars as messages."""
    rows = zip(bars.open_time_ms.tolist(), bars.ohlcv.tolist(), strict=True)
    return [kline(opened, row, symbol) for opened, row in rows]


def kline(open_time_ms: int, ohlcv: Iterable[float], symbol: str = "BTCUSDT", closed: bool = True) -> Kline:
    o, h, low, c, v = ohlcv
    return Kline(
        symbol=symbol, interval="1m", open_time_ms=open_time_ms, open=o, high=h, low=low, close=c, volume=v,
        closed=closed,
    )  # fmt: skip


def recorded(symbol: str, count: int) -> BarArrays:
    """The first `count` recorded one-minute candles of a perpetual, from the shared data."""
    frame = (
        pl.scan_parquet(SHARED / "klines" / "binance_usdm_1m_2025-05_16sym.parquet")
        .filter(pl.col("symbol") == symbol)
        .sort("open_time")
        .head(count)
        .collect()
    )
    columns = [frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return BarArrays.columns(frame["open_time"].to_numpy(), *columns)
