"""What the pipeline recorded is what the same records give again; what was changed since is found."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, select, update

from schemas.alerts import AlertCommand, GroupCommand
from schemas.bots import BotConfig
from schemas.market import Kline
from schemas.triggers import Trigger
from sinks.database.tables import deals, fills, inbox
from streams.cli.cluster import MemoryCluster
from streams.cli.demo.bots import demo_bots
from streams.cli.drifting.evaluator import Evaluator, scripts_of
from streams.cli.pipeline import Pipeline
from streams.feeds.publish import Feed
from streams.feeds.simulator import Market, simulate
from streams.feeds.ticks import Boundary
from tests.streams.cli.commandline import CommandLine
from topics.bus.memory import MemoryBus
from topics.bus.publisher import MemoryPublisher
from topics.codec import decode, encode
from topics.records import Outgoing, Record
from topics.registry import Topics

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Some hours of the demo's bots, with gaps; one of them edited, one deleted on the way. Alerts come and go, two of
    them without anybody waiting until the candles before were seen.
    """
    made = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}", seed=3)

    async def run() -> None:
        start = Market().start_ms
        boundaries = list(simulate(Market(seed=11, symbols=SYMBOLS, minutes=500, gaps=0.01)))
        bots = demo_bots(SYMBOLS, start, Decimal(repr(boundaries[0].klines[0].close)))
        await made.apply(*bots)
        await made.apply_alerts(*(alert(name) for name in ("stays", "edited", "gone", "ticks")))
        await made.feed(boundaries[:250])
        later = boundaries[250].time_ms
        edited = [
            _changed(bots[0], later, entry="rsi(14) < 35"),
            _changed(bots[1], later, state="deleted", on_delete="close"),
        ]
        await made.apply(*edited)
        await made.apply_alerts(alert("edited", later, condition="rsi(14) > 60"))
        await feed_unseen(made, boundaries[250:300])
        await made.apply_alerts(
            alert("gone", later, state="deleted"), alert("edited", later, condition="rsi(14) < 35")
        )
        await made.feed(boundaries[300:])

    asyncio.run(run())
    yield made
    made.close()


def alert(name: str, at_ms: int = 0, **fields: Any) -> AlertCommand:
    """Of the first symbol, but for one that counts forming bars."""
    on_tick = {"on": "tick", "frequency": "once_per_bar"} if name == "ticks" else {}
    made = {"condition": "rsi(14) < 45", "frequency": "once_per_bar_close", **on_tick, **fields}
    return AlertCommand(
        alert_id=name,
        user_id="alice",
        symbol=SYMBOLS[0],
        effective_from_ms=at_ms or Market().start_ms,
        **made,
    )


async def feed_unseen(pipeline: Pipeline, boundaries: list[Boundary]) -> None:
    """Candles that lie on their topic before commands do, and are seen after these or before: the parts decide."""
    feed = Feed(MemoryPublisher(pipeline.bus), pipeline.topics.klines.name, "file")
    await feed.run(boundaries)


def _changed(bot: BotConfig, at_ms: int, **changes: Any) -> BotConfig:
    return replace(bot, revision=bot.revision + 1, effective_from_ms=at_ms, **changes)


def drift(pipeline: Pipeline, folder: Path, *words: str) -> tuple[int, Any]:
    url = pipeline.engine.url.render_as_string(hide_password=False)
    answer = CommandLine(pipeline.cluster, folder, database=url)("drift", "--json", *words)
    return answer.code, answer.json


def test_nothing_drifts_and_what_was_changed_is_found(pipeline: Pipeline, tmp_path: Path) -> None:
    code, found = drift(pipeline, tmp_path)
    assert found["differences"] == []
    assert [line.partition(": ")[2][:14] for line in found["unchecked"]] == ["alerts on tick"]
    assert code == 0
    assert min(found["compared"].values()) > 3, found["compared"]

    with pipeline.engine.begin() as connection:
        name = connection.execute(fills.select().where(fills.c.level == "base")).first().deal_id  # type: ignore[union-attr]
        base = (fills.c.deal_id == name) & (fills.c.level == "base")
        connection.execute(update(fills).where(base).values(price="1"))
        connection.execute(update(deals).where(deals.c.deal_id != name).values(ambiguous_bars=77))
    code, found = drift(pipeline, tmp_path)
    assert code == 1
    by_kind = {(one["what"], one["how"]) for one in found["differences"]}
    assert by_kind == {("fill", "price"), ("deal", "ambiguous_bars")}
    assert [one["recorded"] for one in found["differences"] if one["what"] == "fill"] == ["1"]


def test_a_trigger_that_was_never_fired_and_one_that_was_lost_are_found(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    spec = pipeline.topics.triggers
    records = [
        record for record in pipeline.bus.records(spec.name) if b'"trigger_id"' in (record.value or b"")
    ]
    forged = (records[3].value or b"").replace(b':1"', b':9"', 1)
    pipeline.bus.append(Outgoing(spec.name, records[3].key, forged, records[3].timestamp_ms))
    code, found = drift(pipeline, tmp_path)
    assert code == 1
    missing = [one for one in found["differences"] if one["what"] == "trigger"]
    assert [one["how"] for one in missing] == ["missing"]
    assert missing[0]["look"].startswith("strikeline explain bot_")


def test_of_a_bot_whose_first_rows_retention_took_deals_are_not_checked(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """After 90 days the inbox forgets the config, and the bot trades on."""
    with pipeline.engine.begin() as connection:
        bot_id = connection.execute(select(deals.c.bot_id).order_by(deals.c.bot_id)).scalars().first()
        connection.execute(delete(inbox).where((inbox.c.bot_id == bot_id) & (inbox.c.kind == "config")))
    code, found = drift(pipeline, tmp_path)
    assert (code, found["differences"]) == (0, [])
    assert f"bot {bot_id}: the inbox does not reach back to its first config" in found["unchecked"]
    assert found["compared"]["deals"] > 0, "the other bots' are"


def test_triggers_that_an_older_command_armed_than_the_topic_has_are_not_checked(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """After 30 days the topic forgets the first command of a group that seldom fires; its answer is there."""
    topics, bus = pipeline.topics, MemoryBus(*pipeline.topics.all())
    for record in (r for spec in topics.all() for r in pipeline.bus.records(spec.name)):
        command = decode(record, topics.alerts) if record.topic == topics.alerts.name else None
        if not (isinstance(command, GroupCommand) and command.generation == 1):
            bus.append(Outgoing(record.topic, record.key, record.value, record.timestamp_ms))
    answer = CommandLine(MemoryCluster(bus), tmp_path)("drift", "--json")
    assert (answer.code, answer.json["differences"]) == (0, [])
    assert any(
        "has not the command any more that armed their group" in one for one in answer.json["unchecked"]
    )
    assert answer.json["compared"]["triggers"] > 0


def fires(pipeline: Pipeline, name: str) -> list[Record]:
    return [
        r
        for r in pipeline.bus.records(pipeline.topics.fired.name)
        if f'"{name}"'.encode() in (r.value or b"")
    ]


@pytest.mark.parametrize("name", ["stays", "edited", "gone"])
def test_what_an_alert_never_fired_and_what_it_fired_otherwise_is_found(
    pipeline: Pipeline, tmp_path: Path, name: str
) -> None:
    records = fires(pipeline, name)
    assert len(records) > 3
    ids = [json.loads(record.value or b"")["fired_id"] for record in records]
    later = f'"fired_id":"{ids[1]}'.encode()
    forged = (records[1].value or b"").replace(later, later[:-1] + b"9"), records[1]
    other = (records[0].value or b"").replace(b'"values":{"', b'"values":{"x'), records[0]
    for value, record in (forged, other):
        assert value != record.value
        pipeline.bus.append(Outgoing(record.topic, record.key, value, record.timestamp_ms))
    code, found = drift(pipeline, tmp_path)
    assert code == 1
    assert {(one["what"], one["how"]) for one in found["differences"]} == {
        ("fired", "missing"),
        ("fired", "values"),
    }
    close_ms = json.loads(records[1].value or b"")["bar"]["close_time_ms"]
    assert f"strikeline explain {name} --at {close_ms} --symbol {SYMBOLS[0]}" in {
        one["look"] for one in found["differences"]
    }


def test_a_fire_that_the_topic_lost_is_found(pipeline: Pipeline, tmp_path: Path) -> None:
    """On a topic without the record: its bus has the others."""
    kept = fires(pipeline, "stays")
    lost = kept[len(kept) // 2]
    topics, whole = pipeline.topics, pipeline.bus
    bus = MemoryBus(*topics.all())
    for record in (r for spec in topics.all() for r in whole.records(spec.name) if r != lost):
        bus.append(Outgoing(record.topic, record.key, record.value, record.timestamp_ms))
    answer = CommandLine(MemoryCluster(bus), tmp_path)("drift", "--json")
    assert answer.code == 1
    fired_id = json.loads(lost.value or b"")["fired_id"]
    assert [(one["what"], one["name"], one["how"]) for one in answer.json["differences"]] == [
        ("fired", f"{SYMBOLS[0]} {fired_id}", "extra")
    ]


def test_other_prices_give_other_triggers(pipeline: Pipeline) -> None:
    """A broker that lost records and got others in their place."""
    topics = pipeline.topics
    recorded = [
        m
        for r in pipeline.bus.records(topics.triggers.name)
        if isinstance(m := decode(r, topics.triggers), Trigger)
    ]
    commands = [
        (r.timestamp_ms, m)
        for r in pipeline.bus.records(topics.alerts.name)
        if isinstance(m := decode(r, topics.alerts), GroupCommand)
    ]
    klines = list(pipeline.bus.records(topics.klines.name))
    ids = {trigger.trigger_id for trigger in recorded}
    for shift, same in ((0.0, True), (0.03, False)):
        replay = Evaluator(topics.klines, scripts_of(commands, recorded), 5)
        replay.feed(_shifted(record, topics, shift) for record in klines)
        assert (replay.triggers.keys() == ids) is same


def _shifted(record: Record, topics: Topics, shift: float) -> Record:
    kline = decode(record, topics.klines)
    if not isinstance(kline, Kline) or kline.open_time_ms != Market().start_ms + 150 * 60_000 or not shift:
        return record
    prices = {name: round(getattr(kline, name) * (1 - shift), 8) for name in ("open", "high", "low", "close")}
    return record._replace(value=encode(replace(kline, **prices)))


def test_a_window_compares_only_what_lies_in_it(pipeline: Pipeline, tmp_path: Path) -> None:
    code, everything = drift(pipeline, tmp_path)
    middle = Market().start_ms + 240 * 60_000
    _, first = drift(pipeline, tmp_path, "--to", str(middle))
    _, second = drift(pipeline, tmp_path, "--from", str(middle))
    assert code == 0
    for kind in ("triggers", "deals"):
        assert first["compared"][kind] + second["compared"][kind] == everything["compared"][kind]
    assert first["differences"] == second["differences"] == []


def test_fills_that_the_database_lost_are_found(pipeline: Pipeline, tmp_path: Path) -> None:
    with pipeline.engine.begin() as connection:
        connection.execute(delete(fills))
    code, found = drift(pipeline, tmp_path)
    assert code == 1
    assert {(one["what"], one["how"]) for one in found["differences"]} == {("fill", "extra")}
