"""One partition of fired alerts: from records to messages, and back to what is done. No Kafka in sight.

    record → decode, or dead letter → known already? → the user's channels → at once, or in the digest → outlets
                                                                                       │
    offsets ◀── done, when every channel has taken or failed it (failed: dead letter and event) ◀┘

A channel that does not work is a matter of the alert and that channel: everybody else goes on.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from schemas.events import BotEvent
from schemas.triggers import Fired
from sinks.notifier.directory import Directory, User
from sinks.notifier.mailbox import Mailbox
from sinks.notifier.metrics import Metrics
from sinks.notifier.offsets import Offsets
from sinks.notifier.outlet import Outlet, Retry
from sinks.notifier.pending import Pending
from topics.codec import Undecodable, cloud_headers, decode, encode
from topics.dead_letters import dead_letter
from topics.partitioner import partition_for
from topics.records import Outgoing, Record
from topics.registry import Topics

_SOURCE: Final = "strikeline/notifier"
_REMEMBERED: Final = 20_000
"""Ids of alerts told, per partition: a repeat of one of them is told no more."""
_MINUTE_MS: Final = 60_000
_Identity: TypeAlias = tuple[str, str, str]


class Setting(NamedTuple):
    """What all desks of a process share. `broken` is told of errors nobody foresaw. `now_s`: monotonic; `wall_ms`: the
    wall clock, for the age of alerts alone.
    """

    topics: Topics
    directory: Directory
    retry: Retry
    send: Callable[[Outgoing], None]
    metrics: Metrics
    broken: Callable[[BaseException], None]
    now_s: Callable[[], float] = time.monotonic
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


class _Person:
    def __init__(self, user: User, outlets: dict[str, Outlet]) -> None:
        self.user = user
        self.mailbox = Mailbox(user.limits)
        self.outlets = outlets


class Desk:
    """`take` each record of the partition in the order of offsets, `tick` now and then, commit what `offsets` says."""

    def __init__(self, partition: int, offsets: Offsets, setting: Setting) -> None:
        self.partition = partition
        self.offsets = offsets
        self._setting = setting
        self._people: dict[str, _Person] = {}
        self._under_way: dict[_Identity, Pending] = {}
        self._told: OrderedDict[_Identity, frozenset[str]] = OrderedDict()

    def take(self, record: Record) -> None:
        """Take one record in. What cannot be used is dead-lettered."""
        if not self.offsets.begin(record.offset):
            self._setting.metrics.read("repeated")
            return
        try:
            outcome = self._taken(record)
        except (ArithmeticError, LookupError, ValueError) as error:
            # Nobody foresaw it, and it would happen again at every restart: the partition goes on without the record.
            reason = f"{type(error).__name__}: {error}"
            self._setting.send(dead_letter(record, "Poison", reason))
            outcome = "dead"
        self._setting.metrics.read(outcome)
        if outcome not in {"accepted", "old"}:
            self.offsets.finish(record.offset)

    def tick(self) -> None:
        """Send the digests that are due."""
        now_s = self._setting.now_s()
        for person in self._people.values():
            if person.mailbox.due(now_s):
                waiting = person.mailbox.digest(now_s)
                for name, outlet in person.outlets.items():
                    if mine := [alert for alert in waiting if name in alert.awaits]:
                        outlet.put(mine)

    async def end(self, patience_s: float) -> None:
        """The partition will be another's: begin nothing, and wait a moment for what is being sent."""
        outlets = self.outlets
        self._people.clear()
        for outlet in outlets:
            outlet.end()
        if tasks := [outlet.task for outlet in outlets if outlet.task is not None]:
            await asyncio.wait(tasks, timeout=patience_s)
        for outlet in outlets:
            outlet.close()

    @property
    def outlets(self) -> list[Outlet]:
        """Those that were used so far."""
        return [outlet for person in self._people.values() for outlet in person.outlets.values()]

    def _taken(self, record: Record) -> str:
        fired = self._read(record)
        if fired is None:
            return "dead"
        user = self._setting.directory.get(fired.user_id)
        if user is None:
            return "no_channel"
        names = user.targets_for(fired.tags)
        if not names:
            reason = f"user {user.user_id} has no channel with one of the tags {', '.join(fired.tags)}"
            self._setting.send(dead_letter(record, "NoChannel", reason))
            return "dead"
        known = self._told.get(_identity(fired), frozenset())
        names = [name for name in names if name not in known]
        if not names or _identity(fired) in self._under_way:
            return "repeated"
        return self._accept(user, Pending(record, fired, names, self._done))

    def _read(self, record: Record) -> Fired | None:
        spec = self._setting.topics.fired
        try:
            message = decode(record, spec)
        except Undecodable as error:
            self._setting.send(dead_letter(record, error.error_class, error.reason))
            return None
        assert isinstance(message, Fired)  # the topic has no other type and no tombstones
        home = partition_for(record.key or b"", spec.partitions)
        if home != record.partition:
            reason = f"{message.user_id} belongs on partition {home}: produce with the murmur2 partitioner"
            self._setting.send(dead_letter(record, "WrongPartition", reason))
            return None
        return message

    def _accept(self, user: User, alert: Pending) -> str:
        limits = user.limits
        age_ms = self._setting.wall_ms() - alert.fired.bar.close_time_ms
        alert.old = limits.old_alerts != "send" and age_ms > limits.max_age_minutes * _MINUTE_MS
        if alert.old and limits.old_alerts == "drop":
            return "dropped_old"
        person = self._people.get(user.user_id) or self._person(user)
        self._under_way[_identity(alert.fired)] = alert
        if person.mailbox.add(alert, self._setting.now_s()):
            for name in sorted(alert.awaits):
                person.outlets[name].put([alert])
        return "old" if alert.old else "accepted"

    def _person(self, user: User) -> _Person:
        setting = self._setting
        outlets = {
            name: Outlet(target.channel, setting.retry, self._failed, setting.broken, setting.metrics)
            for name, target in user.targets.items()
        }
        person = self._people[user.user_id] = _Person(user, outlets)
        return person

    def _failed(self, alert: Pending, channel: str, reason: str) -> None:
        """Law 14: the operator's dead letter, and the user's event, which is the same whenever it is told again."""
        fired, setting = alert.fired, self._setting
        why = f"channel {channel}: {reason}"
        setting.send(dead_letter(alert.record, "Undelivered", why))
        at_ms = fired.bar.close_time_ms
        event = BotEvent(
            event_id=f"{fired.fired_id}:undelivered:{channel}", event="undelivered", subject=fired.alert_id,
            at_ms=at_ms, user_id=fired.user_id, symbol=fired.symbol, alert_id=fired.alert_id, reason=why,
        )  # fmt: skip
        headers = cloud_headers(event, _SOURCE, event.event_id, at_ms)
        setting.send(
            Outgoing(setting.topics.events.name, fired.alert_id.encode(), encode(event), at_ms, headers)
        )

    def _done(self, alert: Pending) -> None:
        identity = _identity(alert.fired)
        self._under_way.pop(identity, None)
        known = self._told.pop(identity, frozenset())
        self._told[identity] = known.union(alert.taken)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        self.offsets.finish(alert.record.offset)


def _identity(fired: Fired) -> _Identity:
    """A `fired_id` alone is an alert's on a symbol, and two users may give an alert the same id on two symbols."""
    return fired.user_id, fired.symbol, fired.fired_id


def under_way(desks: Sequence[Desk]) -> int:
    """How many alerts are neither told nor given up."""
    return sum(desk.offsets.open for desk in desks)
