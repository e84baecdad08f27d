"""The same minute of many symbols at once: their bars go over all boards in one compiled call.

What a frame of klines brings, or a replay. An engine is told of the bars that only its board has seen when something
is due on it, or when it is asked for: until then they are counted here.
"""

from collections.abc import Sequence
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
    """Engines of one base interval, in a fixed order. While they are lent to it, reach them by `engine` only."""

    def __init__(self, engines: Sequence[SymbolEngine]) -> None:
        self._engines = list(engines)
        self._interval = engines[0].market.interval
        if any(engine.market.interval != self._interval for engine in engines):
            raise ValueError("engines of different base intervals")
        self._do = machine().bars
        self._blocks = np.array([engine.blocks for engine in engines], np.int64).reshape(-1, 2)
        count = len(engines)
        self._flips = np.zeros(count, np.int64)
        self._behind = np.zeros(count, np.int64)
        self._pos = max(engine.pos for engine in engines)
        self._expected_ms = np.zeros(count, np.int64)
        self._quiet_until_ms = np.zeros(count, np.int64)
        for place in range(count):
            self._look(place)

    def engine(self, place: int) -> SymbolEngine:
        """The engine at `place`, which knows of all its bars; commands may be given to it until the next bar."""
        self._catch_up(place)
        self._quiet_until_ms[place] = 0
        return self._engines[place]

    def on_bars(self, open_time_ms: int, ohlcv: Floats, pos: int) -> list[Said]:
        """Fold in one closed bar per engine, float64[n, 5], all opened at `open_time_ms`, in the engines' order.

        The bars must be what the edge lets pass: finite, high at least low; `pos` greater than any before. Raises
        ValueError for another shape or an older `pos`.
        """
        if ohlcv.shape != (len(self._engines), 5):
            raise ValueError(f"bars of shape {ohlcv.shape} for {len(self._engines)} engines")
        if pos <= self._pos:
            raise ValueError(f"bars at {pos} after those at {self._pos}")
        before, self._pos = self._pos, pos
        rows = np.ascontiguousarray(ohlcv, np.float64)
        quiet = (self._expected_ms == open_time_ms) & (self._quiet_until_ms > open_time_ms)
        places = np.flatnonzero(quiet)
        everybody = len(places) == len(rows)
        blocks, bars = (self._blocks, rows) if everybody else (self._blocks[places], rows[places])
        self._do(int(blocks.ctypes.data), len(places), int(bars.ctypes.data), int(self._flips.ctypes.data))
        flips = self._flips[: len(places)]
        still = places[flips == 0]
        self._behind[still] += 1
        self._expected_ms[places] += self._engines[0].length_ms
        said: list[Said] = []
        for k in np.flatnonzero(flips).tolist():
            place = int(places[k])
            self._catch_up(place, before)
            _, high, low, _, _ = bars[k].tolist()
            outputs = self._engines[place].passed(open_time_ms, pos, int(flips[k]), low, high)
            self._look(place)
            if outputs:
                said.append(Said(place, outputs))
        for place in () if everybody else np.flatnonzero(~quiet).tolist():
            self._catch_up(place, before)
            outputs = self._alone(place, open_time_ms, rows[place].tolist(), pos)
            self._look(place)
            if outputs:
                said.append(Said(place, outputs))
        return said

    def _alone(self, place: int, open_time_ms: int, numbers: list[float], pos: int) -> list[Output]:
        engine = self._engines[place]
        o, h, low, c, v = numbers
        kline = Kline(
            symbol=engine.symbol, interval=self._interval, open_time_ms=open_time_ms, open=o, high=h, low=low, close=c,
            volume=v,
        )  # fmt: skip
        return engine.on_kline(kline, pos)

    def _catch_up(self, place: int, pos: int | None = None) -> None:
        """Tell an engine of the bars that went over its board since it was last looked at."""
        bars = int(self._behind[place])
        if bars:
            self._behind[place] = 0
            self._engines[place].caught_up(bars, self._pos if pos is None else pos)

    def _look(self, place: int) -> None:
        engine = self._engines[place]
        self._expected_ms[place] = engine.expected_ms
        self._quiet_until_ms[place] = engine.quiet_until_ms
