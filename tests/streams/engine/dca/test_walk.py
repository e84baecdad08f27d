"""The walk beyond the stories: the design's path example, bars without a trade, decisions at the close."""

from decimal import Decimal

from msgspec.structs import replace

from streams.engine.dca import Closed, Instrument, OrderAccepted, OrderFilled, Skipped, settle, walk
from tests.streams.engine.dca.support import GOLDEN, ROUND, TENTHS, bar, fired, opened, stop, trigger

FINE = Instrument(tick=Decimal("0.0001"), lot=Decimal("0.000001"))


def test_the_path_example_of_the_design() -> None:
    """Stop 10 % of base = 90; O 99.5 L 86 H 99.8 C 95: orders 1 to 4, then the stop; not the fifth."""
    deal = opened(replace(GOLDEN, stop_loss=stop("10")), 100.0, FINE)
    settlement = walk(deal, bar(99.5, 99.8, 86, 95), [fired("execute_dca", index=5)])
    fills = [(event.level, event.price) for event in settlement.events if isinstance(event, OrderFilled)]
    prices = [("dca_1", "99"), ("dca_2", "97.5"), ("dca_3", "95.25"), ("dca_4", "91.875"), ("sl", "90")]
    assert fills == [(level, Decimal(price)) for level, price in prices]
    assert settlement.deal.closed
    assert settlement.deal.reason == "stop_loss"
    assert settlement.events[-1] == Skipped("dca_5", "the deal was closed before, by stop_loss")
    assert not settlement.ambiguous


def test_every_order_is_accepted_and_then_filled() -> None:
    settlement = walk(opened(), bar(95, 96, 79, 81), [])
    assert [(type(event), getattr(event, "level", "")) for event in settlement.events] == [
        (OrderAccepted, "dca_1"),
        (OrderFilled, "dca_1"),
        (OrderAccepted, "dca_2"),
        (OrderFilled, "dca_2"),
    ]
    assert settlement.events[0] == OrderAccepted("dca_1", "buy", Decimal("1.2"), Decimal(90))


def test_a_bar_without_a_trade_moves_no_level() -> None:
    deal = opened()
    settlement = walk(deal, bar(69, 69, 69, 69, stale=True), [fired("execute_dca", index=1)])
    assert settlement.deal == deal
    assert settlement.events == (Skipped("dca_1", "no trade in this bar: levels wait"),)


def test_a_bar_without_a_trade_still_ends_a_deal_at_its_price() -> None:
    settlement = walk(opened(), bar(85, 85, 85, 85, stale=True), [fired("close")])
    assert settlement.events[-1] == Closed("close", Decimal(-15))
    assert settlement.deal.entries[1].state == "armed"  # 90 was not bought on the way
    assert not settlement.ambiguous


def test_a_timeout_closes_under_its_own_name() -> None:
    settlement = walk(opened(), bar(100, 101, 99, 101), [fired("timeout"), fired("close")])
    assert settlement.events[-1] == Closed("timeout", Decimal(1))


def test_a_closed_deal_is_left_alone_and_the_reason_is_told() -> None:
    closed = walk(opened(), bar(100, 110, 100, 105), []).deal
    again = walk(closed, bar(100, 110, 60, 105), [fired("execute_dca", index=1), fired("close")])
    assert again.deal == closed
    told = "the deal was already closed"
    assert again.events == (Skipped("dca_1", told), Skipped("close", told))


def test_settle_walks_the_trigger_s_bar() -> None:
    deal, of = opened(), bar(95, 96, 89, 91)
    members = [fired("execute_dca", index=1)]
    assert settle(deal, trigger(of, members)) == walk(deal, of, members)


def test_levels_come_from_the_deal_never_from_the_trigger() -> None:
    lying = [fired("take_profit", price=1.0), fired("execute_dca", index=3, price=1000.0)]
    settlement = walk(opened(), bar(95, 96, 94, 95), lying)
    assert settlement.deal == opened()
    assert [event for event in settlement.events if not isinstance(event, Skipped)] == []


def test_a_level_between_two_floats_is_compared_exactly() -> None:
    """The low is 90.00000000000001: a float of many digits that is not the level 90."""
    assert walk(opened(), bar(95, 96, 90.00000000000001, 91), []).events == ()
    assert len(walk(opened(), bar(95, 96, 90.0, 91), []).events) == 2


def test_two_safety_orders_on_the_same_tick_fill_in_their_order() -> None:
    coarse = Instrument(tick=Decimal(5), lot=Decimal("0.1"))
    deal = opened(replace(ROUND, price_deviation="1", max_safety_orders=3), 100.0, coarse)
    settlement = walk(deal, bar(99, 99, 94, 96), [])
    assert [event.level for event in settlement.events if isinstance(event, OrderFilled)] == [
        "dca_1",
        "dca_2",
        "dca_3",
    ]


def test_the_walk_is_a_pure_function() -> None:
    deal, of = opened(instrument=TENTHS), bar(95, 112, 69, 91)
    before = deal.to_json()
    assert walk(deal, of, []) == walk(deal, of, [])
    assert deal.to_json() == before
