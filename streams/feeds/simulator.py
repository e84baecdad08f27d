"""A simulated market, clearly labelled as such: klines that are made up, the same ones for the same seed.

Each symbol has its own random stream, so its bars do not depend on which other symbols are simulated, and
randomness is drawn a day at a time, so a longer run begins with the bars of a shorter one. The log price is a
random walk pulled back to its starting level, with a regime of volatility that switches by a Markov chain,
jumps, and quiet minutes. High and low are those of a Brownian bridge between open and close:
maximum = (a + b + sqrt((b - a)² - 2σ² ln u)) / 2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from schemas.interval import MINUTE_MS
from schemas.market import Kline
from streams.feeds.ticks import Boundary

FEED: Final = "simulated"
DEFAULT_SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
_BLOCK: Final = 1_440
_KNOWN: Final = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0, "XRPUSDT": 0.6, "DOGEUSDT": 0.12}
_SIGMA: Final = np.array([0.0004, 0.0010, 0.0028])
"""Standard deviation of a minute's log return in the calm, the usual and the wild regime."""
_QUIET: Final = np.array([0.05, 0.005, 0.0])
_SWITCH: Final = 1 / 90
_PULL: Final = 1 / 600
_JUMPS: Final = 1 / 1_500
_JUMP: Final = 0.02

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Market:
    """What to simulate: `minutes` None runs for ever. `gaps` is the chance that a bar is never sent."""

    seed: int = 1
    symbols: Sequence[str] = DEFAULT_SYMBOLS
    start_ms: int = 1_735_689_600_000
    minutes: int | None = None
    gaps: float = 0.0
    volatility: float = 1.0

    def __post_init__(self) -> None:
        if self.start_ms % MINUTE_MS:
            raise ValueError(f"start_ms: {self.start_ms} is not on a minute")
        if not 0.0 <= self.gaps < 1.0:
            raise ValueError(f"gaps: {self.gaps} is no chance from 0 to below 1")
        if not 0.0 < self.volatility <= 20.0:
            raise ValueError(f"volatility: {self.volatility} is not above 0 and at most 20")
        if len(set(self.symbols)) != len(self.symbols) or not self.symbols:
            raise ValueError("symbols: expected at least one, each once")


class _Symbol:
    """One symbol's endless walk, a block of minutes at a time. Prices are whole ticks of 10^-decimals."""

    def __init__(self, name: str, market: Market) -> None:
        self.name = name
        identity = crc32(name.encode())
        self._random = np.random.default_rng([market.seed, identity])
        self._home = _KNOWN.get(name) or float(f"{10 ** (identity % 5 - 1) * (1 + identity % 89 / 10):.4g}")
        self._scale = 10 ** max(0, 5 - floor(log10(self._home)))
        self._sigma = _SIGMA * market.volatility
        self._gaps = market.gaps
        self._log = 0.0
        self._regime = 1
        self._last = max(1, round(self._home * self._scale))

    def _regimes(self, switches: Floats, targets: Ints) -> Ints:
        out = np.empty(_BLOCK, np.int64)
        for i in range(_BLOCK):
            if switches[i] < _SWITCH:
                self._regime = int(targets[i])
            out[i] = self._regime
        return out

    def _closes(self, moves: Floats, quiet: NDArray[np.bool_]) -> Floats:
        out = np.empty(_BLOCK)
        level = self._log
        for i in range(_BLOCK):
            if not quiet[i]:
                level += moves[i] - _PULL * level
            out[i] = level
        self._log = level
        return out

    def block(self) -> tuple[Ints, Floats, NDArray[np.bool_]]:
        """`_BLOCK` minutes: prices in ticks (open, high, low, close), volumes, and which bars are sent."""
        draw = self._random
        regime = self._regimes(draw.random(_BLOCK), draw.integers(0, len(self._sigma), _BLOCK))
        sigma = self._sigma[regime]
        jumps = np.where(draw.random(_BLOCK) < _JUMPS, draw.normal(0.0, _JUMP, _BLOCK), 0.0)
        quiet = draw.random(_BLOCK) < _QUIET[regime]
        moves = draw.normal(0.0, 1.0, _BLOCK) * sigma + jumps
        start, closes = self._log, self._closes(moves, quiet)
        prices = self._candles(np.concatenate(([start], closes[:-1])), closes, sigma, quiet)
        busy = draw.lognormal(3.0, 0.8, _BLOCK) * (1.0 + np.abs(moves) / self._sigma[0])
        volume = np.where(quiet, 0.0, np.round(busy * 1_000 / self._home, 6))
        return prices, volume, draw.random(_BLOCK) >= self._gaps

    def _candles(self, before: Floats, after: Floats, sigma: Floats, quiet: NDArray[np.bool_]) -> Ints:
        spread = 2.0 * sigma * sigma
        reach = [
            np.sqrt((after - before) ** 2 - spread * np.log1p(-self._random.random(_BLOCK))) for _ in "hl"
        ]
        close = self._ticks(after)
        open_ = np.concatenate(([self._last], close[:-1]))
        top = np.where(quiet, open_, self._ticks((before + after + reach[0]) / 2))
        bottom = np.where(quiet, open_, self._ticks((before + after - reach[1]) / 2))
        high = np.maximum.reduce([top, open_, close])
        low = np.minimum.reduce([bottom, open_, close])
        self._last = int(close[-1])
        return np.stack([open_, high, low, close])

    def _ticks(self, log_price: Floats) -> Ints:
        ticks: Floats = np.rint(np.exp(log_price) * self._home * self._scale)
        return np.maximum(1.0, ticks).astype(np.int64)

    def klines(self, first_ms: int) -> list[Kline | None]:
        """The next block's bars, None for a bar that is never sent."""
        ticks, volumes, sent = self.block()
        # A whole number over a power of ten is correctly rounded: JSON shows exactly the tick's decimals.
        rows = zip(*(ticks / self._scale).tolist(), volumes.tolist(), sent.tolist(), strict=True)
        return [
            Kline(
                symbol=self.name, interval="1m", open_time_ms=first_ms + i * MINUTE_MS, feed=FEED,
                open=open_, high=high, low=low, close=close, volume=volume,
            )
            if kept
            else None
            for i, (open_, high, low, close, volume, kept) in enumerate(rows)
        ]  # fmt: skip


def simulate(market: Market) -> Iterator[Boundary]:
    """The market's one-minute bars, boundary by boundary, from `start_ms` on."""
    symbols = [_Symbol(name, market) for name in market.symbols]
    done = 0
    while market.minutes is None or done < market.minutes:
        first_ms = market.start_ms + done * MINUTE_MS
        blocks = [symbol.klines(first_ms) for symbol in symbols]
        left = _BLOCK if market.minutes is None else min(_BLOCK, market.minutes - done)
        for i in range(left):
            time_ms = first_ms + (i + 1) * MINUTE_MS
            yield Boundary(time_ms, tuple(kline for block in blocks if (kline := block[i]) is not None))
        done += left
