"""Trails against their oracle: live = late = restarted, both sides, both walks, new and carried on, byte for byte."""

from fractions import Fraction
from random import Random
from typing import Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertCommand, BotAction, GroupCommand, Member, TrailState
from schemas.bots import BotSide, Intrabar
from schemas.conditions import Condition, Level, Side, Trail, condition_to_json
from schemas.market import Kline, Tick
from schemas.triggers import Bar, Trigger
from streams.engine.trail import follow, level_of, start_of
from tests.streams.engine.alert_oracle import MINUTE
from tests.streams.engine.test_network_properties import (
    ACTIONS,
    COMPARES,
    INSIDE,
    INSTANTS,
    LEVELS,
    START,
    SYMBOL,
    TIMEFRAMES,
    Case,
    Life,
    Order,
    expected,
)
from tests.streams.engine.trail_oracle import exactly, story

PERCENTS = st.sampled_from(["0.5", "1", "2", "2", "3", "3", "4", "1.25", "0.333333333333"])
SIDES: st.SearchStrategy[Side] = st.sampled_from(["below", "above"])
GATES = st.none() | INSIDE.map(str)
TRAILS = st.builds(Trail, PERCENTS, GATES, SIDES)
FAR = st.builds(Level, st.sampled_from(["97", "97.5", "98", "98.5"]), st.just("below"))
MEMBERS: st.SearchStrategy[Condition] = st.one_of(
    TRAILS, TRAILS, TRAILS, TRAILS, FAR, FAR, INSTANTS, COMPARES
)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def strolls(draw: st.DrawFn) -> list[Kline | Tick]:
    """Up to 60 calm minutes, so that trails live for a while: many bars change none of them; holes and ticks."""
    dice = Random(draw(st.integers(0, 100_000)))
    ticking, calm = draw(st.booleans()), draw(st.sampled_from([1, 2, 4]))
    records: list[Kline | Tick] = []
    at, price = START + dice.randrange(5) * MINUTE, 400
    for _ in range(draw(st.integers(5, 60))):
        for _ in range(dice.choice([1, 2, 3, 4, 9]) if records and dice.random() < 0.1 else 0):
            at += MINUTE
            if ticking:
                records.append(Tick(symbol=SYMBOL, feed="test", time_ms=at))
        opened, price = price, price + dice.choice([-3, -1, 1, 3] + [0, 0, -1, 1] * calm)
        high, low = (
            max(opened, price) + dice.choice([0, 0, 0, 1, 4]),
            min(opened, price) - dice.choice([0, 0, 0, 1, 4]),
        )
        records.append(
            Kline(
                symbol=SYMBOL, interval="1m", open_time_ms=at, open=opened / 4, high=high / 4, low=low / 4,
                close=price / 4, volume=1.0,
            )
        )  # fmt: skip
        at += MINUTE
        if ticking:
            records.append(Tick(symbol=SYMBOL, feed="test", time_ms=at))
    return records


@st.composite
def starts(draw: st.DrawFn, trail: Trail) -> TrailState | None:
    """None, or what an executor could carry over from the generation before."""
    active = TrailState(active=True, extreme=draw(st.sampled_from([98.0, 99.5, 100.0, 100.5, 102.0])))
    waiting = start_of(trail)
    return draw(st.sampled_from([None, None, active, waiting]))


@st.composite
def groups(
    draw: st.DrawFn, key: str, generation: int, kinds: st.SearchStrategy[Condition] = MEMBERS, most: int = 4
) -> GroupCommand:
    members = []
    for place, condition in enumerate(draw(st.lists(kinds, min_size=1, max_size=most))):
        action, dca, target = draw(ACTIONS)
        members.append(
            Member(
                alert_id=f"m{place}",
                action=BotAction(bot_id="bot", action_type=action, dca_index=dca, tp_index=target),
                condition=condition_to_json(condition),
                when_true_at_arming=draw(st.sampled_from(["fire", "fire", "wait"])),
                trail=draw(starts(condition)) if isinstance(condition, Trail) else None,
            )
        )
    return GroupCommand(
        op="arm", group_id=key, generation=generation, bot_id="bot", user_id="user", symbol=SYMBOL,
        armed_from_ms=START + draw(st.integers(-2, 40)) * MINUTE, side=draw(st.sampled_from(["long", "short"])),
        intrabar=draw(st.sampled_from(["pessimistic", "ohlc"])), members=members,
    )  # fmt: skip


FREQUENCIES: st.SearchStrategy[Literal["once", "once_per_bar_close", "every"]] = st.sampled_from(
    ["once", "once_per_bar_close", "every"]
)


@st.composite
def alerts(draw: st.DrawFn, key: str) -> AlertCommand:
    frequency = draw(FREQUENCIES)
    after_bars = frequency == "once_per_bar_close" and draw(st.booleans())
    return AlertCommand(
        alert_id=key, user_id="user", symbol=SYMBOL, timeframe=draw(TIMEFRAMES),
        effective_from_ms=START + draw(st.integers(0, 80)) * MINUTE // 2, condition=condition_to_json(draw(TRAILS)),
        frequency=frequency, rearm="after_bars" if after_bars else "on_false",
        rearm_bars=draw(st.integers(1, 4)) if after_bars else 1,
        debounce_bars=draw(st.sampled_from([1, 1, 2, 3])), when_true_at_arming=draw(st.sampled_from(["fire", "wait"])),
        expires_at_ms=draw(st.none() | st.integers(20, 45).map(lambda minute: START + minute * MINUTE)),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    records = draw(strolls())
    arrivals = st.integers(0, len(records))
    orders = []
    for name in range(draw(st.integers(1, 3))):
        key = f"bot/{SYMBOL}/g{name}"
        for generation, arrival in enumerate(sorted(draw(st.lists(arrivals, min_size=1, max_size=4))), 1):
            orders.append(Order(arrival, key, generation, draw(groups(key, generation))))
    names = [f"alert{name}" for name in range(draw(st.integers(0, 2)))]
    return Case(records, orders + [Order(draw(arrivals), name, 0, draw(alerts(name))) for name in names])


@QUICK
@given(cases())
def test_trails_armed_at_any_moment_fire_what_the_oracle_says(case: Case) -> None:
    life = Life(case)
    life.run(len(case.records) + 1)
    assert life.said == expected(case)


@QUICK
@given(cases())
def test_trails_that_come_after_all_bars_fire_the_same(case: Case) -> None:
    end = len(case.records)
    late = Case(case.records, [order._replace(arrival=end) for order in case.orders])
    life = Life(late)
    life.run(end + 1)
    assert life.said == expected(late)


@QUICK
@given(cases(), st.integers(0, 10_000), st.sampled_from([0.1, 0.4, 1.0]))
def test_restarts_at_any_record_change_no_trail(case: Case, seed: int, checkpoints: float) -> None:
    """Also where it dies between the rows of groups and the row of the symbol."""
    life, dice, crashes = Life(case), Random(seed), 0
    while life.place <= len(case.records):
        life.run(life.place + 1)
        if dice.random() < checkpoints:
            life.checkpoint(symbol=dice.random() < 0.7)
        if dice.random() < 0.2 and crashes < 10:
            life.crash()
            crashes += 1
    assert life.said == expected(case)


@st.composite
def wild_bars(draw: st.DrawFn) -> Case:
    """One bar that meets most of its group."""
    prices = draw(st.lists(st.integers(190, 210), min_size=2, max_size=4))
    bar = Kline(
        symbol=SYMBOL, interval="1m", open_time_ms=START, open=prices[0] / 2, high=max(prices) / 2,
        low=min(prices) / 2, close=prices[-1] / 2, volume=1.0,
    )  # fmt: skip
    command = draw(groups(f"bot/{SYMBOL}/g", 1, st.one_of(TRAILS, TRAILS, LEVELS, INSTANTS), most=8))
    return Case([bar], [Order(0, command.group_id, 1, msgspec.structs.replace(command, armed_from_ms=START))])


@settings(QUICK, max_examples=300)
@given(wild_bars())
def test_members_stand_in_the_order_in_which_the_oracle_walks_to_them(case: Case) -> None:
    life = Life(case)
    life.run(2)
    assert life.said == expected(case)


PRICES = st.one_of(
    st.integers(190, 210).map(lambda half: half / 2),
    st.floats(1e-8, 1e8, allow_nan=False, allow_infinity=False),
    st.decimals("0.0001", "200000", places=4).map(float),
)


@st.composite
def bars(draw: st.DrawFn) -> list[Bar]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        prices = draw(st.lists(PRICES, min_size=2, max_size=4))
        found.append(
            Bar(
                interval="1m", open_time_ms=0, close_time_ms=60_000, volume=1.0, open=prices[0], high=max(prices),
                low=min(prices), close=prices[-1],
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("side", ["long", "short", None])
@pytest.mark.parametrize("intrabar", ["pessimistic", "ohlc"])
@given(st.data(), bars(), TRAILS)
def test_the_rule_is_the_oracles_to_the_bit(
    side: BotSide | None, intrabar: Intrabar, data: st.DataObject, seen: list[Bar], trail: Trail
) -> None:
    start = data.draw(starts(trail))
    state = start_of(trail) if start is None else start
    for bar, walked in zip(seen, story(trail, start, seen, side, intrabar), strict=True):
        assert state == walked.before
        state, met = follow(trail, state, bar, side, intrabar)
        assert (state, met and met.leg) == (walked.after, walked.leg)
        assert met is None or met.level == walked.level


@given(PRICES, PERCENTS, SIDES)
def test_the_level_is_exact(extreme: float, percent: str, side: Side) -> None:
    share = Fraction(percent) / 100
    factor = 1 - share if side == "below" else 1 + share
    assert Fraction(level_of(Trail(percent, None, side), extreme)) == exactly(extreme) * factor


@QUICK
@given(cases())
def test_a_trigger_tells_enough_to_walk_its_bar_again(case: Case) -> None:
    """The executor finds from the trigger alone which trails were met, and at which price."""
    life = Life(case)
    life.run(len(case.records) + 1)
    commands = {(one.key, one.generation): one.command for one in case.orders}
    for trigger in (said for said in life.said.values() if isinstance(said, Trigger)):
        command = commands[trigger.group_id, trigger.generation]
        assert isinstance(command, GroupCommand)
        trails = {
            m.alert_id: Trail(**m.condition["trail"]) for m in command.members if "trail" in m.condition
        }
        assert trigger.trails.keys() == trails.keys()
        fired = {one.alert_id: one.price for one in trigger.fired if one.alert_id in trails}
        for name, trail in () if trigger.bar.stale_price else trails.items():
            _, met = follow(trail, trigger.trails[name], trigger.bar, command.side, command.intrabar)
            if name in fired:
                assert met is not None
                assert fired[name] == float(met.level)
