"""Two thousand malformed records on all consumed topics, one to one with good ones.

No process ends, each bad one is a dead letter with its address and a reason (or is answered by an event, where its
form is right and its content is not), and the good ones have exactly the effect that they have alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
import pytest

from schemas.events import BotEvent
from schemas.triggers import Trigger
from tests.e2e.bad import Bad, Dead, Told, TriggerDies
from tests.e2e.effects import effects, messages, require_equal
from tests.e2e.good_inputs import PAUSED, SYMBOLS, alerts, bots, feed, paused_bot
from tests.e2e.malformed import TWO_THOUSAND, Counts, keyless_config, malformed, oversized
from tests.e2e.stack import stack
from tests.e2e.victims import outgoing
from tests.e2e.worlds import KafkaWorld, MemoryWorld, Place, World
from topics.broker.choose import Broker
from topics.codec import decode
from topics.dead_letters import MAX_VALUE, DeadLetter, read_dead_letter
from topics.records import Outgoing, Record
from topics.spec import MIB, TopicSpec

CONSUMED: Final = ("klines", "configs", "user_alerts", "alerts", "triggers")


class Scale(NamedTuple):
    """How many bad records of each topic; as many bots and alerts are good, and so many minutes of bars."""

    bad: Counts
    minutes: int


SMALL: Final = Scale({name: count // 7 for name, count in TWO_THOUSAND.items()}, 16)
FULL: Final = Scale(TWO_THOUSAND, 100)


def test_in_process(tmp_path: Path) -> None:
    world, clean = MemoryWorld(tmp_path / "mixed"), MemoryWorld(tmp_path / "clean")
    placed = mix(world, SMALL, half_way=world.restart_evaluator)
    mix(clean, SMALL, with_bad=False)
    require_all_told(world, placed, SMALL)
    require_the_same(world, clean, placed, SMALL)
    require_refused_at_the_edge(world)


@pytest.mark.e2e
@pytest.mark.slow
def test_on_the_broker(kafka: Broker, tmp_path: Path) -> None:
    clean = MemoryWorld(tmp_path)
    mix(clean, FULL, with_bad=False)
    with stack(kafka, tmp_path) as real:
        started = {name: real.start(name) for name in ("worker", "executor")}
        world = KafkaWorld(real, "worker", "executor")
        placed = mix(world, FULL)
        assert real.pids() == started
        assert len(placed) == 2_000
        require_all_told(world, placed, FULL)
        require_the_same(world, clean, placed, FULL)
        require_refused_at_the_edge(world)
        world.settle()
        assert real.pids() == started


def mix(
    world: World, scale: Scale, *, with_bad: bool = True, half_way: Callable[[], None] = lambda: None
) -> dict[Place, Bad]:
    """Produce everything, good and bad by turns; where the bad ones are. Bots are known before bars begin."""
    topics = world.topics
    bad = malformed(topics, world.accepted_size, scale.bad) if with_bad else {name: [] for name in CONSUMED}
    configs = [outgoing(topics.configs, bot) for bot in (paused_bot(), *bots(scale.bad["configs"]))]
    commands = [outgoing(topics.user_alerts, alert) for alert in alerts(scale.bad["user_alerts"])]
    placed = by_turns(world, configs, bad["configs"]) | by_turns(world, commands, bad["user_alerts"])
    world.settle()
    bars = list(feed(topics, scale.minutes))
    first = len(SYMBOLS) * 2
    by_turns(world, bars[:first], [])  # what comes before a symbol's first bar would be its origin
    rest = [*bad["klines"], *bad["alerts"], *bad["triggers"]]
    Random(1).shuffle(rest)
    middle = len(rest) // 2
    placed |= by_turns(world, bars[first : first + middle], rest[:middle])
    world.settle()
    half_way()
    placed |= by_turns(world, bars[first + middle :], rest[middle:])
    world.settle()
    return placed


def by_turns(world: World, good: Sequence[Outgoing], bad: Sequence[Bad]) -> dict[Place, Bad]:
    order = [one for pair in zip_longest(good, bad) for one in pair if one is not None]
    places = world.produce([one.outgoing if isinstance(one, Bad) else one for one in order])
    return {place: one for place, one in zip(places, order, strict=True) if isinstance(one, Bad)}


def require_all_told(world: World, placed: dict[Place, Bad], scale: Scale) -> None:
    """Every bad record has met its fate, and there is no dead letter too many."""
    assert Counter(place.topic for place in placed) == {
        getattr(world.topics, name).name: count for name, count in scale.bad.items()
    }
    letters = dead_letters(world)
    caused = {group_of(bad): bad.fate for bad in placed.values() if isinstance(bad.fate, TriggerDies)}
    for place, bad in placed.items():
        if isinstance(bad.fate, Dead):
            require_dead(letters.pop(place, None), bad, bad.fate.error_class, place)
    for letter in letters.values():
        trigger = decode(letter.record, world.topics.triggers)
        assert isinstance(trigger, Trigger)
        assert letter.error_class == caused.pop(trigger.group_id).error_class
    assert not caused
    told = Counter(Told(event.event, event.subject, event.field) for event in events(world))
    expected = Counter(fate for bad in placed.values() if isinstance(fate := bad.fate, Told))
    missing = [fate for fate, count in expected.items() if told[fate] < count]
    assert not missing


def dead_letters(world: World) -> dict[Place, DeadLetter]:
    """What the dead-letter topics hold, by where the record was; each record once, on its partition's number."""
    found: dict[Place, DeadLetter] = {}
    for name in CONSUMED:
        spec: TopicSpec = getattr(world.topics, name)
        for record in world.records(world.topics.dlq(spec.name)):
            letter = read_dead_letter(record)
            place = Place(letter.record.topic, letter.record.partition, letter.record.offset)
            assert place not in found, f"{place} was dead-lettered twice"
            assert (place.topic, place.partition) == (spec.name, record.partition)
            found[place] = letter
    return found


def require_dead(letter: DeadLetter | None, bad: Bad, error_class: str, place: Place) -> None:
    assert letter is not None, f"{bad.kind}: {place} is on no dead-letter topic"
    sent = bad.outgoing
    assert letter.error_class == error_class, f"{bad.kind}: {letter.error_class}: {letter.reason}"
    assert letter.reason
    assert letter.record.key == sent.key
    assert letter.record.value == (None if sent.value is None else sent.value[:MAX_VALUE])
    assert letter.record.timestamp_ms == sent.timestamp_ms


def group_of(bad: Bad) -> str:
    value = msgspec.json.decode(bad.outgoing.value or b"")
    return str(value["group_id"])


def events(world: World) -> list[BotEvent]:
    return [m for m in messages(world.records, world.topics.events) if isinstance(m, BotEvent)]


def require_the_same(world: World, clean: World, placed: dict[Place, Bad], scale: Scale) -> None:
    """The good records had the effect that they have where there are no bad ones."""

    def good(spec: TopicSpec) -> list[Record]:
        found = world.records(spec)
        return [r for r in found if Place(*r[:3]) not in placed and b"forged-" not in (r.value or b"")]

    actual = effects(good, world.topics, world.engine)
    require_equal(actual, effects(clean.records, clean.topics, clean.engine))
    accepted = {event.subject for event in events(world) if event.event == "accepted"}
    assert accepted == {PAUSED, *(bot.bot_id for bot in bots(scale.bad["configs"]))}
    fires = Counter(fired.alert_id for fired in actual.fired.values())
    assert [fires[f"alert-{n}"] for n in range(len(SYMBOLS))] == [scale.minutes] * len(SYMBOLS), (
        "one for each bar"
    )
    assert len(actual.deals) > scale.bad["configs"] / 2
    assert any(deal["safety_orders_filled"] for deal in actual.deals)
    for name in CONSUMED:
        assert len(good(getattr(world.topics, name))) >= scale.bad[name], "one to one"


def require_refused_at_the_edge(world: World) -> None:
    """2 MB without compression, and a null key on a compacted topic, do not even get onto a topic."""
    for bad in oversized(world.topics, 2 * MIB):
        assert world.refuses(bad.outgoing), bad.outgoing.topic
    assert world.refuses(keyless_config(world.topics))
