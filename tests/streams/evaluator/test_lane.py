"""Klines that wait, commands that go on, bars that are read back while records come in."""

import asyncio
import json

import pytest

from schemas.alerts import AlertCommand
from streams.engine.bars import BarArrays
from streams.history import KlinesUnreadable, ReadBack, Wanted
from streams.history_files import OlderBars
from streams.history_memory import BusReader
from streams.inprocess import EvaluatorWorker
from streams.lane import HIGH, LOW, Lane
from streams.partition import PartitionEvaluator
from streams.partition_state import NeedsBars
from streams.station import Rules
from tests.streams.evaluator import scenario
from tests.streams.evaluator.scenario import MINUTE, TOPICS
from topics.bus import MemoryBus
from topics.records import Outgoing, Record
from topics.registry import Topics

ONE = Topics(partitions=1)


class SlowHistory:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[NeedsBars] = []
        self.go = asyncio.Event()
        self.bars = BarArrays.empty()
        self.older = OlderBars()

    async def origin_bars(self, partition: int, needs: NeedsBars, to_offset: int) -> BarArrays:
        self.asked.append(needs)
        await self.go.wait()
        return self.bars

    async def read_back(
        self, partition: int, wanted: dict[str, Wanted], from_offset: int, to_offset: int
    ) -> dict[str, BarArrays]:
        return {}


class Way:
    """A lane of its own, with offsets given in order."""

    def __init__(self, hold_bars: int = 10) -> None:
        self.sent: list[Outgoing] = []
        self.history = SlowHistory()
        self.failures: list[BaseException] = []
        self.pressure: list[bool] = []
        self.evaluator = PartitionEvaluator(0, ONE, self.sent.append, hold_bars=hold_bars)
        self.lane = Lane(
            self.evaluator,
            self.history,  # type: ignore[arg-type]
            ONE.klines.name,
            lambda lane, error: self.failures.append(error),
            lambda partition, high: self.pressure.append(high),
        )
        self._offsets: dict[str, int] = {}

    def give(self, outgoing: Outgoing) -> None:
        offset = self._offsets.get(outgoing.topic, 0)
        self._offsets[outgoing.topic] = offset + 1
        self.lane.offer(
            Record(outgoing.topic, 0, offset, outgoing.timestamp_ms, outgoing.key, outgoing.value)
        )

    def bars(self, first: int, end: int) -> None:
        for record in scenario.klines(first, end, ("AAA",), ONE):
            self.give(record)

    def stands(self) -> tuple[bool, bool]:
        """Whether klines wait for an answer, and whether they are far from the end."""
        return self.lane.waits, self.evaluator.offsets[0] < 100

    def triggers(self) -> list[Outgoing]:
        return [o for o in self.sent if o.topic == ONE.triggers.name]


async def test_an_answer_lets_waiting_klines_go_on_and_nothing_is_lost() -> None:
    way = Way()
    way.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    way.bars(0, 200)
    assert way.stands() == (True, True)
    generation = 1
    while way.evaluator.offsets[0] < 200:
        generation += 1
        assert len(way.triggers()) == generation - 1
        fired = int(way.triggers()[-1].timestamp_ms)
        way.give(scenario.group_record(scenario.group("AAA", generation, fired), ONE))
        await way.lane.settle()
    assert way.stands() == (False, False)
    assert generation > 3


async def test_when_nobody_answers_klines_go_on_after_a_while_and_wait_again_once_somebody_does() -> None:
    way = Way()
    way.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    way.bars(0, 200)
    way.lane.lose_patience()
    await way.lane.settle()
    assert way.evaluator.offsets[0] == 200
    assert len(way.triggers()) == 1
    fired = int(way.triggers()[0].timestamp_ms)
    way.give(scenario.group_record(scenario.group("AAA", 2, fired), ONE))
    await way.lane.settle()
    assert len(way.triggers()) == 2
    way.bars(200, 300)
    assert way.lane.waits


async def test_a_full_queue_asks_the_driver_to_stop_fetching_and_a_short_one_to_go_on() -> None:
    way = Way()
    way.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    way.bars(0, HIGH + 200)
    assert way.pressure == [True]
    way.evaluator.give_up_waiting()
    way.lane.lose_patience()
    await way.lane.settle()
    assert way.pressure == [True, False]
    assert LOW < HIGH


async def test_commands_wait_for_bars_and_klines_queue_behind_them() -> None:
    way = Way()
    way.bars(0, 9_000)
    late = AlertCommand(
        alert_id="late",
        user_id="bob",
        symbol="AAA",
        condition="sma(50) > 1",
        effective_from_ms=8_990 * MINUTE,
    )
    way.give(scenario.alert_record(late, ONE))
    await asyncio.sleep(0)
    assert [needs.symbol for needs in way.history.asked] == ["AAA"]
    way.bars(9_000, 9_010)
    assert way.evaluator.offsets == (9_000, 0, 0)
    way.history.bars = BarArrays.of(scenario.kline(bar, "AAA") for bar in range(9_000))
    way.history.go.set()
    await way.lane.settle()
    assert way.evaluator.offsets == (9_010, 0, 1)
    assert way.failures == []
    assert any(o.topic == ONE.fired.name for o in way.sent)


async def test_a_closed_lane_does_nothing_with_bars_that_come_too_late() -> None:
    way = Way()
    way.bars(0, 9_000)
    way.give(scenario.alert_record(scenario.alert("AAA", "sma(50) > 1"), ONE))
    await asyncio.sleep(0)
    way.lane.close()
    way.history.go.set()
    way.bars(9_000, 9_001)
    await asyncio.sleep(0)
    assert way.evaluator.offsets == (9_000, 0, 0)
    assert way.lane.idle


async def test_a_thousand_commands_at_start_up_read_the_topic_once() -> None:
    bus = MemoryBus(*ONE.all())
    for record in scenario.klines(0, 9_000, ("AAA", "BBB"), ONE):
        bus.append(record)
    worker = EvaluatorWorker(bus, ONE)
    await worker.run_until_idle()
    for n in range(200):
        for symbol in ("AAA", "BBB"):
            command = AlertCommand(
                alert_id=f"{symbol}-{n}", user_id="bob", symbol=symbol, condition=f"sma({n + 2}) > 1",
                effective_from_ms=8_990 * MINUTE,
            )  # fmt: skip
            bus.append(scenario.alert_record(command, ONE))
    await worker.run_until_idle()
    assert worker.history.passes == {0: 1}
    assert worker.station.totals()["Fired"] == 400


async def test_broken_records_and_repetitions_do_not_disturb_what_is_read_back() -> None:
    bus = MemoryBus(*TOPICS.all())
    records = list(scenario.klines(0, 20, ("AAA",)))
    for record in records[:10]:
        bus.append(record)
    bus.append(Outgoing(TOPICS.klines.name, b"AAA", b"broken", 1))
    bus.append(scenario.kline_record(scenario.kline(3, "AAA", "5m")))  # refused: the symbol has minutes
    for record in records[5:]:
        bus.append(record)
    partition = next(p for p in range(2) if bus.end(TOPICS.klines.name, p))
    history = ReadBack(BusReader(bus, TOPICS.klines.name), TOPICS.klines)
    end = bus.end(TOPICS.klines.name, partition)
    found = await history.read_back(
        partition, {"AAA": Wanted(3 * MINUTE, 18 * MINUTE), "NEVER_HEARD_OF": Wanted(0, 1)}, 0, end
    )
    assert found["AAA"].open_time_ms.tolist() == [bar * MINUTE for bar in range(3, 18)]
    assert len(found["NEVER_HEARD_OF"]) == 0
    small = ReadBack(BusReader(bus, TOPICS.klines.name), TOPICS.klines, kept_bars=4)
    bars = await small.origin_bars(partition, NeedsBars("AAA", 15 * MINUTE), end)
    assert bars.open_time_ms.tolist() == [bar * MINUTE for bar in range(15)]


async def test_an_error_nobody_foresaw_names_its_record_stops_all_writing_and_is_remembered() -> None:
    bus = scenario.new_bus(10)
    worker = EvaluatorWorker(bus, TOPICS, rules=Rules(), checkpoint_every=5)
    await worker.run_until_idle()
    lane = next(lane for lane in worker.station.lanes.values() if any(lane.evaluator.symbols))
    seat = next(iter(lane.evaluator.symbols))
    seat.holds = None  # type: ignore[assignment]
    bus.append(scenario.kline_record(scenario.kline(10, seat.symbol)))
    rows = len(bus.records(TOPICS.changelog("symbols").name))
    for deaths in (1, 2, 3):
        try:
            await worker.run_until_idle()
        except AttributeError:
            culprit = worker.station.culprit
            assert culprit is not None
            assert (culprit.key, culprit.topic) == (seat.symbol.encode(), TOPICS.klines.name)
        else:
            raise AssertionError("the error was swallowed")
        assert not await worker.station.checkpoint()
        assert len(bus.records(TOPICS.changelog("symbols").name)) == rows
        await worker.station.remember_culprit()
        worker.crash()
        worker = EvaluatorWorker(bus, TOPICS)
        if deaths < 3:
            await worker.step(0)
            _break(worker, seat.symbol)
    await worker.run_until_idle()
    assert [record.key for record in bus.records(TOPICS.klines.name + ".dlq")] == [seat.symbol.encode()]


def _break(worker: EvaluatorWorker, symbol: str) -> None:
    for lane in worker.station.lanes.values():
        for seat in lane.evaluator.symbols:
            if seat.symbol == symbol:
                seat.holds = None  # type: ignore[assignment]


async def test_a_command_that_comes_while_the_last_work_ends_is_not_forgotten() -> None:
    """The task has ended, and its callback comes in the loop's next turn: a record between the two starts nothing."""
    way = Way()
    way.bars(0, 7_000)
    way.give(scenario.alert_record(scenario.alert("AAA", "sma(50) > 1"), ONE))
    ended = asyncio.get_running_loop().create_future()
    work = way.lane._work
    assert work is not None
    work.remove_done_callback(way.lane._done)
    work.add_done_callback(lambda task: way.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE)))
    work.add_done_callback(way.lane._done)
    work.add_done_callback(ended.set_result)
    way.history.go.set()
    await ended
    await way.lane.settle()
    assert way.evaluator.offsets == (7_000, 1, 1)


class BrokenHistory(SlowHistory):
    """A broker that does not answer."""

    async def origin_bars(self, partition: int, needs: NeedsBars, to_offset: int) -> BarArrays:
        raise KlinesUnreadable("no records for 30 s")


async def test_a_broker_that_gives_no_bars_stops_the_worker_but_is_not_the_fault_of_a_command() -> None:
    bus = MemoryBus(*ONE.all())
    for record in scenario.klines(0, 7_000, ("AAA",), ONE):
        bus.append(record)
    worker = EvaluatorWorker(bus, ONE)
    await worker.run_until_idle()
    lane = worker.station.lanes[0]
    lane._history = BrokenHistory()  # type: ignore[assignment]
    bus.append(scenario.alert_record(scenario.alert("AAA", "sma(50) > 1"), ONE))
    with pytest.raises(KlinesUnreadable):
        await worker.run_until_idle()
    assert worker.station.culprit is None
    assert not await worker.station.checkpoint()


async def test_every_group_whose_answer_is_waited_for_no_more_is_told_once() -> None:
    way = Way()
    way.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    way.bars(0, 200)
    assert way.lane.waits
    way.lane.lose_patience()
    await way.lane.settle()
    way.lane.lose_patience()
    (trigger,) = (json.loads(o.value or b"") for o in way.triggers())
    (held,) = (o for o in way.sent if o.topic == ONE.events.name and b'"held"' in (o.value or b""))
    event = json.loads(held.value or b"")
    assert event["event_id"] == f"{trigger['group_id']}:1:held"
    assert (event["subject"], event["group_id"]) == (trigger["bot_id"], trigger["group_id"])
    assert event["detail"] == {"trigger_id": trigger["trigger_id"]}
    assert (event["at_ms"], event["reason"] != "") == (trigger["bar"]["open_time_ms"], True)
    assert way.evaluator.totals()["given_up"] == 1
