"""Exactness: the float trap, the grid, rounding against us, amounts past 2^53."""

import json
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.bots import StopLoss, TakeProfit
from streams.engine.dca import Deal, Instrument, OffGrid, fill
from streams.engine.dca.booking import fee_units
from streams.engine.dca.ladder import steps
from streams.engine.dca.money import OffScale, market, plain, shown, text
from streams.engine.dca.orders import Ledger, Order
from streams.engine.dca.paper import limit_fill, stop_fill
from streams.engine.dca.targets import Filled, stop_loss_ticks, take_profit_ticks
from streams.engine.dca.terms import terms_of
from tests.streams.engine.dca.support import GOLDEN, ROUND, opened

CENTS = Instrument(tick=Decimal("0.01"), lot=Decimal("0.1"))


def test_the_float_trap() -> None:
    """4.5 @ 108.9, 10 %, no fee: the target is 119.79 to the digit; a float ledger makes it 119.80."""
    float_target = ceil(4.5 * 108.9 * 1.1 / 4.5 / 0.01) * 0.01
    assert round(float_target, 2) == 119.80
    lots, ticks = CENTS.lots(Decimal("4.5")), CENTS.ticks(Decimal("108.9"))
    filled = Filled(lots * ticks, lots, lots * ticks, lots)
    target = take_profit_ticks(True, "10", "average", Fraction(0), filled)
    assert CENTS.price(target) == Decimal("119.79")


TARGETS = [
    # long, tp, of, fee %, [(lots, ticks) …] the first is the base order, target
    (True, "2", "average", "0.1", [(10, 10000)], 10211),  # 10210.21…
    (True, "2", "average", "0", [(10, 10000)], 10200),
    (True, "1", "average", "0", [(10, 10000), (20, 9000)], 9427),  # 280000·1.01/30 = 9426.67
    (True, "1", "base", "0", [(10, 10000), (20, 9000)], 9367),  # (280000 + 1000)/30 = 9366.67
    (True, "1", "base", "0.1", [(10, 10000), (20, 9000)], 9377),  # 9366.67/0.999 = 9376.04
    (False, "2", "average", "0.1", [(10, 10000)], 9790),  # 9800/1.001 = 9790.21
    (False, "1", "average", "0", [(10, 10000), (20, 11000)], 10560),  # 320000·0.99/30
    (False, "1", "base", "0", [(10, 10000), (20, 11000)], 10633),  # (320000 − 1000)/30 = 10633.33
]


@pytest.mark.parametrize("long, percent, of, fee, fills, target", TARGETS)
def test_targets(
    long: bool, percent: str, of: Any, fee: str, fills: list[tuple[int, int]], target: int
) -> None:
    assert take_profit_ticks(long, percent, of, Fraction(fee) / 100, _filled(fills)) == target


STOPS = [
    # long, percent, reference, fills, last rung, stop
    (True, "10", "base", [(10, 10000), (20, 9000)], 8000, 9000),
    (True, "3.333", "base", [(10, 10001)], None, 9668),  # 9667.67, up
    (True, "10", "average", [(10, 10000), (20, 9000)], 8000, 8400),
    (True, "7.77", "average", [(10, 10000), (20, 9000)], 8000, 8609),  # 9333.33·0.9223 = 8608.13, up
    (True, "10", "last_level", [(10, 10000)], 8001, 7201),  # 7200.9, up
    (True, "10", "last_level", [(10, 10000)], None, 9000),
    (False, "10", "base", [(10, 10001)], 12000, 11001),  # 11001.1, down
    (False, "7.77", "average", [(10, 10000), (20, 11000)], 12000, 11495),  # 10666.67·1.0777 = 11495.47, down
    (False, "10", "last_level", [(10, 10000)], 12001, 13201),  # 13201.1, down
]


@pytest.mark.parametrize("long, percent, reference, fills, last, stop", STOPS)
def test_stops_are_rounded_towards_the_market(
    long: bool, percent: str, reference: str, fills: list[tuple[int, int]], last: int | None, stop: int
) -> None:
    loss = StopLoss(percent=percent, reference=reference)  # type: ignore[arg-type]
    assert stop_loss_ticks(long, loss, _filled(fills), last) == stop


def _filled(fills: list[tuple[int, int]]) -> Filled:
    quote, base = sum(lots * ticks for lots, ticks in fills), sum(lots for lots, _ in fills)
    return Filled(quote, base, fills[0][0] * fills[0][1], fills[0][0])


LADDERS = [
    # tick, lot, P0, d, s, v, S → (price, quantity) of each rung
    ("0.01", "0.001", "100", "1", "1", "1", "30", [("99", "0.304"), ("98", "0.307"), ("97", "0.31")]),
    ("0.5", "1", "100", "1.1", "1", "1", "30", [("98.5", "1"), ("97.5", "1"), ("96.5", "1")]),
    ("5", "0.1", "100", "1", "2", "2", "30", [("95", "0.4"), ("95", "0.7"), ("90", "1.4")]),
    (
        "0.0001",
        "10",
        "0.3333",
        "3",
        "1.5",
        "1",
        "30",
        [("0.3233", "100"), ("0.3083", "100"), ("0.2858", "110")],
    ),
]


@pytest.mark.parametrize("tick, lot, price, d, s, v, volume, expected", LADDERS)
def test_ladders_on_a_grid(
    tick: str, lot: str, price: str, d: str, s: str, v: str, volume: str, expected: list[tuple[str, str]]
) -> None:
    bot = replace(
        GOLDEN, base_order_volume="1000", safety_order_volume=volume, max_safety_orders=3,
        price_deviation=d, step_scale=s, volume_scale=v, take_profit=TakeProfit(percent="10"),
    )  # fmt: skip
    deal = opened(bot, float(price), Instrument(Decimal(tick), Decimal(lot)))
    instrument = deal.terms.instrument
    rungs = [(order.ticks or 0, order.lots) for order in deal.entries[1:]]
    assert [(str(instrument.price(t)), str(instrument.quantity(q))) for t, q in rungs] == expected


def test_market_prices_enter_as_the_digits_the_venue_printed() -> None:
    assert market(0.1) == Decimal("0.1")
    assert market(1e-7) == Decimal("0.0000001")
    assert text(market(1e-7)) == "0.0000001"
    assert text(Decimal("1E+3")) == "1000"


def test_ratios_are_shown_with_at_most_18_decimals() -> None:
    assert text(shown(Fraction(1, 3))) == "0.333333333333333333"
    assert text(shown(Fraction(1, 3 * 10**9))) == "0.000000000333333333"
    assert str(shown(Fraction(2, 3), 4)) == "0.6667"


@pytest.mark.parametrize("tick, lot", [("0", "1"), ("-1", "1"), ("1", "0"), ("NaN", "1"), ("1e-10", "1e-9")])
def test_an_instrument_needs_positive_steps_that_a_decimal_can_hold(tick: str, lot: str) -> None:
    with pytest.raises(ValueError, match=r"tick|lot"):
        Instrument(Decimal(tick), Decimal(lot))


def test_amounts_between_two_steps_are_refused_not_rounded() -> None:
    with pytest.raises(OffGrid):
        CENTS.ticks(Decimal("100.005"))
    with pytest.raises(OffGrid):
        CENTS.lots(Decimal("0.15"))


def test_paper_rounds_against_us_between_two_ticks() -> None:
    half = Fraction(199, 2)  # an open of 99.5 ticks
    assert limit_fill("buy", 100, half) == 100
    assert limit_fill("sell", 99, half) == 99
    assert limit_fill("buy", 99, half) == 99
    terms = terms_of(ROUND, CENTS)
    assert stop_fill(terms, "sell", 101, half) == 99
    assert stop_fill(terms, "buy", 99, half) == 100
    assert stop_fill(terms, "sell", 101, None) == 101


def test_the_fee_is_rounded_up_to_1e_8_of_quote() -> None:
    deal = opened(replace(GOLDEN, fee="0.075"), 1.0, Instrument(Decimal("0.0001"), Decimal("0.001")))
    # 0.0001 × 0.001 × 0.00075 = 7.5e-11: one unit, not none
    assert fee_units(deal, 1) == 1
    # 15 quote × 0.00075 = 0.01125 exactly
    assert fee_units(deal, 150_000_000) == 1_125_000


def test_a_deal_s_json_is_exact_and_safe_for_readers_that_round_at_2_to_the_53() -> None:
    deal = opened(ROUND, 60_000.0, Instrument())
    huge = Deal.from_json(
        deal.to_json().replace(b'"entry_quote":"', b'"entry_quote":"123456789012345678901234567890')
    )
    assert huge.ledger.entry_quote > 10**40
    assert Deal.from_json(huge.to_json()) == huge
    assert deal.ledger.entry_quote > 2**53
    as_a_browser_reads_it = json.loads(deal.to_json(), parse_int=lambda digits: int(float(digits)))
    assert Deal.from_json(json.dumps(as_a_browser_reads_it)) == deal


def test_every_integer_of_money_is_written_as_text() -> None:
    deal = opened()
    raw = json.loads(deal.to_json())
    amounts = [raw["ledger"][name] for name in Ledger.__struct_fields__]
    amounts += [raw["entries"][1][name] for name in ("lots", "ticks", "filled_lots", "filled_quote")]
    assert all(isinstance(amount, str) for amount in amounts)
    counters = {"level", "side", "state", "fills"}
    assert set(Order.__struct_fields__) == counters | {"lots", "ticks", "filled_lots", "filled_quote"}


def test_a_fill_names_price_quote_and_fee_as_plain_decimals() -> None:
    deal = opened()
    event = fill(deal, "dca_1", 12, 9000)
    assert [str(part) for part in (event.quantity, event.price, event.quote, event.fee)] == [
        "1.2",
        "90",
        "108",
        "0",
    ]


@pytest.mark.parametrize("value", ["97.50000000", "1E-8", "1E+3", "-0.00", "0E+5", "120", "-1.50", "1E-18"])
def test_plain_is_the_same_number_as_its_plain_text(value: str) -> None:
    number = Decimal(value)
    assert plain(number).as_tuple() == Decimal(text(number)).as_tuple()
    assert "E" not in text(number)


@pytest.mark.parametrize("price", [1e16, 1e308, float("inf"), float("nan")])
def test_a_price_beyond_any_markets_is_refused_before_exact_sums_run_out_of_digits(price: float) -> None:
    with pytest.raises(OffScale):
        market(price)


def test_a_ladder_ends_with_its_first_impossible_step() -> None:
    """A hundred steps of a scale with 36 digits would have numbers of thousands of digits each."""
    huge = "999999999999999999.999999999999999999"
    assert len(steps(100, "0.000000000000000001", huge, "1", "1")) == 3
    assert len(steps(100, "0.01", "1", "1", huge)) == 2
