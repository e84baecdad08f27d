"""Users' alerts through a real worker: what fires is what fires in one process, in every frequency."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from schemas.triggers import Fired
from tests.e2e.effects import Effects, effects, effects_of, require_equal
from tests.e2e.good_inputs import FREQUENCIES, SYMBOLS, alerts, feed
from tests.e2e.stack import stack
from tests.e2e.victims import outgoing
from tests.e2e.worlds import KafkaWorld, MemoryWorld, World
from topics.broker.choose import Broker

MINUTES: Final = 400
ALERTS: Final = 210

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def play(world: World) -> None:
    """Half of the alerts are there before the first bar, the others come when half of the bars are over.

    All are in force from the first bar on, so that those that come late are evaluated over bars long gone.
    """
    commands = [outgoing(world.topics.user_alerts, alert) for alert in alerts(ALERTS)]
    bars = list(feed(world.topics, MINUTES))
    early, late = commands[: ALERTS // 2], commands[ALERTS // 2 :]
    for records in (early, bars[: len(bars) // 2], late, bars[len(bars) // 2 :]):
        world.produce(records)
        world.settle()


def test_every_frequency_fires_as_in_one_process(kafka: Broker, tmp_path: Path) -> None:
    reference = MemoryWorld(tmp_path)
    play(reference)
    expected = effects_of(reference.pipeline)
    require_worth_comparing(expected)
    with stack(kafka, tmp_path) as real:
        pid = real.start("worker")
        world = KafkaWorld(real, "worker")
        play(world)
        assert real.pids() == {"worker": pid}
        require_equal(effects(world.records, world.topics, world.engine), expected)
        keyed = {(record.key, record.value) for record in world.records(world.topics.fired)}
    assert keyed == {(r.key, r.value) for r in reference.records(reference.topics.fired)}


def require_worth_comparing(expected: Effects) -> None:
    """All frequencies fire, each in its own way."""
    fired = list(expected.fired.values())
    by_frequency = {name: [one for one in fired if one.frequency == name] for name in FREQUENCIES}
    assert all(len(found) > 10 for found in by_frequency.values()), Counter(one.frequency for one in fired)
    assert set(fires_of(by_frequency["once"]).values()) == {1}
    assert max(fires_of(by_frequency["once_per_bar_close"]).values()) > 10
    assert [fires_of(fired)[f"alert-{n}"] for n in range(len(SYMBOLS))] == [MINUTES] * len(SYMBOLS)
    assert {one.user_id for one in fired} == {"alice"}
    assert not expected.triggers


def fires_of(fired: list[Fired]) -> Counter[str]:
    return Counter(one.alert_id for one in fired)
