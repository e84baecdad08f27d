"""What a real venue may do to a grid: parts, cancellations, refusals, and an end while orders work."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.engine.dca import (
    CancelOrder,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    Triggered,
    UnexpectedEvent,
)
from streams.engine.grid import Deal, apply, fill, new_deal, waiting
from tests.streams.engine.dca.support import SYMBOL, bar, trigger
from tests.streams.engine.grid.story import shown_orders
from tests.streams.engine.grid.support import LONG, TENTHS, of, opened

HUNDRED = Decimal(100)


def _starting(bot: BotConfig = LONG) -> Deal:
    deal = new_deal(bot, SYMBOL, TENTHS, trigger(bar(100, 100, 100, 100), config=bot))
    deal, commands = apply(deal, Triggered("base", HUNDRED))
    assert commands == (PlaceOrder("base", "buy", "market", Decimal(2)),)
    return deal


def _placed(deal: Deal, level: str = "grid_2") -> Deal:
    deal, commands = apply(deal, Triggered(level, Decimal(90)))
    assert [command.level for command in commands] == [level]
    return deal


def test_levels_wait_until_the_start_is_bought() -> None:
    deal = _starting()
    assert waiting(deal) == ()
    deal, _ = apply(deal, OrderAccepted("base", "buy", Decimal(2)))
    deal, _ = apply(deal, fill(deal, "base", 5, 10_000, last=False))
    assert waiting(deal) == ()
    deal, _ = apply(deal, fill(deal, "base", 15, 10_001))
    assert shown_orders(deal) == "1 2 | 4 5"
    # 10 lots went to the nearer cell: five at 100.00 and five at 100.01, by their sum to the unit.
    assert [cell.opened_quote for cell in deal.cells[2:]] == [100_007, 200_015 - 100_007]


def test_a_start_that_got_only_a_part_gives_it_to_the_nearest_level() -> None:
    deal = _starting()
    deal, _ = apply(deal, fill(deal, "base", 13, 10_000, last=False))
    deal, _ = apply(deal, OrderCancelled("base"))
    deal, commands = apply(deal, Triggered("grid_5", Decimal(120)))
    assert commands == (PlaceOrder("grid_5", "sell", "limit", Decimal("0.3"), Decimal(120)),)


@pytest.mark.parametrize(
    "event, reason", [(OrderRejected("base"), "order_rejected"), (OrderCancelled("base"), "order_cancelled")]
)
def test_a_start_that_got_nothing_ends_the_grid(event: OrderRejected | OrderCancelled, reason: str) -> None:
    deal, commands = apply(_starting(), event)
    assert (deal.closed, deal.reason, commands) == (True, reason, ())


def test_a_part_that_was_filled_stays_filled_and_the_rest_waits_again() -> None:
    deal = _placed(opened())
    deal, _ = apply(deal, fill(deal, "grid_2", 4, 9_000, last=False))
    deal, _ = apply(deal, OrderCancelled("grid_2"))
    deal, commands = apply(deal, Triggered("grid_2", Decimal(90)))
    assert commands == (PlaceOrder("grid_2", "buy", "limit", Decimal("0.6"), Decimal(90)),)
    deal, _ = apply(deal, fill(deal, "grid_2", 6, 9_000))
    assert shown_orders(deal) == "1 | 3 4 5"


def test_an_order_that_works_is_not_armed_a_second_time() -> None:
    deal = _placed(opened())
    assert shown_orders(deal) == "1 | 4 5"
    with pytest.raises(UnexpectedEvent, match="no order waits"):
        apply(deal, Triggered("grid_2", Decimal(90)))


def _of(level: str, quantity: str, price: str = "90", side: str = "buy") -> OrderFilled:
    amount, at = Decimal(quantity), Decimal(price)
    return OrderFilled(level, "sell" if side == "sell" else "buy", amount, at, amount * at, Decimal(0))


@pytest.mark.parametrize(
    "event",
    [
        _of("grid_2", "1.1"),
        _of("grid_2", "1", side="sell"),
        _of("grid_3", "1"),
        OrderFilled("grid_2", "buy", Decimal(1), Decimal(90), Decimal(91), Decimal(0)),
    ],
)
def test_a_fill_that_contradicts_its_order_is_not_booked(event: OrderFilled) -> None:
    with pytest.raises(UnexpectedEvent):
        apply(_placed(opened()), event)


def test_a_part_that_is_told_twice_is_booked_once() -> None:
    deal = _placed(opened())
    part = fill(deal, "grid_2", 4, 9_000, last=False)
    deal, _ = apply(deal, part)
    with pytest.raises(UnexpectedEvent, match="booked before"):
        apply(deal, part)


def test_a_close_withdraws_what_works_and_sells_what_was_filled_meanwhile() -> None:
    deal, commands = apply(_placed(opened()), Triggered("close", HUNDRED))
    assert commands == (CancelOrder("grid_2"), PlaceOrder("close", "sell", "market", Decimal(2)))
    deal, _ = apply(deal, fill(deal, "grid_2", 10, 9_000))
    deal, commands = apply(deal, fill(deal, "close", 20, 10_000))
    assert commands == (PlaceOrder("close", "sell", "market", Decimal(1)),)
    deal, _ = apply(deal, fill(deal, "close", 10, 9_900))
    assert (deal.closed, deal.profit) == (True, Decimal(9))


def test_a_close_while_the_start_works_withdraws_it() -> None:
    deal, commands = apply(_starting(), Triggered("close", HUNDRED))
    assert commands == (CancelOrder("base"),)
    deal, _ = apply(deal, OrderCancelled("base"))
    assert (deal.closed, deal.reason) == (True, "close")


def test_a_grid_that_keeps_its_position_waits_for_its_orders_to_end() -> None:
    deal, commands = apply(replace(_placed(opened()), keep=True), Triggered("close", HUNDRED))
    assert commands == (CancelOrder("grid_2"),)
    assert not deal.closed
    deal, _ = apply(deal, OrderCancelled("grid_2"))
    assert (deal.closed, deal.ledger.kept_lots, deal.profit) == (True, 20, Decimal(0))


def test_a_stop_that_the_venue_refused_is_tried_again() -> None:
    deal = opened(of(LONG, stop_below="70"))
    deal, commands = apply(deal, Triggered("stop_below", Decimal(70)))
    assert commands == (PlaceOrder("stop_below", "sell", "stop", Decimal(2), Decimal(70)),)
    deal, commands = apply(deal, OrderRejected("stop_below", "too many orders"))
    assert (deal.status, commands) == ("closing", ())
    deal, commands = apply(deal, Triggered("stop_below", Decimal(68)))
    deal, _ = apply(deal, fill(deal, "stop_below", 20, 6_800))
    assert (deal.closed, deal.reason) == (True, "stop_below")
