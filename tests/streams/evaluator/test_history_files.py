"""Bars of a file from before the topic's first: the same results as if the topic had them, or a reason why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from schemas.conditions import Indicator
from streams.engine.bars import BarArrays
from streams.engine.market.market import Market
from streams.feeds.files import FileProblem
from streams.feeds.history import load_older
from streams.history_files import OlderBars
from streams.inprocess import EvaluatorWorker
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import MINUTE, TOPICS, group, kline, outputs
from topics.bus import MemoryBus

AAA = ("AAA",)
MONDAY = 1_700_438_400_000
AVERAGE = Indicator("ema", (("window", 20),))
SLOW = {
    "op": "gt",
    "left": {"price": "close"},
    "right": {"indicator": "ema", "window": 20, "timeframe": "5m"},
}


def bars(first: int, end: int, symbol: str = "AAA") -> BarArrays:
    return BarArrays.of(kline(bar, symbol) for bar in range(first, end))


def file_of(first: int, end: int) -> OlderBars:
    return OlderBars({"AAA": bars(first, end)})


def slow_group(since: int) -> Any:
    """A group that needs six hours of bars before it may fire."""
    command = group("AAA", 1, since * MINUTE)
    member = replace(command.members[0], alert_id="slow", condition=SLOW)
    return replace(command, group_id="bot-AAA/AAA/slow", members=[member])


def feed(bus: MemoryBus, first: int, end: int) -> None:
    for record in scenario.klines(first, end, AAA):
        bus.append(record)


def said(bus: MemoryBus, name: str) -> list[dict[str, Any]]:
    told = [json.loads(record.value or b"{}") for record in bus.records(TOPICS.events.name)]
    return [event for event in told if event["event"] == name]


def market_of(worker: EvaluatorWorker) -> Market:
    seats = [seat for lane in worker.station.lanes.values() for seat in lane.evaluator.symbols]
    return next(seat.market for seat in seats if seat.symbol == "AAA")


async def drained(bus: MemoryBus, older: OlderBars | None = None) -> EvaluatorWorker:
    worker = EvaluatorWorker(bus, TOPICS, older=older)
    await worker.run_until_idle()
    return worker


async def whole_topic(end: int) -> MemoryBus:
    """What comes out when the topic has every bar."""
    bus = MemoryBus(*TOPICS.all())
    bus.append(scenario.group_record(slow_group(500)))
    feed(bus, 0, end)
    await drained(bus)
    assert len(outputs(bus)) == 1
    return bus


@pytest.mark.parametrize("command_first", [True, False])
async def test_a_symbol_begins_with_the_bars_of_the_file(command_first: bool) -> None:
    bus = MemoryBus(*TOPICS.all())
    if command_first:
        bus.append(scenario.group_record(slow_group(500)))
        (await drained(bus, file_of(0, 520))).close()
    feed(bus, 500, 501)
    if not command_first:
        (await drained(bus, file_of(0, 520))).close()
        bus.append(scenario.group_record(slow_group(500)))
    worker = await drained(bus, file_of(0, 520))
    assert market_of(worker).origin_ms == 0
    feed(bus, 501, 620)
    await worker.run_until_idle()
    assert outputs(bus) == outputs(await whole_topic(620))
    (event,) = {one["event_id"]: one for one in said(bus, "history_read")}.values()
    assert event["detail"] == {"from_ms": 0, "to_ms": 499 * MINUTE, "bars": 500}


async def test_without_the_file_the_same_group_is_still_warming() -> None:
    bus = MemoryBus(*TOPICS.all())
    bus.append(scenario.group_record(slow_group(500)))
    feed(bus, 500, 620)
    await drained(bus)
    assert outputs(bus) == {}


@pytest.mark.parametrize("at", [501, 540, 619])
async def test_a_restart_goes_on_from_the_bars_of_the_file(at: int) -> None:
    bus = MemoryBus(*TOPICS.all())
    bus.append(scenario.group_record(slow_group(500)))
    feed(bus, 500, at)
    (await drained(bus, file_of(0, 520))).crash()
    worker = await drained(bus, file_of(0, 520))
    assert (market_of(worker).origin_ms, market_of(worker).seeded_from_ms) == (0, None)
    feed(bus, at, 620)
    await worker.run_until_idle()
    assert outputs(bus) == outputs(await whole_topic(620))


async def test_a_restart_without_the_file_begins_anew_and_says_from_when() -> None:
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 500, 540)
    (await drained(bus, file_of(0, 520))).crash()
    assert market_of(await drained(bus)).seeded_from_ms == 500 * MINUTE


async def grown(older: OlderBars | None = None, end: int = 7_000) -> MemoryBus:
    """A symbol with more bars than a market keeps, whose first the topic has lost."""
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 0, end)
    worker = await drained(bus, older)
    assert market_of(worker).first > 0
    worker.crash()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, bus.end(TOPICS.klines.name, partition) - 3_000)
    return bus


async def test_a_new_operand_is_computed_from_the_origin_over_file_and_topic() -> None:
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    without = await drained(bus)
    assert market_of(without).seeded_from_ms == 4_000 * MINUTE
    assert said(bus, "armed")[-1]["detail"]["seeded_from_ms"] == 4_000 * MINUTE
    without.crash()
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    worker = await drained(bus, file_of(0, 4_500))
    assert market_of(worker).seeded_from_ms is None
    assert "seeded_from_ms" not in said(bus, "armed")[-1]["detail"]
    whole = Market("AAA", capacity=9_999)
    slot = whole.acquire(AVERAGE, "5m")
    whole.begin_with(bars(0, 7_000))
    own = market_of(worker)
    twin = own.acquire(AVERAGE, "5m")
    assert own.value(twin, 6_999) == whole.value(slot, 6_999)


async def test_a_file_that_reaches_behind_the_origin_does_not_move_it() -> None:
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 100, 7_000)
    (await drained(bus)).crash()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, bus.end(TOPICS.klines.name, partition) - 3_000)
    bus.append(scenario.group_record(slow_group(7_000)))
    worker = await drained(bus, file_of(0, 5_000))
    assert (market_of(worker).origin_ms, market_of(worker).seeded_from_ms) == (100 * MINUTE, None)
    assert worker.station.totals()["history_gone"] == 0


async def test_what_began_late_for_want_of_bars_begins_at_the_origin_once_a_file_has_them() -> None:
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    (await drained(bus)).crash()
    worker = await drained(bus, file_of(0, 4_500))
    assert market_of(worker).seeded_from_ms is None
    feed(bus, 7_000, 7_200)
    await worker.run_until_idle()
    fired = [json.loads(value) for value in outputs(bus).values()]
    assert len(fired) == 1
    assert fired[0].get("seeded_from_ms") is None


async def test_a_file_without_the_origin_begins_where_it_begins_and_says_so() -> None:
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    worker = await drained(bus, file_of(1_000, 4_500))
    assert market_of(worker).seeded_from_ms == 1_000 * MINUTE
    assert said(bus, "armed")[-1]["detail"]["seeded_from_ms"] == 1_000 * MINUTE


async def test_bars_since_the_anchor_come_from_the_file_where_the_topic_lost_them() -> None:
    bus = MemoryBus(*TOPICS.all())
    bus.append(scenario.group_record(slow_group(500)))
    feed(bus, 0, 510)
    (await drained(bus)).crash()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, max(bus.end(TOPICS.klines.name, partition) - 5, 0))
    feed(bus, 510, 620)
    worker = await drained(bus, file_of(0, 508))
    assert market_of(worker).seeded_from_ms is None
    assert outputs(bus) == outputs(await whole_topic(620))


def altered(older: BarArrays, at: int) -> OlderBars:
    numbers = older.ohlcv.copy()
    numbers[at, 4] += 1
    return OlderBars({"AAA": BarArrays(older.open_time_ms, numbers)})


async def test_a_file_that_contradicts_the_topics_first_bar_is_refused_with_both_numbers() -> None:
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 500, 520)
    worker = await drained(bus, altered(bars(0, 520), 500))
    assert market_of(worker).origin_ms == 500 * MINUTE
    (event,) = said(bus, "history_refused")
    assert f"opened at {500 * MINUTE}" in event["reason"]
    assert worker.station.totals()["history_refused"] == 1


async def test_a_file_that_contradicts_the_topic_is_refused_when_bars_are_read_back() -> None:
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    worker = await drained(bus, altered(bars(0, 4_500), 4_400))
    assert market_of(worker).seeded_from_ms == 4_000 * MINUTE
    (event,) = said(bus, "history_refused")
    assert f"opened at {4_400 * MINUTE}" in event["reason"]


async def test_a_file_that_contradicts_the_topic_at_a_restart_is_refused_and_counted() -> None:
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 0, 510)
    (await drained(bus)).crash()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, max(bus.end(TOPICS.klines.name, partition) - 5, 0))
    worker = await drained(bus, altered(bars(0, 508), 506))
    assert market_of(worker).seeded_from_ms == 505 * MINUTE
    assert worker.station.totals()["history_refused"] == 1


async def test_a_file_with_other_bars_than_the_market_had_is_refused_and_the_topic_alone_is_used() -> None:
    bus = await grown()
    bus.append(scenario.group_record(slow_group(7_000)))
    own = bars(0, 4_500)
    holed = BarArrays(np.delete(own.open_time_ms, range(50, 90)), np.delete(own.ohlcv, range(50, 90), 0))
    worker = await drained(bus, OlderBars({"AAA": holed}))
    assert market_of(worker).seeded_from_ms == 4_000 * MINUTE
    (event,) = said(bus, "history_refused")
    assert "not those" in event["reason"]


@pytest.mark.parametrize("missing, event", [(0, None), (1, "gap_filled"), (5, "gap_filled"), (6, "tainted")])
async def test_a_hole_at_the_seam_is_a_gap_as_any_other(missing: int, event: str | None) -> None:
    bus = MemoryBus(*TOPICS.all())
    feed(bus, 500, 520)
    worker = await drained(bus, file_of(0, 500 - missing))
    market = market_of(worker)
    assert market.origin_ms == 0
    assert market.next == (520 if missing <= 5 else 514)
    assert [name for name in ("gap_filled", "tainted") if said(bus, name)] == ([event] if event else [])


def write(path: Path, first: int, end: int, **changes: Any) -> None:
    rows = [kline(bar, symbol) for bar in range(first, end) for symbol in ("AAA", "BBB")]
    frame = pl.DataFrame(
        {
            "symbol": [row.symbol for row in rows],
            "open_time": [MONDAY + row.open_time_ms for row in rows],
            **{
                name: [getattr(row, name) for row in rows]
                for name in ("open", "high", "low", "close", "volume")
            },
        }
    ).with_columns(**changes)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)


def test_a_folder_is_read_as_one_file(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", 0, 60)
    write(tmp_path / "b.csv", 50, 100)
    (tmp_path / "notes.txt").write_text("not a kline file")
    older = load_older(tmp_path)
    assert older.symbols == ["AAA", "BBB"]
    got = older.before("BBB", "1m", BarArrays.empty(), 0, MONDAY + 90 * MINUTE)
    assert got.open_time_ms.tolist() == [MONDAY + bar * MINUTE for bar in range(90)]
    assert (got.ohlcv == bars(0, 90, "BBB").ohlcv).all()
    assert len(older.before("BBB", "5m", BarArrays.empty(), 0, MONDAY + 90 * MINUTE)) == 0


def test_files_that_contradict_each_other_are_used_for_other_symbols_only(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", 0, 60)
    other = pl.when(pl.col("symbol") == "AAA").then(9.0).otherwise(pl.col("volume"))
    write(tmp_path / "b.parquet", 59, 100, volume=other)
    older = load_older(tmp_path)
    assert older.symbols == ["BBB"]
    assert "AAA" in older.refused


def test_broken_rows_are_counted_and_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="has no"):
        load_older(tmp_path)
    write(tmp_path / "a.csv", 0, 60, volume=pl.lit(-1.0))
    with pytest.raises(FileProblem, match="no usable rows"):
        load_older(tmp_path)
    write(tmp_path / "a.csv", 0, 60, volume=pl.when(pl.col("open_time") == MONDAY).then(-1.0).otherwise(1.0))
    assert load_older(tmp_path).broken_rows == 2
