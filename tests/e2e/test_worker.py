"""The worker as a process on a real broker: commands in, triggers out, whoever dies in between."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.history import ReadBack, Wanted
from streams.history_kafka import KafkaReader
from tests.deadline import DEADLINE_S
from tests.e2e.stage import Stage, undisturbed
from tests.streams.evaluator import scenario
from topics.admin import TopicAdmin, TopicsDiffer
from topics.broker.choose import Broker
from topics.registry import Topics

pytestmark = pytest.mark.e2e
BARS = 240


@pytest.fixture
def stage(kafka: Broker, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(kafka.bootstrap, tmp_path)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    return undisturbed(BARS)


def test_klines_and_a_group_command_give_the_triggers_they_give_in_process(
    stage: Stage, expected: dict[str, bytes]
) -> None:
    worker = stage.worker()
    stage.arm()
    stage.feed(0, BARS)
    stage.answer_until(lambda: len(stage.seen) >= len(expected))
    assert stage.seen == expected
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_S) == 0


def test_kill_9_in_the_middle_changes_no_trigger(stage: Stage, expected: dict[str, bytes]) -> None:
    # Fed in thirds: a worker that had all bars at once might handle and save them before its fail-point counts.
    stage.arm()
    stage.feed(0, BARS // 3)
    first = stage.worker(STRIKELINE_FAILPOINTS="checkpoint.groups_row:2")
    stage.answer_until(lambda: first.poll() is not None)
    assert first.returncode == -signal.SIGKILL
    stage.feed(BARS // 3, BARS * 2 // 3)
    second = stage.worker(STRIKELINE_FAILPOINTS="checkpoint.partition_acknowledged:1")
    stage.answer_until(lambda: second.poll() is not None)
    assert second.returncode == -signal.SIGKILL
    assert len(stage.seen) < len(expected), "nothing is left for the third"
    third = stage.worker()
    half = len(expected) // 2
    stage.answer_until(lambda: len(stage.seen) >= half)
    third.kill()
    stage.feed(BARS * 2 // 3, BARS)
    stage.worker()
    stage.answer_until(lambda: len(stage.seen) >= len(expected))
    assert stage.seen == expected


def test_a_worker_does_not_start_on_topics_that_differ(stage: Stage) -> None:
    admin = TopicAdmin(stage.kafka)
    with pytest.raises(TopicsDiffer, match="partitions is 2, expected 3"):
        admin.require(Topics(stage.topics.namespace, 3, keep_history=True).all())
    stage.topics = Topics("e2e-nowhere", 2, keep_history=True)
    worker = stage.worker()
    assert worker.wait(DEADLINE_S) == 1


def test_bars_are_read_back_from_the_topic(stage: Stage) -> None:
    stage.feed(0, 50)
    reader = KafkaReader(stage.kafka, stage.topics.klines.name)
    history = ReadBack(reader, stage.topics.klines)
    wanted = {symbol: Wanted(10 * scenario.MINUTE, 40 * scenario.MINUTE) for symbol in scenario.SYMBOLS}
    found: dict[str, int] = {}
    for partition in range(2):
        bars = asyncio.run(history.read_back(partition, wanted, 0, 10**9))
        found = {symbol: found.get(symbol, 0) + len(bars[symbol]) for symbol in wanted}
    assert found == dict.fromkeys(scenario.SYMBOLS, 30)
