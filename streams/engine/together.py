"""The same minute of many symbols at once: their bars go over all boards in one compiled call.

What a frame of klines brings, or a replay. Each engine is left exactly as its own `on_kline` would leave it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from schemas.market import Kline
from streams.engine.bars import Floats
from streams.engine.groups.reports import Output
from streams.engine.network.machine import machine
from streams.engine.symbol import SymbolEngine


class Said(NamedTuple):
    """What the engine at `place` says to its bar."""

    place: int
    outputs: list[Output]


class Together:
    """Engines of one base interval, in a fixed order."""

    def __init__(self, engines: Sequence[SymbolEngine]) -> None:
        self._engines = list(engines)
        self._interval = engines[0].market.interval
        self._do = machine().bars
        self._pairs = np.array([engine.blocks for engine in engines], np.int64).reshape(-1, 2)
        self._flips = np.zeros(len(engines), np.int64)

    def on_bars(self, open_time_ms: int, ohlcv: Floats, pos: int) -> Iterator[Said]:
        """Fold in one closed bar per engine, float64[n, 5], all opened at `open_time_ms`, in the engines' order.

        The bars must be what the edge lets pass: finite, high at least low. Raises ValueError for another shape.
        """
        if ohlcv.shape != (len(self._engines), 5):
            raise ValueError(f"bars of shape {ohlcv.shape} for {len(self._engines)} engines")
        rows = np.ascontiguousarray(ohlcv)
        quiet = [engine.is_quiet(open_time_ms, pos) for engine in self._engines]
        if all(quiet):
            places: Sequence[int] = range(len(quiet))
            pairs = self._pairs
        else:
            places = [place for place, one in enumerate(quiet) if one]
            pairs, rows = self._pairs[places], rows[places]
        self._do(int(pairs.ctypes.data), len(places), int(rows.ctypes.data), int(self._flips.ctypes.data))
        flips = self._flips[: len(places)].tolist()
        for k, place in enumerate(places):
            outputs = self._engines[place].passed(open_time_ms, pos, flips[k], rows, k)
            if outputs:
                yield Said(place, outputs)
        for place, one in enumerate(quiet):
            if not one and (outputs := self._alone(place, open_time_ms, ohlcv[place].tolist(), pos)):
                yield Said(place, outputs)

    def _alone(self, place: int, open_time_ms: int, numbers: list[float], pos: int) -> list[Output]:
        engine = self._engines[place]
        o, h, low, c, v = numbers
        kline = Kline(
            symbol=engine.symbol, interval=self._interval, open_time_ms=open_time_ms, open=o, high=h, low=low, close=c,
            volume=v,
        )  # fmt: skip
        return engine.on_kline(kline, pos)
