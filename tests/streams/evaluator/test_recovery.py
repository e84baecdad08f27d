"""What a new owner makes of the tables, of lost rows, of zombies' rows and of a truncated topic."""

import pytest

from streams.inprocess import EvaluatorWorker
from streams.rows import encode_row
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import TOPICS
from topics.bus import MemoryBus
from topics.records import Outgoing, Record
from topics.registry import Table


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
