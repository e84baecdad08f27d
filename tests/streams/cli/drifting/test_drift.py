"""What the pipeline recorded is what the same records give again; what was changed since is found."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, update

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.market import Kline
from schemas.triggers import Trigger
from sinks.database.tables import deals, fills
from streams.cli.demo.bots import demo_bots
from streams.cli.drifting.evaluator import Evaluator, scripts_of
from streams.cli.pipeline import Pipeline
from streams.feeds.simulator import Market, simulate
from tests.streams.cli.commandline import CommandLine
from topics.codec import decode, encode
from topics.records import Outgoing, Record
from topics.registry import Topics

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """Some hours of the demo's bots, with gaps; one of them edited, one deleted on the way."""
    made = Pipeline(f"sqlite:///{tmp_path / 'strikeline.db'}", seed=3)

    async def run() -> None:
        start = Market().start_ms
        boundaries = list(simulate(Market(seed=11, symbols=SYMBOLS, minutes=500, gaps=0.01)))
        bots = demo_bots(SYMBOLS, start, Decimal(repr(boundaries[0].klines[0].close)))
        await made.apply(*bots)
        await made.feed(boundaries[:250])
        later = boundaries[250].time_ms
        edited = [
            _changed(bots[0], later, entry="rsi(14) < 35"),
            _changed(bots[1], later, state="deleted", on_delete="close"),
        ]
        await made.apply(*edited)
        await made.feed(boundaries[250:])

    asyncio.run(run())
    yield made
    made.close()


def _changed(bot: BotConfig, at_ms: int, **changes: Any) -> BotConfig:
    return replace(bot, revision=bot.revision + 1, effective_from_ms=at_ms, **changes)


def drift(pipeline: Pipeline, folder: Path, *words: str) -> tuple[int, Any]:
    url = pipeline.engine.url.render_as_string(hide_password=False)
    answer = CommandLine(pipeline.cluster, folder, database=url)("drift", "--json", *words)
    return answer.code, answer.json


def test_nothing_drifts_and_what_was_changed_is_found(pipeline: Pipeline, tmp_path: Path) -> None:
    code, found = drift(pipeline, tmp_path)
    assert found["differences"] == []
    assert found["unchecked"] == []
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
