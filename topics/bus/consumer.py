"""A member of a group on the in-process bus."""

from collections.abc import Collection, Iterable, Mapping
from random import Random
from typing import Final, Literal, Protocol

from topics.bus.errors import NotOwner, OffsetOutOfRange
from topics.bus.groups import TopicPartition
from topics.bus.memory import MemoryBus
from topics.records import Record

Reset = Literal["earliest", "latest", "error"]
_POLL: Final = 500


class RebalanceListener(Protocol):
    """Told about partitions as they go and come, in that order, from inside the rebalance."""

    def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """They are being taken away; what is committed in here still counts."""

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """They are this member's from now on."""


class MemoryConsumer:
    """Reads its share of `topics` from the committed offsets on, at least once.

    `reset` says where to begin without a commit, or when the records at the position were truncated. With
    `seed`, partitions are interleaved at random (the order within each is kept); without, they take turns.
    """

    def __init__(
        self,
        bus: MemoryBus,
        group: str,
        topics: Iterable[str],
        *,
        reset: Reset = "earliest",
        seed: int | None = None,
        listener: RebalanceListener | None = None,
    ) -> None:
        self._bus = bus
        self._group = bus.group(group)
        self._topics = tuple(topics)
        self._reset = reset
        self._random = None if seed is None else Random(seed)
        self._listener = listener
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._turn = 0
        self._closed = False
        self._group.join(self, bus.partition_counts())

    @property
    def subscription(self) -> tuple[str, ...]:
        """The topics it consumes."""
        return self._topics

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions it owns now."""
        return self._group.owned(self)

    def revoke(self, partitions: frozenset[TopicPartition]) -> None:
        """The group takes partitions away."""
        if self._listener is not None:
            self._listener.revoked(partitions)
        for tp in partitions:
            self._positions.pop(tp, None)
            self._paused.discard(tp)

    def assign(self, partitions: frozenset[TopicPartition]) -> None:
        """The group gives partitions; reading goes on where the group committed."""
        for topic, partition in partitions:
            self._positions[topic, partition] = self._start(topic, partition)
        if self._listener is not None:
            self._listener.assigned(partitions)

    def poll(self, limit: int = _POLL) -> list[Record]:
        """Up to `limit` records of its partitions; empty when nothing is new. Raises OffsetOutOfRange."""
        self._check_open()
        queues = [(tp, self._fetch(tp, limit)) for tp in sorted(self._positions) if tp not in self._paused]
        queues = [(tp, records) for tp, records in queues if records]
        if self._random is not None:
            self._random.shuffle(queues)
        elif queues:
            at = self._turn % len(queues)
            queues = queues[at:] + queues[:at]
            self._turn += 1
        taken = self._interleave([records for _, records in queues], limit)
        for record in taken:
            self._positions[record.topic, record.partition] = record.offset + 1
        return taken

    def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """Commit the given next offsets, or all positions. Raises NotOwner, and then nothing is committed."""
        offsets = dict(self._positions) if offsets is None else dict(offsets)
        if self._closed or (lost := offsets.keys() - self.assignment):
            raise NotOwner(f"{self._group.name}: {'left the group' if self._closed else sorted(lost)}")
        self._group.offsets.update(offsets)

    def committed(self, tp: TopicPartition) -> int | None:
        """The group's next offset."""
        return self._group.offsets.get(tp)

    def position(self, tp: TopicPartition) -> int:
        """The offset of the next record to be polled. Raises NotOwner."""
        self._check_owned(tp)
        return self._positions[tp]

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Poll from `offset` on. Raises NotOwner."""
        self._check_owned(tp)
        self._positions[tp] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        """Poll nothing from these until they are resumed or revoked. Raises NotOwner."""
        for tp in partitions:
            self._check_owned(tp)
            self._paused.add(tp)

    def resume(self, *partitions: TopicPartition) -> None:
        """Poll from these again."""
        self._paused.difference_update(partitions)

    @property
    def paused(self) -> Collection[TopicPartition]:
        """Partitions that are paused."""
        return frozenset(self._paused)

    def lag(self) -> int:
        """Offsets between its positions and the ends of its partitions, paused ones too."""
        return sum(self._bus.end(*tp) - at for tp, at in self._positions.items())

    def close(self) -> None:
        """Leave the group in order: the listener sees its partitions go and may commit."""
        if not self._closed and (owned := self.assignment):
            self.revoke(owned)
        self.crash()

    def crash(self) -> None:
        """Leave without a word: the others get everything since the last commit again."""
        self._closed = True
        self._positions.clear()
        self._group.leave(self, self._bus.partition_counts())

    def evict(self) -> None:
        """The group gives up on this member unawares: its commits are refused until it polls again."""
        self._group.leave(self, self._bus.partition_counts())

    def _interleave(self, queues: list[list[Record]], limit: int) -> list[Record]:
        if len(queues) == 1:
            return queues[0]
        taken: list[Record] = []
        sources = [iter(queue) for queue in queues]
        while sources and len(taken) < limit:
            for source in tuple(sources):
                if self._random is not None and self._random.random() < 0.5:
                    continue
                record = next(source, None)
                if record is None:
                    sources.remove(source)
                elif len(taken) < limit:
                    taken.append(record)
        return taken

    def _fetch(self, tp: TopicPartition, limit: int) -> list[Record]:
        try:
            return self._bus.read(*tp, self._positions[tp], limit)
        except OffsetOutOfRange as gone:
            if self._reset == "error":
                raise
            self._positions[tp] = gone.begin if self._reset == "earliest" else gone.end
            return self._bus.read(*tp, self._positions[tp], limit)

    def _start(self, topic: str, partition: int) -> int:
        committed = self._group.offsets.get((topic, partition))
        if committed is not None:
            return committed
        return (
            self._bus.end(topic, partition) if self._reset == "latest" else self._bus.begin(topic, partition)
        )

    def _check_open(self) -> None:
        if self._closed:
            raise NotOwner(f"{self._group.name}: this consumer has left the group")
        if not self._group.has(self):
            self.revoke(frozenset(self._positions))
            self._group.join(self, self._bus.partition_counts())

    def _check_owned(self, tp: TopicPartition) -> None:
        if tp not in self._positions:
            raise NotOwner(f"{self._group.name}: {tp} is not assigned to this consumer")
