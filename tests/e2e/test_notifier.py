"""Alerts that fire reach their users: through a real worker and a real notifier, over HTTP, and past a kill -9."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import BrokerResponseError

from schemas.alerts import AlertCommand
from schemas.interval import MINUTE_MS
from schemas.market import Kline
from schemas.triggers import Bar, Fired
from sinks.notifier.offsets import read
from tests.deadline import DEADLINE_S
from tests.e2e.stack import Stack, stack
from tests.e2e.victims import outgoing
from tests.e2e.worlds import KafkaWorld, Place
from tests.sinks.notifier.webhook import webhook
from topics.broker.choose import Broker

START_MS: Final = 1_700_000_040_000
USERS: Final = ("alice", "bob", "carol", "dave")
EACH: Final = 100

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def wait_until(done: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)


def start(real: Stack, folder: Path, text: str) -> int:
    """A notifier with this file; its pid. What is tested here is old by the wall clock."""
    path = folder / "notifier.yaml"
    path.write_text(f"defaults: {{messages_per_minute: 600, old_alerts: send}}\n{text}")
    path.chmod(0o600)
    return real.start("notifier", "notifier", "--config", str(path), "--allow-private")


def channels(urls: dict[str, str]) -> str:
    return "users:\n" + "".join(f"  {user}: {{channels: ['{url}']}}\n" for user, url in urls.items())


def test_what_fires_arrives_once_with_its_values(kafka: Broker, tmp_path: Path) -> None:
    command = AlertCommand(
        alert_id="btc-high", user_id="alice", symbol="BTCUSDT", condition="close > sma(3)", frequency="once",
        message="{{symbol}} at {{close}} {{time}}: average {{sma(3)}}, RSI {{rsi(14)}}", effective_from_ms=START_MS,
    )  # fmt: skip
    closes = [100.5, 100.25, 100.0, 101.75, 102.0, 103.0]
    bars = [
        Kline(
            symbol="BTCUSDT", interval="1m", open_time_ms=START_MS + n * MINUTE_MS, open=close, high=close, low=close,
            close=close, volume=1.0,
        )
        for n, close in enumerate(closes)
    ]  # fmt: skip
    with webhook() as hook, stack(kafka, tmp_path, 2) as real:
        real.start("worker")
        start(real, tmp_path, channels({"alice": hook.url("ok/alice")}))
        world = KafkaWorld(real, "worker", "notifier")
        world.produce([outgoing(world.topics.user_alerts, command)])
        world.produce(outgoing(world.topics.klines, bar) for bar in bars)
        wait_until(lambda: bool(hook.received), lambda: real.log("notifier") + real.log("worker"))
        world.settle()
        wait_until(lambda: done_offsets(real) == 1, lambda: real.log("notifier"))
        text = "BTCUSDT at 101.75 2023-11-14T22:18:00Z: average 100.6666667, RSI n/a"
        assert [(body["title"], body["message"]) for _, body in hook.received] == [("BTCUSDT btc-high", text)]


def test_a_killed_notifier_loses_nothing_and_doubles_only_what_it_could_not_note(
    kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One channel hangs from the first record on: what others are told beyond it is noted all the same.

    The others hang too, from the middle on: however late the kill comes, something is left for the next life.
    """
    monkeypatch.setenv("STRIKELINE_NOTIFIER_DEADLINE", "120")  # what hangs is not tried again before the kill
    with webhook() as hook, stack(kafka, tmp_path, 1) as real:
        hook.first_paced = EACH * len(USERS) // 2
        world = KafkaWorld(real, "notifier")
        sent = [("erin", 1), *((user, number) for number in range(1, EACH + 1) for user in USERS)]
        places = world.produce(outgoing(world.topics.fired, fired(*one)) for one in sent)
        at = {f"{user} {number}": place for (user, number), place in zip(sent, places, strict=True)}
        urls = {user: hook.url(f"paced/{user}") for user in USERS}
        pid = start(real, tmp_path, channels(urls | {"erin": hook.url("slow")}))
        wait_until(lambda: bool(noted_done(real)), lambda: real.log("notifier"))
        os.kill(pid, signal.SIGKILL)
        real.wait_ended("notifier")
        noted = noted_done(real)
        before = set(hook.bodies)
        hook.go_on.set()
        assert 0 < len(noted) <= len(before) < len(sent)
        assert at["erin 1"] not in noted
        start(real, tmp_path, channels(urls | {"erin": hook.url("ok")}))
        wait_until(lambda: set(hook.bodies) == at.keys(), lambda: real.log("notifier"))
        wait_until(lambda: done_offsets(real) == len(sent), lambda: real.log("notifier"))
        twice = {body for body in hook.bodies if hook.bodies.count(body) > 1}
        assert twice <= {body for body in before if at[body] not in noted}
        assert max(hook.bodies.count(body) for body in hook.bodies) <= 2
        assert real.records(world.topics.dlq(world.topics.fired.name)) == []


def fired(user: str, number: int) -> Fired:
    bar = Bar(
        interval="1m", open_time_ms=START_MS, close_time_ms=START_MS + MINUTE_MS, open=1, high=1, low=1, close=1,
        volume=1,
    )  # fmt: skip
    return Fired(
        fired_id=f"{user}-{number}", alert_id="alert", user_id=user, symbol="BTCUSDT", bar=bar, generation=1,
        frequency="every", fire_number=number, message=f"{user} {number}",
    )  # fmt: skip


async def _committed(real: Stack) -> dict[int, tuple[int, str]]:
    # Not with confluent-kafka: its metadata have bytes of other memory at their end.
    admin = AIOKafkaAdminClient(**real.settings.for_aiokafka())
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(real.topics.group("notifier"))
    except BrokerResponseError as error:
        if not error.retriable:
            raise
        return {}  # the group is new
    finally:
        await admin.close()
    return {tp.partition: (told.offset, told.metadata) for tp, told in found.items() if told.offset >= 0}


def committed(real: Stack) -> dict[int, tuple[int, str]]:
    """Where the notifier's group stands, by partition, with the metadata."""
    return asyncio.run(_committed(real))


def noted_done(real: Stack) -> set[Place]:
    """The records that a next life knows to be done."""
    return {
        Place(real.topics.fired.name, partition, offset)
        for partition, (first, metadata) in committed(real).items()
        for offset in {*range(first), *read(first, metadata)}
    }


def done_offsets(real: Stack) -> int:
    return sum(first for first, _ in committed(real).values())
