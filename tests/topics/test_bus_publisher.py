"""What only the in-process publisher can show: what a dying process leaves behind."""

import pytest

from topics.bus import MemoryBus, MemoryPublisher
from topics.records import DeliveryFailed, Outgoing
from topics.registry import Topics

SPEC = Topics(partitions=1).klines


def out(value: bytes) -> Outgoing:
    return Outgoing(SPEC.name, b"k", value, 1)


def values(bus: MemoryBus) -> list[bytes | None]:
    return [record.value for record in bus.records(SPEC.name)]


async def test_records_wait_for_the_flush() -> None:
    bus = MemoryBus(SPEC)
    publisher = MemoryPublisher(bus)
    publisher.send(out(b"1"))
    assert values(bus) == []
    await publisher.flush()
    assert values(bus) == [b"1"]


async def test_an_eager_one_does_not_wait() -> None:
    bus = MemoryBus(SPEC)
    publisher = MemoryPublisher(bus, eager=True)
    publisher.send(out(b"1"))
    assert values(bus) == [b"1"]
    await publisher.close()
    assert values(bus) == [b"1"]


@pytest.mark.parametrize("delivered", range(4))
async def test_a_crash_leaves_a_beginning_of_what_was_sent(delivered: int) -> None:
    bus = MemoryBus(SPEC)
    publisher = MemoryPublisher(bus)
    for value in (b"1", b"2", b"3"):
        publisher.send(out(value))
    publisher.crash(delivered)
    await publisher.flush()
    assert values(bus) == [b"1", b"2", b"3"][:delivered]


async def test_a_bus_that_is_off_is_a_failed_delivery() -> None:
    bus = MemoryBus(SPEC)
    publisher = MemoryPublisher(bus)
    publisher.send(out(b"1"))
    bus.available = False
    with pytest.raises(DeliveryFailed, match="switched off"):
        await publisher.flush()
    bus.available = True
    with pytest.raises(DeliveryFailed):  # what came behind it must not be persisted
        await publisher.flush()
    assert values(bus) == []


async def test_nothing_behind_a_failed_record_is_delivered() -> None:
    bus = MemoryBus(SPEC)
    publisher = MemoryPublisher(bus)
    for outgoing in (out(b"1"), Outgoing("nope", b"k", b"2", 1), out(b"3")):
        publisher.send(outgoing)
    with pytest.raises(DeliveryFailed, match="no topic nope"):
        await publisher.flush()
    assert values(bus) == [b"1"]
