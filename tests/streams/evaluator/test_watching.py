"""What ends a process on purpose, and what it refuses to start with."""

from typing import NoReturn

import pytest
from pydantic import ValidationError

from streams.config import WorkerSettings
from streams.guard import NO_MEMBER, GuardedPublisher, StandstillGuard, watched
from streams.inprocess import EvaluatorWorker
from streams.metrics import StationCollector
from streams.watchdog import NO_PROGRESS, Behind, Watchdog
from streams.worker import lagging
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import TOPICS
from topics.bus import MemoryPublisher
from topics.records import Outgoing


class Ended(Exception):
    """Stands for the end of the process."""


def end(code: int) -> NoReturn:
    raise Ended(code)


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_worker_that_stood_still_for_half_its_session_ends_before_it_sends() -> None:
    clock, bus = Clock(), scenario.new_bus(0)
    guard = StandstillGuard(10.0, clock, end)
    publisher = GuardedPublisher(MemoryPublisher(bus, eager=True), guard)
    outgoing = Outgoing(TOPICS.triggers.name, b"bot", b"{}", 1)
    publisher.send(outgoing)
    guard.alive("heartbeats")
    clock.at += 4.9
    publisher.send(outgoing)
    clock.at += 0.2
    with pytest.raises(Ended, match=str(NO_MEMBER)):
        publisher.send(outgoing)
    with pytest.raises(Ended):
        guard.alive("heartbeats")
    guard.forget("heartbeats")
    publisher.send(outgoing)
    assert len(bus.records(TOPICS.triggers.name)) == 3


async def test_a_worker_that_wakes_ends_before_it_learns_that_it_was_given_up() -> None:
    clock, answers = Clock(), [True, True, False]

    async def heartbeat() -> bool:
        return answers.pop(0)

    guard = StandstillGuard(10.0, clock, end)
    beat = watched(heartbeat, guard)
    assert await beat()
    clock.at += 4.9
    assert await beat()
    clock.at += 5.1
    with pytest.raises(Ended):
        await beat()
    assert answers == [False]


async def test_a_suspension_between_heartbeat_and_answer_is_seen() -> None:
    clock = Clock()

    async def slow() -> bool:
        clock.at += 5.1
        return True

    async def fast() -> bool:
        return True

    guard = StandstillGuard(10.0, clock, end)
    assert await watched(fast, guard)()
    with pytest.raises(Ended):
        await watched(slow, guard)()


Sight = dict[str, Behind]


def behind(mark: object) -> Behind:
    return Behind(mark, f"@{mark} of 9")


async def test_no_progress_while_there_is_lag_ends_the_process() -> None:
    clock, sights = Clock(), [{"t[0]": behind(1)}]

    async def look() -> Sight:
        return sights[-1]

    watchdog = Watchdog(look, 60.0, clock, end)
    await watchdog.check()
    clock.at += 59
    await watchdog.check()
    sights.append({"t[0]": behind(2)})
    clock.at += 5
    await watchdog.check()
    clock.at += 59
    await watchdog.check()
    clock.at += 2
    with pytest.raises(Ended, match=str(NO_PROGRESS)):
        await watchdog.check()


async def test_a_partition_that_stands_still_is_not_hidden_by_others_that_move(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()

    async def look() -> Sight:
        return {"t[0]": behind(clock.at), "t[1]": behind(5)}

    watchdog = Watchdog(look, 60.0, clock, end)
    for _ in range(12):
        await watchdog.check()
        clock.at += 5
    with pytest.raises(Ended):
        await watchdog.check()
    assert "t[1]@5 of 9" in caplog.text
    assert "t[0]" not in caplog.text


@pytest.mark.parametrize(
    "who, what, moves",
    [
        ("klines[0]", ("klines", 0), True),
        ("klines[0]", ("alerts", 0), True),  # commands come first
        ("klines[0]", ("klines", 1), False),
        ("alerts[0]", ("klines", 0), False),
        ("alerts[0]", ("users", 0), True),  # one queue
        ("alerts[0]", ("alerts", 1), False),
        ("alerts[0]", 0, True),  # bars are read back for it
        ("alerts[0]", 1, False),
    ],
)
def test_what_counts_as_progress_of_a_source(who: str, what: object, moves: bool) -> None:
    positions = {(topic, n): 5 for topic in ("klines", "alerts", "users") for n in (0, 1)}
    ends = dict.fromkeys(positions, 9)
    before = lagging(positions, ends, {}, "klines")
    after = (
        lagging({at: offset + (at == what) for at, offset in positions.items()}, ends, {what: 1}, "klines")  # type: ignore[dict-item]
    )
    assert (before[who].mark != after[who].mark) == moves


def test_only_what_has_records_to_handle_is_named_with_how_far_it_is() -> None:
    found = lagging({("klines", 0): 5, ("alerts", 0): 2}, {("klines", 0): 9, ("alerts", 0): 2}, {}, "klines")
    assert {who: one.told for who, one in found.items()} == {"klines[0]": "@5 of 9"}


async def test_nothing_to_do_is_no_standstill_and_a_silent_broker_is() -> None:
    clock, silent = Clock(), False

    async def look() -> Sight:
        if silent:
            raise TimeoutError
        return {}

    watchdog = Watchdog(look, 60.0, clock, end)
    for _ in range(5):
        clock.at += 50
        await watchdog.check()
    silent = True
    clock.at += 50
    await watchdog.check()
    clock.at += 59
    await watchdog.check()
    clock.at += 2
    with pytest.raises(Ended):
        await watchdog.check()


def test_exactly_once_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="recovery can start empty"):
        WorkerSettings(processing_guarantee="exactly_once")
    monkeypatch.setenv("STRIKELINE_HOLD_BARS", "4000")
    with pytest.raises(ValidationError, match="2500"):
        WorkerSettings()
    with pytest.raises(ValidationError, match="third of session_timeout"):
        WorkerSettings(hold_bars=5, heartbeat_interval=5)
    with pytest.raises(ValidationError, match="more than hold_seconds"):
        WorkerSettings(hold_bars=5, hold_seconds=40, watchdog_seconds=20)


def test_settings_name_the_topics() -> None:
    assert WorkerSettings(namespace="demo", partitions=3).topics.klines.name == "demo.market.klines.v1"


async def test_metrics_tell_what_happened_and_where_it_stands() -> None:
    worker = EvaluatorWorker(scenario.new_bus(30), TOPICS)
    await worker.run_until_idle()
    samples = [s for family in StationCollector(worker.station).collect() for s in family.samples]
    happened = {s.labels["what"]: s.value for s in samples if "what" in s.labels}
    stands = {(s.labels["topic"], s.labels["partition"]): s.value for s in samples if "topic" in s.labels}
    assert happened["checkpoints"] >= 1
    assert sum(value for (topic, _), value in stands.items() if topic == TOPICS.klines.name) == 90
