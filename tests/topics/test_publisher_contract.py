"""What a publisher promises, written once: kept by the in-process one and by Kafka's on a real broker."""

import asyncio
from uuid import uuid4

import pytest

from tests.topics.worlds import KafkaWorld, MemoryWorld, World
from topics.dead_letters import MAX_VALUE, dead_letter, read_dead_letter
from topics.partitioner import partition_for
from topics.records import DeliveryFailed, Outgoing, Record
from topics.registry import Topics
from topics.spec import MIB

QUICK_MS = 5_000
"""After so long a record that nobody takes has failed; what is taken may take longer on a busy machine."""


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.e2e)], scope="module")
def world(request: pytest.FixtureRequest) -> World:
    topics = Topics(f"t{uuid4().hex[:12]}", partitions=3)
    if request.param == "memory":
        return MemoryWorld(topics)
    return KafkaWorld(request.getfixturevalue("kafka").bootstrap, topics)


def mine(records: list[Record], mark: bytes) -> list[Record]:
    """Those of one test: the tests of a world share its topics."""
    return [record for record in records if record.value is not None and record.value.startswith(mark)]


async def test_a_record_arrives_as_it_was_sent(world: World) -> None:
    spec = world.topics.klines
    sent = Outgoing(
        spec.name, b"BTCUSDT", b"whole:\x00\xff", 1_750_000_020_000, (("a", b"1"), ("a", b""), ("b", b"2"))
    )
    publisher = world.publisher()
    publisher.send(sent)
    await publisher.flush()
    (record,) = mine(world.records(spec), b"whole:")
    assert Outgoing(record.topic, record.key, record.value, record.timestamp_ms, record.headers) == sent


async def test_keys_decide_partitions_as_in_java(world: World) -> None:
    spec = world.topics.klines
    keys = [b"SYM%dUSDT" % i for i in range(60)] + [b"\xff\x00", b"x" * 1_000]
    publisher = world.publisher()
    for key in keys:
        publisher.send(Outgoing(spec.name, key, b"keys:", 1))
    await publisher.flush()
    arrived = {record.key: record.partition for record in mine(world.records(spec), b"keys:")}
    assert arrived == {key: partition_for(key, 3) for key in keys}


async def test_the_order_within_a_partition_is_the_order_of_sending(world: World) -> None:
    spec = world.topics.klines
    publisher = world.publisher()
    for i in range(600):
        publisher.send(Outgoing(spec.name, b"K%d" % (i % 7), b"order:%d" % i, i + 1))
        if i % 100 == 0:
            await publisher.flush()
    await publisher.flush()
    arrived = mine(world.records(spec), b"order:")
    assert len(arrived) == 600  # each once
    for partition in range(3):
        numbers = [int((r.value or b"").split(b":")[1]) for r in arrived if r.partition == partition]
        assert numbers == sorted(numbers)


async def test_a_partition_may_be_chosen(world: World) -> None:
    spec = world.topics.klines
    publisher = world.publisher()
    for partition in range(3):
        publisher.send(Outgoing(spec.name, b"BTCUSDT", b"chosen:", 1, (), partition))
    await publisher.flush()
    assert [record.partition for record in mine(world.records(spec), b"chosen:")] == [0, 1, 2]


async def test_a_tombstone_is_a_null_value(world: World) -> None:
    spec = world.topics.configs
    publisher = world.publisher()
    publisher.send(Outgoing(spec.name, b"btc-dip", None, 1))
    await publisher.flush()
    assert [(record.key, record.value) for record in world.records(spec)] == [(b"btc-dip", None)]


async def test_a_record_needs_no_key(world: World) -> None:
    spec = world.topics.klines
    publisher = world.publisher()
    publisher.send(Outgoing(spec.name, None, b"keyless:", 1))
    await publisher.flush()
    (record,) = mine(world.records(spec), b"keyless:")
    assert record.key is None


async def test_flushing_nothing_returns(world: World) -> None:
    await world.publisher().flush()


async def test_the_largest_dead_letter_fits(world: World) -> None:
    source = world.topics.klines.name
    received = Record(source, 2, 7, 1, b"k" * 5_000, b"huge:" + b"v" * (3 * MIB), (("h", b"x" * 60_000),))
    publisher = world.publisher()
    publisher.send(dead_letter(received, "TooLarge", "3145733 bytes"))
    await publisher.flush()
    (record,) = mine(world.records(world.topics.dlq(source)), b"huge:")
    letter = read_dead_letter(record)
    assert record.partition == 2
    assert letter.cut
    assert letter.record.value == (received.value or b"")[:MAX_VALUE]
    assert (letter.record.address, letter.error_class) == (received.address, "TooLarge")


REFUSED = {
    "too large for its topic": lambda topics: Outgoing(topics.klines.name, b"k", b"x" * (3 * MIB // 2), 1),
    "too large for any request": lambda topics: Outgoing(topics.klines.name, b"k", b"x" * (5 * MIB), 1),
    "without a key on a compacted topic": lambda topics: Outgoing(topics.positions.name, None, b"x", 1),
    "for a topic that is not there": lambda topics: Outgoing("nobody.made.this", b"k", b"x", 1),
    "for a partition that is not there": lambda topics: Outgoing(topics.klines.name, b"k", b"x", 1, (), 77),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
async def test_a_record_that_cannot_be_delivered_ends_the_publisher(world: World, refused: object) -> None:
    assert callable(refused)
    spec = world.topics.klines
    publisher = world.publisher(QUICK_MS)
    publisher.send(refused(world.topics))
    with pytest.raises(DeliveryFailed) as first:
        await publisher.flush()
    with pytest.raises(DeliveryFailed):
        publisher.send(Outgoing(spec.name, b"k", b"after:", 1))
    with pytest.raises(DeliveryFailed, match=str(first.value)[:20].replace("[", r"\[")):
        await publisher.flush()
    assert mine(world.records(spec), b"after:") == []


async def test_a_new_publisher_goes_on_after_a_failure(world: World) -> None:
    spec = world.topics.klines
    failed, fresh = world.publisher(), world.publisher()
    failed.send(Outgoing(spec.name, b"k", b"x" * (3 * MIB // 2), 1))
    with pytest.raises(DeliveryFailed):
        await failed.flush()
    fresh.send(Outgoing(spec.name, b"k", b"fresh:", 1))
    await fresh.flush()
    assert len(mine(world.records(spec), b"fresh:")) == 1


async def test_others_run_while_a_flush_waits(world: World) -> None:
    publisher = world.publisher(QUICK_MS)
    publisher.send(Outgoing("nobody.made.this", b"k", b"x", 1))
    turns = 0
    flushing = asyncio.ensure_future(publisher.flush())
    while not flushing.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(DeliveryFailed):
        await flushing
    assert turns >= (1 if isinstance(world, MemoryWorld) else 5)
