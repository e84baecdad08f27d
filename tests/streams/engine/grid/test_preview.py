"""The grid before anything is armed."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig
from streams.engine.dca.money import text
from streams.engine.grid import preview
from tests.streams.engine.grid.support import LONG, NEUTRAL, SHORT, TENTHS, of

FEES = of(replace(LONG, fee="0.1"), quantity="100", quantity_in="quote")
PRICE = Decimal(100)


def test_levels_with_their_first_orders_and_what_a_round_trip_brings() -> None:
    shown = preview(FEES, PRICE, TENTHS).to_json()
    # 1.3 lots between 80 and 90 bring 13 − 0.104 − 0.117; of 104 quote that is 12.2875 %.
    assert shown["levels"][0] == {
        "level": 1, "price": "80", "side": "buy", "quantity": "1.3", "volume": "104", "profit_percent": "12.2875",
    }  # fmt: skip
    sides = [(row["level"], row["side"], row["quantity"], row["volume"]) for row in shown["levels"]]
    assert sides == [
        (1, "buy", "1.3", "104"),
        (2, "buy", "1.2", "108"),
        (3, None, None, None),
        (4, "sell", "1", "110"),
        (5, "sell", "1", "120"),
    ]
    assert shown["levels"][4]["profit_percent"] is None
    assert (shown["purchase"], shown["purchase_price"]) == ("2", "100")
    assert (shown["required_capital"], shown["required_base"]) == ("412", "0")
    assert shown["problems"] == []


@pytest.mark.parametrize(
    "bot, purchase, capital, base",
    [
        (LONG, "2", "370", "0"),
        (replace(LONG, slippage="1"), "2", "372", "0"),
        (of(LONG, initial_purchase=False), "0", "170", "0"),
        (SHORT, "-2", "0", "4"),
        (of(SHORT, initial_purchase=False), "0", "0", "2"),
        (NEUTRAL, "0", "170", "2"),
    ],
)
def test_what_a_grid_needs(bot: BotConfig, purchase: str, capital: str, base: str) -> None:
    seen = preview(bot, PRICE, TENTHS)
    assert (text(seen.purchase), text(seen.required_capital), text(seen.required_base)) == (
        purchase,
        capital,
        base,
    )


def test_without_an_instrument_steps_are_the_finest() -> None:
    bot = of(LONG, spacing="geometric", lower="100", upper="200", levels=4)
    assert [text(row.price) for row in preview(bot, PRICE).levels] == [
        "100",
        "125.99210498",
        "158.74010519",
        "200",
    ]


def test_a_price_outside_the_range_is_a_problem_and_the_rest_is_shown_all_the_same() -> None:
    seen = preview(LONG, Decimal(50), TENTHS)
    assert [problem.field for problem in seen.problems] == ["price"]
    assert "the grid waits for it" in seen.problems[0].reason
    assert len(seen.levels) == 5


def test_levels_that_bring_nothing_are_shown_with_their_loss() -> None:
    seen = preview(replace(LONG, fee="20"), PRICE, TENTHS)
    assert [problem.field for problem in seen.problems] == ["grid.levels"]
    assert seen.levels[0].profit_percent == Decimal(-30)  # 10 − 16 − 18 of 80


def test_what_is_no_grid_shows_no_levels() -> None:
    for bot in (of(LONG, lower="130"), replace(LONG, grid=None)):
        seen = preview(bot, PRICE, TENTHS)
        assert seen.levels == []
        assert seen.problems


def test_a_price_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not positive"):
        preview(LONG, Decimal(0))
