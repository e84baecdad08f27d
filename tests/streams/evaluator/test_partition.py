"""A partition's evaluator record by record: what is refused, what is skipped, what is written."""

import msgspec
import pytest
from msgspec.structs import replace

from schemas.events import BotEvent
from schemas.market import Tick
from streams.partition import DEATHS, PartitionEvaluator
from streams.partition_state import MustWait, State
from streams.rows import SuspectEntry
from tests.streams.evaluator import scenario
from topics.codec import encode
from topics.dead_letters import read_dead_letter
from topics.records import Outgoing, Record
from topics.registry import Topics

ONE = Topics(partitions=1)


class Desk:
    """One evaluator; records get the next offset of their topic."""

    def __init__(self, topics: Topics = ONE, **options: object) -> None:
        self.sent: list[Outgoing] = []
        self.topics = topics
        self.evaluator = PartitionEvaluator(0, topics, self.sent.append, **options)  # type: ignore[arg-type]
        self._offsets: dict[str, int] = {}

    def give(self, outgoing: Outgoing) -> object:
        offset = self._offsets.get(outgoing.topic, 0)
        self._offsets[outgoing.topic] = offset + 1
        record = Record(outgoing.topic, 0, offset, outgoing.timestamp_ms, outgoing.key, outgoing.value)
        return self.evaluator.step(record)

    def events(self) -> list[BotEvent]:
        name = self.topics.events.name
        return [msgspec.json.decode(o.value or b"", type=BotEvent) for o in self.sent if o.topic == name]

    def dead(self) -> list[str]:
        letters = [
            Record(o.topic, 0, 0, 0, o.key, o.value, o.headers) for o in self.sent if o.topic.endswith(".dlq")
        ]
        return [read_dead_letter(record).error_class for record in letters]


@pytest.mark.parametrize(
    "key, value, error",
    [
        (b"AAA", b"{", "NotJson"),
        (b"AAA", None, "NullValue"),
        (b"AAA", b'{"type":"kline"}', "Invalid"),
        (b"AAA", b"\xff\xfe", "NotUtf8"),
        (b"AAA", b"{\"type\":\"kline\",\"x\":" + b"[" * 10_000, "TooDeep"),
        (None, encode(scenario.kline(0, "AAA")), "BadKey"),
        (b"AAA", encode(scenario.group("AAA", 1, 0)), "Invalid"),
        (b"AAA", b"x" * 20_000, "TooLarge"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_next_record_is_handled(
    key: bytes | None, value: bytes | None, error: str
) -> None:
    desk = Desk()
    assert desk.give(Outgoing(ONE.klines.name, key, value, 1)) is None
    assert desk.dead() == [error]
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    assert desk.evaluator.offsets == (2, 0, 0)


def test_a_symbol_of_another_partition_is_refused_because_its_producer_partitions_otherwise() -> None:
    topics = Topics(partitions=12)
    desk = Desk(topics)
    wrong = [
        symbol
        for symbol in ("AAA", "BBB", "CCC", "DDD")
        if desk.give(_bar(symbol, topics)) is None and desk.dead()
    ]
    assert wrong
    assert set(desk.dead()) == {"WrongPartition"}


def _bar(symbol: str, topics: Topics) -> Outgoing:
    return scenario.kline_record(scenario.kline(0, symbol), topics)


def test_a_bar_of_another_interval_and_a_late_bar_are_dead_letters() -> None:
    desk = Desk()
    for bar in (0, 20, 5):
        desk.give(scenario.kline_record(scenario.kline(bar, "AAA"), ONE))
    desk.give(scenario.kline_record(scenario.kline(9, "AAA", "5m"), ONE))
    assert desk.dead() == ["Late", "WrongInterval"]


def test_the_first_bar_tells_the_interval_of_a_symbol_that_so_far_had_only_alerts() -> None:
    desk = Desk()
    five_minutes = replace(scenario.alert("AAA", "close > 1"), timeframe="5m")
    desk.give(scenario.alert_record(five_minutes, ONE))
    desk.give(scenario.alert_record(replace(scenario.alert("AAA"), alert_id="impossible"), ONE))
    desk.evaluator.freeze()
    for bar in range(3):
        desk.give(scenario.kline_record(scenario.kline(bar, "AAA", "5m"), ONE))
    assert desk.dead() == []
    frozen = desk.evaluator.freeze()
    assert frozen is not None
    assert [entry.interval for _, entry in frozen.symbols] == ["5m"]
    said = [(e.event, e.subject) for e in desk.events()]
    assert said[:4] == [
        (name, alert) for alert in ("alert-AAA", "impossible") for name in ("armed", "warming")
    ]
    assert said[4:] == [("armed", "alert-AAA"), ("warming", "alert-AAA"), ("rejected", "impossible")]


def test_bars_that_are_not_closed_yet_write_no_row() -> None:
    desk = Desk()
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    desk.evaluator.freeze()
    forming = b'"closed":false,'.join(encode(scenario.kline(1, "AAA")).split(b'"interval"', 1)).replace(
        b'"closed":false,', b'"closed":false,"interval"', 1
    )
    desk.give(Outgoing(ONE.klines.name, b"AAA", forming, 1))
    frozen = desk.evaluator.freeze()
    assert frozen is not None
    assert frozen.symbols == []
    assert frozen.row.offsets == (2, 0, 0)
    assert desk.dead() == []


def test_nothing_is_frozen_twice() -> None:
    desk = Desk()
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    assert desk.evaluator.freeze() is not None
    assert desk.evaluator.freeze() is None


def test_a_record_before_the_next_offset_is_not_handled_again() -> None:
    desk = Desk(state=State(offsets=(5, 0, 0)))
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    assert desk.evaluator.counters["replayed"] == 1
    assert desk.evaluator.offsets == (5, 0, 0)


def test_a_command_that_comes_again_after_a_newer_one_is_not_answered_as_stale() -> None:
    desk = Desk()
    for generation in (1, 2):
        desk.give(scenario.group_record(scenario.group("AAA", generation, 0), ONE))
    first = Record(ONE.alerts.name, 0, 0, 1, b"AAA", encode(scenario.group("AAA", 1, 0)))
    again = PartitionEvaluator(0, ONE, desk.sent.append, state=_without_offsets(desk.evaluator))
    desk.sent.clear()
    again.step(first)
    assert desk.sent == []


def _without_offsets(evaluator: PartitionEvaluator) -> State:
    return State(seats={seat.symbol: seat for seat in evaluator.symbols})


def test_klines_wait_for_the_answer_before_they_outrun_the_ring() -> None:
    desk = Desk(hold_bars=10)
    desk.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    fired_at = None
    for bar in range(200):
        obstacle = desk.give(scenario.kline_record(scenario.kline(bar, "AAA"), ONE))
        if fired_at is None and any(o.topic == ONE.triggers.name for o in desk.sent):
            fired_at = bar
        if obstacle is not None:
            assert obstacle == MustWait("AAA", (fired_at or 0) * scenario.MINUTE)
            assert bar == (fired_at or 0) + 11
            return
    pytest.fail("klines never waited")


def test_a_poisonous_record_is_dead_lettered_after_the_third_death() -> None:
    suspects = {ONE.klines.name: SuspectEntry(1, DEATHS)}
    desk = Desk(state=State(suspects=suspects))
    for bar in range(3):
        desk.give(scenario.kline_record(scenario.kline(bar, "AAA"), ONE))
    assert desk.dead() == ["Poison"]
    desk = Desk(state=State(suspects={ONE.klines.name: SuspectEntry(1, DEATHS - 1)}))
    for bar in range(3):
        desk.give(scenario.kline_record(scenario.kline(bar, "AAA"), ONE))
    assert desk.dead() == []


def test_a_tick_moves_the_clock() -> None:
    desk = Desk()
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    tick = Tick(symbol="AAA", feed="test", time_ms=2 * scenario.MINUTE)
    desk.give(Outgoing(ONE.klines.name, b"AAA", encode(tick), 2 * scenario.MINUTE))
    frozen = desk.evaluator.freeze()
    assert frozen is not None
    assert frozen.row.positions == {"AAA": 1}


@pytest.mark.parametrize("timestamp_ms", [-1, 1_700_000_000_000_000])
def test_an_alert_whose_time_is_no_time_is_refused_because_no_restart_could_read_its_row(
    timestamp_ms: int,
) -> None:
    desk = Desk()
    since_its_record = replace(scenario.alert("AAA"), effective_from_ms=None)
    desk.give(scenario.alert_record(since_its_record, ONE)._replace(timestamp_ms=timestamp_ms))
    assert desk.dead() == ["Invalid"]
    assert desk.events() == []


def test_a_tick_before_the_first_bar_does_not_tell_the_interval() -> None:
    desk = Desk()
    desk.give(scenario.group_record(scenario.group("AAA", 1, 0), ONE))
    tick = Tick(symbol="AAA", feed="test", time_ms=0, interval="5m")
    desk.give(Outgoing(ONE.klines.name, b"AAA", encode(tick), 0))
    desk.give(scenario.kline_record(scenario.kline(0, "AAA"), ONE))
    assert [event.event for event in desk.events()] == ["armed", "warming"]
