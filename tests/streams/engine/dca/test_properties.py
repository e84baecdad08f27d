"""What holds for every bot, every instrument, every path and every venue."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule, StopLoss, TakeProfit, TargetStep
from schemas.triggers import Bar
from streams.engine.dca import (
    Closed,
    Deal,
    Dust,
    EntryRefused,
    Instrument,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    Triggered,
    UnexpectedEvent,
    apply,
    consequences,
    deal_members,
    fill,
    new_deal,
    preview,
    problems,
    settle,
    walk,
)
from streams.engine.dca.events import CancelOrder, DealEvent, DealInput
from streams.engine.dca.ladder import steps
from streams.engine.dca.levels import levels, safety_levels, trails
from tests.streams.engine.dca.support import GOLDEN, SYMBOL, bar, events, fired, opened, run, trigger

MANY = settings(max_examples=100, deadline=None)
MANY_DIGITS = replace(GOLDEN, price_deviation="0.1", step_scale="1.12", volume_scale="1.37")
"""A safety order of 105.6826090329635962: more digits than are shown of a ratio."""


def decimals(low: int, high: int, places: int) -> st.SearchStrategy[str]:
    """Decimal texts low/10^places … high/10^places."""
    return st.integers(low, high).map(lambda n: str(Decimal(n).scaleb(-places)))


instruments = st.builds(
    Instrument,
    tick=st.sampled_from([Decimal(tick) for tick in ("0.01", "0.1", "0.25", "0.0001", "1e-8")]),
    lot=st.sampled_from([Decimal(lot) for lot in ("0.1", "0.001", "1", "1e-8")]),
    min_notional=st.sampled_from([Decimal(0), Decimal(5)]),
)


@st.composite
def any_stop(draw: st.DrawFn) -> StopLoss:
    """Any kind of stop."""
    kind = draw(st.sampled_from(["plain", "trailing", "break_even", "timeout"]))
    return StopLoss(
        percent=draw(decimals(200, 3000, 2)),
        reference="base" if kind == "trailing" else draw(st.sampled_from(["base", "average", "last_level"])),
        trailing=kind == "trailing",
        break_even=kind == "break_even",
        timeout_s=draw(st.sampled_from([60, 90, 180])) if kind == "timeout" else 0,
    )


@st.composite
def any_target(draw: st.DrawFn) -> TakeProfit:
    """One target, or steps; it may trail."""
    of: Any = draw(st.sampled_from(["average", "base"]))
    trailing = draw(st.none() | decimals(10, 300, 2))
    shares = draw(st.sampled_from([(), (), (50, 50), (20, 30, 50), (1, 24, 25, 50)]))
    if not shares:
        return TakeProfit(percent=draw(decimals(50, 900, 2)), of=of, trailing=trailing)
    percents = draw(st.lists(st.integers(50, 900), min_size=len(shares), max_size=len(shares), unique=True))
    steps_ = tuple(
        TargetStep(percent=str(Decimal(p).scaleb(-2)), amount=str(share))
        for p, share in zip(sorted(percents), shares, strict=True)
    )
    return TakeProfit(steps=steps_, of=of, trailing=trailing)


@st.composite
def any_bot(draw: st.DrawFn) -> BotConfig:
    """A bot that may have problems."""
    side = draw(st.sampled_from(["long", "short"]))
    collects = draw(st.sampled_from([False, False, False, True]))
    rule = CloseRule(when="close > 100", min_profit=draw(st.none() | st.sampled_from(["-3", "1"])))
    return replace(
        GOLDEN,
        side=side,
        accumulate=collects,
        max_safety_orders=0 if collects else draw(st.integers(0, 6)),
        price_deviation=draw(decimals(10, 400, 2)),
        step_scale=draw(decimals(80, 200, 2)),
        volume_scale=draw(decimals(80, 200, 2)),
        anchor=draw(st.sampled_from(["base_fill", "base_fill", "previous_order", "average"])),
        safety_condition="" if collects else draw(st.sampled_from(["", "", "", "close < 99"])),
        max_active_safety_orders=draw(st.none() | st.none() | st.integers(1, 3)),
        gap_through=draw(st.sampled_from(["each", "each", "one_per_bar", "merge"])),
        take_profit=draw(any_target()),
        stop_loss=draw(st.none() | any_stop()),
        close=draw(st.none() | st.none() | st.just(rule)),
        deal_timeout_s=draw(st.sampled_from([0, 0, 0, 240])),
        fee=draw(decimals(0, 30, 2)),
        fee_in="base" if side == "long" and draw(st.booleans()) else "quote",
        slippage=draw(decimals(0, 50, 2)),
        same_bar_exit=draw(st.booleans()),
        intrabar=draw(st.sampled_from(["pessimistic", "ohlc"])),
    )


bots = any_bot().filter(lambda bot: not problems(bot))


@st.composite
def paths(draw: st.DrawFn) -> list[Bar]:
    """A market that starts at 100 and jumps, dips and gaps by up to a fifth a minute."""
    price, out = 100.0, [bar(100.0, 100.0, 100.0, 100.0)]
    moves = st.lists(st.integers(-200, 200), min_size=4, max_size=4)
    for number, steps_ in enumerate(draw(st.lists(moves, min_size=1, max_size=6)), start=1):
        o, a, b, c = (round(price * (1 + step / 1000), 3) for step in steps_)
        out.append(bar(o, max(o, a, b, c), min(o, a, b, c), c, number=number))
        price = c
    return out


def check(deal: Deal, told: list[DealEvent]) -> None:
    """The books of a deal against what was told of it."""
    fills = [event for event in told if isinstance(event, OrderFilled)]
    buys = sum((event.quote for event in fills if event.side == "buy"), Decimal(0))
    sells = sum((event.quote for event in fills if event.side == "sell"), Decimal(0))
    fees = sum((event.fee for event in fills), Decimal(0))
    bought = sum((event.quantity for event in fills if event.side == "buy"), Decimal(0))
    sold = sum((event.quantity for event in fills if event.side == "sell"), Decimal(0))
    dust = sum((event.quantity for event in told if isinstance(event, Dust)), Decimal(0))
    taken = sum((event.fee_base for event in fills), Decimal(0))
    held = deal.terms.instrument.parts(deal.ledger.held_parts)

    assert held >= 0
    assert deal.working_targets <= deal.ledger.position
    assert held == (bought - sold if deal.terms.long else sold - bought) - dust - taken
    assert deal.profit == sells - buys - fees
    ledger, entries = deal.ledger, deal.entries
    if not deal.terms.accumulate:  # added entries that are over are in the ledger alone
        assert sum(order.filled_lots for order in entries) == ledger.entry_lots
        assert sum(order.filled_quote for order in entries) == ledger.entry_quote
    assert all(event.quote == event.quantity * event.price for event in fills)
    if deal.closed:
        assert held == 0
        assert levels(deal) == ()
        assert deal_members(deal, 1) == []
        assert [event.profit for event in told if isinstance(event, Closed)] == [deal.profit]
    assert Deal.from_json(deal.to_json()) == deal


@MANY
@given(bots, instruments, paths())
def test_the_books_agree_bar_by_bar(bot: BotConfig, instrument: Instrument, candles: list[Bar]) -> None:
    try:
        settled = run(bot, candles, instrument=instrument)
    except EntryRefused:
        return
    for number in range(1, len(settled) + 1):
        check(settled[number - 1][1].deal, [event for _, event in events(settled[:number])])


@MANY
@given(bots, instruments, paths())
def test_fills_keep_to_the_bar_and_the_rules(
    bot: BotConfig, instrument: Instrument, candles: list[Bar]
) -> None:
    try:
        settled = run(bot, candles, instrument=instrument)
    except EntryRefused:
        return
    before = settled[0][1].deal
    for number, settlement in settled[1:]:
        fills = [event for event in settlement.events if isinstance(event, OrderFilled)]
        names = [event.level.split("_")[0] for event in fills]
        assert len({event.level for event in fills}) == len(fills)
        if not bot.same_bar_exit and "dca" in names:
            assert "tp" not in names[names.index("dca") :]
        for event in fills:
            _within(event, before, candles[number])
        before = settlement.deal


def _within(event: OrderFilled, before: Deal, of: Bar) -> None:
    """A limit trades inside the bar (to the tick), a stop or market order at most its slippage beyond it."""
    terms, tick, slip = before.terms, before.terms.tick, Decimal(before.terms.slippage) / 100
    trails_ = terms.take_profit is not None and terms.take_profit.trailing is not None
    at_market = event.level in {"sl", "close"} or terms.safety_condition or trails_
    room = tick + Decimal(repr(of.high)) * slip if at_market else tick
    assert Decimal(repr(of.low)) - room <= event.price <= Decimal(repr(of.high)) + room
    for level in levels(before):
        if level.name == event.level and level.kind == "dca" and not terms.safety_condition:
            limit = before.terms.instrument.price(level.ticks)
            assert event.price <= limit if event.side == "buy" else event.price >= limit


@MANY
@given(bots, paths())
def test_settling_again_gives_the_same_and_a_closed_deal_stays(bot: BotConfig, candles: list[Bar]) -> None:
    for number, settlement in run(bot, candles, instrument=Instrument(Decimal("0.01"), Decimal("0.001")))[1:]:
        again = settle(settlement.deal, trigger(candles[number], [fired("close")], config=bot))
        assert again == settle(settlement.deal, trigger(candles[number], [fired("close")], config=bot))
        assert again.deal.closed
        assert walk(again.deal, candles[number], []).deal == again.deal


@MANY
@given(bots, instruments)
def test_a_ladder_on_a_grid_is_the_exact_one_rounded_once(bot: BotConfig, instrument: Instrument) -> None:
    price = Decimal(100)
    exact, grid = preview(bot, price).orders, preview(bot, price, instrument).orders
    for free, row in zip(exact, grid, strict=False):  # a coarse tick may end a ladder early
        gap = free.price - row.price if bot.side == "long" else row.price - free.price
        if bot.anchor == "base_fill":  # other anchors are rounded themselves
            assert 0 <= gap < instrument.tick
        assert row.order == free.order
        volume = Decimal(bot.base_order_volume) if row.order == 0 else free.volume
        assert row.volume > volume - Decimal(
            "1e-9"
        )  # up to the lot: never less than asked (free is shown rounded)
        assert row.volume - volume < instrument.lot * row.price + Decimal("1e-9")


@MANY
@given(bots, instruments)
@example(MANY_DIGITS, Instrument())
def test_what_the_preview_shows_is_what_is_armed(bot: BotConfig, instrument: Instrument) -> None:
    bot = replace(bot, slippage="0")
    try:
        deal = opened(bot, 100.0, instrument)
    except EntryRefused:
        return
    seen = preview(bot, Decimal(100), instrument).orders
    price, quote = instrument.price, instrument.quote
    ladder = [(price(order.ticks or 0), quote((order.ticks or 0) * order.lots)) for order in deal.ladder]
    assert [(row.price, row.volume) for row in seen[1:]] == ladder
    armed = [None if (ticks := deal.target_ticks(t)) is None else price(ticks) for t in deal.terms.targets]
    assert seen[0].take_profit_prices == armed
    if bot.stop_loss is not None and not bot.stop_loss.trailing:
        assert deal.stop_loss_ticks is not None
        assert seen[0].stop_loss_price == price(deal.stop_loss_ticks)


@MANY
@given(bots, instruments)
def test_the_target_brings_what_was_asked_and_a_tick_less_does_not(
    bot: BotConfig, instrument: Instrument
) -> None:
    assert bot.take_profit is not None
    first = bot.take_profit.percent or bot.take_profit.steps[0].percent
    fee, asked = Fraction(bot.fee) / 100, Fraction(first) / 100
    base = None
    for row in preview(bot, Decimal(100), instrument).orders:
        base = base or Fraction(row.volume)
        quote, target, tick = Fraction(row.total_volume), row.take_profit_price, Fraction(instrument.tick)
        if target is None or row.average_price == 0:
            continue
        held = quote / Fraction(row.average_price)
        goal = asked * (quote if bot.take_profit.of == "average" else base)
        near = Fraction(1, 10**9)  # the average is shown with 18 digits
        if bot.side == "long":
            assert held * Fraction(target) * (1 - fee) >= quote + goal - near
            assert held * (Fraction(target) - tick) * (1 - fee) < quote + goal + near
        else:
            assert held * Fraction(target) * (1 + fee) <= quote - goal + near
            assert held * (Fraction(target) + tick) * (1 + fee) > quote - goal - near


@MANY
@given(
    st.integers(1, 30), decimals(1, 500, 2), decimals(10, 300, 2), decimals(1, 9999, 2), decimals(10, 300, 2)
)
def test_the_ladder_is_the_closed_form(n: int, d: str, s: str, volume: str, v: str) -> None:
    gap, scale = Fraction(d) / 100, Fraction(s)
    for step in steps(n, d, s, volume, v):
        k = step.number
        assert step.deviation == (k * gap if scale == 1 else gap * (scale**k - 1) / (scale - 1))
        assert step.volume == Fraction(volume) * Fraction(v) ** (k - 1)


@MANY
@given(bots, instruments, st.data())
def test_the_books_agree_on_a_venue_that_answers_as_it_likes(
    bot: BotConfig, instrument: Instrument, data: st.DataObject
) -> None:
    """Any order of triggers, partial fills, late fills, cancels and rejections; never a negative position."""
    entry = trigger(bar(100, 100, 100, 100), config=bot)
    deal, told = new_deal(bot, SYMBOL, instrument, entry), list[DealEvent]()
    deal, _ = apply(deal, Triggered("base", Decimal(100)))
    for _ in range(data.draw(st.integers(1, 25))):
        if deal.closed:
            break
        event = data.draw(st.sampled_from(_possible(deal, data)))
        before = deal
        deal, commands = apply(deal, event)
        if isinstance(event, OrderFilled | OrderCancelled | OrderRejected) and not deal.closed:
            with pytest.raises(UnexpectedEvent):
                apply(deal, event)  # told again, it books nothing
        told += [event] if not isinstance(event, Triggered) else []
        told += consequences(before, deal)
        assert all(isinstance(command, PlaceOrder | CancelOrder) for command in commands)
        check(deal, told)
    if deal.status == "closing":
        assert any(order.working for order in (*deal.entries, *deal.targets)) or (
            deal.exit is not None and deal.exit.working
        )


def _possible(deal: Deal, data: st.DataObject) -> list[DealInput]:
    """What a venue or the market could do next."""
    every = (*deal.entries, *deal.targets, deal.exit)
    orders = [order for order in every if order is not None and order.working]
    out: list[DealInput] = [] if deal.status == "closing" else [Triggered("close", Decimal(95))]
    waiting = list(levels(deal))
    if deal.status == "open" and deal.terms.safety_condition:
        waiting += safety_levels(deal)
    out += [Triggered(level.name, deal.terms.instrument.price(level.ticks)) for level in waiting]
    if deal.status == "open" and deal.terms.accumulate:
        out.append(Triggered(f"base_{deal.base_orders + 1}", Decimal(90)))
    out += [Triggered(trail.name, Decimal(101), at_market=True) for trail in trails(deal)]
    dca = [level for level in waiting if level.kind == "dca"]
    if len(dca) > 1:
        last = deal.terms.instrument.price(dca[-1].ticks)
        out.append(Triggered(dca[-1].name, last, merges=tuple(level.name for level in dca[:-1])))
    for order in orders:
        rest = order.lots - order.filled_lots
        part = data.draw(st.integers(1, rest))
        ticks = deal.terms.instrument.ticks_up(Decimal(data.draw(st.integers(80, 120))))
        out.append(fill(deal, order.level, part, ticks, last=part == rest or data.draw(st.booleans())))
        out += [OrderCancelled(order.level), OrderRejected(order.level)]
    return out
