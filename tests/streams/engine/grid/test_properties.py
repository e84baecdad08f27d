"""What holds for every grid, every path and every venue."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.bots import BotConfig, Grid
from schemas.triggers import Bar
from streams.engine.dca import (
    CancelOrder,
    Closed,
    Command,
    Dust,
    Instrument,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    Triggered,
    UnexpectedEvent,
)
from streams.engine.grid import (
    Deal,
    GridEvent,
    Kept,
    RoundTrip,
    apply,
    armed,
    bounds,
    fill,
    new_deal,
    problems,
    waiting,
    walk,
)
from streams.engine.grid.cells import cost, held
from tests.streams.engine.dca.support import SYMBOL, bar, trigger
from tests.streams.engine.grid.support import LONG, events, run

MANY = settings(max_examples=60, deadline=None)
NO_FEWER = Decimal(0)


@st.composite
def any_grid(draw: st.DrawFn) -> BotConfig:
    """A grid around 100 that may have problems."""
    in_base = draw(st.booleans())
    lower, upper = draw(st.integers(60, 100)), draw(st.integers(100, 150))
    grid = Grid(
        lower=str(lower),
        upper=str(upper),
        levels=draw(st.integers(2, 9)),
        quantity=str(draw(st.integers(5, 40)) * (Decimal("0.1") if in_base else 10)),
        quantity_in="base" if in_base else "quote",
        spacing=draw(st.sampled_from(["arithmetic", "geometric"])),
        max_active_levels=draw(st.none() | st.integers(1, 5)),
        initial_purchase=draw(st.booleans()),
        stop_below=draw(st.none() | st.just(str(lower - 5))),
        stop_above=draw(st.none() | st.just(str(upper + 5))),
        stop_action=draw(st.sampled_from(["close", "keep"])),
    )
    return replace(
        LONG,
        grid=grid,
        side=draw(st.sampled_from(["long", "short", "neutral"])),
        fee=draw(st.sampled_from(["0", "0.1", "0.075"])),
        slippage=draw(st.sampled_from(["0", "0.3"])),
        intrabar=draw(st.sampled_from(["pessimistic", "ohlc"])),
    )


grids = any_grid().filter(lambda bot: not problems(bot))
instruments = st.builds(
    Instrument,
    tick=st.sampled_from([Decimal(tick) for tick in ("0.01", "0.25", "1e-8")]),
    lot=st.sampled_from([Decimal(lot) for lot in ("0.1", "0.001", "1e-8")]),
    min_notional=st.sampled_from([Decimal(0), Decimal(5)]),
)


@st.composite
def paths(draw: st.DrawFn) -> list[Bar]:
    """A market that starts at 100 and jumps, dips and gaps by up to a sixth a minute."""
    price, out = 100.0, [bar(100.0, 100.0, 100.0, 100.0)]
    moves = st.lists(st.integers(-160, 160), min_size=4, max_size=4)
    for number, steps in enumerate(draw(st.lists(moves, min_size=1, max_size=8)), start=1):
        o, a, b, c = (round(price * (1 + step / 1000), 3) for step in steps)
        out.append(bar(o, max(o, a, b, c), min(o, a, b, c), c, number=number))
        price = c
    return out


def check(deal: Deal, told: list[GridEvent]) -> None:
    """The books of a grid against what was told of it, and its orders against its cells."""
    fills = [event for event in told if isinstance(event, OrderFilled)]
    sums = {
        side: sum((event.quote for event in fills if event.side == side), NO_FEWER)
        for side in ("buy", "sell")
    }
    lots = {
        side: sum((event.quantity for event in fills if event.side == side), NO_FEWER)
        for side in ("buy", "sell")
    }
    kept = [event for event in told if isinstance(event, Kept)]
    dust = sum((event.quantity for event in told if isinstance(event, Dust)), NO_FEWER)
    instrument, ledger = deal.terms.instrument, deal.ledger
    holds = instrument.quantity(ledger.position)
    assert holds == lots["buy"] - lots["sell"] - dust - sum((event.quantity for event in kept), NO_FEWER)
    gained = sums["sell"] - sums["buy"] + sum((event.quote for event in kept), NO_FEWER)
    assert deal.profit == gained - sum((event.fee for event in fills), NO_FEWER)
    trips = [event for event in told if isinstance(event, RoundTrip)]
    assert deal.grid_profit == sum((event.profit for event in trips), NO_FEWER)
    assert [event.number for event in trips] == list(range(1, deal.trips + 1))
    assert Deal.from_json(deal.to_json()) == deal
    if deal.closed:
        assert holds == 0
        assert armed(deal) == waiting(deal) == ()
        assert [event.profit for event in told if isinstance(event, Closed)] == [deal.profit]
    elif deal.status == "open":
        _check_cells(deal)


def _check_cells(deal: Deal) -> None:
    ledger, most = deal.ledger, sum(deal.lots)
    assert sum(held(deal, number) for number, _ in deal.numbered()) == ledger.position
    assert (0 if deal.side == "long" else -most) <= ledger.position <= (0 if deal.side == "short" else most)
    # What is not in complete trips is what the open ones cost.
    assert ledger.sell_quote - ledger.buy_quote == deal.trip_quote - cost(deal)
    assert ledger.fees == deal.trip_fees + sum(cell.opened_fees + cell.closed_fees for cell in deal.cells)
    orders = waiting(deal)
    blocked = sum(cell.working for cell in deal.cells)
    assert len({order.level for order in orders}) == len(orders)
    wanted = [number if _buys(deal, number) else number + 1 for number, _ in deal.numbered()]
    assert len(orders) + blocked <= len(deal.cells)
    if not blocked:
        assert {order.level for order in orders} == set(wanted)
    shown = [order for order in armed(deal) if not order.stop]
    assert len(shown) == min(len(orders), deal.terms.grid.max_active_levels or 200)


def _buys(deal: Deal, number: int) -> bool:
    cell = deal.cells[number - 1]
    return cell.state == "buy" or (cell.state == "idle" and deal.opens_with(number) == "sell")


@MANY
@given(grids, instruments, paths())
def test_the_books_agree_bar_by_bar(bot: BotConfig, instrument: Instrument, candles: list[Bar]) -> None:
    if problems(bot, instrument):
        return
    settled = run(bot, candles, instrument=instrument)
    for number in range(1, len(settled) + 1):
        check(settled[number - 1][1].deal, [event for _, event in events(settled[:number])])


@MANY
@given(grids, paths())
def test_fills_keep_to_the_bar_and_a_level_trades_once_in_it(bot: BotConfig, candles: list[Bar]) -> None:
    settled = run(bot, candles, instrument=Instrument(Decimal("0.001"), Decimal("0.001")))
    before = settled[0][1].deal
    for number, settlement in settled[1:]:
        fills = [event for event in settlement.events if isinstance(event, OrderFilled)]
        names = [event.level for event in fills]
        assert len(set(names)) == len(names)
        assert set(names) <= {order.name for order in armed(before)}
        of = candles[number]
        for event in fills:
            if event.level.startswith("grid_"):
                assert Decimal(repr(of.low)) <= event.price <= Decimal(repr(of.high))
        before = settlement.deal


@MANY
@given(grids, paths())
def test_only_bars_that_reach_a_bound_do_anything(bot: BotConfig, candles: list[Bar]) -> None:
    """What a driver that jumps relies on, against one that walks every bar."""
    instrument = Instrument(Decimal("0.001"), Decimal("0.001"))
    deal = run(bot, candles[:1], instrument=instrument)[0][1].deal
    for of in candles[1:]:
        below, above = bounds(deal)
        low, high = (instrument.in_ticks(Decimal(repr(price))) for price in (of.low, of.high))
        reached = (below is not None and low <= below) or (above is not None and high >= above)
        after = walk(deal, of, [])
        assert bool(after.events) == (reached and not deal.closed)
        deal = after.deal if reached else deal


@MANY
@given(grids, paths())
def test_a_round_trip_brings_at_least_what_was_promised(bot: BotConfig, candles: list[Bar]) -> None:
    """Fills at the open are better than the level, never worse; the start's market order is the one exception."""
    settled = run(replace(bot, slippage="0"), candles, instrument=Instrument())
    if bot.side == "neutral" or (bot.grid is not None and not bot.grid.initial_purchase):
        trips = [event for _, event in events(settled) if isinstance(event, RoundTrip)]
        assert all(event.profit > 0 for event in trips)


@MANY
@given(grids, st.data())
def test_a_venue_may_do_what_it_likes(bot: BotConfig, data: st.DataObject) -> None:
    """Orders are met in any order, filled in parts, cancelled, refused; nothing is booked twice and nothing is lost."""
    instrument = Instrument(Decimal("0.01"), Decimal("0.001"))
    if problems(bot, instrument):
        return
    start = trigger(bar(100.0, 100.0, 100.0, 100.0), config=bot)
    deal = new_deal(bot, SYMBOL, instrument, start)
    told: list[GridEvent] = []
    at_venue: list[str] = []
    deal, commands = apply(deal, Triggered("base", Decimal(100)))
    for step in count():
        _send(commands, at_venue)
        if deal.closed or step >= 25:
            break
        check_ledger(deal)
        levels = [] if deal.base is not None and deal.base.working else [order.name for order in armed(deal)]
        choices = (
            [f"venue {name}" for name in at_venue] + [f"meet {name}" for name in levels] + ["meet close"]
        )
        what, name = data.draw(st.sampled_from(choices)).split()
        if what == "meet":
            if name == "close" and deal.exit is not None and deal.exit.working:
                commands = ()
                with pytest.raises(UnexpectedEvent):
                    apply(deal, Triggered("close", Decimal(100)))
                continue
            deal, commands = apply(deal, Triggered(name, Decimal(100)))
        else:
            deal, commands = _answer(deal, name, at_venue, told, data)
        if deal.status == "open":
            _check_cells(deal)
    check_ledger(deal)
    if deal.closed:
        assert deal.ledger.position == 0


def check_ledger(deal: Deal) -> None:
    assert Deal.from_json(deal.to_json()) == deal
    for number, cell in deal.numbered():
        assert 0 <= cell.filled_lots <= deal.lots[number - 1]


def _send(commands: tuple[Command, ...], at_venue: list[str]) -> None:
    for command in commands:
        if isinstance(command, PlaceOrder):
            assert command.level not in at_venue
            assert command.quantity > 0
            at_venue.append(command.level)
        else:
            assert isinstance(command, CancelOrder)
            assert command.level in at_venue


def _answer(
    deal: Deal, name: str, at_venue: list[str], told: list[GridEvent], data: st.DataObject
) -> tuple[Deal, tuple[Command, ...]]:
    """One thing that a venue may say of an order it has."""
    from streams.engine.grid.booking import rest_of

    side, rest, _ = rest_of(deal, name)
    match data.draw(st.sampled_from(["accepted", "part", "all", "cancelled", "rejected"])):
        case "accepted":
            return apply(deal, OrderAccepted(name, side, deal.terms.instrument.quantity(rest)))
        case "part":
            lots = data.draw(st.integers(0, rest))
            return apply(deal, fill(deal, name, lots, 10_000, last=False))
        case "all":
            event = fill(deal, name, rest, 10_000)
            told.append(event)
            at_venue.remove(name)
            after, commands = apply(deal, event)
            if name not in {c.level for c in commands}:
                with pytest.raises(UnexpectedEvent):
                    apply(after, event)
            return after, commands
        case "cancelled":
            at_venue.remove(name)
            return apply(deal, OrderCancelled(name))
        case _:
            at_venue.remove(name)
            return apply(deal, OrderRejected(name))
