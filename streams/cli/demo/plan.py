"""What a demo run does: which market, which bots, at which speed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig
from schemas.interval import MINUTE_MS
from streams.cli.demo.bots import demo_alerts, demo_bots
from streams.cli.errors import Invalid
from streams.cli.times import show_time
from streams.feeds.files import FileProblem, read_klines
from streams.feeds.simulator import FEED, Market, simulate
from streams.feeds.ticks import Boundary

START_MS: Final = 1_735_689_600_000
"""2025-01-01: a fixed beginning, so that the same seed gives the same report."""


@dataclass(frozen=True)
class Plan:
    """One run. `feed` are the words after `strikeline feed`; `source` gives the same boundaries here.

    `klines` is how many there are to be, `last_ms` the close of the last.
    """

    symbols: tuple[str, ...]
    first_ms: int
    last_ms: int
    klines: int
    feed: tuple[str, ...]
    name: str
    source: Callable[[], Iterator[Boundary]]
    title: str

    @property
    def simulated(self) -> bool:
        """Are the prices made up?"""
        return self.name == FEED

    def bots(self) -> list[BotConfig]:
        """The demo's bots, in force from the first candle."""
        return demo_bots(self.symbols, self.first_ms, self._first_price(self.symbols[0]))

    def alerts(self) -> list[AlertCommand]:
        """The demo's alerts, likewise."""
        return demo_alerts(self.symbols, self.first_ms)

    def _first_price(self, symbol: str) -> Decimal:
        closes = (k.close for boundary in self.source() for k in boundary.klines if k.symbol == symbol)
        return Decimal(repr(next(closes)))


def simulated(symbols: tuple[str, ...], seed: int, minutes: int, speed: str) -> Plan:
    """A run on the simulated market."""
    market = Market(seed, symbols, START_MS, minutes)
    words = ("simulate", "--symbols", ",".join(symbols), "--seed", str(seed), "--minutes", str(minutes))
    return Plan(
        symbols=symbols,
        first_ms=START_MS,
        last_ms=START_MS + minutes * MINUTE_MS,
        klines=minutes * len(symbols),
        feed=(*words, "--from", str(START_MS), "--speed", speed),
        name=FEED,
        source=lambda: simulate(market),
        title=f"SIMULATED market, seed {seed}, {minutes:,} minutes of {len(symbols)} symbols",
    )


def recorded(path: Path, speed: str) -> Plan:
    """A run on a file. Raises Invalid."""
    try:
        klines = read_klines(path)
    except FileProblem as wrong:
        raise Invalid(str(wrong)) from None
    first, last = klines.frame["open_time"][0], klines.frame["open_time"][-1]
    return Plan(
        symbols=tuple(klines.symbols),
        first_ms=first,
        last_ms=last + MINUTE_MS,
        klines=len(klines),
        feed=("file", str(path.resolve()), "--speed", speed),
        name="file",
        source=klines.boundaries,
        title=f"{path.name}: {len(klines):,} candles, {show_time(first)} to {show_time(last)}",
    )
