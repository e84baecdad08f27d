"""The in-process bus: topics, offsets, policies."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.bus import MemoryBus, OffsetOutOfRange, Refused, TopicDiffers, Unavailable, UnknownTopic
from topics.partitioner import partition_for
from topics.records import Outgoing
from topics.registry import Topics

TOPICS = Topics(partitions=3)
KLINES, POSITIONS = TOPICS.klines, TOPICS.positions


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus(KLINES, POSITIONS)


def out(key: bytes | None, value: bytes | None = b"v", partition: int | None = None, at: int = 0) -> Outgoing:
    return Outgoing(KLINES.name, key, value, at, (), partition)


def positions(key: bytes | None, value: bytes | None) -> Outgoing:
    return Outgoing(POSITIONS.name, key, value, 0, (), 0)


def test_offsets_count_from_zero_within_a_partition(bus: MemoryBus) -> None:
    assert [bus.append(out(b"k", partition=p)) for p in (0, 0, 2, 0)] == [(0, 0), (0, 1), (2, 0), (0, 2)]
    assert [bus.end(KLINES.name, p) for p in range(3)] == [3, 0, 1]


@given(st.binary(max_size=20))
def test_a_key_decides_the_partition(key: bytes) -> None:
    partition, _ = MemoryBus(KLINES).append(out(key))
    assert partition == partition_for(key, 3)


def test_records_without_a_key_take_turns(bus: MemoryBus) -> None:
    assert [bus.append(out(None))[0] for _ in range(4)] == [0, 1, 2, 0]


def test_a_record_comes_out_as_it_went_in(bus: MemoryBus) -> None:
    bus.append(Outgoing(KLINES.name, b"k", b"v", 7, (("h", b"1"),), 1))
    (record,) = bus.read(KLINES.name, 1, 0)
    assert record == (KLINES.name, 1, 0, 7, b"k", b"v", (("h", b"1"),))
    assert bus.records(KLINES.name) == [record]


def test_reading_stops_at_the_limit_and_at_the_end(bus: MemoryBus) -> None:
    for i in range(5):
        bus.append(out(b"k", b"%d" % i, 0))
    assert [record.offset for record in bus.read(KLINES.name, 0, 1, limit=2)] == [1, 2]
    assert [record.offset for record in bus.read(KLINES.name, 0, 3)] == [3, 4]
    assert bus.read(KLINES.name, 0, 5) == []


@pytest.mark.parametrize("offset", [-1, 6])
def test_reading_outside_of_the_log_is_an_error(bus: MemoryBus, offset: int) -> None:
    for _ in range(5):
        bus.append(out(b"k", partition=0))
    with pytest.raises(OffsetOutOfRange):
        bus.read(KLINES.name, 0, offset)


def test_truncated_records_are_gone_for_good(bus: MemoryBus) -> None:
    for i in range(5):
        bus.append(out(b"k", b"%d" % i, 0))
    bus.truncate(KLINES.name, 0, 3)
    assert (bus.begin(KLINES.name, 0), bus.end(KLINES.name, 0)) == (3, 5)
    with pytest.raises(OffsetOutOfRange) as gone:
        bus.read(KLINES.name, 0, 2)
    assert (gone.value.begin, gone.value.end) == (3, 5)
    assert [record.value for record in bus.read(KLINES.name, 0, 3)] == [b"3", b"4"]
    assert bus.append(out(b"k", partition=0)) == (0, 5)


def test_truncating_everything_keeps_the_end(bus: MemoryBus) -> None:
    bus.append(out(b"k", partition=0))
    bus.truncate(KLINES.name, 0, 99)
    assert (bus.begin(KLINES.name, 0), bus.end(KLINES.name, 0)) == (1, 1)
    assert bus.read(KLINES.name, 0, 1) == []


def test_time_finds_an_offset(bus: MemoryBus) -> None:
    for at in (10, 20, 20, 15, 30):
        bus.append(out(b"k", partition=0, at=at))
    found = [bus.offset_at(KLINES.name, 0, time) for time in (0, 11, 20, 21, 31)]
    assert found == [0, 1, 1, 4, 5]


def test_compaction_keeps_the_last_of_each_key(bus: MemoryBus) -> None:
    for key, value in [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None), (b"c", b"1")]:
        bus.append(positions(key, value))
    bus.compact(POSITIONS.name)
    assert [(r.offset, r.key, r.value) for r in bus.records(POSITIONS.name)] == [
        (2, b"a", b"2"), (3, b"b", None), (4, b"c", b"1"),
    ]  # fmt: skip
    bus.compact(POSITIONS.name, drop_tombstones=True)
    assert [r.key for r in bus.records(POSITIONS.name)] == [b"a", b"c"]


def test_compaction_leaves_gaps_that_readers_step_over(bus: MemoryBus) -> None:
    for i in range(6):
        bus.append(positions(b"a" if i % 2 else b"b", b"%d" % i))
    bus.compact(POSITIONS.name)
    assert [record.offset for record in bus.read(POSITIONS.name, 0, 1)] == [4, 5]
    assert [record.offset for record in bus.read(POSITIONS.name, 0, 5)] == [5]
    assert (bus.begin(POSITIONS.name, 0), bus.end(POSITIONS.name, 0)) == (0, 6)


def test_compaction_leaves_the_tail_alone(bus: MemoryBus) -> None:
    for i in range(4):
        bus.append(positions(b"a", b"%d" % i))
    bus.compact(POSITIONS.name, keep_tail=2)
    assert [record.value for record in bus.records(POSITIONS.name)] == [b"2", b"3"]


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.binary(max_size=2))),
    st.integers(0, 9),
)
def test_compaction_never_changes_what_the_keys_say(
    writes: list[tuple[bytes, bytes | None]], keep_tail: int
) -> None:
    bus = MemoryBus(POSITIONS)
    for key, value in writes:
        bus.append(positions(key, value))
    before = {record.key: record.value for record in bus.records(POSITIONS.name)}
    bus.compact(POSITIONS.name, keep_tail=keep_tail)
    offsets = [record.offset for record in bus.records(POSITIONS.name)]
    assert {record.key: record.value for record in bus.records(POSITIONS.name)} == before
    assert offsets == sorted(offsets)
    assert bus.end(POSITIONS.name, 0) == len(writes)
    for offset in range(len(writes)):
        assert [r.offset for r in bus.read(POSITIONS.name, 0, offset)] == [o for o in offsets if o >= offset]


def test_a_compacted_topic_needs_keys(bus: MemoryBus) -> None:
    with pytest.raises(Refused, match="needs keys"):
        bus.append(positions(None, b"v"))


def test_a_record_beyond_the_topics_limit_is_refused(bus: MemoryBus) -> None:
    limit = int(KLINES.configs["max.message.bytes"])
    bus.append(out(b"k", b"x" * (limit - 100)))
    with pytest.raises(Refused, match="the limit is"):
        bus.append(out(b"k", b"x" * limit))
    with pytest.raises(Refused, match="the limit is"):
        bus.append(Outgoing(KLINES.name, b"k", b"", 0, (("h", b"x" * limit),)))


def test_what_is_not_there_cannot_be_used(bus: MemoryBus) -> None:
    with pytest.raises(UnknownTopic, match="no topic nope"):
        bus.append(Outgoing("nope", b"k", b"v", 0))
    for partition in (-1, 3):
        with pytest.raises(UnknownTopic, match="no partition"):
            bus.append(out(b"k", partition=partition))


def test_creating_again_changes_nothing(bus: MemoryBus) -> None:
    bus.append(out(b"k", partition=0))
    before = bus.topic_id(KLINES.name)
    bus.create(KLINES)
    assert (bus.end(KLINES.name, 0), bus.topic_id(KLINES.name)) == (1, before)
    assert bus.topics() == sorted([KLINES.name, POSITIONS.name])


def test_partitions_never_grow(bus: MemoryBus) -> None:
    with pytest.raises(TopicDiffers, match="3 partitions, not 4"):
        bus.create(dataclasses.replace(KLINES, partitions=4))
    assert bus.partition_counts()[KLINES.name] == 3


def test_a_topic_created_anew_is_another_one(bus: MemoryBus) -> None:
    bus.append(out(b"k", partition=0))
    bus.commit("g", {(KLINES.name, 0): 1, (POSITIONS.name, 0): 0})
    before = bus.topic_id(KLINES.name)
    bus.delete(KLINES.name)
    bus.create(KLINES)
    assert bus.topic_id(KLINES.name) != before
    assert bus.end(KLINES.name, 0) == 0
    assert bus.committed("g", KLINES.name, 0) is None
    assert bus.committed("g", POSITIONS.name, 0) == 0


def test_a_bus_that_is_switched_off_takes_nothing(bus: MemoryBus) -> None:
    bus.available = False
    with pytest.raises(Unavailable):
        bus.append(out(b"k"))
    bus.available = True
    assert bus.append(out(b"k", partition=0)) == (0, 0)
