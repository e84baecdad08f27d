"""The replay: engine and executor in one process, bar by bar, with no broker and no database. The reference.

A boundary's bars come by symbol, then the ticks of symbols without a bar; a trigger is answered before anything else
happens. So across symbols the order is (close time, symbol, bot), which is law 12's for bots of several symbols.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from schemas.alerts import GroupCommand
from schemas.market import Kline, Tick
from schemas.triggers import Trigger
from streams.cli.backtesting.desk import Desk
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from streams.feeds.ticks import Boundary

_ALL: Final = 1 << 60
"""Bars that may be asked for: in a backtest none is forgotten, whoever comes late."""


class Replay:
    """Feed it boundaries in order; the desk keeps what came of them."""

    def __init__(
        self, desk: Desk, commands: Iterable[GroupCommand], interval: str = "1m", fill_up_to: int = 5
    ) -> None:
        self.desk = desk
        self._interval = interval
        self._fill_up_to = fill_up_to
        self._engines: dict[str, SymbolEngine] = {}
        self._waiting: dict[str, list[GroupCommand]] = {}
        self._pos = 0
        for command in commands:
            self._waiting.setdefault(command.symbol, []).append(command)

    def feed(self, boundary: Boundary) -> None:
        """All bars that close at one instant, and the ticks that follow them."""
        told = set()
        for kline in sorted(boundary.klines, key=_symbol):
            told.add(kline.symbol)
            self._bar(kline)
        for symbol in sorted(self._engines.keys() - told):
            tick = Tick(symbol=symbol, feed="backtest", time_ms=boundary.time_ms, interval=self._interval)
            self._pos += 1
            self._act(self._engines[symbol].on_tick(tick, self._pos))

    def _bar(self, kline: Kline) -> None:
        engine = self._engines.get(kline.symbol)
        if engine is None:
            market = Market(kline.symbol, self._interval, fill_up_to=self._fill_up_to, capacity=_ALL)
            engine = self._engines[kline.symbol] = SymbolEngine(kline.symbol, market)
            for command in self._waiting.pop(kline.symbol, []):
                self._act(engine.on_command(command, self._pos))
        self._pos += 1
        self._act(engine.on_kline(kline, self._pos))

    def _act(self, outputs: Iterable[object]) -> None:
        """Answer triggers, and what their answers fire over bars that are there already."""
        waiting = deque(output for output in outputs if isinstance(output, Trigger))
        while waiting:
            for command in self.desk.answer(waiting.popleft()):
                engine = self._engines.get(command.symbol)
                if engine is None:
                    self._waiting.setdefault(command.symbol, []).append(command)
                    continue
                came = engine.on_command(command, self._pos)
                waiting.extend(output for output in came if isinstance(output, Trigger))


def _symbol(kline: Kline) -> str:
    return kline.symbol


def replay(desk: Desk, commands: Iterable[GroupCommand], source: Iterable[Boundary], interval: str = "1m",
           fill_up_to: int = 5) -> None:  # fmt: skip
    """Run a whole feed."""
    run = Replay(desk, commands, interval, fill_up_to)
    for boundary in source:
        run.feed(boundary)
