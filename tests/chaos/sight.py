"""What can be seen of the work from outside: how far each group is, how the evaluator's group stands."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from sqlalchemy import create_engine, text

from sinks.patience import patiently
from topics.registry import Topics

_ANSWER_S: Final = 120.0
_AWAY_S: Final = 120.0
Places = Mapping[tuple[str, int], int]


class Work(NamedTuple):
    """Work in progress: source records not acked by the evaluator, triggers and configs not applied by the executor,
    rows in its outbox.
    """

    unacked: int
    unapplied: int
    untold: int

    @property
    def any(self) -> bool:
        """Is there some?"""
        return any(self)


class Sight:
    """Looks at broker and database; may be shared by threads."""

    def __init__(self, bootstrap: str, topics: Topics, database: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        # It never joins. The admin client's own question for a group's offsets can crash the process.
        self._reader = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": topics.group("evaluator"),
                "enable.auto.commit": False,
            }
        )
        self._database = create_engine(database)
        self._topics = topics
        self._group = topics.group("evaluator")
        self._sources = (topics.klines.name, topics.alerts.name)
        self._inputs = (topics.configs.name, topics.triggers.name)

    def work(self) -> Work:
        """What there is to do for whom."""
        ends = self.ends(*self._sources, *self._inputs)
        acked, applied = self.acked(), self.applied()
        unacked = sum(end - acked.get(at, 0) for at, end in ends.items() if at[0] in self._sources)
        unapplied = sum(end - applied.get(at, 0) for at, end in ends.items() if at[0] in self._inputs)
        return Work(unacked, unapplied, self.untold())

    def lag(self) -> dict[tuple[str, int], int]:
        """Records of each source partition that the evaluator has not acked."""
        ends, acked = self.ends(*self._sources), self.acked()
        return {at: end - acked.get(at, 0) for at, end in ends.items()}

    def unaccepted(self) -> int:
        """Configs that the executor has not read."""
        applied = self.applied()
        return sum(end - applied.get(at, 0) for at, end in self.ends(self._topics.configs.name).items())

    def ends(self, *names: str) -> dict[tuple[str, int], int]:
        """Next offsets to be given."""
        places = [TopicPartition(name, p) for name in names for p in range(self._topics.partitions)]
        asked = self._admin.list_offsets(
            {tp: OffsetSpec.latest() for tp in places}, request_timeout=_ANSWER_S
        )
        return {(tp.topic, tp.partition): future.result(_ANSWER_S).offset for tp, future in asked.items()}

    def acked(self) -> Places:
        """The evaluator's committed offsets."""
        places = [TopicPartition(name, p) for name in self._sources for p in range(self._topics.partitions)]
        found = self._reader.committed(places, timeout=_ANSWER_S)
        return {(tp.topic, tp.partition): max(tp.offset, 0) for tp in found}

    def applied(self) -> Places:
        """The executor's offsets."""
        rows = self._rows("SELECT topic, partition, next_offset FROM offsets")
        return {(topic, partition): offset for topic, partition, offset in rows}

    def untold(self) -> int:
        """Rows in the outbox."""
        return int(self._rows("SELECT count(*) FROM outbox")[0][0])

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, as soon as it says something."""

        def ask() -> list[tuple[Any, ...]]:
            with self._database.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]

        return patiently(ask, _AWAY_S)

    def members(self) -> int | None:
        """Members of the evaluator's group, None while it is not stable."""
        asked = self._admin.describe_consumer_groups([self._group], request_timeout=_ANSWER_S)
        found = asked[self._group].result(_ANSWER_S)
        return len(found.members) if found.state == ConsumerGroupState.STABLE else None

    def close(self) -> None:
        """Let go of the broker and the database."""
        self._reader.close()
        self._database.dispose()
