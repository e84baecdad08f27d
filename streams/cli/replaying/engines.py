"""The evaluator of the past: engines by symbol, fed with candles and ticks, told commands as event time comes to them.

Every way of looking back has this one: `replay` and `backtest`, where the executor's decisions are made anew, and
`drift`, where the recorded commands are told.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from schemas.alerts import AlertCommand, GroupCommand
from schemas.limits import Limits
from schemas.market import Kline, Tick
from schemas.triggers import Fired, Trigger
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from streams.feeds.ticks import Boundary

_ALL: Final = 1 << 60
"""Bars that may be asked for: looking back none is forgotten, whoever comes late."""


class AlertTold(NamedTuple):
    """A user's command as an evaluator takes it in, effective from a known instant; `generation` is its offset."""

    command: AlertCommand
    generation: int
    limits: Limits | None


Told: TypeAlias = GroupCommand | AlertTold


def nothing_due(symbol: str, now_ms: int) -> Iterable[Told]:
    """Nobody tells anything as time goes by."""
    return ()


def no_answer(trigger: Trigger) -> Iterable[GroupCommand]:
    """Nobody answers."""
    return ()


class Engines:
    """`due(symbol, now_ms)`: what is to be told of a symbol at an instant; `answer`: what a trigger is answered with.

    `fired` is what users' alerts fired, in the order of firing.
    """

    def __init__(
        self,
        answer: Callable[[Trigger], Iterable[GroupCommand]] = no_answer,
        due: Callable[[str, int], Iterable[Told]] = nothing_due,
        *,
        fill_up_to: int = 5,
    ) -> None:
        self.fired: list[Fired] = []
        self._answer = answer
        self._due = due
        self._fill_up_to = fill_up_to
        self._engines: dict[str, SymbolEngine] = {}
        self._waiting: dict[str, list[Told]] = {}
        self._pos = 0

    def boundary(self, boundary: Boundary, interval: str) -> None:
        """All bars that close at one instant, by symbol, and then the ticks of symbols without one."""
        told = set()
        for kline in sorted(boundary.klines, key=_symbol):
            told.add(kline.symbol)
            self._pos += 1
            self.kline(kline, self._pos)
        for symbol in sorted(self._engines.keys() - told):
            self._pos += 1
            self.tick(
                Tick(symbol=symbol, feed="replay", time_ms=boundary.time_ms, interval=interval), self._pos
            )

    def kline(self, kline: Kline, pos: int) -> None:
        """One kline, closed or forming. Raises WrongInterval for one that is not on its symbol's grid."""
        engine = self._engines.get(kline.symbol)
        if engine is None:
            engine = self._begun(kline, pos)
        # What was sent while the bar was still forming had no effect on it.
        self._tell(engine, kline.open_time_ms, pos)
        self._act(engine.on_kline(kline, pos), pos)

    def tick(self, tick: Tick, pos: int) -> None:
        """One tick; before its symbol's first bar it says nothing."""
        engine = self._engines.get(tick.symbol)
        if engine is not None:
            # Whoever is told of something at the tick's instant heard the tick before.
            self._tell(engine, tick.time_ms - 1, pos)
            self._act(engine.on_tick(tick, pos), pos)

    def tell(self, told: Told, pos: int | None = None) -> None:
        """Take in a command, at once or with its symbol's first bar."""
        self._act(self._taken(told, self._pos if pos is None else pos), self._pos if pos is None else pos)

    def finish(self) -> None:
        """After the last candle: what came when all were there already, and is to be seen over them."""
        for engine in list(self._engines.values()):
            stood_in = engine.stood_in
            last_ms = engine.market.last_open_time_ms
            closed_ms = -1 if last_ms is None else last_ms + engine.length_ms
            self._tell(engine, max(closed_ms, -1 if stood_in is None else stood_in.close_ms), engine.pos + 1)

    def _begun(self, kline: Kline, pos: int) -> SymbolEngine:
        market = Market(kline.symbol, kline.interval, fill_up_to=self._fill_up_to, capacity=_ALL)
        engine = self._engines[kline.symbol] = SymbolEngine(kline.symbol, market)
        for told in self._waiting.pop(kline.symbol, ()):
            self.tell(told, pos - 1)
        return engine

    def _tell(self, engine: SymbolEngine, now_ms: int, pos: int) -> None:
        for told in self._due(engine.symbol, now_ms):
            self.tell(told, pos - 1)

    def _taken(self, told: Told, pos: int) -> Iterable[object]:
        symbol = told.symbol if isinstance(told, GroupCommand) else told.command.symbol
        engine = self._engines.get(symbol)
        if engine is None:
            self._waiting.setdefault(symbol, []).append(told)
            return ()
        if isinstance(told, GroupCommand):
            return engine.on_command(told, pos)
        return engine.on_alert(
            told.command, told.generation, told.command.effective_from_ms or 0, told.limits
        )

    def _act(self, outputs: Iterable[object], pos: int) -> None:
        """Answer triggers, and what their answers fire over bars that are there already."""
        waiting: deque[Trigger] = deque()
        self._note(outputs, waiting)
        while waiting:
            for command in self._answer(waiting.popleft()):
                self._note(self._taken(command, pos), waiting)

    def _note(self, outputs: Iterable[object], waiting: deque[Trigger]) -> None:
        for output in outputs:
            if isinstance(output, Trigger):
                waiting.append(output)
            elif isinstance(output, Fired):
                self.fired.append(output)


def _symbol(kline: Kline) -> str:
    return kline.symbol
