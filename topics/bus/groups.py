"""Consumer groups: who owns which partition, and how far the group has come.

Range assignment, topic by topic over the members in the order they joined: topics with one partition count
and the same subscribers are co-partitioned, partition n of each is on one member.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

TopicPartition = tuple[str, int]


class Member(Protocol):
    """What a group asks of its members."""

    @property
    def subscription(self) -> tuple[str, ...]:
        """The topics it consumes."""

    def revoke(self, partitions: frozenset[TopicPartition]) -> None:
        """Give these up; it may still commit them in here, for nobody owns them yet."""

    def assign(self, partitions: frozenset[TopicPartition]) -> None:
        """Own these from now on, besides what it kept."""


class Group:
    """Live members, their partitions, and the next offset of each partition."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.offsets: dict[TopicPartition, int] = {}
        self._owned: dict[Member, frozenset[TopicPartition]] = {}

    def owned(self, member: Member) -> frozenset[TopicPartition]:
        """What `member` owns; nothing when it left."""
        return self._owned.get(member, frozenset())

    def has(self, member: Member) -> bool:
        """Whether `member` is in the group."""
        return member in self._owned

    def join(self, member: Member, counts: Mapping[str, int]) -> None:
        """Add a member and rebalance."""
        self._owned[member] = frozenset()
        self.rebalance(counts)

    def leave(self, member: Member, counts: Mapping[str, int]) -> None:
        """Remove a member and rebalance; leaving twice is nothing."""
        if self._owned.pop(member, None) is not None:
            self.rebalance(counts)

    def forget(self, topic: str) -> None:
        """Drop the offsets of a topic that is gone."""
        self.offsets = {tp: offset for tp, offset in self.offsets.items() if tp[0] != topic}

    def rebalance(self, counts: Mapping[str, int]) -> None:
        """Every member gives up what is not its own any more before anyone gets anything."""
        before = dict(self._owned)
        after = assign_ranges(before, counts)
        for member, owned in before.items():
            if lost := owned - after[member]:
                member.revoke(lost)
                self._owned[member] = owned & after[member]
        for member, owned in after.items():
            self._owned[member] = owned
        for member, owned in after.items():
            if gained := owned - before[member]:
                member.assign(gained)


def assign_ranges(
    members: Iterable[Member], counts: Mapping[str, int]
) -> dict[Member, frozenset[TopicPartition]]:
    """Partitions by member: per topic a contiguous range each, the first ones longer by the remainder."""
    members = list(members)
    owned: dict[Member, set[TopicPartition]] = {member: set() for member in members}
    for topic in sorted({topic for member in members for topic in member.subscription}):
        subscribers = [member for member in members if topic in member.subscription]
        share, extra = divmod(counts.get(topic, 0), len(subscribers))
        start = 0
        for i, member in enumerate(subscribers):
            stop = start + share + (i < extra)
            owned[member].update((topic, p) for p in range(start, stop))
            start = stop
    return {member: frozenset(partitions) for member, partitions in owned.items()}
