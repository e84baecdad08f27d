"""The bus deals partitions as Kafka's range assignor does."""

from dataclasses import dataclass

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from topics.bus.groups import TopicPartition, assign_ranges


@dataclass(frozen=True)
class Named:
    """A member that only has a subscription; named so that joining order is the order of names."""

    name: str
    subscription: tuple[str, ...]

    def revoke(self, partitions: frozenset[TopicPartition]) -> None:
        raise AssertionError(partitions)

    def assign(self, partitions: frozenset[TopicPartition]) -> None:
        raise AssertionError(partitions)


class Cluster(ClusterMetadata):
    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__()
        self._counts = counts

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self._counts[topic]))


TOPICS = ("a", "b", "c")


@given(
    st.fixed_dictionaries({topic: st.integers(1, 13) for topic in TOPICS}),
    st.lists(st.sets(st.sampled_from(TOPICS), min_size=1), min_size=1, max_size=6),
)
def test_ranges_are_those_of_aiokafka(counts: dict[str, int], subscriptions: list[set[str]]) -> None:
    members = [Named(f"m{i}", tuple(sorted(topics))) for i, topics in enumerate(subscriptions)]
    metadata = {m.name: ConsumerProtocolMemberMetadata(0, list(m.subscription), b"") for m in members}
    theirs = RangePartitionAssignor.assign(Cluster(counts), metadata)
    ours = assign_ranges(members, counts)
    for member in members:
        dealt = {(topic, p) for topic, partitions in theirs[member.name].assignment for p in partitions}
        assert ours[member] == dealt
