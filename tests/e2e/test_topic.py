"""Klines read back from a real topic: by time, all partitions, what law 2 lets through."""

from pathlib import Path

import pytest

from streams.feeds.topic import TopicUnreadable, read_topic
from tests.e2e.stage import Stage
from tests.streams.evaluator import scenario
from topics.broker.choose import Broker
from topics.connection import KafkaSettings
from topics.records import Outgoing
from topics.registry import Topics

pytestmark = pytest.mark.e2e

BARS = 3_000


def test_a_stretch_of_a_topic_is_read_whatever_else_is_on_it(kafka: Broker, tmp_path: Path) -> None:
    stage = Stage(kafka.bootstrap, tmp_path)
    spec, symbols = stage.topics.klines, scenario.SYMBOLS
    stage.feed(0, BARS)
    stage.feed(BARS - 5, BARS)  # sent twice
    stage.send(Outgoing(spec.name, symbols[0].encode(), b"{", 0))
    stage.feed(BARS, BARS + 10)
    told: list[tuple[int, int]] = []
    everything = read_topic(stage.kafka, spec, progress=lambda read, of: told.append((read, of)))
    times = everything.file.frame["open_time"].unique().sort()
    assert everything.file.frame.height == (BARS + 10) * len(symbols)
    assert everything.file.symbols == sorted(symbols)
    assert everything.duplicates == 5 * len(symbols)
    assert (everything.undecodable, everything.late) == (1, 0)
    assert "NotJson" in everything.refused[0]
    assert told[-1] == (everything.records, everything.records)
    part = read_topic(stage.kafka, spec, symbols=[symbols[0]], from_ms=times[100], to_ms=times[200])
    assert part.file.frame["open_time"].to_list() == times[100:200].to_list()
    assert part.records < everything.records - 50  # what lies before was not read
    with pytest.raises(TopicUnreadable, match="has no closed klines"):
        read_topic(stage.kafka, spec, from_ms=times[-1] + 3_600_000)
    stage.close()


def test_a_topic_that_is_not_there_is_named(kafka: Broker) -> None:
    with pytest.raises(TopicUnreadable, match=r"there is no topic nobody\.market\.klines\.v1"):
        read_topic(KafkaSettings(bootstrap=kafka.bootstrap), Topics("nobody", 2).klines)
