"""The laws of firing, against the oracle: incremental = naive = late = restarted, byte for byte."""

from random import Random
from typing import Any, Literal, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alerts import ActionType, AlertCommand, BotAction, GroupCommand, Member
from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    At,
    Channel,
    Compare,
    Condition,
    ConditionError,
    Const,
    Holds,
    Indicator,
    Level,
    Moves,
    Not,
    Operand,
    Price,
    Schedule,
    Sequenced,
    condition_from_json,
    condition_to_json,
)
from schemas.events import BotEvent
from schemas.market import Kline, Tick
from schemas.triggers import Fired, StaleCommand, Trigger
from streams.engine.bars import BarArrays
from streams.engine.groups.arming import conditions_of
from streams.engine.groups.combinations import refuse_contradictions
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.alert_oracle import MINUTE, Oracle

SYMBOL = "BTCUSDT"
START = 1_700_438_400_000  # a Monday: buckets of every timeframe begin here
FILL = 2


class Order(NamedTuple):
    """A command, delivered before the record at `arrival`."""

    arrival: int
    key: str
    generation: int
    command: GroupCommand | AlertCommand


class Case(NamedTuple):
    records: list[Kline | Tick]
    orders: list[Order]


def hidden(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same, but it does not show what it is made of, which grows too long."""

    @st.composite
    def one_of_them(draw: st.DrawFn) -> Any:
        return draw(strategy)

    return one_of_them()


TIMEFRAMES = st.sampled_from(["1m", "1m", "1m", "3m", "5m"])
LEAVES = st.one_of(
    st.builds(
        Price,
        st.sampled_from(["close", "open", "high", "low", "hl2"]),
        TIMEFRAMES,
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    st.builds(
        lambda window, timeframe, ago: Indicator("sma", (("window", window),), None, timeframe, ago),
        st.integers(1, 4),
        TIMEFRAMES,
        st.sampled_from([0, 0, 1, 3]),
    ),
    st.builds(lambda timeframe: Indicator("ema", (("window", 2),), None, timeframe), TIMEFRAMES),
    st.builds(
        lambda timeframe, ago: Indicator("vwap", (), None, timeframe, ago),
        TIMEFRAMES,
        st.sampled_from([0, 1]),
    ),
)
PRICES = st.integers(195, 205).map(lambda half: half / 2)
OPERANDS: st.SearchStrategy[Operand] = hidden(
    st.one_of(
        LEAVES,
        LEAVES,
        st.builds(Arithmetic, st.sampled_from(["+", "-"]), LEAVES, st.sampled_from([Const(0.5), Const(1.0)])),
        st.builds(Arithmetic, st.just("/"), LEAVES, st.builds(Arithmetic, st.just("-"), LEAVES, LEAVES)),
        st.builds(Arithmetic, st.just("*"), LEAVES, st.just(Const(1.0))),
    )
)
OPS = st.sampled_from(["lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below"])
COMPARES = hidden(
    st.one_of(
        st.builds(Compare, OPS, LEAVES, st.builds(Const, PRICES)),
        st.builds(Compare, OPS, st.builds(Const, PRICES), LEAVES),
        st.builds(Compare, OPS, OPERANDS, OPERANDS).filter(lambda one: one.left != one.right),
    )
)
BOUNDS = st.tuples(st.integers(195, 204), st.integers(1, 6)).map(
    lambda low: (Const(low[0] / 2), Const((low[0] + low[1]) / 2))
)
CHANNEL_OPS = st.sampled_from(["inside", "outside", "enters", "exits"])
CHANNELS = hidden(
    st.one_of(
        st.builds(lambda op, left, bounds: Channel(op, left, *bounds), CHANNEL_OPS, LEAVES, BOUNDS),
        st.builds(lambda op, left, bounds: Channel(op, left, *bounds), CHANNEL_OPS, OPERANDS, BOUNDS),
        st.builds(Channel, CHANNEL_OPS, LEAVES, LEAVES, LEAVES).filter(
            lambda one: len({one.left, one.low, one.high}) == 3
        ),
    )
)
MOVES = st.builds(
    Moves,
    st.sampled_from(["moves_up", "moves_down", "moves_up_percent", "moves_down_percent"]),
    OPERANDS,
    st.sampled_from([0.5, 1.0, 1.5, 2.0]),
    st.integers(1, 4),
)
AT_CLOSES: st.SearchStrategy[Condition] = hidden(st.one_of(COMPARES, COMPARES, CHANNELS, MOVES))
WITHIN: st.SearchStrategy[Condition] = hidden(
    st.one_of(
        AT_CLOSES,
        AT_CLOSES,
        st.builds(Not, AT_CLOSES),
        st.builds(lambda one, other: All((one, other)), AT_CLOSES, AT_CLOSES),
        st.builds(lambda one, other: AnyOf((one, Not(other))), AT_CLOSES, AT_CLOSES),
    )
)
HOLDS = st.builds(Holds, WITHIN, st.integers(1, 5))
SEQUENCES = st.builds(
    lambda items, within: Sequenced(tuple(items), within),
    st.lists(st.one_of(WITHIN, WITHIN, HOLDS), min_size=2, max_size=3),
    st.integers(1, 8),
)
# START is a Monday at 00:00 in UTC, 01:00 in Berlin, 05:30 in Kolkata.
SCHEDULES = st.builds(
    Schedule,
    st.sampled_from(
        ["*/7 * * * *", "* * * * MON", "5,6,20-40/3 0-1 * * *", "*/10 1,5 * 11 1-5", "31 * 20 * *"]
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
INSIDE = st.integers(196, 204).map(lambda half: half / 2)
LEVELS = st.builds(lambda price, side: Level(str(price), side), INSIDE, st.sampled_from(["below", "above"]))
INSTANTS = st.integers(10, 100).map(lambda half: At(START + half * MINUTE // 2))
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(COMPARES, COMPARES, CHANNELS, MOVES, HOLDS, SEQUENCES, LEVELS, INSTANTS, SCHEDULES),
    lambda inner: st.one_of(
        st.builds(lambda items: All(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda items: AnyOf(tuple(items)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=3,
)


# What most alerts are, and what the network counts instead of making nodes of it; some say one thing twice.
PLAIN = hidden(
    st.one_of(
        st.builds(
            Compare,
            st.sampled_from(["lt", "lte", "gt", "gte"]),
            st.one_of(LEAVES, OPERANDS),
            st.builds(Const, PRICES),
        ),
        COMPARES.filter(lambda one: "crosses" not in one.op),
        MOVES,
    )
)
FLATS: st.SearchStrategy[Condition] = hidden(
    st.builds(
        lambda kind, items, again: kind(tuple(items + items[:1] if again else items)),
        st.sampled_from([All, AnyOf]),
        st.lists(PLAIN, min_size=1, max_size=5),
        st.booleans(),
    )
)


def fits(condition: Condition) -> bool:
    """Whether a tree is within the limits."""
    try:
        condition_from_json(condition_to_json(condition))
    except ConditionError:
        return False
    return True


TREES = st.one_of(CONDITIONS, CONDITIONS, PLAIN, FLATS, FLATS).filter(fits)


FREQUENCIES: st.SearchStrategy[Literal["once", "once_per_bar_close", "every"]] = st.sampled_from(
    ["once", "once_per_bar_close", "every"]
)
REARMS: st.SearchStrategy[Literal["on_false", "after_bars"]] = st.sampled_from(["on_false", "after_bars"])
ACTIONS: st.SearchStrategy[tuple[ActionType, int | None, int | None]] = st.sampled_from(
    [
        ("stop_loss", None, None),
        ("execute_dca", 1, None),
        ("execute_dca", 2, None),
        ("execute_dca", 10, None),
        ("take_profit", None, 1),
        ("execute_entry", None, None),
        ("close", None, None),
    ]
)


@st.composite
def candles(draw: st.DrawFn) -> list[Kline | Tick]:
    """About 50 minutes on a coarse grid, so that equal values and touches abound; holes, ticks, repeats."""
    dice = Random(draw(st.integers(0, 10_000)))
    ticking = draw(st.booleans())
    records: list[Kline | Tick] = []
    at, price = START + dice.randrange(5) * MINUTE, 200
    for _ in range(draw(st.integers(5, 50))):
        for _ in range(dice.choice([1, 2, 3, 4, 9]) if records and dice.random() < 0.08 else 0):
            at += MINUTE
            if ticking:
                records.append(Tick(symbol=SYMBOL, feed="test", time_ms=at))
        opened, price = price, min(max(price + dice.choice([-3, -2, -1, -1, 0, 0, 1, 1, 2, 3]), 190), 210)
        high, low = (
            max(opened, price) + dice.choice([0, 0, 1, 2]),
            min(opened, price) - dice.choice([0, 0, 1, 2]),
        )
        records.append(_kline(at, opened, high, low, price))
        if dice.random() < 0.05:
            records.append(dice.choice([one for one in records if isinstance(one, Kline)]))
        at += MINUTE
        if ticking:
            records.append(Tick(symbol=SYMBOL, feed="test", time_ms=at))
    return records


def _kline(at: int, opened: int, high: int, low: int, price: int) -> Kline:
    return Kline(
        symbol=SYMBOL,
        interval="1m",
        open_time_ms=at,
        open=opened / 2,
        high=high / 2,
        low=low / 2,
        close=price / 2,
        volume=1.0,
    )


@st.composite
def groups(draw: st.DrawFn, key: str, generation: int, last: int) -> GroupCommand:
    kinds = st.one_of(LEVELS, LEVELS, INSTANTS, SCHEDULES, TREES, TREES)
    conditions = draw(st.lists(kinds, min_size=1, max_size=5))
    members = []
    for place, condition in enumerate(conditions):
        action, dca, target = draw(ACTIONS)
        members.append(
            Member(
                alert_id=f"m{place}",
                action=BotAction(bot_id="bot", action_type=action, dca_index=dca, tp_index=target),
                condition=condition_to_json(condition),
                when_true_at_arming=draw(st.sampled_from(["fire", "fire", "wait"])),
            )
        )
    return GroupCommand(
        op="arm",
        group_id=key,
        generation=generation,
        bot_id="bot",
        user_id="user",
        symbol=SYMBOL,
        armed_from_ms=START + draw(st.one_of(st.integers(-2, 10), st.integers(0, last))) * MINUTE,
        side=draw(st.sampled_from(["long", "short"])),
        intrabar=draw(st.sampled_from(["pessimistic", "ohlc"])),
        members=members,
    )


@st.composite
def alerts(draw: st.DrawFn, key: str, last: int) -> AlertCommand:
    expires = draw(st.one_of(st.none(), st.none(), st.none(), st.integers(20, last)))
    frequency = draw(FREQUENCIES)
    rearm = draw(REARMS) if frequency == "once_per_bar_close" else "on_false"
    command = AlertCommand(
        alert_id=key,
        user_id="user",
        symbol=SYMBOL,
        timeframe=draw(TIMEFRAMES),
        effective_from_ms=START + draw(st.one_of(st.integers(0, 20), st.integers(0, 2 * last))) * MINUTE // 2,
        condition=condition_to_json(draw(TREES)),
        frequency=frequency,
        rearm=rearm,
        rearm_bars=draw(st.integers(1, 4)) if rearm == "after_bars" else 1,
        debounce_bars=draw(st.sampled_from([1, 1, 2, 3])),
        when_true_at_arming=draw(st.sampled_from(["fire", "fire", "wait"])),
        expires_at_ms=None if expires is None else START + expires * MINUTE,
    )
    try:
        refuse_contradictions(command, conditions_of(command, "1m")[0])
    except ConditionError:
        return msgspec.structs.replace(command, debounce_bars=1)
    return command


@st.composite
def cases(draw: st.DrawFn) -> Case:
    records = draw(candles())
    arrivals = st.integers(0, len(records))
    orders: list[Order] = []
    for name in range(draw(st.integers(0, 2))):
        key = f"bot/{SYMBOL}/g{name}"
        for generation, arrival in enumerate(sorted(draw(st.lists(arrivals, min_size=1, max_size=4))), 1):
            command = draw(groups(key, generation, 45))
            if draw(st.integers(0, 5)) == 0:
                command = msgspec.structs.replace(command, op="remove", members=[])
            orders.append(Order(arrival, key, generation, command))
    for name in range(draw(st.integers(0, 3))):
        for generation, arrival in enumerate(sorted(draw(st.lists(arrivals, min_size=1, max_size=2)))):
            orders.append(Order(arrival, f"alert{name}", generation, draw(alerts(f"alert{name}", 45))))
    return Case(records, orders)


class Life:
    """An engine fed with a case; it may die and be restored from what it persisted."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._market = Market(SYMBOL, fill_up_to=FILL)
        self._engine = SymbolEngine(SYMBOL, self._market)
        self._rows: dict[str, tuple[tuple[int, int], bytes]] = {}
        self._saved = (self._market.snapshot(), 0, b"")
        self.said: dict[str, Any] = {}
        self.place = 0

    def run(self, until: int) -> None:
        for place in range(self.place, until):
            for order in self._case.orders:
                if order.arrival == place:
                    self._deliver(order)
            if place < len(self._case.records):
                record = self._case.records[place]
                take = self._engine.on_tick if isinstance(record, Tick) else self._engine.on_kline
                self._note(take(record, place))  # type: ignore[arg-type]
        self.place = max(self.place, until)

    def checkpoint(self, *, symbol: bool = True) -> None:
        """Persist; `symbol=False`: die between the rows of groups and the row of the symbol."""
        for key, generation, pos, body in self._engine.dirty_groups():
            held = self._rows.get(key)
            if held is None or (generation, pos) >= held[0]:
                self._rows[key] = ((generation, pos), body)
        if symbol:
            self._saved = (self._market.snapshot(), self.place, self._engine.stand_ins)

    def crash(self) -> None:
        snapshot, place, stand_ins = self._saved
        from_ms = Market.read_from_ms(snapshot) or 0
        read = [k for k in self._case.records[:place] if isinstance(k, Kline) and k.open_time_ms >= from_ms]
        self._market = Market.restore(snapshot, BarArrays.of(read))
        bodies = [body for _, body in self._rows.values()]
        self._engine = SymbolEngine.restore(SYMBOL, self._market, bodies, stand_ins=stand_ins)
        self.place = place

    def _deliver(self, order: Order) -> None:
        command = order.command
        if isinstance(command, GroupCommand):
            self._note(self._engine.on_command(command, self.place - 1))
            self._note(self._engine.on_command(command, self.place - 1))  # a repeat changes nothing
        else:
            since = command.effective_from_ms or 0
            self._note(self._engine.on_alert(command, order.generation, since))

    def _note(self, outputs: list[Any]) -> None:
        for output in outputs:
            match output:
                case Trigger(trigger_id=name) | Fired(fired_id=name):
                    pass
                case BotEvent(event_id=name, event="expired"):
                    output = "expired"
                case BotEvent() | StaleCommand():
                    assert not (isinstance(output, BotEvent) and output.event == "rejected"), output
                    continue
            assert self.said.setdefault(name, output) == output, "a repeat must be identical"


def expected(case: Case) -> dict[str, Any]:
    """What the oracle says must be heard, whenever the commands come, by id."""
    resolved = {id(order): conditions_of(order.command, "1m") for order in case.orders}
    oracle = Oracle(
        case.records, [one for all_ in resolved.values() for one in all_], Market(SYMBOL, fill_up_to=FILL)
    )
    heard: dict[str, Any] = {}
    for order in case.orders:
        replaced = min(
            (o.arrival for o in case.orders if o.key == order.key and o.generation > order.generation),
            default=len(case.records) + 1,
        )
        command, conditions = order.command, resolved[id(order)]
        if isinstance(command, GroupCommand):
            found = oracle.trigger(command, conditions) if command.op == "arm" else None
            if found is not None and found[0] < replaced:
                heard[found[1].trigger_id] = found[1]
            continue
        from_ms = -(-(command.effective_from_ms or 0) // MINUTE) * MINUTE
        for record, message in oracle.fires(command, conditions[0], order.generation, from_ms):
            if record < replaced:
                name = (
                    message.fired_id
                    if isinstance(message, Fired)
                    else f"{order.key}:{order.generation}:expired"
                )
                heard[name] = message
    return heard


def fires_what_the_oracle_says(case: Case) -> None:
    life = Life(case)
    life.run(len(case.records) + 1)
    assert life.said == expected(case)


def fires_the_same_after_all_bars(case: Case) -> None:
    end = len(case.records)
    late = Case(case.records, [order._replace(arrival=end) for order in case.orders])
    life = Life(late)
    life.run(end + 1)
    assert life.said == expected(late)


def fires_the_same_when_it_dies(case: Case, seed: int) -> None:
    life, dice, crashes = Life(case), Random(seed), 0
    while life.place <= len(case.records):
        life.run(life.place + 1)
        if dice.random() < 0.4:
            life.checkpoint(symbol=dice.random() < 0.8)
        if dice.random() < 0.15 and crashes < 8:
            life.crash()
            crashes += 1
    assert life.said == expected(case)


QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=700)
SEEDS = st.integers(0, 10_000)


@QUICK
@given(cases())
def test_commands_at_any_moment_fire_what_the_oracle_says(case: Case) -> None:
    fires_what_the_oracle_says(case)


@QUICK
@given(cases())
def test_commands_after_all_bars_fire_the_same(case: Case) -> None:
    """Where commands were not replaced before, a command that comes last fires what it would have fired in time."""
    fires_the_same_after_all_bars(case)


@QUICK
@given(cases(), SEEDS)
def test_restarts_change_nothing(case: Case, seed: int) -> None:
    """Dying anywhere, also between the rows of groups and the row of the symbol, repeats what was said and no more."""
    fires_the_same_when_it_dies(case, seed)


@pytest.mark.slow
@LONG
@given(cases())
def test_many_more_commands_at_any_moment_fire_what_the_oracle_says(case: Case) -> None:
    fires_what_the_oracle_says(case)


@pytest.mark.slow
@LONG
@given(cases())
def test_many_more_commands_after_all_bars_fire_the_same(case: Case) -> None:
    fires_the_same_after_all_bars(case)


@pytest.mark.slow
@LONG
@given(cases(), SEEDS)
def test_many_more_restarts_change_nothing(case: Case, seed: int) -> None:
    fires_the_same_when_it_dies(case, seed)
