"""What a new owner makes of the tables, of lost rows, of zombies' rows and of a truncated topic."""

import copy
import json

import msgspec
import pytest
from msgspec.structs import replace

from streams.engine.market.snapshots import decode
from streams.inprocess import EvaluatorWorker
from streams.partition import DEATHS
from streams.rows import SuspectEntry, SymbolEntry, decode_row, encode_row, suspect_key
from streams.station import Rules
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import TOPICS
from topics.bus import MemoryBus
from topics.records import Outgoing, Record
from topics.registry import Table, Topics

ONE = Topics(partitions=1)


class Market:
    """A bus, the executor that answers on it, and whoever works there."""

    def __init__(self, bars: int) -> None:
        self.bus = scenario.new_bus(bars)
        self.executor = scenario.Executor(self.bus)

    async def drain(self, *workers: EvaluatorWorker) -> None:
        """Until nothing moves any more."""
        moved = 1
        while moved:
            moved = sum([await worker.run_until_idle() for worker in workers]) + self.executor.answer()

    async def work(self, first: int = 0, end: int = 0) -> EvaluatorWorker:
        """A new worker that handles what is there, and bars from `first` to `end`."""
        for record in scenario.klines(first, end):
            self.bus.append(record)
        worker = EvaluatorWorker(self.bus, TOPICS, checkpoint_every=40)
        await self.drain(worker)
        return worker


async def undisturbed(first: int, end: int) -> dict[tuple[str, str], bytes]:
    market = Market(first)
    await market.work(first, end)
    return scenario.outputs(market.bus)


def rows_of(bus: MemoryBus, table: Table) -> list[Record]:
    return bus.records(TOPICS.changelog(table).name)


async def test_a_zombies_older_rows_are_ignored_and_the_kept_ones_written_again() -> None:
    market = Market(60)
    bus = market.bus
    (await market.work()).close()
    for table in ("groups", "symbols", "partitions"):
        for record in rows_of(bus, table)[:4]:
            bus.append(Outgoing(record.topic, record.key, record.value, 1, partition=record.partition))
    before = {table: len(rows_of(bus, table)) for table in ("groups", "symbols")}
    worker = await market.work(60, 90)
    assert worker.station.totals()["repaired_rows"] > 0
    assert len(rows_of(bus, "groups")) > before["groups"]
    assert scenario.outputs(bus) == await undisturbed(60, 90)


async def test_a_symbol_row_behind_its_entry_rewinds_all_sources() -> None:
    market = Market(30)
    bus = market.bus
    (await market.work()).close()
    # Compaction kept a zombie's old row: the newer ones of this key are gone.
    name = TOPICS.changelog("symbols").name
    victim = rows_of(bus, "symbols")[0]
    for record in [r for r in rows_of(bus, "symbols") if r.key == victim.key]:
        bus.append(Outgoing(name, record.key, None, 1, partition=record.partition))
    bus.append(Outgoing(name, victim.key, victim.value, 1, partition=victim.partition))
    committed = bus.committed(TOPICS.group("evaluator"), TOPICS.klines.name, victim.partition)
    worker = EvaluatorWorker(bus, TOPICS)
    await worker.step(0)
    at = worker.station.next_offsets()[TOPICS.klines.name, victim.partition]
    assert committed is not None
    assert at < committed
    worker.close()
    await market.work(30, 80)
    assert scenario.outputs(bus) == await undisturbed(30, 80)


async def test_without_any_row_everything_is_read_again_whatever_was_committed() -> None:
    market = Market(60)
    bus = market.bus
    (await market.work()).close()
    for table in ("groups", "symbols", "partitions"):
        for record in rows_of(bus, table):
            bus.append(Outgoing(record.topic, record.key, None, 1, partition=record.partition))
    before = scenario.outputs(bus)
    worker = EvaluatorWorker(bus, TOPICS)
    assert await worker.run_until_idle() > 100
    assert scenario.outputs(bus) == before


async def test_bars_that_are_gone_from_the_topic_seed_the_symbol_anew_and_say_so() -> None:
    market = Market(60)
    bus = market.bus
    (await market.work()).close()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, bus.end(TOPICS.klines.name, partition) - 20)
    worker = EvaluatorWorker(bus, TOPICS)
    await worker.run_until_idle()
    seats = [seat for lane in worker.station.lanes.values() for seat in lane.evaluator.symbols]
    assert {seat.market.seeded_from_ms is not None for seat in seats} == {True}
    for record in scenario.klines(60, 120):
        bus.append(record)
    assert await worker.run_until_idle() > 0


def with_a_number_more(row: bytes) -> bytes:
    """A symbol's row as a version would have written it in which one state had one number more."""
    entry = decode_row("symbols", b"", row)
    assert isinstance(entry, SymbolEntry)
    saved, anchor = decode(entry.snapshot)
    assert anchor is not None
    first, *others = anchor.frames
    nodes = [*first.nodes[:-1], replace(first.nodes[-1], f=first.nodes[-1].f + bytes(8))]
    anchor = replace(anchor, frames=(replace(first, nodes=tuple(nodes)), *others))
    saved = replace(saved, anchor=msgspec.Raw(msgspec.msgpack.encode(anchor)))
    return encode_row(replace(entry, snapshot=msgspec.msgpack.encode(saved)))


async def test_states_of_another_version_are_computed_from_the_bars_again() -> None:
    market = Market(60)
    bus = market.bus
    (await market.work()).close()
    newest = {row.key: row for row in rows_of(bus, "symbols")}
    for key, row in newest.items():
        topic = TOPICS.changelog("symbols").name
        bus.append(Outgoing(topic, key, with_a_number_more(row.value or b""), 1, partition=row.partition))
    worker = await market.work(60, 200)
    assert scenario.outputs(bus) == await undisturbed(60, 200)
    seats = [seat for lane in worker.station.lanes.values() for seat in lane.evaluator.symbols]
    assert {seat.market.seeded_from_ms for seat in seats} == {None}
    assert len(seats) == len(newest) > 0


async def test_a_row_of_another_format_stops_the_worker() -> None:
    market = Market(10)
    bus = market.bus
    (await market.work()).close()
    bus.append(Outgoing(TOPICS.changelog("symbols").name, b"AAA", b"\x07", 1, partition=0))
    with pytest.raises(ValueError, match="format 07"):
        await EvaluatorWorker(bus, TOPICS).run_until_idle()


async def test_two_workers_share_the_partitions_and_take_over_from_each_other() -> None:
    market = Market(50)
    bus, first = market.bus, EvaluatorWorker(market.bus, TOPICS, checkpoint_every=10)
    await first.step(30)
    second = EvaluatorWorker(bus, TOPICS, checkpoint_every=10)
    await market.drain(first, second)
    assert len(first.station.lanes) == len(second.station.lanes) == 1
    first.crash()
    for record in scenario.klines(50, 100):
        bus.append(record)
    await market.drain(second)
    assert len(second.station.lanes) == 2
    assert scenario.outputs(bus) == await undisturbed(50, 100)


def test_rows_stay_below_the_limit_of_a_table_value() -> None:
    from streams.partition import PartitionEvaluator

    evaluator = PartitionEvaluator(0, TOPICS, lambda outgoing: None)
    for offset, record in enumerate(scenario.klines(0, 200, ("AAA",))):
        evaluator.step(Record(record.topic, 0, offset, record.timestamp_ms, record.key, record.value))
    frozen = evaluator.freeze()
    assert frozen is not None
    assert all(len(encode_row(entry)) < 64 * 1024 for _, entry in frozen.symbols)


async def test_klines_that_wait_for_an_answer_go_on_when_a_second_call_finds_none() -> None:
    bus = scenario.new_bus(1_500)
    worker = EvaluatorWorker(bus, TOPICS)
    await worker.run_until_idle()
    waiting = [lane for lane in worker.station.lanes.values() if lane.waits]
    assert waiting
    assert await worker.run_until_idle() == 1
    handled = sum(lane.evaluator.offsets[0] for lane in worker.station.lanes.values())
    assert handled == 1_500 * len(scenario.SYMBOLS)
    assert await worker.run_until_idle() == 0


async def test_what_fires_on_bars_seeded_anew_says_from_when() -> None:
    market = Market(60)
    bus = market.bus
    (await market.work()).close()
    for partition in range(TOPICS.partitions):
        bus.truncate(TOPICS.klines.name, partition, bus.end(TOPICS.klines.name, partition) - 20)
    before = set(scenario.outputs(bus))
    worker = await market.work(60, 160)
    begins = {
        seat.symbol: seat.market.seeded_from_ms
        for lane in worker.station.lanes.values()
        for seat in lane.evaluator.symbols
    }
    new = [json.loads(value) for key, value in scenario.outputs(bus).items() if key not in before]
    assert len(new) > 5
    assert all(one["seeded_from_ms"] == begins[one["symbol"]] for one in new)


async def test_a_removed_group_of_another_interval_does_not_stop_a_symbol_without_bars() -> None:
    bus = MemoryBus(*TOPICS.all())
    other = replace(scenario.group("AAA", 1, 0), interval="5m", members=[], group_id="bot-AAA/AAA/other")
    bus.append(scenario.group_record(other))
    bus.append(scenario.group_record(replace(other, op="remove", generation=2)))
    bus.append(scenario.group_record(scenario.group("AAA", 1, 0)))
    for _ in range(2):
        worker = EvaluatorWorker(bus, TOPICS)
        await worker.run_until_idle()
        worker.close()
    for record in scenario.klines(0, 60, ("AAA",)):
        bus.append(record)
    await EvaluatorWorker(bus, TOPICS).run_until_idle()
    assert len(bus.records(TOPICS.triggers.name)) == 1


async def test_a_symbol_row_of_a_zombie_that_was_ahead_hides_no_bars_from_a_newer_command() -> None:
    """It froze in a checkpoint; its successor armed a group; then its rows arrived, and the successor died."""
    market = Market(0)
    bus = market.bus
    for record in scenario.klines(0, 20, ("AAA",)):
        bus.append(record)
    first = EvaluatorWorker(bus, TOPICS)
    await first.run_until_idle()
    first.crash()

    zombies = copy.deepcopy(bus)
    for record in scenario.klines(20, 60, ("AAA",)):
        zombies.append(record)
    await EvaluatorWorker(zombies, TOPICS).run_until_idle()
    late = [r for r in rows_of(zombies, "symbols") if r.key == b"AAA"][-1]

    newer = replace(scenario.group("AAA", 5, 0), group_id="bot-AAA/AAA/new")
    bus.append(scenario.group_record(newer))
    successor = EvaluatorWorker(bus, TOPICS)
    await successor.run_until_idle()
    successor.crash()
    bus.append(Outgoing(late.topic, late.key, late.value, 1, partition=late.partition))
    for record in scenario.klines(20, 70, ("AAA",)):
        bus.append(record)
    await EvaluatorWorker(bus, TOPICS).run_until_idle()
    fired = [json.loads(v) for v in scenario.outputs(bus).values() if newer.group_id.encode() in v]
    assert [one["bar"]["open_time_ms"] < 60 * scenario.MINUTE for one in fired] == [True]


async def test_a_poisonous_bar_that_was_filled_is_still_filled_after_a_restart() -> None:
    bus = MemoryBus(*ONE.all())
    suspect = encode_row(SuspectEntry(5, DEATHS))
    key = suspect_key(ONE.klines.name)
    bus.append(Outgoing(ONE.changelog("partitions").name, key, suspect, 1, partition=0))
    for record in scenario.klines(0, 10, ("AAA",), ONE):
        bus.append(record)
    seen = []
    for _ in range(3):
        worker = EvaluatorWorker(bus, ONE)
        await worker.run_until_idle()
        (seat,) = worker.station.lanes[0].evaluator.symbols
        seen.append([seat.market.bar(index) for index in range(10)])
        worker.close()
    assert [bar.filled for bar in seen[0]].index(True) == 5
    assert seen[1:] == [seen[0]] * 2


@pytest.mark.parametrize("other_version", [False, True])
async def test_a_symbol_keeps_the_gap_that_is_filled_with_which_it_was_first_seen(
    other_version: bool,
) -> None:
    bus = scenario.new_bus(0)
    symbol = scenario.SYMBOLS[0]
    bus.append(scenario.group_record(scenario.group(symbol, 1, 10 * scenario.MINUTE)))
    for bar in [*range(20), *range(30, 40)]:
        bus.append(scenario.kline_record(scenario.kline(bar, symbol)))
    worker = EvaluatorWorker(bus, TOPICS, rules=Rules(fill_up_to=10))
    await worker.run_until_idle()
    assert _bars_of(worker, symbol) == 40
    await worker.station.checkpoint()
    worker.crash()
    if other_version:
        row = rows_of(bus, "symbols")[-1]
        value = with_a_number_more(row.value or b"")
        bus.append(Outgoing(TOPICS.changelog("symbols").name, row.key, value, 1, partition=row.partition))
    for bar in range(50, 52):
        bus.append(scenario.kline_record(scenario.kline(bar, symbol)))
    restarted = EvaluatorWorker(bus, TOPICS, rules=Rules(fill_up_to=0))
    await restarted.run_until_idle()
    assert _bars_of(restarted, symbol) == 52


def _bars_of(worker: EvaluatorWorker, symbol: str) -> int:
    seats = [seat for lane in worker.station.lanes.values() for seat in lane.evaluator.symbols]
    return next(seat.market.next for seat in seats if seat.symbol == symbol)


@pytest.mark.parametrize("bars", [5_800, 8_000], ids=["rows still there", "rows dropped"])
async def test_a_command_from_before_the_bars_that_are_kept_sees_all_of_them(bars: int) -> None:
    """5,000 bars may be asked for; those before are dropped many at a time, and read back where they are gone."""
    bus, others = MemoryBus(*TOPICS.all()), MemoryBus(*TOPICS.all())
    command = scenario.group_record(scenario.group("AAA", 1, 10 * scenario.MINUTE))
    others.append(command)
    for one in (bus, others):
        for record in scenario.klines(0, bars, ("AAA",)):
            one.append(record)
    late = EvaluatorWorker(bus, TOPICS)
    await late.run_until_idle()
    (seat,) = (seat for lane in late.station.lanes.values() for seat in lane.evaluator.symbols)
    assert seat.market.first > 10
    assert (seat.market.tape.frame.first > 0) == (bars == 8_000)
    bus.append(command)
    await late.run_until_idle()
    await EvaluatorWorker(others, TOPICS).run_until_idle()
    assert len(scenario.outputs(bus)) == 1
    assert scenario.outputs(bus) == scenario.outputs(others)
    assert "armed_late" not in {
        json.loads(row.value or b"")["event"] for row in bus.records(TOPICS.events.name)
    }
