"""A closed loop in one process: bars, the small evaluator and an executor over a database."""

import asyncio
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Engine, select, text

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.events import BotEvent
from schemas.message import Message
from schemas.triggers import Bar
from sinks.database.tables import metadata
from sinks.executor.decision import Rules
from sinks.inprocess import ExecutorWorker
from sinks.venues.paper import Paper
from tests.sinks.bots import TOPICS, config_out
from tests.sinks.evaluator import Evaluator
from topics.bus import MemoryBus
from topics.codec import Undecodable, decode
from topics.records import Outgoing, Record
from topics.spec import TopicSpec

RULES = Rules(Paper())
BOOKED = ("bots", "configs", "pairs", "groups", "deals", "fills", "ledger")


class Told(NamedTuple):
    """What left the executor, without how often."""

    commands: set[bytes]
    events: set[bytes]
    positions: set[bytes]
    dead: set[tuple[bytes | None, bytes | None]]


class Loop:
    """`feed` bars and `put` configs, then `run`."""

    def __init__(self, engine: Engine, *, seed: int | None = None, batch: int = 500) -> None:
        self.engine = engine
        self.bus = MemoryBus(*TOPICS.all())
        self.evaluator = Evaluator(self.bus, TOPICS)
        self._seed = seed
        self._batch = batch
        self.worker = self.start()

    def start(self, **options: Any) -> ExecutorWorker:
        """A (further) worker on the same bus and database."""
        options = {"seed": self._seed, "batch": self._batch} | options
        return ExecutorWorker(self.bus, self.engine, TOPICS, RULES, **options)

    def put(self, *configs: BotConfig, at_ms: int | None = None) -> None:
        """Produce configs, stamped with their effective time."""
        for config in configs:
            self.bus.append(config_out(config, at_ms=at_ms or config.effective_from_ms or 0))

    def put_raw(self, outgoing: Outgoing) -> None:
        """Produce any record."""
        self.bus.append(outgoing)

    def feed(self, symbol: str, *bars: Bar) -> None:
        """Give the evaluator bars; it looks at them in `run`."""
        self.evaluator.feed(symbol, *bars)

    def run(self) -> None:
        """Let both answer each other until they are done."""
        while self.evaluator.run() + asyncio.run(self.worker.run_until_idle()):
            pass

    def messages(self, spec: TopicSpec) -> list[Any]:
        """What a topic says, partition by partition, without what nobody can read."""
        return [message for record in self.bus.records(spec.name) if (message := self._decoded(record, spec))]

    @property
    def events(self) -> list[BotEvent]:
        """Everything on `bots.events.v1`."""
        return self.messages(TOPICS.events)

    @property
    def commands(self) -> list[GroupCommand]:
        """Everything on `bots.alerts.v1`."""
        return self.messages(TOPICS.alerts)

    def told(self) -> Told:
        """Distinct records that left the executor."""
        return Told(
            self._values(TOPICS.alerts.name),
            self._values(TOPICS.events.name),
            self._values(TOPICS.positions.name),
            {
                (record.key, record.value)
                for source in (TOPICS.configs, TOPICS.triggers)
                for record in self.bus.records(TOPICS.dlq(source.name).name)
            },
        )

    def _values(self, topic: str) -> set[bytes]:
        return {record.value or b"" for record in self.bus.records(topic)}

    @staticmethod
    def _decoded(record: Record, spec: TopicSpec) -> Message | None:
        try:
            return decode(record, spec)
        except Undecodable:
            return None


def rows(engine: Engine, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of tables, sorted; all that were booked unless some are named."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for name in tables or BOOKED:
            all_rows = connection.execute(select(metadata.tables[name])).all()
            found[name] = sorted((tuple(row) for row in all_rows), key=repr)
    return found


def inbox(engine: Engine) -> list[tuple[str, str | None, str]]:
    """(kind, bot_id, outcome) of every record, in the order of the inbox."""
    with engine.connect() as connection:
        query = text("SELECT kind, bot_id, outcome FROM inbox ORDER BY id")
        return [(row.kind, row.bot_id, row.outcome) for row in connection.execute(query)]


def outcomes(engine: Engine) -> dict[tuple[str, int, int], tuple[Any, ...]]:
    """What the inbox says of each record, by its address."""
    with engine.connect() as connection:
        found = connection.execute(select(metadata.tables["inbox"])).all()
    return {
        (row.topic, row.partition, row.source_offset): (
            row.kind, row.bot_id, row.trigger_id, row.config_seq, row.outcome, row.reason
        )
        for row in found
    }  # fmt: skip


def names(loop: Loop) -> list[str]:
    """Names of the events, in the order in which they left."""
    return [event.event for event in loop.events]


def as_json(message: Message) -> Any:
    """What a reader of the topic sees."""
    return msgspec.to_builtins(message)
