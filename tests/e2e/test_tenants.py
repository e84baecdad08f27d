"""Law 15: ten thousand random references to what is another user's have no effect, and each is told why."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from schemas.alerts import GroupCommand
from schemas.events import BotEvent
from schemas.triggers import Trigger
from sinks.database.tables import bots as bot_rows
from sinks.database.tables import groups as group_rows
from tests.e2e.effects import effects, messages, require_equal
from tests.e2e.good_inputs import alerts, bot, bots, feed
from tests.e2e.trespasses import Intruder, Known, Trespass
from tests.e2e.victims import INTRUDER, outgoing
from tests.e2e.worlds import MemoryWorld, Place
from topics.dead_letters import read_dead_letter
from topics.records import Record
from topics.spec import TopicSpec

TRESPASSES: Final = 10_000
BOTS: Final = 20
ALERTS: Final = 40
OWN_BOT: Final = "mallorys-own"
MINUTES: Final = 60
ROUNDS: Final = 4


def play(world: MemoryWorld, *, trespassing: bool) -> dict[Place, Trespass]:
    """Everybody's bots and alerts, then bars; between them, in rounds, records about what is there by then."""
    topics = world.topics
    mine = bot(3, OWN_BOT, INTRUDER)
    world.produce(outgoing(topics.configs, config) for config in (*bots(BOTS), mine))
    world.produce(outgoing(topics.user_alerts, alert) for alert in alerts(ALERTS))
    bars = list(feed(topics, MINUTES))
    placed: dict[Place, Trespass] = {}
    for number in range(ROUNDS):
        world.produce(bars[number * len(bars) // ROUNDS : (number + 1) * len(bars) // ROUNDS])
        world.settle()
        if trespassing:
            intruder = Intruder(topics, known(world), number)
            wanted = [intruder.next() for _ in range(TRESPASSES // ROUNDS)]
            places = world.produce(one.outgoing for one in wanted)
            placed.update(zip(places, wanted, strict=True))
            world.settle()
    return placed


def known(world: MemoryWorld) -> Known:
    triggers = [m for m in messages(world.records, world.topics.triggers) if isinstance(m, Trigger)]
    commands = [m for m in messages(world.records, world.topics.alerts) if isinstance(m, GroupCommand)]
    return Known(
        [one for one in triggers if one.user_id == "alice"],
        [one for one in commands if one.user_id == "alice"],
        [one for one in alerts(ALERTS) if one.frequency != "once"],  # whose name stays taken
        bots(BOTS),
        OWN_BOT,
    )


def test_ten_thousand_cross_user_references_have_no_effect(tmp_path: Path) -> None:
    world, clean = MemoryWorld(tmp_path / "with"), MemoryWorld(tmp_path / "without")
    placed = play(world, trespassing=True)
    play(clean, trespassing=False)
    assert len(placed) == TRESPASSES
    require_all_told(world, placed)

    def genuine(spec: TopicSpec) -> list[Record]:
        return [record for record in world.records(spec) if Place(*record[:3]) not in placed]

    actual, expected = (
        effects(genuine, world.topics, world.engine),
        effects(clean.records, clean.topics, clean.engine),
    )
    require_equal(actual, expected)
    assert len(expected.deals) > BOTS / 2
    assert len(expected.fired) > ALERTS
    assert rows(world) == rows(clean)
    assert positions(world) == positions(clean)
    assert armed(genuine, world) == armed(clean.records, clean)


def require_all_told(world: MemoryWorld, placed: dict[Place, Trespass]) -> None:
    """Each is a dead letter with its reason, or answered by an event with the field: none more, none less."""
    letters: dict[Place, tuple[str, str]] = {}
    for spec in world.topics.messages():
        if (dead := world.topics.dlq(spec.name)) in world.topics.all():
            for record in world.records(dead):
                letter = read_dead_letter(record)
                letters[Place(*letter.record[:3])] = letter.error_class, letter.reason
    expected = {place: one for place, one in placed.items() if one.error_class is not None}
    wrong = [
        (one.kind, letters.get(place))
        for place, one in expected.items()
        if letters.get(place, ("",))[0] != one.error_class
    ]
    assert not wrong, wrong[:5]
    assert letters.keys() == expected.keys()
    assert all(reason for _, reason in letters.values())
    told = Counter(
        event.field
        for event in messages(world.records, world.topics.events)
        if isinstance(event, BotEvent) and event.event == "rejected" and event.user_id == INTRUDER
    )
    assert told == Counter(one.field for one in placed.values() if one.error_class is None)
    assert {one.kind for one in placed.values()} == {
        "config", "alert", "trigger", "trigger of a group", "trigger_id", "stale command", "group",
        "group named as an alert", "member",
    }  # fmt: skip


def rows(world: MemoryWorld) -> list[Any]:
    """Bots with their generations and profits, and groups as they stand."""
    with world.engine.connect() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (bot_rows, group_rows)
        ]


def positions(world: MemoryWorld) -> dict[bytes | None, list[bytes | None]]:
    """What each bot's snapshots say, one after the other."""
    found: dict[bytes | None, list[bytes | None]] = {}
    for record in world.records(world.topics.positions):
        found.setdefault(record.key, []).append(record.value)
    return found


def armed(read: Any, world: MemoryWorld) -> dict[str, list[GroupCommand]]:
    """What the executor sent to the evaluator, by group."""
    found: dict[str, list[GroupCommand]] = {}
    for command in messages(read, world.topics.alerts):
        assert isinstance(command, GroupCommand)
        found.setdefault(command.group_id, []).append(command)
    return found
