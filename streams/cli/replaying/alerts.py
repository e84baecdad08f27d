"""Users' alerts as they were: every command that the topic still holds, told where the evaluator took it in.

The evaluator reads commands and klines from two topics that have no order between them, and what an alert fires until
it is replaced depends on it. Its events tell how far event time had come (`armed` and `rejected`: `as_of_ms`,
`removed`: `at_ms`); where they are gone, a command comes when it says it takes effect.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from schemas.alerts import AlertCommand
from schemas.events import BotEvent
from schemas.triggers import Fired
from streams.cli.cluster import Cluster
from streams.cli.reading import decoded, everything
from streams.cli.replaying.engines import AlertTold
from topics.codec import Undecodable, decode
from topics.partitioner import partition_for
from topics.records import Record
from topics.registry import Topics
from topics.tiers import Tiers

_YEAR_9999_MS: Final = 253_370_764_800_000
Key = tuple[str, str, int]
"""Symbol, alert_id, generation: one command."""


class _Placed(NamedTuple):
    """A command and the instant at which it was taken in, `known` from its event or only what it says itself."""

    at_ms: int
    known: bool
    told: AlertTold


class Script:
    """The commands of one symbol, each with the instant at which it is told, in the order of the topic."""

    def __init__(self) -> None:
        self.told: list[tuple[int, AlertTold]] = []
        self._next = 0

    def add(self, at_ms: int, told: AlertTold) -> None:
        """The next one, told no earlier than the one before it: they are of one partition."""
        self.told.append((max(at_ms, self.told[-1][0] if self.told else 0), told))

    def due(self, now_ms: int) -> Iterator[AlertTold]:
        """What has to be told by `now_ms` and was not yet."""
        while self._next < len(self.told) and self.told[self._next][0] <= now_ms:
            self._next += 1
            yield self.told[self._next - 1][1]


class Scripts:
    """`by_symbol`; `refused` names what the evaluator dead-lettered; `fires`: what the topic says they fired."""

    def __init__(self) -> None:
        self.by_symbol: dict[str, Script] = {}
        self.refused: list[str] = []
        self.fires: dict[tuple[str, str], Fired] = {}

    def due(self, symbol: str, now_ms: int) -> Iterator[AlertTold]:
        """Of one symbol."""
        script = self.by_symbol.get(symbol)
        return iter(()) if script is None else script.due(now_ms)

    @property
    def commands(self) -> dict[Key, AlertCommand]:
        """All of them."""
        return {
            (symbol, told.command.alert_id, told.generation): told.command
            for symbol, script in self.by_symbol.items()
            for _, told in script.told
        }


def recorded_alerts(cluster: Cluster, topics: Topics, tiers: Tiers) -> Scripts:
    """All alerts of the topic, and what they fired. Raises Unreachable."""
    found = Scripts()
    reached = _reached(cluster, topics)
    last: dict[Key, int] = {}
    for message in _fires(cluster, topics):
        found.fires[message.symbol, message.fired_id] = message
        key = message.symbol, message.alert_id, message.generation
        last[key] = max(message.bar.close_time_ms, last.get(key, 0))
    before: dict[tuple[str, str], AlertTold] = {}
    placed: dict[str, list[_Placed]] = {}
    records = sorted(everything(cluster, topics.user_alerts.name), key=lambda r: (r.partition, r.offset))
    for record in records:
        told = _taken(record, topics, tiers, found.refused)
        if told is None:
            continue
        command = told.command
        name = command.symbol, command.alert_id
        at_ms = reached.get((*name, told.generation))
        own_ms = min(command.effective_from_ms or 0, max(record.timestamp_ms, 0))
        # What it replaced cannot have fired after it, whatever the event says of another attempt. A stranger's command
        # of the same name may have replaced nothing.
        replaced = before.get(name)
        mine = replaced is not None and replaced.command.user_id == command.user_id
        last_ms = last.get((*name, replaced.generation), 0) if replaced is not None and mine else 0
        one = _Placed(max(own_ms if at_ms is None else at_ms, last_ms), at_ms is not None, told)
        placed.setdefault(command.symbol, []).append(one)
        before[name] = told
    found.by_symbol = {symbol: _script(own) for symbol, own in placed.items()}
    return found


def _script(placed: list[_Placed]) -> Script:
    """In the order of the topic: what was taken in at an unknown instant was so before what came after it."""
    told: list[tuple[int, AlertTold]] = []
    latest_ms = _YEAR_9999_MS
    for at_ms, known, command in reversed(placed):
        if known:
            latest_ms = min(latest_ms, at_ms)
        told.append((min(at_ms, latest_ms), command))
    script = Script()
    for at_ms, command in reversed(told):
        script.add(at_ms, command)
    return script


def _taken(record: Record, topics: Topics, tiers: Tiers, refused: list[str]) -> AlertTold | None:
    """The command as the evaluator takes it in; None for what it dead-letters."""
    try:
        command = decode(record, topics.user_alerts)
    except Undecodable as wrong:
        refused.append(f"{record.address}: {wrong}")
        return None
    if not isinstance(command, AlertCommand):
        return None
    since = record.timestamp_ms if command.effective_from_ms is None else command.effective_from_ms
    if partition_for(command.symbol.encode(), topics.partitions) != record.partition:
        refused.append(f"{record.address}: {command.symbol} does not belong on this partition")
    elif not 0 <= since < _YEAR_9999_MS:
        refused.append(f"{record.address}: effective_from_ms: {since} is no time in milliseconds")
    else:
        told = replace(command, effective_from_ms=since)
        return AlertTold(told, record.offset, tiers.of(command.user_id))
    return None


def _fires(cluster: Cluster, topics: Topics) -> Iterator[Fired]:
    for record in everything(cluster, topics.fired.name):
        told = decoded(record, topics.fired)
        if told is not None and isinstance(told.message, Fired):
            yield told.message


def _reached(cluster: Cluster, topics: Topics) -> dict[Key, int]:
    """How far event time of its symbol had come when each command was taken in; of several attempts the last."""
    found: dict[Key, int] = {}
    for record in everything(cluster, topics.events.name):
        if record.value is None or b'"alert_id":"' not in record.value:
            continue
        told = decoded(record, topics.events)
        event = None if told is None else told.message
        if not isinstance(event, BotEvent) or event.alert_id is None or event.symbol is None:
            continue
        at_ms = event.at_ms if event.event == "removed" else event.detail.get("as_of_ms")
        generation = event.event_id.removeprefix(f"{event.alert_id}:").partition(":")[0]
        if isinstance(at_ms, int) and generation.isdecimal():
            key = event.symbol, event.alert_id, int(generation)
            found[key] = max(at_ms, found.get(key, 0))
    return found
