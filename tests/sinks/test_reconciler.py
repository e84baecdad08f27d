"""Every kind of difference is found where it is planted, told once, and told again when it is over; else nothing is."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from schemas.events import BotEvent
from sinks.database.tables import (
    bots,
    configs,
    deals,
    fills,
    groups,
    inbox,
    ledger,
    metadata,
    offsets,
    outbox,
    pairs,
)
from sinks.reconciler import reading
from sinks.reconciler.findings import MEANINGS, Finding, Kind, told
from sinks.reconciler.following import BusLog
from sinks.reconciler.reconciler import Reconciler
from streams.cli.pipeline import Pipeline
from tests.chaos.reference import careless
from tests.chaos.scenario import make, write
from tests.sinks.bots import TOPICS, bar, golden
from tests.sinks.conftest import Day
from tests.sinks.loop import Loop, rows
from tests.sinks.reconciling import differences
from tests.sinks.scenario import play
from tests.sinks.test_failpoints import POINTS, Deaths
from topics.partitioner import partition_for
from topics.records import Outgoing, Record
from topics.registry import Topics

HOME = partition_for(b"dip", TOPICS.partitions)
TRIGGERS, CONFIGS = TOPICS.triggers.name, TOPICS.configs.name


@pytest.fixture
def loop(engine: Engine) -> Loop:
    """One bot with a closed deal and an open one."""
    made = Loop(engine)
    made.put(golden())
    closes = [105.0, 100.0, 99.0, 98.0, 102.5, 105.0, 100.0, 98.5]
    made.feed("BTCUSDT", *(bar(n, close, low=close - 0.2) for n, close in enumerate(closes)))
    made.run()
    states = {row[4] for row in rows(engine, "deals")["deals"]}
    assert states == {"open", "closed"}
    return made


class Planted(NamedTuple):
    """A statement that spoils the books, and the kinds that are found then."""

    kind: Kind
    statement: Any
    also: frozenset[Kind] = frozenset()


OF_OPEN = groups.c.group_id.in_(select("dip/BTCUSDT/" + deals.c.deal_id).where(deals.c.state == "open"))
OF_CLOSED = groups.c.group_id.in_(select("dip/BTCUSDT/" + deals.c.deal_id).where(deals.c.state == "closed"))
ENTRY = groups.c.group_id == "dip/BTCUSDT/entry"

PLANTED = {
    "the open deal's group is gone": Planted("group_missing", delete(groups).where(OF_OPEN)),
    "the open deal's group was removed": Planted(
        "group_missing", update(groups).where(OF_OPEN).values(state="removed", command=text(
            "replace(command, '\"op\":\"arm\"', '\"op\":\"remove\"')"))),
    "the closed deal's group is armed": Planted(
        "group_unexpected", update(groups).where(OF_CLOSED).values(state="armed")),
    "the counter fell": Planted("generation_behind", update(pairs).values(generation=1)),
    "no config governs": Planted("config_missing", update(configs).values(live=0)),
    "a snapshot was never sent": Planted("snapshot_missing", update(bots).values(version=bots.c.version + 1)),
    "a ledger entry is gone": Planted(
        "ledger_differs", delete(ledger).where(ledger.c.level == "dca_1", ledger.c.account == "fee"),
        frozenset({"deal_differs"})),
    "a ledger entry is another": Planted(
        "ledger_differs", update(ledger).where(ledger.c.level == "base", ledger.c.account == "base").values(amount="1"),
        frozenset({"deal_differs"})),
    "a fill is another": Planted("ledger_differs", update(fills).where(fills.c.level == "dca_1").values(fee="9")),
    "a deal counts a fill too many": Planted("deal_differs", update(deals).values(fills=deals.c.fills + 1)),
    "a deal's profit is another": Planted(
        "deal_differs", update(deals).where(deals.c.state == "open").values(profit="1.5")),
    "a deal's quantity is another": Planted(
        "deal_differs", update(deals).where(deals.c.state == "open").values(quantity="7")),
    "a bot's profit is another": Planted("bot_differs", update(bots).values(realized_profit="1000")),
    "a bot counts a deal too many": Planted("bot_differs", update(bots).values(closed_deals=2)),
    "an inbox row is gone": Planted(
        "trigger_without_row", delete(inbox).where(inbox.c.topic == TRIGGERS, inbox.c.source_offset == 2)),
    "the last inbox rows are gone": Planted(
        "trigger_without_row", delete(inbox).where(inbox.c.topic == TRIGGERS, inbox.c.source_offset >= 3)),
    "the database is ahead of the topic": Planted(
        "offset_ahead", update(offsets).where(offsets.c.topic == CONFIGS).values(next_offset=50)),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(loop: Loop, engine: Engine, name: str) -> None:
    assert differences(engine, loop.bus, TOPICS) == []
    planted = PLANTED[name]
    with engine.begin() as connection:
        assert connection.execute(planted.statement).rowcount
    found = differences(engine, loop.bus, TOPICS)
    assert {finding.kind for finding in found} == {planted.kind} | planted.also
    assert all(finding.reason for finding in found)
    assert len({finding.event_id for finding in found}) == len(found)


def test_an_entry_that_nobody_armed_is_found(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(golden())
    loop.run()
    assert differences(engine, loop.bus, TOPICS) == []
    removed = update(groups).where(ENTRY).values(
        state="removed", command=text("replace(command, '\"op\":\"arm\"', '\"op\":\"remove\"')")
    )  # fmt: skip
    with engine.begin() as connection:
        connection.execute(removed)
    (found,) = differences(engine, loop.bus, TOPICS)
    assert (found.kind, found.subject, found.group_id) == ("entry_differs", "dip", "dip/BTCUSDT/entry")
    assert found.user_id == "alice"


def test_an_entry_that_is_armed_on_other_conditions_is_found(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(golden())
    loop.run()
    with engine.begin() as connection:
        connection.execute(update(groups).values(command=text("replace(command, '101', '102')")))
    assert [finding.kind for finding in differences(engine, loop.bus, TOPICS)] == ["entry_differs"]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_stands_still_is_told_after_a_while_and_when_it_moves(loop: Loop, engine: Engine) -> None:
    """A trigger that nobody reads, and an outbox that nobody publishes."""
    clock = Clock()
    reconciler = Reconciler(engine, TOPICS, BusLog(loop.bus), stuck_s=120, clock=clock)
    row = {
        "partition": HOME,
        "topic": TOPICS.events.name,
        "key": b"dip",
        "value": b"{}",
        "timestamp_ms": 1,
        "headers": b"\x90",
    }
    trigger = loop.bus.records(TRIGGERS)[0]
    loop.bus.append(again(trigger))
    with engine.begin() as connection:
        connection.execute(insert(outbox).values(row))
    kinds: list[tuple[list[str], list[str]]] = []
    for clock.now in (0.0, 60.0, 119.0, 120.0, 180.0):
        look = reconciler.look(HOME)
        assert look is not None
        assert (look.unread, look.outbox_rows) == (1, 1)
        kinds.append((sorted(f.kind for f in look.new), sorted(f.kind for f in look.gone)))
    assert kinds == [([], []), ([], []), ([], []), (["outbox_stuck", "records_unread"], []), ([], [])]
    loop.run()
    look = reconciler.look(HOME)
    assert look is not None
    assert sorted(finding.kind for finding in look.gone) == ["outbox_stuck", "records_unread"]
    assert (look.open, look.unread, look.outbox_rows) == ((), 0, 0)


def again(record: Record) -> Outgoing:
    """What makes the record come once more."""
    return Outgoing(record.topic, record.key, record.value, record.timestamp_ms, record.headers)


def test_a_difference_is_told_once_however_often_one_looks_and_by_the_same_name_after_a_restart(
    loop: Loop, engine: Engine
) -> None:
    spoil = update(bots).values(realized_profit="1000")
    names = []
    for _ in range(2):
        reconciler = Reconciler(engine, TOPICS, BusLog(loop.bus))
        with engine.begin() as connection:
            right = connection.scalar(select(bots.c.realized_profit)) or ""
            connection.execute(spoil)
        looks = [reconciler.look(HOME) for _ in range(3)]
        assert [len(look.new) for look in looks if look] == [1, 0, 0]
        assert [len(look.open) for look in looks if look] == [1, 1, 1]
        with engine.begin() as connection:
            connection.execute(update(bots).values(realized_profit=right))
        over = reconciler.look(HOME)
        assert over is not None
        names += [[event.event_id for look in (*looks, over) if look for event in look.events()]]
    assert (
        names[0]
        == names[1]
        == ["difference:bot_differs:dip:totals", "difference:bot_differs:dip:totals:gone"]
    )


def test_everything_has_its_turn_when_there_is_too_much_for_one_look(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BOTS_AT_A_LOOK", 2)
    monkeypatch.setattr(reading, "DEALS_AT_A_LOOK", 2)
    loop = Loop(engine)
    play(loop)
    with engine.begin() as connection:
        connection.execute(update(deals).values(fills=deals.c.fills + 1))
        count = len(connection.execute(select(deals)).all())
    reconciler = Reconciler(engine, TOPICS, BusLog(loop.bus))
    found: set[str] = set()
    for _ in range(count + 2):
        for partition in range(TOPICS.partitions):
            look = reconciler.look(partition)
            assert look is not None
            assert not look.gone  # what is not looked at this time is not over
            assert not found & {finding.event_id for finding in look.new}
            found |= {finding.event_id for finding in look.new}
    assert len(found) == count > 4


def test_another_executors_partition_is_left_to_it(loop: Loop, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(bots).values(realized_profit="1000"))
    reconciler = Reconciler(engine, TOPICS, BusLog(loop.bus))
    assert reconciler.look(HOME, epoch=99) is None
    assert reconciler.look(HOME, epoch=1) is not None


def test_rows_that_retention_took_away_are_not_missed(loop: Loop, engine: Engine) -> None:
    """The inbox keeps two minutes here; older rows are gone."""
    with engine.begin() as connection:
        newest = (
            connection.execute(select(inbox.c.timestamp_ms).order_by(inbox.c.id.desc())).scalars().first()
            or 0
        )
        gone = delete(inbox).where(inbox.c.timestamp_ms < newest - 120_000)
        assert connection.execute(gone).rowcount > 1
    for keep_ms, kinds in ((120_000, []), (None, ["trigger_without_row"])):
        look = Reconciler(engine, TOPICS, BusLog(loop.bus), keep_ms=keep_ms).look(HOME)
        assert look is not None
        assert [finding.kind for finding in look.open] == kinds


def test_it_writes_nothing(loop: Loop, engine: Engine) -> None:
    everything = list(metadata.tables)
    before = rows(engine, *everything)
    differences(engine, loop.bus, TOPICS)
    assert rows(engine, *everything) == before


def test_after_a_busy_day_everything_agrees(engine: Engine) -> None:
    loop = Loop(engine)
    play(loop)
    assert differences(engine, loop.bus, TOPICS) == []


@pytest.mark.parametrize("point", POINTS[::3])
def test_after_kills_everything_agrees(sqlite: Engine, day: Day, point: str) -> None:
    loop, deaths = Loop(sqlite), Deaths(point)
    play(loop, deaths.run)
    assert deaths.count
    assert differences(sqlite, loop.bus, TOPICS) == []


async def test_after_hundreds_of_deals_everything_agrees(sqlite: Engine, tmp_path: Path) -> None:
    scenario = make(3, symbols=8, segment_minutes=120, segments=2)
    path, _ = write(scenario, tmp_path)
    pipeline = Pipeline(careless(sqlite), Topics(partitions=4))
    await pipeline.apply(*scenario.bots)
    for segment in range(2):
        await pipeline.apply(*scenario.changes[segment])
        await pipeline.feed(scenario.klines(path, segment).boundaries("file"), step=60)
        assert await asyncio.to_thread(differences, sqlite, pipeline.bus, pipeline.topics) == []
    assert len(rows(sqlite, "deals")["deals"]) > 200
    pipeline.close()


def test_every_kind_is_planted_somewhere_here() -> None:
    beside = {"entry_differs", "outbox_stuck", "records_unread"}
    assert {planted.kind for planted in PLANTED.values()} | beside == set(MEANINGS)


def event_of(finding: Finding, *, gone: bool = False) -> BotEvent:
    message = told(finding, 77, gone=gone).message
    assert isinstance(message, BotEvent)
    return message


def test_a_finding_tells_what_it_is_about() -> None:
    event = event_of(
        Finding("group_missing", "dip", "g:3", "why", {"generation": 3}, "alice", "BTCUSDT", "g", "d")
    )
    assert (event.subject, event.bot_id, event.user_id) == ("dip", "dip", "alice")
    assert (event.event, event.reason, event.at_ms) == ("difference", "group_missing: why", 77)
    of_partition = event_of(Finding("offset_ahead", "partition/3", "x", "why"), gone=True)
    assert (of_partition.bot_id, of_partition.event) == (None, "difference_gone")
