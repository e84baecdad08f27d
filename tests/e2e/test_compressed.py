"""Producers compress as they like: whichever codec a feed or a user's program chose, worker and executor read it."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.events import BotEvent
from schemas.triggers import Fired
from tests.deadline import DEADLINE_S
from tests.e2e.effects import messages
from tests.e2e.good_inputs import alerts, bots, feed
from tests.e2e.stack import stack
from tests.e2e.victims import outgoing
from topics.broker.choose import Broker
from topics.connection import KafkaSettings
from topics.records import Outgoing

CODECS = ("gzip", "snappy", "lz4", "zstd")

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def produce(settings: KafkaSettings, codec: str, records: list[Outgoing]) -> None:
    producer = Producer(
        settings.for_confluent() | {"compression.type": codec, "linger.ms": 50, "enable.idempotence": True}
    )
    for record in records:
        producer.produce(
            record.topic, record.value, record.key, record.partition or 0, timestamp=record.timestamp_ms
        )
    assert producer.flush(DEADLINE_S) == 0


def test_every_codec_is_read(kafka: Broker, tmp_path: Path) -> None:
    with stack(kafka, tmp_path) as real:
        started = {name: real.start(name) for name in ("worker", "executor")}
        bars = list(feed(real.topics, 5 * len(CODECS)))
        share = len(bars) // len(CODECS)
        for n, codec in enumerate(CODECS):
            # An alert and a bot of every codec too: the bot's is read by the executor.
            named = [outgoing(real.topics.configs, bots(len(CODECS))[n])]
            named += [outgoing(real.topics.user_alerts, alerts(len(CODECS))[n])]
            produce(real.settings, codec, named + bars[n * share : (n + 1) * share])
        real.wait_settled(*started)
        assert real.pids() == started
        events = messages(real.records, real.topics.events)
        accepted = {e.subject for e in events if isinstance(e, BotEvent) and e.event == "accepted"}
        fired = [one for one in messages(real.records, real.topics.fired) if isinstance(one, Fired)]
    assert accepted == {f"bot-{n}" for n in range(len(CODECS))}
    assert [sum(one.alert_id == f"alert-{n}" for one in fired) for n in range(len(CODECS))] == [20] * len(
        CODECS
    )
