"""Channels that are lists, and alerts made by hand."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.triggers import Bar, Fired
from sinks.notifier.desk import Desk, Setting
from sinks.notifier.directory import Limits, Target, User
from sinks.notifier.errors import ChannelFailed
from sinks.notifier.metrics import Metrics
from sinks.notifier.offsets import Offsets
from sinks.notifier.outlet import Retry
from topics.bus.memory import MemoryBus
from topics.bus.publisher import MemoryPublisher
from topics.codec import encode
from topics.partitioner import partition_for
from topics.records import Record
from topics.registry import Topics

MINUTE_MS = 60_000
NOW_MS = 1_800_000_000_000
PARTITIONS = 4


class FakeChannel:
    """Remembers what it took as (title, body). `fails`: reasons to fail with, one per attempt, until they are used up;
    `blocked`: it hangs while this is set to an event.
    """

    def __init__(self, name: str = "one", *, fails: int = 0, again: bool = True) -> None:
        self.name = name
        self.scheme = "fake"
        self.fails = fails
        self.again = again
        self.blocked: asyncio.Event | None = None
        self.attempts = 0
        self.taken: list[tuple[str, str]] = []

    async def send(self, title: str, body: str) -> None:
        self.attempts += 1
        if self.blocked is not None:
            await self.blocked.wait()
        if self.fails:
            self.fails -= 1
            raise ChannelFailed("out of order", again=self.again)
        self.taken.append((title, body))

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.taken]


def fired(number: int = 1, user: str = "alice", **more: Any) -> Fired:
    """An alert that closed a minute ago, unless `age_minutes` says otherwise."""
    close_ms = NOW_MS - more.pop("age_minutes", 1) * MINUTE_MS
    alert_id = more.pop("alert_id", "btc-low")
    bar = Bar(
        interval="1m", open_time_ms=close_ms - MINUTE_MS, close_time_ms=close_ms, open=1, high=1, low=1, close=1,
        volume=1,
    )  # fmt: skip
    known: dict[str, Any] = {"message": f"message {number}", "frequency": "every", "fire_number": number}
    return Fired(
        **{**known, "fired_id": f"{alert_id}:7:{number}", "alert_id": alert_id, "user_id": user, "symbol": "BTCUSDT",
           "bar": bar, "generation": 7} | more
    )  # fmt: skip


class Office:
    """A desk with fake channels, a clock that is moved by hand, and a bus for what it publishes."""

    def __init__(
        self, users: dict[str, list[Any]], limits: Limits | None = None, retry: Retry | None = None
    ) -> None:
        """`users`: channels by user; a channel may stand in a pair with its tags."""
        self.topics = Topics("", PARTITIONS)
        self.bus = MemoryBus(*self.topics.all())
        self.publisher = MemoryPublisher(self.bus, eager=True)
        self.metrics = Metrics()
        self.now_s = 0.0
        self.broken: list[BaseException] = []
        directory = {name: User(name, limits or Limits(), _targets(made)) for name, made in users.items()}
        self.setting = Setting(
            self.topics, directory, retry or Retry(3, 0.0), self.publisher.send, self.metrics, self.broken.append,
            lambda: self.now_s, lambda: NOW_MS + round(self.now_s * 1_000),
        )  # fmt: skip
        self.desks: dict[int, Desk] = {}
        self.offsets: dict[int, int] = {}

    def hear(self, *alerts: Fired) -> None:
        """Alerts come in, each on its user's partition."""
        for alert in alerts:
            self.receive(alert.user_id.encode(), encode(alert))

    def receive(self, key: bytes | None, value: bytes | None, partition: int | None = None) -> Record:
        """A record comes in."""
        home = partition_for(key or b"", PARTITIONS) if partition is None else partition
        offset = self.offsets[home] = self.offsets.get(home, -1) + 1
        record = Record(self.topics.fired.name, home, offset, NOW_MS, key, value)
        self.desk(home).take(record)
        return record

    def desk(self, partition: int) -> Desk:
        return self.desks.setdefault(partition, Desk(partition, Offsets(0), self.setting))

    def of(self, user: str) -> Desk:
        """The desk of a user's partition."""
        return self.desk(partition_for(user.encode(), PARTITIONS))

    async def pass_time(self, seconds: float = 0.0) -> None:
        """Digests that fall due go, and everything that can be sent is."""
        self.now_s += seconds
        for desk in self.desks.values():
            desk.tick()
        await settled(lambda: not any(self.working()))
        assert not self.broken

    def working(self) -> list[bool]:
        return [outlet.task is not None for desk in self.desks.values() for outlet in desk.outlets]

    def dead(self) -> list[tuple[str, str]]:
        """(error class, reason) of the dead letters."""
        letters = self.bus.records(self.topics.dlq(self.topics.fired.name).name)
        return [
            (dict(r.headers)["dlq.error_class"].decode(), dict(r.headers)["dlq.reason"].decode())
            for r in letters
        ]

    def counted(self, name: str, **labels: str) -> float:
        """A counter."""
        return self.metrics.registry.get_sample_value(f"strikeline_notifier_{name}_total", labels) or 0.0


def _targets(channels: list[Any]) -> dict[str, Target]:
    pairs = [one if isinstance(one, tuple) else (one, ()) for one in channels]
    return {channel.name: Target(channel, frozenset(tags)) for channel, tags in pairs}


async def settled(done: Callable[[], bool], deadline_s: float = 5.0) -> None:
    """Let the loop run until `done`."""
    end = asyncio.get_running_loop().time() + deadline_s
    while not done():
        assert asyncio.get_running_loop().time() < end, "it did not come to rest"
        await asyncio.sleep(0)


def write_directory(folder: Path, text: str) -> Path:
    """A notifier.yaml."""
    path = folder / "notifier.yaml"
    path.write_text(text)
    return path
