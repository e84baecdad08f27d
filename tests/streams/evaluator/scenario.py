"""A small market, a group per symbol that is armed anew after each trigger, and a user's alert per symbol."""

import math
from collections.abc import Callable, Iterator
from functools import partial

from schemas.alerts import AlertCommand, BotAction, GroupCommand, Member
from schemas.market import Kline
from schemas.triggers import Trigger
from streams.inprocess import EvaluatorWorker
from topics.bus import MemoryBus, MemoryPublisher
from topics.codec import decode, encode
from topics.failpoints import Died
from topics.records import Outgoing, Record
from topics.registry import Topics

MINUTE = 60_000
SYMBOLS = ("AAA", "BBB", "CCC")
TOPICS = Topics(partitions=2)


def price(bar: int, symbol: str) -> float:
    """A swing with ripples, another phase per symbol."""
    phase = sum(map(ord, symbol))
    return round(100 + 20 * math.sin((bar + phase) / 17) + 3 * math.sin(bar * 1.7 + phase), 2)


def kline(bar: int, symbol: str, interval: str = "1m") -> Kline:
    """Bar number `bar` of `symbol`."""
    opened, closed = price(bar - 1, symbol), price(bar, symbol)
    length = {"1m": MINUTE, "5m": 5 * MINUTE}[interval]
    return Kline(
        symbol=symbol, interval=interval, open_time_ms=bar * length, open=opened, high=max(opened, closed) + 1,
        low=min(opened, closed) - 1, close=closed, volume=1.0 + bar % 7,
    )  # fmt: skip


def kline_record(message: Kline, topics: Topics = TOPICS) -> Outgoing:
    """As a feed sends it."""
    return Outgoing(topics.klines.name, message.symbol.encode(), encode(message), message.close_time_ms)


def klines(
    first: int, end: int, symbols: tuple[str, ...] = SYMBOLS, topics: Topics = TOPICS
) -> Iterator[Outgoing]:
    """Bars [first, end), minute by minute."""
    return (kline_record(kline(bar, symbol), topics) for bar in range(first, end) for symbol in symbols)


def group(symbol: str, generation: int, armed_from_ms: int, op: str = "arm") -> GroupCommand:
    """A bot's entry on RSI, or on a cross of a moving average of five-minute bars."""
    action = BotAction(bot_id=f"bot-{symbol}", action_type="execute_entry")
    rsi = {"op": "lt", "left": {"indicator": "rsi", "window": 7, "timeframe": "1m"}, "right": 35}
    average = {"indicator": "sma", "window": 3, "timeframe": "5m"}
    cross = {"op": "crosses_above", "left": {"price": "close", "timeframe": "1m"}, "right": average}
    members = [
        Member(alert_id="rsi", action=action, condition=rsi, when_true_at_arming="wait"),
        Member(alert_id="cross", action=action, condition=cross, when_true_at_arming="wait"),
    ]
    return GroupCommand(
        op="arm" if op == "arm" else "remove", group_id=f"bot-{symbol}/{symbol}/entry", generation=generation,
        bot_id=f"bot-{symbol}", user_id="alice", symbol=symbol, armed_from_ms=armed_from_ms,
        members=members if op == "arm" else [],
    )  # fmt: skip


def group_record(command: GroupCommand, topics: Topics = TOPICS) -> Outgoing:
    """As the executor sends it."""
    return Outgoing(
        topics.alerts.name, command.symbol.encode(), encode(command), max(command.armed_from_ms, 1)
    )


def alert(symbol: str, condition: str = "close > 110 and rsi(5) > 50") -> AlertCommand:
    """A user's alert."""
    return AlertCommand(
        alert_id=f"alert-{symbol}", user_id="bob", symbol=symbol, condition=condition, effective_from_ms=0,
        frequency="once_per_bar_close", when_true_at_arming="wait",
    )  # fmt: skip


def alert_record(command: AlertCommand, topics: Topics = TOPICS) -> Outgoing:
    """As a user sends it."""
    return Outgoing(topics.user_alerts.name, command.symbol.encode(), encode(command), 1)


class Executor:
    """Answers each trigger once, from the bar's close, as law 7 wants it; keeps what it saw by id."""

    def __init__(self, bus: MemoryBus) -> None:
        self.seen: dict[str, bytes] = {}
        self.repeats = 0
        self._bus = bus
        self._at: dict[int, int] = {}

    def answer(self) -> int:
        """Take what is new; the number of answers."""
        answers = 0
        for record in self._new():
            trigger = decode(record, TOPICS.triggers)
            assert isinstance(trigger, Trigger), trigger
            before = self.seen.setdefault(trigger.trigger_id, record.value or b"")
            assert before == record.value, "a repeat must be byte-identical"
            if record.value is not before:
                self.repeats += 1
                continue
            self._bus.append(
                group_record(group(trigger.symbol, trigger.generation + 1, trigger.bar.close_time_ms))
            )
            answers += 1
        return answers

    def _new(self) -> Iterator[Record]:
        topic = TOPICS.triggers.name
        for partition in range(TOPICS.partitions):
            start, end = self._at.get(partition, 0), self._bus.end(topic, partition)
            yield from self._bus.read(topic, partition, start, end - start) if end > start else ()
            self._at[partition] = end


def outputs(bus: MemoryBus) -> dict[tuple[str, str], bytes]:
    """Distinct triggers and fired alerts by id; raises AssertionError where a repeat differs."""
    found: dict[tuple[str, str], bytes] = {}
    for spec, name in ((TOPICS.triggers, "trigger_id"), (TOPICS.fired, "fired_id")):
        for record in bus.records(spec.name):
            key = (spec.name, getattr(decode(record, spec), name))
            assert found.setdefault(key, record.value or b"") == record.value, key
    return found


def events(bus: MemoryBus) -> list[str]:
    """Names of all events, in order."""
    return [getattr(decode(record, TOPICS.events), "event") for record in bus.records(TOPICS.events.name)]  # noqa: B009


def new_bus(bars: int) -> MemoryBus:
    """A bus with the first bars and the first commands on it."""
    bus = MemoryBus(*TOPICS.all())
    for symbol in SYMBOLS:
        bus.append(group_record(group(symbol, 1, 0)))
        bus.append(alert_record(alert(symbol)))
    for record in klines(0, bars):
        bus.append(record)
    return bus


async def run(
    bars: int,
    *,
    every: int = 25,
    seed: int | None = None,
    died: Callable[[int], None] = lambda deaths: None,
    eager: bool = False,
) -> tuple[MemoryBus, int]:
    """Feed `bars` in pieces, answer every trigger, start a new worker after each death; (bus, number of deaths)."""
    bus, deaths, fed = new_bus(40), 0, 40
    executor = Executor(bus)

    def new_worker() -> EvaluatorWorker:
        publisher = partial(MemoryPublisher, eager=eager)
        return EvaluatorWorker(bus, TOPICS, checkpoint_every=every, seed=seed, publisher=publisher)

    worker = new_worker()
    while True:
        try:
            handled = await worker.run_until_idle()
        except Died:
            deaths += 1
            worker.crash()
            died(deaths)
            worker = new_worker()
            continue
        if executor.answer() or handled:
            continue
        if fed >= bars:
            worker.close()
            return bus, deaths
        for record in klines(fed, min(fed + 40, bars)):
            bus.append(record)
        fed += 40
