"""Deals of one pair that share the entry's group."""

from collections import Counter

from msgspec.structs import replace
from sqlalchemy import Engine

from schemas.bots import BotConfig, Grid
from tests.sinks.bots import MINUTE, T0, TOPICS, bar, golden
from tests.sinks.loop import Loop, rows
from tests.sinks.reconciling import differences

BESIDE = golden(max_active_deals=2, max_active_deals_per_pair=2)


def play(loop: Loop, *closes: float, first: int = 0) -> None:
    """One bar per close."""
    for number, close in enumerate(closes, start=first):
        loop.feed("BTCUSDT", bar(number, close))
        loop.run()


def test_events_of_two_deals_on_one_bar_have_ids_of_their_own(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(BESIDE)
    play(loop, 105.0, 100.0, 101.5, 100.4, 110.0)
    closed = [event for event in loop.events if event.event == "closed"]
    assert len({event.deal_id for event in closed}) == 2
    assert max(Counter(event.event_id for event in loop.events).values()) == 1


def test_a_bot_that_becomes_a_grid_keeps_the_exits_of_its_deals(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(BESIDE)
    play(loop, 105.0, 100.0)
    grid = Grid(lower="90", upper="110", levels=5, quantity="10")
    now = BotConfig(bot_id="dip", user_id="alice", kind="grid", pairs=["BTCUSDT"], grid=grid,
                    effective_from_ms=T0 + 2 * MINUTE)  # fmt: skip
    loop.put(now)
    play(loop, 100.0, 50.0, 50.0, first=2)
    [deal] = rows(engine, "deals")["deals"]
    assert deal[9] == "stop_loss"


def test_a_start_that_is_due_comes_though_the_bot_became_a_grid(engine: Engine) -> None:
    loop = Loop(engine)
    loop.put(golden(start_delay_s=180))
    play(loop, 105.0, 100.0)
    grid = Grid(lower="90", upper="110", levels=5, quantity="10")
    now = BotConfig(bot_id="dip", user_id="alice", kind="grid", pairs=["BTCUSDT"], grid=grid,
                    effective_from_ms=T0 + 2 * MINUTE)  # fmt: skip
    loop.put(now)
    play(loop, 100.0, 100.0, 100.0, 100.0, 100.0, first=2)
    [deal] = rows(engine, "deals")["deals"]
    assert (deal[4], deal[6]) == ("open", bar(4, 100.0).close_time_ms)


def test_a_periodic_deal_that_waits_for_nothing_is_no_difference(engine: Engine) -> None:
    """Its bot is paused: there is no entry, no target and no stop, so that its group is gone."""
    bot = golden(
        accumulate=True, take_profit=None, stop_loss=None, max_safety_orders=0, safety_order_volume="0"
    )
    loop = Loop(engine)
    loop.put(bot)
    play(loop, 105.0, 100.0)
    loop.put(replace(bot, state="paused", effective_from_ms=T0 + 2 * MINUTE))
    play(loop, 105.0, 100.0, first=2)
    assert loop.commands[-1].op == "remove"
    assert [deal[4] for deal in rows(engine, "deals")["deals"]] == ["open"]
    assert differences(engine, loop.bus, TOPICS) == []
