"""The golden vectors of the design, to the last digit they show, and ladders on a grid worked out by hand."""

from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from schemas.bots import TakeProfit
from streams.engine.dca import Instrument, preview
from tests.streams.engine.dca.support import GOLDEN, ROUND, TENTHS

# k, D %, P, V, Σ quote, A, target on average
GOLDEN_LONG = """
0  0        100      15       15       100      102.1021
1  1         99      30       45        99.3311 101.4191
2  2.5       97.5    45       90        98.4070 100.4757
3  4.75      95.25   67.5    157.5      97.0288  99.0684
4  8.125     91.875 101.25   258.75     94.9447  96.9405
5 13.1875    86.8125 151.875 410.625    91.7653  93.6943
"""


def _rounded(value: Decimal | None) -> Decimal:
    assert value is not None
    return value.quantize(Decimal("0.0001"))


@pytest.mark.parametrize("line", GOLDEN_LONG.strip().splitlines())
def test_the_golden_ladder(line: str) -> None:
    order, *numbers = (Decimal(cell) for cell in line.split())
    row = preview(GOLDEN, Decimal(100)).orders[int(order)]
    exact = [row.deviation_percent, row.price, row.volume, row.total_volume]
    assert [row.order, *exact] == [order, *numbers[:4]]
    assert [_rounded(row.average_price), _rounded(row.take_profit_price)] == numbers[4:]


def test_the_golden_ladder_needs_all_its_orders_quote_and_has_no_problems() -> None:
    found = preview(GOLDEN, Decimal(100))
    assert (found.required_capital, found.problems, len(found.orders)) == (Decimal("410.625"), [], 6)


@pytest.mark.parametrize(
    "order, price, average, target", [(1, "101", "100.6645", "98.5526"), (2, "102.5", "101.5739", "99.4430")]
)
def test_the_golden_ladder_short(order: int, price: str, average: str, target: str) -> None:
    row = preview(replace(GOLDEN, side="short"), Decimal(100)).orders[order]
    assert row.price == Decimal(price)
    assert [_rounded(row.average_price), _rounded(row.take_profit_price)] == [
        Decimal(average),
        Decimal(target),
    ]


def test_the_rebound_is_the_way_back_from_the_last_order_to_the_target() -> None:
    rows = preview(replace(ROUND, fee="0", max_safety_orders=1), Decimal(100)).orders
    # 200·1.1 / (1 + 100/90) = 104.2105…; from 90 that is 15.7894… %
    assert [_rounded(row.rebound_percent) for row in rows] == [Decimal("10.0000"), Decimal("15.7895")]
    short = preview(replace(ROUND, side="short", fee="0", max_safety_orders=0), Decimal(100)).orders
    assert [row.rebound_percent for row in short] == [Decimal(10)]


def test_on_a_grid_prices_go_down_quantities_up_targets_up() -> None:
    rows = preview(ROUND, Decimal(100), TENTHS).orders
    # 1 @ 100, 1.2 @ 90, 1.3 @ 80, 1.5 @ 70; targets 208·1.1/2.2, 312·1.1/3.5 = 98.057…, 417·1.1/5
    assert [str(row.price) for row in rows] == ["100", "90", "80", "70"]
    assert [str(row.volume) for row in rows] == ["100", "108", "104", "105"]
    assert [str(row.total_volume) for row in rows] == ["100", "208", "312", "417"]
    assert [str(row.take_profit_price) for row in rows] == ["110", "104", "98.06", "91.74"]


def test_on_a_grid_a_short_goes_the_other_way() -> None:
    coarse = Instrument(tick=Decimal("0.5"), lot=Decimal("0.25"))
    rows = preview(replace(ROUND, side="short", price_deviation="1.1"), Decimal(100), coarse).orders
    # 101.1, 102.2, 103.3 up to the half; 1 @ 100, then 100/101.5, 100/102.5, 100/103.5: 1.0 each
    assert [str(row.price) for row in rows] == ["100", "101.5", "102.5", "103.5"]
    # 201.5·0.9/2 = 90.675, 304·0.9/3 = 91.2, 407.5·0.9/4 = 91.6875, down to the half
    assert [str(row.take_profit_price) for row in rows] == ["90", "90.5", "91", "91.5"]


def test_the_json_form_has_the_contract_s_names_and_decimal_strings() -> None:
    found = msgspec.json.decode(msgspec.json.encode(preview(GOLDEN, Decimal(100)).to_json()))
    assert list(found)[:3] == ["orders", "required_capital", "problems"]
    assert found["orders"][5] == {
        "order": 5,
        "deviation_percent": "13.1875",
        "price": "86.8125",
        "volume": "151.875",
        "total_volume": "410.625",
        "average_price": "91.7652918576715212",
        "take_profit_price": "93.6942919868117634",
        "rebound_percent": "7.92719019359166409",
    }


def test_without_a_take_profit_there_is_no_target_and_no_rebound() -> None:
    row = preview(replace(GOLDEN, take_profit=None), Decimal(100)).orders[0]
    assert (row.take_profit_price, row.rebound_percent) == (None, None)


def test_what_cannot_be_a_ladder_ends_where_it_stops_making_sense_and_says_why() -> None:
    # Six orders with scale 4: 85 %, 341 %, 1,365 %
    found = preview(replace(GOLDEN, max_safety_orders=6, step_scale="4"), Decimal(100))
    assert [str(row.deviation_percent) for row in found.orders] == ["0", "1", "5", "21", "85"]
    assert [problem.field for problem in found.problems] == ["step_scale"]
    assert found.to_json()["problems"][0]["reason"].startswith("safety order 5 of 6 deviates by 341 %")


def test_without_a_base_order_there_is_nothing_to_show() -> None:
    found = preview(replace(GOLDEN, base_order_volume="0"), Decimal(100))
    assert (found.orders, found.required_capital) == ([], Decimal(0))
    assert found.problems


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match="price"):
        preview(GOLDEN, Decimal(price))


def test_a_target_on_the_base_order() -> None:
    bot = replace(ROUND, take_profit=TakeProfit(percent="10", of="base"))
    targets = [str(row.take_profit_price) for row in preview(bot, Decimal(100), TENTHS).orders]
    # (208 + 10)/2.2 = 99.0909…, (312 + 10)/3.5 = 92, (417 + 10)/5 = 85.4
    assert targets == ["110", "99.1", "92", "85.4"]
