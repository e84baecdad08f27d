"""A small evaluator for closed loops: the laws of groups over a handful of bars, written to be obviously
right.

It knows comparisons of a price with a number, `all` of them, `at` and `level`. Every arm command is evaluated over
all bars from its `armed_from_ms` on, bar by bar; the first on which a member fires gives one trigger, and the group
is held.
"""

from operator import ge, gt, le, lt
from typing import Any, Protocol

from schemas.alerts import GroupCommand, Member
from schemas.triggers import Bar, FiredMember, StaleCommand, Trigger
from topics.codec import decode, encode
from topics.records import Outgoing, Record
from topics.registry import Topics

_OPS = {"lt": lt, "gt": gt, "lte": le, "gte": ge}


class Log(Protocol):
    """Where it reads and writes: the in-process bus, or a broker read whole."""

    def append(self, outgoing: Outgoing, /) -> object:
        """Write one record."""

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Records at or after `offset`."""


class Evaluator:
    """Reads `bots.alerts.v1`, is fed bars, writes `bots.triggers.v1`."""

    def __init__(self, bus: Log, topics: Topics) -> None:
        self.groups: dict[str, GroupCommand] = {}
        self.held: set[str] = set()
        self._bus = bus
        self._topics = topics
        self._read = [0] * topics.partitions
        self._bars: dict[str, list[Bar]] = {}

    def feed(self, symbol: str, *bars: Bar) -> None:
        """Add closed bars."""
        self._bars.setdefault(symbol, []).extend(bars)

    def run(self) -> int:
        """Obey new commands, evaluate everything; how many records were written."""
        written = self._commands()
        for group_id, command in sorted(self.groups.items()):
            if group_id not in self.held and (trigger := self._evaluate(command)) is not None:
                self.held.add(group_id)
                self._send(trigger, trigger.bar.close_time_ms)
                written += 1
        return written

    def _commands(self) -> int:
        written, spec = 0, self._topics.alerts
        for partition in range(spec.partitions):
            for record in self._bus.read(spec.name, partition, self._read[partition], 10_000):
                self._read[partition] = record.offset + 1
                command = decode(record, spec)
                assert isinstance(command, GroupCommand)
                written += self._obey(command)
        return written

    def _obey(self, command: GroupCommand) -> int:
        known = self.groups.get(command.group_id)
        if known is not None and command.generation < known.generation:
            stale = StaleCommand(
                group_id=command.group_id,
                generation=known.generation,
                bot_id=command.bot_id,
                user_id=command.user_id,
                symbol=command.symbol,
                stale_generation=command.generation,
            )
            self._send(stale, command.armed_from_ms)
            return 1
        if known is None or command.generation > known.generation:
            self.groups[command.group_id] = command
            self.held.discard(command.group_id)
        return 0

    def _evaluate(self, command: GroupCommand) -> Trigger | None:
        seen: dict[str, bool] = {}
        for bar in self._bars.get(command.symbol, ()):
            if bar.open_time_ms < command.armed_from_ms:
                continue
            fired = [member for member in command.members if _fires(member, bar, seen)]
            if fired:
                return _trigger(command, bar, sorted(fired, key=_rank))
        return None

    def _send(self, message: Trigger | StaleCommand, at_ms: int) -> None:
        outgoing = Outgoing(self._topics.triggers.name, message.bot_id.encode(), encode(message), at_ms)
        self._bus.append(outgoing)


def _fires(member: Member, bar: Bar, seen: dict[str, bool]) -> bool:
    condition: dict[str, Any] = member.condition
    if "at" in condition:
        return bar.close_time_ms >= int(condition["at"])
    if "level" in condition:
        price = float(condition["level"]["price"])
        return bar.low <= price if condition["level"]["side"] == "below" else bar.high >= price
    now = all(
        _OPS[part["op"]](getattr(bar, part["left"]["price"]), part["right"])
        for part in condition.get("all", [condition])
    )
    before = seen.get(member.alert_id, member.when_true_at_arming == "wait")
    seen[member.alert_id] = now
    return now and not before


def _rank(member: Member) -> int:
    return 0 if "level" in member.condition else 1 if "at" in member.condition else 2


def _trigger(command: GroupCommand, bar: Bar, members: list[Member]) -> Trigger:
    fired = [FiredMember(alert_id=m.alert_id, action=m.action, price=bar.close) for m in members]
    return Trigger(
        trigger_id=f"{command.group_id}:{command.generation}:{bar.open_time_ms}:1",
        group_id=command.group_id,
        generation=command.generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=bar,
        action=fired[0].action,
        fired=fired,
    )
