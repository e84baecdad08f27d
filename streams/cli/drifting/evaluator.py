"""The evaluator's statement: the same kline records and the same commands give the same triggers and fired alerts.

Records go through the engine one by one, as they stand on the topic: bars, forming bars, ticks. What no evaluator could
decode is passed over, as it was.
"""

from collections.abc import Iterable, Iterator, Mapping

from schemas.alerts import GroupCommand
from schemas.market import Kline, Tick
from schemas.triggers import Fired, Trigger
from streams.cli.drifting.scripts import Script
from streams.cli.replaying.alerts import Scripts
from streams.cli.replaying.engines import Engines, Told
from streams.engine.errors import WrongInterval
from topics.codec import Undecodable, decode
from topics.records import Record
from topics.spec import TopicSpec


class Evaluator:
    """`scripts`: the commands of every group by symbol; `alerts`: users' own. `triggers` is what fired, by id."""

    def __init__(
        self, spec: TopicSpec, scripts: Mapping[str, list[Script]], fill_up_to: int, alerts: Scripts | None = None
    ) -> None:  # fmt: skip
        self._spec = spec
        self._scripts = scripts
        self._alerts = Scripts() if alerts is None else alerts
        self._by_group = {script.group_id: script for of_symbol in scripts.values() for script in of_symbol}
        self._engines = Engines(self._answer, self._due, fill_up_to=fill_up_to)
        self.triggers: dict[str, Trigger] = {}
        self.first_ms: dict[str, int] = {}
        """When the first bar of each symbol opened."""
        self.passed_over = 0

    @property
    def fired(self) -> list[Fired]:
        """What users' alerts fired."""
        return self._engines.fired

    def feed(self, records: Iterable[Record]) -> None:
        """All records of the kline topic, each partition's in order."""
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
                    self._engines.tick(message, record.offset)
        self._engines.finish()

    def _kline(self, kline: Kline, pos: int) -> None:
        self.first_ms.setdefault(kline.symbol, kline.open_time_ms)
        try:
            self._engines.kline(kline, pos)
        except WrongInterval:
            self.passed_over += 1

    def _due(self, symbol: str, now_ms: int) -> Iterator[Told]:
        for script in self._scripts.get(symbol, ()):
            yield from script.due(now_ms)
        yield from self._alerts.due(symbol, now_ms)

    def _answer(self, trigger: Trigger) -> Iterable[GroupCommand]:
        self.triggers[trigger.trigger_id] = trigger
        script = self._by_group.get(trigger.group_id)
        return script.answer(trigger.generation) if script else ()


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
