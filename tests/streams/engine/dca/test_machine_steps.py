"""Take-profit steps, added entries and moving ladders on a venue that answers late, in parts, or not at all."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from schemas.bots import StopLoss, TakeProfit, TargetStep
from streams.engine.dca import (
    CancelOrder,
    Closed,
    Command,
    Deal,
    Merged,
    OrderCancelled,
    OrderRejected,
    PlaceOrder,
    Triggered,
    UnexpectedEvent,
    apply,
    consequences,
    deal_members,
    fill,
)
from streams.engine.dca.events import DealInput
from tests.streams.engine.dca.support import ROUND, opened

STEPS = tuple(TargetStep(percent=percent, amount=amount) for percent, amount in (("10", "50"), ("20", "50")))
HALVES = replace(
    ROUND, take_profit=TakeProfit(steps=STEPS), stop_loss=StopLoss(percent="35", break_even=True)
)
PERIODIC = replace(ROUND, max_safety_orders=0, take_profit=None, accumulate=True)


def after(deal: Deal, *inputs: DealInput) -> Deal:
    for event in inputs:
        deal, _ = apply(deal, event)
    return deal


def placed(deal: Deal, level: str, price: str) -> tuple[Deal, tuple[Command, ...]]:
    return apply(deal, Triggered(level, Decimal(price)))


def levels(deal: Deal) -> dict[str, str]:
    """Armed levels by name."""
    return {
        member.alert_id.removeprefix("bot_btc-dip_"): member.condition["level"]["price"]
        for member in deal_members(deal)
        if "level" in member.condition
    }


def test_a_step_is_a_limit_beside_an_open_deal() -> None:
    deal, commands = placed(opened(HALVES), "tp_1", "110")
    assert commands == (PlaceOrder("tp_1", "sell", "limit", Decimal("0.5"), Decimal(110)),)
    assert deal.status == "open"
    assert levels(deal) == {"sl": "65", "dca_1": "90", "dca_2": "80", "dca_3": "70", "tp_2": "120"}


def test_the_stop_moves_with_the_first_part_of_the_first_step() -> None:
    deal, _ = placed(opened(HALVES), "tp_1", "110")
    deal = after(deal, fill(deal, "tp_1", 2, 11000, last=False))
    assert levels(deal)["sl"] == "100"


def test_a_step_that_ended_early_waits_again_with_its_rest() -> None:
    deal, _ = placed(opened(HALVES), "tp_1", "110")
    deal = after(deal, fill(deal, "tp_1", 2, 11000, last=False), OrderCancelled("tp_1"))
    assert levels(deal)["tp_1"] == "110"
    deal, commands = placed(deal, "tp_1", "110")
    assert commands == (PlaceOrder("tp_1", "sell", "limit", Decimal("0.3"), Decimal(110)),)
    deal = after(deal, fill(deal, "tp_1", 3, 11000))
    assert "tp_1" not in levels(deal)
    assert deal.ledger.position == 5


def test_a_stop_withdraws_a_step_that_works_and_sells_what_comes_back() -> None:
    deal, _ = placed(opened(HALVES), "tp_1", "110")
    deal, commands = placed(deal, "sl", "65")
    # half is still on sale at 110: it cannot be sold twice
    assert commands == (
        CancelOrder("tp_1"),
        PlaceOrder("sl", "sell", "stop", Decimal("0.5"), Decimal(65)),
    )
    deal = after(deal, fill(deal, "sl", 5, 6500))
    assert not deal.closed
    deal, commands = apply(deal, OrderCancelled("tp_1"))
    assert commands == (PlaceOrder("close", "sell", "market", Decimal("0.5")),)
    before, deal = deal, after(deal, fill(deal, "close", 5, 6400))
    assert consequences(before, deal) == (Closed("stop_loss", Decimal("-35.5")),)


def test_a_step_filled_while_the_stop_works_leaves_nothing_to_sell() -> None:
    deal, _ = placed(opened(HALVES), "tp_1", "110")
    deal, _ = placed(deal, "sl", "65")
    deal = after(deal, fill(deal, "tp_1", 5, 11000), fill(deal, "sl", 5, 6500))
    assert (deal.closed, deal.profit) == (True, Decimal("-12.5"))


def test_a_rejected_step_is_tried_again_and_the_deal_goes_on() -> None:
    deal, _ = placed(opened(HALVES), "tp_1", "110")
    deal = after(deal, OrderRejected("tp_1", "maintenance"))
    assert (deal.status, levels(deal)["tp_1"]) == ("open", "110")


def test_added_entries_are_market_orders_and_leave_only_sums() -> None:
    deal, commands = placed(opened(PERIODIC), "base_2", "80")
    assert commands == (PlaceOrder("base_2", "buy", "market", Decimal("1.3")),)
    deal = after(deal, fill(deal, "base_2", 13, 8000))
    assert [order.level for order in deal.entries] == ["base"]
    assert (deal.ledger.entry_lots, deal.base_orders) == (23, 2)
    with pytest.raises(UnexpectedEvent, match="no such order"):
        apply(deal, OrderCancelled("base_2"))
    with pytest.raises(UnexpectedEvent):
        placed(deal, "base_2", "80")


def test_a_moving_ladder_is_hung_anew_when_an_entry_is_done_and_not_before() -> None:
    deal, _ = placed(opened(replace(ROUND, anchor="previous_order")), "dca_1", "90")
    deal = after(deal, fill(deal, "dca_1", 6, 8000, last=False))
    assert levels(deal)["dca_2"] == "81"
    deal = after(deal, fill(deal, "dca_1", 6, 8000))
    assert (levels(deal)["dca_2"], levels(deal)["dca_3"]) == ("72", "64.8")


def test_a_safety_order_that_got_nothing_keeps_its_place_as_anchor() -> None:
    deal, _ = placed(opened(replace(ROUND, anchor="previous_order")), "dca_1", "90")
    deal = after(deal, OrderRejected("dca_1", "no funds"))
    assert (levels(deal)["dca_2"], "dca_1" in levels(deal)) == ("81", False)


def test_one_order_at_a_time_counts_the_one_that_works() -> None:
    deal, _ = placed(opened(replace(ROUND, max_active_safety_orders=1)), "dca_1", "90")
    assert not [name for name in levels(deal) if name.startswith("dca")]
    deal = after(deal, fill(deal, "dca_1", 12, 9000))
    assert [name for name in levels(deal) if name.startswith("dca")] == ["dca_2"]


def test_orders_bought_together_are_one_order_with_all_their_volume() -> None:
    before = opened(replace(ROUND, gap_through="merge"))
    deal, commands = apply(before, Triggered("dca_3", Decimal(70), merges=("dca_1", "dca_2")))
    assert commands == (PlaceOrder("dca_3", "buy", "limit", Decimal("4.3"), Decimal(70)),)
    assert consequences(before, deal) == (Merged("dca_1", "dca_3"), Merged("dca_2", "dca_3"))
    deal = after(deal, fill(deal, "dca_3", 43, 7000))
    assert deal.safety_orders_filled == 3
    with pytest.raises(UnexpectedEvent):
        placed(deal, "dca_1", "90")


def test_a_fill_told_twice_is_refused_though_the_order_has_room_for_it() -> None:
    deal, _ = placed(opened(), "dca_1", "90")
    first = fill(deal, "dca_1", 2, 9000, last=False)
    with pytest.raises(UnexpectedEvent, match="booked before"):
        apply(after(deal, first), first)


def test_a_fill_of_the_exit_before_is_none_of_the_next_one_s() -> None:
    deal, _ = placed(opened(), "tp_1", "110")
    first = fill(deal, "tp_1", 6, 11000, last=False)
    deal, _ = placed(after(deal, first, OrderCancelled("tp_1")), "tp_1", "110")
    with pytest.raises(UnexpectedEvent, match="booked before"):
        apply(deal, replace(first, quantity=Decimal("0.4"), quote=Decimal(44)))
    assert after(deal, fill(deal, "tp_1", 4, 11000)).closed


def test_a_fee_in_base_is_booked_in_parts_of_a_lot_and_the_rest_of_a_lot_is_dust() -> None:
    deal = opened(replace(ROUND, fee="1", fee_in="base"))
    assert (deal.ledger.position, deal.ledger.held_parts) == (9, 990_000_000)
    deal, commands = placed(deal, "close", "100")
    assert commands == (PlaceOrder("close", "sell", "market", Decimal("0.9")),)
    deal = after(deal, fill(deal, "close", 9, 10000))
    assert (deal.closed, deal.ledger.held_parts, deal.ledger.dust_parts) == (True, 0, 90_000_000)
