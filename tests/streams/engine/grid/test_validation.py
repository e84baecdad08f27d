"""What of a grid is refused, under which field, and why; and what is not."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule, LadderStep, StopLoss, TakeProfit
from streams.engine.dca import EntryRefused, Instrument
from streams.engine.grid import problems
from tests.streams.engine.grid.support import LONG, NEUTRAL, SHORT, TENTHS, of, opened

BINANCE = Instrument(Decimal("0.01"), Decimal("0.00001"), Decimal(5))


@pytest.mark.parametrize("bot", [LONG, SHORT, NEUTRAL, of(LONG, spacing="geometric"), of(LONG, levels=200)])
def test_these_are_valid(bot: BotConfig) -> None:
    assert problems(bot, BINANCE) == []
    assert problems(replace(bot, entry="rsi(14) < 30", cooldown_s=60, disable_after_deals=3), BINANCE) == []


def test_a_deleted_bot_may_leave_everything_out() -> None:
    assert problems(BotConfig(bot_id="x", user_id="alice", kind="grid", state="deleted"), BINANCE) == []


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"lower": "120"}, "grid.lower", "120 is not below the upper price, 120"),
    ({"lower": "0"}, "grid.lower", "0 is below one tick, 0.01"),
    ({"upper": "1000000000000001"}, "grid.upper", "more than"),
    (
        {"lower": "100", "upper": "100.01", "levels": 3},
        "grid.levels",
        "levels 1 and 2 are less than one tick, 0.01",
    ),
    ({"quantity": "0"}, "grid.quantity", "is 0"),
    ({"quantity": "0.05"}, "grid.quantity", "0.05 at level 1, 80, is below the minimum notional 5"),
    ({"quantity": "999999999999999"}, "grid.quantity", "could need more than"),
    ({"stop_below": "80"}, "grid.stop_below", "80 is not below the range, which begins at 80"),
    ({"stop_below": "100"}, "grid.stop_below", "not below"),
    ({"stop_below": "0"}, "grid.stop_below", "is 0"),
    ({"stop_below": "79.995"}, "grid.stop_below", "not below"),  # up to the tick that is level 1
    ({"stop_above": "120"}, "grid.stop_above", "120 is not above the range, which ends at 120"),
]
REFUSED_BOT: list[tuple[dict[str, Any], str, str]] = [
    ({"grid": None}, "grid", "needs a grid"),
    ({"pairs": []}, "pairs", "exactly one"),
    ({"pairs": ["BTCUSDT", "ETHUSDT"]}, "pairs", "exactly one"),
    ({"fee": "20"}, "grid.levels", "a trip between levels 1 and 2 brings -24 after fees of 20 % per side"),
    ({"fee": "100"}, "fee", "nothing of a sale"),
    ({"slippage": "100"}, "slippage", "nothing of a sale"),
    ({"fee_in": "base"}, "fee_in", "in quote"),
    ({"base_order_volume": "10"}, "base_order_volume", "belongs to DCA bots"),
    ({"max_safety_orders": 1}, "max_safety_orders", "belongs to DCA bots"),
    ({"steps": (LadderStep(deviation="1", volume="1"),)}, "steps", "belongs to DCA bots"),
    ({"take_profit": TakeProfit(percent="1")}, "take_profit", "use grid.stop_above"),
    ({"stop_loss": StopLoss(percent="1")}, "stop_loss", "use grid.stop_below"),
    ({"close": CloseRule(when="rsi(14) > 70")}, "close", "belongs to DCA bots"),
    ({"accumulate": True}, "accumulate", "belongs to DCA bots"),
    ({"max_active_deals": 3}, "max_active_deals", "belongs to DCA bots"),
    ({"cooldown_s": 60}, "cooldown_s", "starts once"),
    ({"disable_after_deals": 3}, "disable_after_deals", "starts once"),
    ({"entry": "rsi(14) <"}, "entry", "column 10"),
]


@pytest.mark.parametrize("changes, field, reason", REFUSED)
def test_a_grid_is_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    found = problems(of(LONG, **changes), BINANCE)
    assert [problem.field for problem in found] == [field]
    assert reason in found[0].reason


@pytest.mark.parametrize("changes, field, reason", REFUSED_BOT)
def test_a_bot_is_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    found = problems(replace(LONG, **changes), BINANCE)
    assert [problem.field for problem in found] == [field]
    assert reason in found[0].reason


def test_the_least_profitable_pair_of_neighbours_decides() -> None:
    """A step of 1 pays for 0.45 % of both its prices while they add up to less than 222.2…"""
    bot = of(replace(LONG, fee="0.45"), lower="100", upper="130", levels=31)
    assert "between levels 12 and 13 brings" in problems(bot, BINANCE)[0].reason  # 111 + 112 = 223
    assert problems(of(bot, upper="110", levels=11), BINANCE) == []


@pytest.mark.parametrize("price", [79.99, 120.01, 1e15])
def test_a_grid_does_not_start_outside_its_range(price: float) -> None:
    with pytest.raises(EntryRefused, match="outside the range 80 to 120"):
        opened(price=price)


@pytest.mark.parametrize("price, empty", [(80.0, 1), (85.0, 1), (85.01, 2), (120.0, 5)])
def test_the_level_nearest_to_the_start_is_empty(price: float, empty: int) -> None:
    assert opened(price=price, instrument=TENTHS).start_level == empty
