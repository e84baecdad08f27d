"""The executor over a database: one contract, on SQLite and on PostgreSQL."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from schemas.limits import Limits
from sinks.database.dialect import add
from sinks.database.tables import bots, fills, metadata, offsets, outbox
from sinks.errors import BeyondEnd, Fenced, RecordsLost, UnknownTopic, WrongDatabase
from sinks.executor.core import Executor
from sinks.executor.owned import Source
from sinks.executor.relay import Relay
from tests.sinks.bots import T0, TOPICS, bar, golden
from tests.sinks.conftest import Day
from tests.sinks.loop import RULES, Loop, inbox, names, outcomes, rows
from tests.sinks.scenario import play
from topics.records import Outgoing
from topics.registry import Topics
from topics.tiers import Tiers

CONFIGS, TRIGGERS = TOPICS.configs.name, TOPICS.triggers.name
BARS = [
    bar(0, 105.0),
    bar(1, 100.0),
    bar(2, 99.0, low=97.0),
    bar(3, 99.6, high=102.0),
    bar(4, 105.0),
    bar(5, 100.0),
]


def one_round(engine: Engine) -> Loop:
    loop = Loop(engine)
    loop.put(golden())
    loop.feed("BTCUSDT", *BARS)
    loop.run()
    return loop


def test_a_bots_life_is_booked_and_told(engine: Engine) -> None:
    loop = one_round(engine)
    first, second = (
        loop.messages(TOPICS.positions)[-2],
        loop.messages(TOPICS.positions)[-1],
    )
    assert (first.closed_deals, first.open_deals) == (1, [])
    assert len(second.open_deals) == 1
    booked = rows(engine, "deals", "fills")
    assert [row[4] for row in booked["deals"]].count("closed") == 1
    assert sorted(row[1] for row in booked["fills"]) == ["base", "base", "dca_1", "dca_2", "tp_1"]
    assert names(loop).count("filled") == 5
    assert inbox(engine) == [("config", "dip", "accepted")] + [("trigger", "dip", "applied")] * 4


def test_the_ledger_balances(engine: Engine) -> None:
    play(Loop(engine))
    with engine.connect() as connection:
        entries = connection.execute(select(metadata.tables["ledger"])).all()
        deals = connection.execute(select(metadata.tables["deals"])).all()
        profits = {row.bot_id: row.realized_profit for row in connection.execute(select(bots))}
    closed = [deal for deal in deals if deal.state == "closed"]
    assert len(closed) >= 4
    for deal in deals:
        mine = [entry for entry in entries if entry.deal_id == deal.deal_id]
        base = sum(Decimal(entry.amount) for entry in mine if entry.account == "base")
        money = sum(Decimal(entry.amount) for entry in mine if entry.account != "base")
        held = -Decimal(deal.quantity) if deal.side == "short" else Decimal(deal.quantity)
        assert base == held
        assert money == Decimal(deal.profit)
    for bot_id, profit in profits.items():
        assert sum(Decimal(d.profit) for d in closed if d.bot_id == bot_id) == Decimal(profit)


@pytest.mark.parametrize("batch", [1, 3, 10_000])
def test_where_a_batch_ends_makes_no_difference(engine: Engine, day: Day, batch: int) -> None:
    """Law 12, the executor's statement: the order of the inbox says it all."""
    replayed = Executor(engine, TOPICS, RULES)
    told: set[bytes | None] = set()
    for partition, records in day.records.items():
        sources = [Source(name, name, 0, 10_000) for name in (CONFIGS, TRIGGERS)]
        claim = replayed.claim(partition, sources)
        for start in range(0, len(records), batch):
            replayed.apply(claim, records[start : start + batch])
        told |= {row.message.value for row in Relay(engine, claim, 100_000).waiting()}
    assert rows(engine) == day.rows
    assert told == day.told.commands | day.told.events | day.told.positions | {v for _, v in day.told.dead}
    assert outcomes(engine) == day.outcomes


def test_records_that_come_again_change_nothing(engine: Engine) -> None:
    loop = one_round(engine)
    before, told = rows(engine), loop.told()
    loop.worker.crash()
    for topic in (CONFIGS, TRIGGERS):
        for partition in range(TOPICS.partitions):
            loop.bus.commit(TOPICS.group("executor"), {(topic, partition): 0})
    loop.worker = loop.start()
    loop.run()
    assert rows(engine) == before
    assert loop.told() == told
    assert len(inbox(engine)) == 5


def test_a_trigger_sent_twice_is_applied_once(engine: Engine) -> None:
    loop = one_round(engine)
    before = rows(engine, "deals", "fills", "ledger")
    for record in loop.bus.records(TRIGGERS):
        loop.put_raw(Outgoing(record.topic, record.key, record.value, record.timestamp_ms))
    loop.run()
    assert rows(engine, "deals", "fills", "ledger") == before
    assert [outcome for _, _, outcome in inbox(engine)].count("ignored") == 4
    assert names(loop).count("ignored") == 4


def test_what_cannot_be_used_is_on_the_dead_letter_topic_and_in_the_inbox(engine: Engine) -> None:
    play(loop := Loop(engine))
    letters = loop.bus.records(TOPICS.dlq(TRIGGERS).name)
    classes = sorted(dict(letter.headers)["dlq.error_class"] for letter in letters)
    assert classes == [b"Mismatch", b"Mismatch", b"NotJson"]
    assert [outcome for _, _, outcome in inbox(engine)].count("dead") == 3


def test_a_trace_goes_through(engine: Engine) -> None:
    loop = Loop(engine)
    config = golden()
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    loop.put(config)
    record = loop.bus.records(CONFIGS)[0]
    loop.put_raw(Outgoing(CONFIGS, b"dip", record.value, T0, (("traceparent", trace),)))
    loop.run()
    headers = [dict(record.headers) for record in loop.bus.records(TOPICS.events.name)]
    assert [found.get("traceparent") for found in headers] == [None, trace]
    assert headers[0]["ce_id"] == b"dip:config:1:accepted"


def claimed(engine: Engine, topic_id: str = "id-1", begin: int = 0, end: int = 10, **options: bool):
    executor = Executor(engine, TOPICS, RULES)
    executor.begin()
    sources = [Source(CONFIGS, topic_id, begin, end), Source(TRIGGERS, topic_id, begin, end)]
    return executor, executor.claim(0, sources, **options)


def test_an_older_claim_is_fenced_and_leaves_nothing(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(golden())
    records = loop.bus.records(CONFIGS)
    partition = records[0].partition
    executor = Executor(engine, TOPICS, RULES)
    sources = [Source(t, loop.bus.topic_id(t), 0, loop.bus.end(t, partition)) for t in (CONFIGS, TRIGGERS)]
    old = executor.claim(partition, sources)
    new = executor.claim(partition, sources)
    assert new.epoch == old.epoch + 1
    with pytest.raises(Fenced):
        executor.apply(old, records)
    assert rows(engine, "bots", "inbox", "outbox") == {"bots": [], "inbox": [], "outbox": []}
    executor.apply(new, records)
    assert len(rows(engine, "bots")["bots"]) == 1


def test_a_zombie_worker_gives_its_partitions_up(engine: Engine) -> None:
    loop = Loop(engine)
    loop.run()
    zombie, loop.worker = loop.worker, loop.start()
    zombie.consumer.evict()  # the group gave up on it, and it does not know
    loop.run()
    loop.put(golden())
    loop.feed("BTCUSDT", *BARS)
    loop.run()
    before = rows(engine)
    believed = sorted(zombie.partitions)
    assert len(believed) == 2
    record = loop.bus.records(TRIGGERS)[0]
    assert zombie._apply(believed[0], [record]) == 0
    assert asyncio.run(zombie._relay(believed[1])) == 0
    assert zombie.partitions == frozenset()
    assert rows(engine) == before


def test_offsets_of_another_topic_stop_the_process(engine: Engine) -> None:
    claimed(engine)
    with pytest.raises(UnknownTopic, match="created anew"):
        claimed(engine, topic_id="id-2")


def test_an_offset_beyond_the_end_stops_the_process(engine: Engine) -> None:
    claimed(engine, begin=8, end=10)
    with pytest.raises(BeyondEnd, match="ends at offset 7"):
        claimed(engine, begin=0, end=7)


def test_records_lost_before_they_were_applied_stop_the_process(engine: Engine) -> None:
    claimed(engine)
    with pytest.raises(RecordsLost, match="lost_records=rearm"):
        claimed(engine, begin=3)


def test_lost_records_can_be_accepted_and_then_every_group_is_armed_anew(engine: Engine) -> None:
    loop = one_round(engine)
    armed = [row for row in rows(engine, "groups")["groups"] if row[4] == "armed"]
    partition = loop.bus.records(CONFIGS)[0].partition
    loop.worker.crash()
    trigger = loop.bus.records(TRIGGERS)[0]
    for _ in range(3):
        loop.put_raw(Outgoing(TRIGGERS, trigger.key, trigger.value, trigger.timestamp_ms))
    loop.bus.truncate(TRIGGERS, partition, loop.bus.end(TRIGGERS, partition) - 1)
    with pytest.raises(RecordsLost):
        asyncio.run((stopped := loop.start()).run_until_idle())
    stopped.crash()
    loop.worker = loop.start(accept_lost=True)
    before = len(loop.commands)
    loop.run()
    again = loop.commands[before:]
    assert [(c.group_id, c.generation, c.armed_from_ms) for c in again] == [
        (row[0], row[3] + 1, row[5]) for row in armed
    ]


def test_another_deployments_database_is_refused(engine: Engine) -> None:
    Executor(engine, TOPICS, RULES).begin()
    for other in (Topics("other", 3), Topics(partitions=4)):
        with pytest.raises(WrongDatabase, match="belongs to"):
            Executor(engine, other, RULES).begin()


def test_a_fill_cannot_be_booked_twice(engine: Engine) -> None:
    one_round(engine)
    row = dict(zip(fills.columns.keys(), rows(engine, "fills")["fills"][0], strict=True))
    with engine.connect() as connection, pytest.raises(IntegrityError):
        add(connection, fills, [row | {"position": 99}])


def test_offsets_name_their_topic(engine: Engine) -> None:
    loop = one_round(engine)
    with engine.connect() as connection:
        found = connection.execute(select(offsets)).all()
    assert {row.topic_id for row in found} == {loop.bus.topic_id(CONFIGS), loop.bus.topic_id(TRIGGERS)}
    for row in found:
        assert row.next_offset == loop.bus.end(row.topic, row.partition)


def test_nothing_waits_in_the_outbox_when_all_is_said(engine: Engine) -> None:
    one_round(engine)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 0


def test_a_relay_that_died_before_it_forgot_says_the_same_again(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(golden())
    loop.bus.available = False
    with pytest.raises(Exception, match="switched off"):
        asyncio.run(loop.worker.run_until_idle())
    loop.worker.crash()
    assert loop.events == []
    assert len(rows(engine, "outbox")["outbox"]) == 3
    loop.bus.available = True
    loop.worker = loop.start()
    loop.run()
    assert names(loop) == ["accepted"]


def test_limits_per_user_hold_across_a_batch(engine: Engine) -> None:
    loop = Loop(engine)
    few = Executor(engine, TOPICS, RULES._replace(tiers=Tiers(Limits(bots=2))))
    loop.worker.executor = few
    loop.put(*(golden(f"bot{n}") for n in range(6)), golden("bobs", user_id="bob"))
    loop.run()
    outcomes = [outcome for _, _, outcome in inbox(engine)]
    assert (outcomes.count("accepted"), outcomes.count("rejected")) == (3, 4)
