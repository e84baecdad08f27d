"""Groups on the in-process bus: assignment, at-least-once, rebalances, zombies."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.bus import MemoryBus, MemoryConsumer, NotOwner, OffsetOutOfRange, TopicPartition
from topics.records import Outgoing, Record
from topics.registry import Topics

TOPICS = Topics(partitions=4)
A, B = TOPICS.configs.name, TOPICS.triggers.name


class Listener:
    """Notes what it is told; commits its consumer's positions when partitions go, where it was asked to."""

    def __init__(self, *, commits: bool = False) -> None:
        self.told: list[tuple[str, list[TopicPartition]]] = []
        self.consumer: MemoryConsumer | None = None
        self._commits = commits

    def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        self.told.append(("revoked", sorted(partitions)))
        if self._commits and self.consumer is not None:
            self.consumer.commit()

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        self.told.append(("assigned", sorted(partitions)))


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus(TOPICS.configs, TOPICS.triggers)


def fill(bus: MemoryBus, topic: str = A, count: int = 3) -> None:
    for i in range(count):
        for partition in range(4):
            bus.append(Outgoing(topic, b"k", b"%d" % i, i, (), partition))


def addresses(records: list[Record]) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in records]


def owned(consumer: MemoryConsumer, topic: str = A) -> list[int]:
    return sorted(partition for name, partition in consumer.assignment if name == topic)


def test_a_lone_member_owns_everything(bus: MemoryBus) -> None:
    consumer = MemoryConsumer(bus, "g", [A, B])
    assert owned(consumer, A) == owned(consumer, B) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "members, shares",
    [
        (2, [[0, 1], [2, 3]]),
        (3, [[0, 1], [2], [3]]),
        (4, [[0], [1], [2], [3]]),
        (5, [[0], [1], [2], [3], []]),
    ],
)
def test_partitions_are_dealt_in_ranges(bus: MemoryBus, members: int, shares: list[list[int]]) -> None:
    consumers = [MemoryConsumer(bus, "g", [A, B]) for _ in range(members)]
    assert [owned(consumer, A) for consumer in consumers] == shares
    assert [owned(consumer, B) for consumer in consumers] == shares  # co-partitioned


def test_members_share_only_what_they_subscribe_to(bus: MemoryBus) -> None:
    both, one = MemoryConsumer(bus, "g", [A, B]), MemoryConsumer(bus, "g", [B])
    assert (owned(both, A), owned(both, B), owned(one, A), owned(one, B)) == (
        [0, 1, 2, 3],
        [0, 1],
        [],
        [2, 3],
    )


def test_groups_do_not_see_each_other(bus: MemoryBus) -> None:
    fill(bus)
    first, second = MemoryConsumer(bus, "g", [A]), MemoryConsumer(bus, "h", [A])
    assert sorted(addresses(first.poll())) == sorted(addresses(second.poll()))
    first.commit()
    assert bus.committed("h", A, 0) is None


def test_partitions_take_turns_and_each_keeps_its_order(bus: MemoryBus) -> None:
    fill(bus)
    records = MemoryConsumer(bus, "g", [A]).poll()
    assert addresses(records) == [(p, i) for i in range(3) for p in range(4)]


def test_a_small_limit_starves_no_partition(bus: MemoryBus) -> None:
    fill(bus)
    consumer = MemoryConsumer(bus, "g", [A])
    assert [addresses(consumer.poll(1))[0][0] for _ in range(5)] == [0, 1, 2, 3, 0]


@given(st.integers(0, 2**32), st.integers(1, 7))
def test_shuffling_keeps_each_partitions_order_and_loses_nothing(seed: int, limit: int) -> None:
    bus = MemoryBus(TOPICS.configs)
    fill(bus, count=4)
    consumer = MemoryConsumer(bus, "g", [A], seed=seed)
    seen: dict[int, list[int]] = {p: [] for p in range(4)}
    while records := consumer.poll(limit):
        assert len(records) <= limit
        for record in records:
            seen[record.partition].append(record.offset)
    assert seen == {p: [0, 1, 2, 3] for p in range(4)}
    assert consumer.lag() == 0


def test_a_seed_gives_the_same_order_again_and_another_one_another() -> None:
    def order(seed: int) -> list[tuple[int, int]]:
        bus = MemoryBus(TOPICS.configs)
        fill(bus, count=5)
        return addresses(MemoryConsumer(bus, "g", [A], seed=seed).poll())

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(5)}) > 1


def test_what_was_not_committed_comes_again_after_a_crash(bus: MemoryBus) -> None:
    fill(bus)
    first, second = MemoryConsumer(bus, "g", [A]), MemoryConsumer(bus, "g", [A])
    assert sorted(addresses(first.poll())) == [(p, i) for p in (0, 1) for i in range(3)]
    first.commit({(A, 0): 2})
    first.crash()
    assert owned(second) == [0, 1, 2, 3]
    again = [address for address in addresses(second.poll()) if address[0] < 2]
    assert sorted(again) == [(0, 2), (1, 0), (1, 1), (1, 2)]


def test_closing_commits_nothing_by_itself(bus: MemoryBus) -> None:
    fill(bus)
    first = MemoryConsumer(bus, "g", [A])
    first.poll()
    first.close()
    assert len(MemoryConsumer(bus, "g", [A]).poll()) == 12


def test_a_join_takes_partitions_away_and_the_rest_goes_on(bus: MemoryBus) -> None:
    fill(bus)
    listener = Listener()
    first = MemoryConsumer(bus, "g", [A], listener=listener)
    first.poll(4)
    second = MemoryConsumer(bus, "g", [A])
    assert listener.told[-1] == ("revoked", [(A, 2), (A, 3)])
    assert sorted(addresses(first.poll())) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert sorted(addresses(second.poll())) == [(p, i) for p in (2, 3) for i in range(3)]


def test_what_is_committed_while_partitions_go_is_not_read_twice(bus: MemoryBus) -> None:
    fill(bus)
    listener = Listener(commits=True)
    first = MemoryConsumer(bus, "g", [A], listener=listener)
    listener.consumer = first
    first.poll()
    assert MemoryConsumer(bus, "g", [A]).poll() == []


def test_closing_tells_the_listener_first(bus: MemoryBus) -> None:
    fill(bus)
    listener = Listener(commits=True)
    first = MemoryConsumer(bus, "g", [A], listener=listener)
    listener.consumer = first
    first.poll()
    first.close()
    assert listener.told == [(what, [(A, p) for p in range(4)]) for what in ("assigned", "revoked")]
    assert MemoryConsumer(bus, "g", [A]).poll() == []


def test_a_leave_gives_partitions_back(bus: MemoryBus) -> None:
    listener = Listener()
    MemoryConsumer(bus, "g", [A], listener=listener)
    second = MemoryConsumer(bus, "g", [A])
    second.close()
    assert listener.told[-1] == ("assigned", [(A, 2), (A, 3)])


def test_a_commit_for_a_lost_partition_is_refused_whole(bus: MemoryBus) -> None:
    fill(bus)
    first = MemoryConsumer(bus, "g", [A])
    MemoryConsumer(bus, "g", [A])
    with pytest.raises(NotOwner):
        first.commit({(A, 0): 1, (A, 3): 1})
    assert bus.committed("g", A, 0) is None


def test_a_member_that_was_given_up_cannot_commit_and_joins_at_its_next_poll(bus: MemoryBus) -> None:
    fill(bus)
    listener = Listener()
    zombie = MemoryConsumer(bus, "g", [A], listener=listener)
    other = MemoryConsumer(bus, "g", [A])
    zombie.poll()
    zombie.evict()
    assert owned(other) == [0, 1, 2, 3]
    with pytest.raises(NotOwner):
        zombie.commit()
    records = zombie.poll()
    assert listener.told[-2:] == [("revoked", [(A, 0), (A, 1)]), ("assigned", [(A, 2), (A, 3)])]
    assert {record.partition for record in records} == {2, 3}
    assert owned(other) == [0, 1]


@pytest.mark.parametrize("crashes", [False, True])
def test_one_that_left_can_do_nothing(bus: MemoryBus, crashes: bool) -> None:
    consumer = MemoryConsumer(bus, "g", [A])
    if crashes:
        consumer.crash()
    consumer.close()  # leaving twice is nothing
    with pytest.raises(NotOwner):
        consumer.poll()
    with pytest.raises(NotOwner):
        consumer.commit({})
    assert consumer.assignment == frozenset()


def test_a_paused_partition_waits_and_the_others_go_on(bus: MemoryBus) -> None:
    fill(bus)
    consumer = MemoryConsumer(bus, "g", [A])
    consumer.pause((A, 1))
    assert {record.partition for record in consumer.poll()} == {0, 2, 3}
    assert consumer.lag() == 3
    consumer.resume((A, 1))
    assert addresses(consumer.poll()) == [(1, 0), (1, 1), (1, 2)]


def test_a_pause_ends_with_the_assignment(bus: MemoryBus) -> None:
    consumer = MemoryConsumer(bus, "g", [A])
    consumer.pause((A, 3))
    MemoryConsumer(bus, "g", [A]).close()
    assert consumer.paused == frozenset()


def test_a_seek_moves_the_position(bus: MemoryBus) -> None:
    fill(bus)
    consumer = MemoryConsumer(bus, "g", [A])
    consumer.poll()
    consumer.seek((A, 2), 1)
    assert consumer.position((A, 2)) == 1
    assert addresses(consumer.poll()) == [(2, 1), (2, 2)]


def test_only_owned_partitions_can_be_moved(bus: MemoryBus) -> None:
    MemoryConsumer(bus, "g", [A])
    second = MemoryConsumer(bus, "g", [A])
    for act in (
        lambda: second.seek((A, 0), 0),
        lambda: second.pause((A, 0)),
        lambda: second.position((A, 0)),
    ):
        with pytest.raises(NotOwner):
            act()


def test_new_members_begin_where_they_are_told(bus: MemoryBus) -> None:
    fill(bus)
    assert MemoryConsumer(bus, "late", [A], reset="latest").poll() == []
    assert len(MemoryConsumer(bus, "early", [A]).poll()) == 12


def test_truncated_records_are_skipped_or_reported(bus: MemoryBus) -> None:
    fill(bus)
    skipping, strict = MemoryConsumer(bus, "g", [A]), MemoryConsumer(bus, "h", [A], reset="error")
    bus.truncate(A, 0, 2)
    assert [offset for partition, offset in addresses(skipping.poll()) if partition == 0] == [2]
    with pytest.raises(OffsetOutOfRange, match=r"only 2 to 3 is kept"):
        strict.poll()


def test_compacted_records_are_stepped_over(bus: MemoryBus) -> None:
    fill(bus)
    consumer = MemoryConsumer(bus, "g", [A])
    consumer.poll(4)
    bus.compact(A)
    assert addresses(consumer.poll()) == [(1, 2), (2, 2), (3, 2), (0, 2)]
    assert consumer.lag() == 0


def test_a_topic_that_comes_later_is_shared_out_then() -> None:
    bus = MemoryBus()
    consumer = MemoryConsumer(bus, "g", [A])
    assert owned(consumer) == []
    bus.create(TOPICS.configs)
    assert owned(consumer) == [0, 1, 2, 3]


def test_a_topic_that_is_deleted_is_taken_away(bus: MemoryBus) -> None:
    fill(bus)
    consumer = MemoryConsumer(bus, "g", [A, B])
    consumer.poll()
    bus.delete(A)
    assert owned(consumer, A) == []
    assert consumer.poll() == []


@given(st.data())
def test_at_least_once_whatever_happens(data: st.DataObject) -> None:
    """Members join, crash, are given up, poll and commit at random: every record is processed."""
    bus = MemoryBus(TOPICS.configs)
    fill(bus, count=5)
    members = [MemoryConsumer(bus, "g", [A])]
    seen: Counter[tuple[int, int]] = Counter()
    for _ in range(data.draw(st.integers(0, 25))):
        member = data.draw(st.sampled_from(members))
        match data.draw(st.sampled_from(["poll", "poll", "commit", "join", "crash", "evict"])):
            case "poll":
                seen.update(addresses(member.poll(data.draw(st.integers(1, 6)))))
            case "commit" if member.assignment:
                member.commit({tp: member.position(tp) for tp in member.assignment})
            case "join":
                members.append(MemoryConsumer(bus, "g", [A]))
            case "crash" if len(members) > 1:
                members.remove(member)
                member.crash()
            case "evict":
                member.evict()
        everyone = [tp for m in members for tp in m.assignment]
        assert len(everyone) == len(set(everyone))
    for member in members:
        while records := member.poll():
            seen.update(addresses(records))
    for member in members:  # the polls above may have moved partitions once more
        while records := member.poll():
            seen.update(addresses(records))
    assert set(seen) == {(p, i) for p in range(4) for i in range(5)}
