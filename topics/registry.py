"""The addresses: every topic's name, key, values, partitions and policy, written down once.

Names, groups and tables of one namespace never meet those of another. All topics of a namespace have one
partition count, which never grows in place: evaluator state co-partitions on the symbol, executor state on
the bot.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from schemas.alerts import AlertCommand, GroupCommand
from schemas.bots import BotConfig
from schemas.events import BotEvent
from schemas.market import Kline, Tick
from schemas.message import Message
from schemas.orders import OrderReport
from schemas.positions import Position
from schemas.triggers import Fired, StaleCommand, Trigger
from topics.spec import DAY_MS, HOUR_MS, KIB, MIB, Cleanup, KeyField, Process, TopicSpec, policy

__all__ = ["DLQ_SUFFIX", "TABLES", "Process", "Table", "TopicSpec", "Topics", "dlq_name"]

Table = Literal["groups", "symbols", "partitions"]
TABLES: Final[tuple[Table, ...]] = ("groups", "symbols", "partitions")

DLQ_SUFFIX: Final = ".dlq"
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_DEAD_LETTERING: Final[frozenset[Process]] = frozenset({"evaluator", "executor", "notifier"})


def dlq_name(topic: str) -> str:
    """Name of the dead-letter topic of `topic`."""
    return f"{topic}{DLQ_SUFFIX}"


@dataclass(frozen=True)
class Topics:
    """All topics of one namespace. Raises ValueError for a namespace that is no name or a count below 1.

    `keep_history` lifts the time limit of every deleting topic: a broker counts it from the records' event
    time, so a recording from last year would be gone within minutes of being fed.
    """

    namespace: str = ""
    partitions: int = 12
    keep_history: bool = False

    def __post_init__(self) -> None:
        if self.namespace and not _NAMESPACE.fullmatch(self.namespace):
            raise ValueError(
                f"namespace {self.namespace[:80]!r}: expected lower-case letters, digits and hyphens"
            )
        if not 1 <= self.partitions <= 10_000:
            raise ValueError(f"partitions {self.partitions}: expected 1 to 10,000")

    def full_name(self, name: str) -> str:
        """`name` behind the namespace, where one is set: topics, consumer groups, the evaluator's app id."""
        return f"{self.namespace}.{name}" if self.namespace else name

    def group(self, process: Process) -> str:
        """Consumer group of `process`; the evaluator's is its Faust app id, which begins its changelogs."""
        return self.full_name(f"strikeline-{process}")

    @cached_property
    def klines(self) -> TopicSpec:
        """Candles and ticks. A feed reads where its own end, to go on from there."""
        readers: tuple[Process, ...] = ("evaluator", "feed", "archive", "user", "console")
        return self._topic(
            "market.klines.v1", "symbol", (Kline, Tick), 30, ("feed",), readers, max_value_bytes=16 * KIB
        )

    @cached_property
    def configs(self) -> TopicSpec:
        """What users want their bots to be; a null value deletes the bot."""
        return self._topic(
            "bots.configs.v1",
            "bot_id",
            (BotConfig,),
            90,
            ("user",),
            ("executor", "archive", "user"),
            "compact",
        )

    @cached_property
    def alerts(self) -> TopicSpec:
        """Groups to arm or remove."""
        return self._topic("bots.alerts.v1", "symbol", (GroupCommand,), 30, ("executor",), ("evaluator",))

    @cached_property
    def triggers(self) -> TopicSpec:
        """Groups that fired, and answers to outdated commands."""
        values = (Trigger, StaleCommand)
        readers: tuple[Process, ...] = ("executor", "archive", "user")
        return self._topic("bots.triggers.v1", "bot_id", values, 90, ("evaluator",), readers)

    @cached_property
    def orders(self) -> TopicSpec:
        """What venues said of orders; nothing on a deployment that trades on paper."""
        readers: tuple[Process, ...] = ("executor", "user", "console")
        return self._topic("bots.orders.v1", "bot_id", (OrderReport,), 90, ("executor",), readers)

    @cached_property
    def user_alerts(self) -> TopicSpec:
        """Users' own alerts, which only notify."""
        readers: tuple[Process, ...] = ("evaluator", "archive", "user")
        return self._topic("alerts.user.v1", "symbol", (AlertCommand,), 30, ("user",), readers)

    @cached_property
    def fired(self) -> TopicSpec:
        """Users' alerts that fired."""
        return self._topic("alerts.fired.v1", "user_id", (Fired,), 90, ("evaluator",), ("notifier", "user"))

    @cached_property
    def events(self) -> TopicSpec:
        """What happened to a bot or an alert, and why; keyed by its `subject`, a bot_id or an alert_id."""
        writers: tuple[Process, ...] = ("evaluator", "executor", "notifier")
        return self._topic("bots.events.v1", "subject", (BotEvent,), 90, writers, ("user", "console"))

    @cached_property
    def positions(self) -> TopicSpec:
        """Where each bot stands."""
        return self._topic(
            "bots.positions.v1",
            "bot_id",
            (Position,),
            0,
            ("executor",),
            ("user", "console", "reconciler"),
            "compact",
        )

    def dlq(self, name: str) -> TopicSpec:
        """Dead letters of the topic called `name` (its full name); partitions map one to one."""
        readers = next((spec.read_by for spec in self.messages() if spec.name == name), ())
        return TopicSpec(
            name=dlq_name(name),
            key="as_received",
            values=(),
            cleanup="delete",
            configs=policy("delete", self._days(90), max_message_bytes=2 * MIB)
            # Retention counts from arrival: what is dead may carry any timestamp, and must not vanish for it.
            | {"message.timestamp.type": "LogAppendTime"},
            partitions=self.partitions,
            written_by=tuple(process for process in readers if process in _DEAD_LETTERING),
            read_by=("operator",),
            max_value_bytes=2 * MIB,
        )

    def changelog(self, table_name: Table) -> TopicSpec:
        """Changelog of one of the evaluator's tables, under the name Faust gives it.

        A group's newest row may lie behind an older one that a worker wrote which should have been dead; if compaction
        dropped it, nobody would know, so it stays a week. Of symbols and partitions a lost row is seen and rewinds, and
        they are written once a bar: with a week's lag whoever takes over would read millions of rows.
        """
        lag_ms = 7 * DAY_MS if table_name == "groups" else HOUR_MS
        return TopicSpec(
            name=f"{self.group('evaluator')}-{table_name}-changelog",
            key="as_received",
            values=(),
            cleanup="compact",
            configs=policy("compact") | {"min.compaction.lag.ms": str(lag_ms)},
            partitions=self.partitions,
            written_by=("evaluator",),
            read_by=("evaluator",),
            tombstones=True,
        )

    def messages(self) -> tuple[TopicSpec, ...]:
        """The topics whose values are messages of `schemas`."""
        market = (self.klines, self.configs, self.alerts, self.triggers, self.orders)
        return (*market, self.user_alerts, self.fired, self.events, self.positions)

    def all(self) -> tuple[TopicSpec, ...]:
        """Every topic to create: messages, the dead letters of those our processes consume, changelogs."""
        consumed = (spec for spec in self.messages() if _DEAD_LETTERING.intersection(spec.read_by))
        dead = tuple(self.dlq(spec.name) for spec in consumed)
        return (*self.messages(), *dead, *(self.changelog(table) for table in TABLES))

    def named(self, name: str) -> TopicSpec:
        """The topic of that full name. Raises KeyError."""
        for spec in self.all():
            if spec.name == name:
                return spec
        raise KeyError(name)

    def _days(self, days: int) -> int:
        return -1 if self.keep_history else days * DAY_MS

    def _topic(
        self,
        name: str,
        key: KeyField,
        values: tuple[type[Message], ...],
        days: int,
        written_by: tuple[Process, ...],
        read_by: tuple[Process, ...],
        cleanup: Cleanup = "delete",
        max_value_bytes: int = MIB,
    ) -> TopicSpec:
        configs = policy(cleanup, self._days(days) if cleanup == "delete" else days * DAY_MS)
        return TopicSpec(
            name=self.full_name(name),
            key=key,
            values=values,
            cleanup=cleanup,
            configs=configs,
            partitions=self.partitions,
            written_by=written_by,
            read_by=read_by,
            max_value_bytes=max_value_bytes,
            tombstones=cleanup == "compact" and "user" in written_by,
        )
