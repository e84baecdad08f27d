"""The deal on a venue that answers late, in parts, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from streams.engine.dca import (
    CancelOrder,
    Command,
    Deal,
    Instrument,
    OffGrid,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    PlaceOrder,
    Triggered,
    UnexpectedEvent,
    apply,
    consequences,
    deal_group,
    fill,
    new_deal,
)
from streams.engine.dca.events import Closed, DealInput, Dust
from tests.streams.engine.dca.support import ROUND, SYMBOL, TENTHS, bar, opened, stop, trigger

HUNDRED = Decimal(100)


def fresh(instrument: Instrument = TENTHS) -> Deal:
    return new_deal(ROUND, SYMBOL, instrument, trigger(bar(100, 100, 100, 100), config=ROUND))


def after(deal: Deal, *inputs: DealInput) -> Deal:
    """The deal after each of the inputs, whose commands are somebody else's business."""
    for event in inputs:
        deal, _ = apply(deal, event)
    return deal


def placed(deal: Deal, level: str, price: str = "100") -> tuple[Deal, tuple[Command, ...]]:
    return apply(deal, Triggered(level, Decimal(price)))


def levels(deal: Deal) -> list[tuple[str, str]]:
    group = deal_group(deal, generation=1, armed_from_ms=0)
    return [
        (member.alert_id.removeprefix("bot_btc-dip_"), member.condition["level"]["price"])
        for member in group.members
    ]


def test_the_base_order_is_placed_at_the_market() -> None:
    deal, commands = placed(fresh(), "base")
    assert commands == (PlaceOrder("base", "buy", "market", Decimal(1)),)
    assert deal.status == "opening"
    assert levels(deal) == []


def test_a_base_order_filled_in_parts_has_a_target_at_once_and_a_ladder_at_the_end() -> None:
    deal, _ = placed(fresh(), "base")
    deal = after(deal, OrderAccepted("base", "buy", Decimal(1)), fill(deal, "base", 4, 10000, last=False))
    assert levels(deal) == [("tp_1", "110")]
    assert deal.status == "opening"
    deal = after(deal, fill(deal, "base", 6, 10010))
    assert deal.status == "open"
    # Average (0.4·100 + 0.6·100.1) = 100.06: rungs 90.054, 80.048, 70.042, down; target 110.066, up
    assert levels(deal) == [("dca_1", "90.05"), ("dca_2", "80.04"), ("dca_3", "70.04"), ("tp_1", "110.07")]


def test_a_base_order_cancelled_half_way_anchors_the_ladder_at_what_it_got() -> None:
    deal, _ = placed(fresh(), "base")
    deal = after(deal, fill(deal, "base", 4, 9900, last=False), OrderCancelled("base", "expired"))
    assert deal.status == "open"
    assert levels(deal)[0] == ("dca_1", "89.1")
    assert deal.ledger.position == 4


@pytest.mark.parametrize(
    "answer, reason",
    [(OrderRejected("base", "no funds"), "order_rejected"), (OrderCancelled("base"), "order_cancelled")],
)
def test_a_base_order_that_got_nothing_ends_the_deal(answer: DealInput, reason: Any) -> None:
    before, _ = placed(fresh(), "base")
    deal = after(before, answer)
    assert consequences(before, deal) == (Closed(reason, Decimal(0)),)
    assert consequences(deal, deal) == ()


def test_a_safety_order_is_a_limit_at_its_level_and_moves_the_target_with_each_part() -> None:
    deal, commands = placed(opened(), "dca_1", "90")
    assert commands == (PlaceOrder("dca_1", "buy", "limit", Decimal("1.2"), Decimal(90)),)
    assert "dca_1" not in dict(levels(deal))
    deal = after(deal, fill(deal, "dca_1", 2, 9000, last=False))
    assert dict(levels(deal))["tp_1"] == "108.17"  # 118·1.1/1.2 = 108.1666…
    deal = after(deal, fill(deal, "dca_1", 10, 8990))
    assert dict(levels(deal))["tp_1"] == "103.95"  # (118 + 89.9)·1.1/2.2


def test_a_rejected_safety_order_is_out_and_the_deal_goes_on() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    deal = after(deal, OrderRejected("dca_1", "insufficient balance"))
    assert deal.status == "open"
    assert [name for name, _ in levels(deal)] == ["dca_2", "dca_3", "tp_1"]
    assert deal.safety_orders_filled == 0


def test_an_exit_withdraws_working_entries_and_sells_what_is_held() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    deal = after(deal, fill(deal, "dca_1", 2, 9000, last=False))
    deal, commands = apply(deal, Triggered("close", Decimal(95)))
    assert commands == (CancelOrder("dca_1"), PlaceOrder("close", "sell", "market", Decimal("1.2")))
    assert levels(deal) == []


def test_an_entry_filled_while_the_exit_works_is_sold_after_it() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    deal, _ = apply(deal, Triggered("close", Decimal(95)))
    deal = after(deal, fill(deal, "dca_1", 3, 9000, last=False))
    deal, commands = apply(deal, fill(deal, "close", 10, 9500))
    assert commands == ()  # the safety order may still fill
    deal, commands = apply(deal, OrderCancelled("dca_1"))
    assert commands == (PlaceOrder("close", "sell", "market", Decimal("0.3")),)
    deal = after(deal, fill(deal, "close", 3, 9400))
    assert deal.closed
    assert deal.profit == Decimal(95) + Decimal("28.2") - Decimal(100) - Decimal(27)


def test_closing_before_the_base_order_is_filled_cancels_it() -> None:
    deal, _ = placed(fresh(), "base")
    deal, commands = apply(deal, Triggered("close", HUNDRED))
    assert commands == (CancelOrder("base"),)
    late, commands = apply(after(deal, fill(deal, "base", 4, 10000, last=False)), OrderCancelled("base"))
    assert commands == (PlaceOrder("close", "sell", "market", Decimal("0.4")),)
    assert late.status == "closing"
    empty = after(deal, OrderCancelled("base"))
    assert (empty.closed, empty.reason, empty.profit) == (True, "close", Decimal(0))


def test_an_exit_sold_in_part_and_cancelled_leaves_the_levels_of_the_rest() -> None:
    deal, commands = placed(opened(), "tp_1", "110")
    assert commands == (PlaceOrder("tp_1", "sell", "limit", Decimal(1), Decimal(110)),)
    deal = after(deal, fill(deal, "tp_1", 6, 11000, last=False), OrderCancelled("tp_1"))
    assert deal.status == "open"
    assert deal.reason is None
    assert [name for name, _ in levels(deal)] == ["dca_1", "dca_2", "dca_3", "tp_1"]
    deal, commands = placed(deal, "tp_1", "110")
    assert commands == (PlaceOrder("tp_1", "sell", "limit", Decimal("0.4"), Decimal(110)),)
    deal = after(deal, fill(deal, "tp_1", 4, 11000))
    assert (deal.closed, deal.profit) == (True, Decimal(10))


def test_a_rejected_exit_is_tried_again_at_the_next_touch() -> None:
    deal, _ = placed(opened(), "tp_1", "110")
    deal = after(deal, OrderRejected("tp_1", "venue is in maintenance"))
    assert deal.status == "open"
    assert dict(levels(deal))["tp_1"] == "110"


def test_a_rest_below_the_minimum_notional_is_booked_off_as_dust() -> None:
    deal = opened(instrument=Instrument(TENTHS.tick, TENTHS.lot, Decimal(50)))
    deal, _ = placed(deal, "tp_1", "110")
    before = after(deal, fill(deal, "tp_1", 6, 11000, last=False))
    deal, commands = apply(before, OrderCancelled("tp_1"))
    assert commands == ()
    # 0.4 lots left, worth 40: profit is what was sold less what was paid
    assert consequences(before, deal) == (
        Dust(Decimal("0.4"), Decimal(40)),
        Closed("take_profit", Decimal(-34)),
    )
    assert deal.ledger.position == 0


def test_a_stop_is_sent_with_its_price() -> None:
    deal, commands = placed(opened(replace(ROUND, stop_loss=stop("15"))), "sl", "85")
    assert commands == (PlaceOrder("sl", "sell", "stop", Decimal(1), Decimal(85)),)
    assert deal.reason == "stop_loss"


def _refused(deal: Deal, event: DealInput) -> str:
    with pytest.raises(UnexpectedEvent) as error:
        apply(deal, event)
    return error.value.reason


def test_what_no_order_waits_for_is_never_applied() -> None:
    deal = opened()
    filled = fill(after(deal, Triggered("dca_1", Decimal(90))), "dca_1", 12, 9000)
    assert _refused(deal, filled) == "the order is armed"
    assert _refused(deal, OrderCancelled("sl")) == "no such order"
    assert _refused(deal, Triggered("dca_9", HUNDRED)) == "no armed order of that level while open"
    assert _refused(deal, Triggered("base", HUNDRED)) == "no armed order of that level while open"
    done = after(deal, Triggered("dca_1", Decimal(90)), filled)
    assert _refused(done, filled) == "the order is filled"
    closing = after(deal, Triggered("tp_1", HUNDRED))
    assert _refused(closing, Triggered("close", HUNDRED)) == "an exit is already working"
    closed = after(closing, fill(closing, "tp_1", 10, 11000))
    assert _refused(closed, filled) == "the deal is closed"


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"side": "sell"}, "the order is to buy 1.2"),
        ({"quantity": Decimal("1.3"), "quote": Decimal(117)}, "the order is to buy 1.2"),
        ({"quote": Decimal(109)}, "quote is not quantity × price"),
    ],
)
def test_a_fill_that_contradicts_its_order_is_refused(change: dict[str, Any], reason: str) -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    event: OrderFilled = replace(fill(deal, "dca_1", 12, 9000), **change)
    assert _refused(deal, event) == reason


def test_a_fill_off_the_grid_is_refused() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    with pytest.raises(OffGrid):
        apply(deal, replace(fill(deal, "dca_1", 12, 9000), price=Decimal("89.995")))


def test_parts_of_an_order_are_numbered() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    first = fill(deal, "dca_1", 2, 9000, last=False)
    second = fill(after(deal, first), "dca_1", 10, 9000)
    assert (first.number, second.number) == (1, 2)


def test_a_venue_s_own_fee_is_booked_up_to_1e_8() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    deal = after(deal, fill(deal, "dca_1", 12, 9000, fee=Decimal("0.123456781")))
    assert deal.ledger.fees == 12345679
