"""`strikeline alerts` and `explain` on a real broker, with a real worker: what they send arrives, and what they say is
so.
"""

from pathlib import Path

import pytest

from schemas.triggers import Fired
from tests.deadline import DEADLINE_S
from tests.e2e.good_inputs import START_MS, SYMBOLS, feed, minute
from tests.e2e.stack import stack
from tests.e2e.worlds import KafkaWorld
from tests.streams.cli.commandline import CommandLine
from topics.broker.choose import Broker
from topics.codec import decode

MINUTES = 120
SYMBOL = SYMBOLS[0]
ALERTS = f"""
- {{alert_id: each, user_id: alice, symbol: {SYMBOL}, condition: close > 0, frequency: every}}
- {{alert_id: dip, user_id: alice, symbol: {SYMBOL}, condition: rsi(5) < 45, frequency: once_per_bar_close}}
- {{alert_id: first, user_id: alice, symbol: {SYMBOL}, condition: close > 0}}
"""

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_alerts_are_applied_listed_shown_and_deleted(kafka: Broker, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(ALERTS)
    with stack(kafka, tmp_path) as real:
        commands = CommandLine(real.cluster, tmp_path / "state", real.topics.partitions)
        world, bars = KafkaWorld(real, "worker"), list(feed(real.topics, MINUTES))
        half = len(bars) // 2

        def strikeline(*words: str) -> object:
            answer = commands("--namespace", real.topics.namespace, "alerts", *words, "--json")
            assert answer.code == 0, answer.err
            return answer.json

        sent = strikeline("apply", str(file), "--effective-from", str(START_MS))
        assert states(strikeline("list")) == {"each": "sent", "dip": "sent", "first": "sent"}, sent
        real.start("worker")
        world.produce(bars[:half])
        world.settle()
        again = strikeline("apply", str(file), "--effective-from", str(START_MS))
        assert [row["answer"] for row in rows(again)] == ["unchanged"] * 3
        listed = {row["alert_id"]: row for row in rows(strikeline("list"))}
        assert {name: row["state"] for name, row in listed.items()} == {"each": "active", "dip": "active"}
        assert listed["each"]["last_fired_ms"] == minute(MINUTES // 2)
        for name in ("each", "dip"):
            fired = [one for one in fires(world) if one.alert_id == name]
            assert (listed[name]["fires"], listed[name]["last_fired_ms"]) == (len(fired), last_close(fired))
        deleted = strikeline("delete", "each", "--wait", f"{DEADLINE_S:.0f}")
        assert [row["answer"] for row in rows(deleted)] == ["removed"]
        world.produce(bars[half:])
        world.settle()
        assert max(one.bar.close_time_ms for one in fires(world) if one.alert_id == "each") == minute(
            MINUTES // 2
        )
        everything = states(strikeline("list", "--all"))
        assert everything == {"each": "deleted", "dip": "active", "first": "fired"}
        dips = {one.bar.close_time_ms for one in fires(world) if one.alert_id == "dip"}
        for number in range(MINUTES - 6, MINUTES):
            words = ("explain", "dip", "--at", str(minute(number + 1)), "--json")
            told = commands("--namespace", real.topics.namespace, *words).json
            assert told["fired"] is (minute(number + 1) in dips), told["answer"]
        unknown = commands("--namespace", real.topics.namespace, "alerts", "delete", "each")
        assert (unknown.code, unknown.err) == (1, "strikeline: no alert each, it is deleted\n")


def rows(told: object) -> list[dict[str, object]]:
    assert isinstance(told, list)
    return told


def states(told: object) -> dict[object, object]:
    return {row["alert_id"]: row["state"] for row in rows(told)}


def fires(world: KafkaWorld) -> list[Fired]:
    found = [decode(record, world.topics.fired) for record in world.records(world.topics.fired)]
    return [one for one in found if isinstance(one, Fired)]


def last_close(fired: list[Fired]) -> int:
    return max(one.bar.close_time_ms for one in fired)
