"""Every client of ours puts a key where the partitioner says, on a real broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiokafka
import faust
import pytest
from confluent_kafka import Producer

from tests.topics.worlds import KafkaWorld
from topics.broker.choose import Broker
from topics.connection import KafkaSettings
from topics.partitioner import partition_for
from topics.registry import Topics

pytestmark = pytest.mark.e2e

KEYS = [b"%sUSDT" % base for base in (b"BTC", b"ETH", b"SOL", b"BNB", b"1000PEPE")] + [
    *(b"SYM%d" % i for i in range(80)),
    "größe".encode(),
    b"\x00\xff",
    b"x" * 500,
]
EXPECTED = {key: partition_for(key, 12) for key in KEYS}


@pytest.fixture
def world(kafka: Broker) -> KafkaWorld:
    return KafkaWorld(kafka.bootstrap, Topics(f"t{uuid4().hex[:12]}"))


def landed(world: KafkaWorld) -> dict[bytes, int]:
    return {record.key or b"": record.partition for record in world.records(world.topics.klines)}


def produce(settings: KafkaSettings, topic: str, **options: str) -> None:
    producer = Producer(settings.for_confluent() | options)
    for key in KEYS:
        producer.produce(topic, key=key, value=b"x")
    assert producer.flush(60) == 0


def test_confluents_murmur2_random(world: KafkaWorld) -> None:
    produce(world.settings, world.topics.klines.name, partitioner="murmur2_random")
    assert landed(world) == EXPECTED


def test_confluents_default_would_not_do(world: KafkaWorld) -> None:
    produce(world.settings, world.topics.klines.name)
    elsewhere = [key for key, partition in landed(world).items() if partition != EXPECTED[key]]
    assert len(elsewhere) > len(KEYS) / 2


async def test_aiokafkas_default(world: KafkaWorld) -> None:
    producer = aiokafka.AIOKafkaProducer(**world.settings.for_aiokafka())
    await producer.start()
    try:
        for key in KEYS:
            await producer.send(world.topics.klines.name, b"x", key=key)
    finally:
        await producer.stop()
    assert landed(world) == EXPECTED


@asynccontextmanager
async def faust_app(settings: KafkaSettings) -> AsyncIterator[faust.App]:
    app = faust.App(f"app{uuid4().hex[:8]}", broker=settings.for_faust().url, autodiscover=False)
    await app.producer.start()
    try:
        yield app
    finally:
        await app.producer.stop()


async def test_fausts_aiokafka_driver(world: KafkaWorld) -> None:
    async with faust_app(world.settings) as app:
        for key in KEYS:
            await app.producer.send_and_wait(world.topics.klines.name, key, b"x", None, None, None)
    assert landed(world) == EXPECTED
