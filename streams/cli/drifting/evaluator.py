"""The evaluator's statement: the same kline records and the same commands give the same triggers.

Records go through the engine one by one, as they stand on the topic: bars, forming bars, ticks. What no evaluator could
decode is passed over, as it was.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from schemas.alerts import GroupCommand
from schemas.market import Kline, Tick
from schemas.triggers import Trigger
from streams.cli.drifting.scripts import Script
from streams.engine.errors import WrongInterval
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.spec import TopicSpec

_ALL: Final = 1 << 60
"""Bars that may be asked for again: in a replay none is forgotten, whoever comes late."""


class Evaluator:
    """`scripts`: the commands of every group by symbol. `triggers` is what fired, by id."""

    def __init__(self, spec: TopicSpec, scripts: Mapping[str, list[Script]], fill_up_to: int) -> None:
        self._spec = spec
        self._scripts = scripts
        self._by_group = {script.group_id: script for of_symbol in scripts.values() for script in of_symbol}
        self._fill_up_to = fill_up_to
        self._engines: dict[str, SymbolEngine] = {}
        self.triggers: dict[str, Trigger] = {}
        self.passed_over = 0

    def feed(self, records: Iterable[Record]) -> None:
        """Records of the kline topic, each partition's in order."""
        for record in records:
            try:
                message = decode(record, self._spec)
            except Undecodable:
                self.passed_over += 1
                continue
            match message:
                case Kline():
                    self._kline(message, record.offset)
                case Tick():
                    self._tick(message, record.offset)

    def _kline(self, kline: Kline, pos: int) -> None:
        engine = self._engines.get(kline.symbol)
        if engine is None:
            market = Market(kline.symbol, kline.interval, fill_up_to=self._fill_up_to, capacity=_ALL)
            engine = self._engines[kline.symbol] = SymbolEngine(kline.symbol, market)
        # What was sent while the bar was still forming had no effect on it.
        self._tell(engine, kline.open_time_ms, pos)
        try:
            outputs = engine.on_kline(kline, pos)
        except WrongInterval:
            self.passed_over += 1
            return
        self._act(engine, outputs, pos)

    def _tick(self, tick: Tick, pos: int) -> None:
        engine = self._engines.get(tick.symbol)
        if engine is not None:
            self._tell(engine, tick.time_ms, pos - 1)
            self._act(engine, engine.on_tick(tick, pos), pos)

    def _tell(self, engine: SymbolEngine, now_ms: int, pos: int) -> None:
        for script in self._scripts.get(engine.symbol, ()):
            for command in script.due(now_ms):
                self._act(engine, engine.on_command(command, pos - 1), pos)

    def _act(self, engine: SymbolEngine, outputs: Iterable[object], pos: int) -> None:
        waiting = deque(output for output in outputs if isinstance(output, Trigger))
        while waiting:
            trigger = waiting.popleft()
            self.triggers[trigger.trigger_id] = trigger
            script = self._by_group.get(trigger.group_id)
            for command in script.answer(trigger.generation) if script else ():
                came = engine.on_command(command, pos)
                waiting.extend(output for output in came if isinstance(output, Trigger))


def scripts_of(
    commands: Iterable[tuple[int, GroupCommand]], fired: Iterable[Trigger]
) -> dict[str, list[Script]]:
    """The recorded commands, each with its record's event time, as scripts by symbol."""
    keys = {(trigger.group_id, trigger.generation) for trigger in fired}
    groups: dict[tuple[str, str], list[tuple[int, GroupCommand]]] = {}
    for time_ms, command in commands:
        groups.setdefault((command.symbol, command.group_id), []).append((time_ms, command))
    found: dict[str, list[Script]] = {}
    for (symbol, _), own in groups.items():
        found.setdefault(symbol, []).append(Script(own, keys))
    return found
