"""What is refused, under which field, and why; and what is not."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig, StopLoss, TakeProfit
from streams.engine.dca import Instrument, problems
from tests.streams.engine.dca.support import GOLDEN, SYMBOL

BINANCE = Instrument(Decimal("0.01"), Decimal("0.00001"), Decimal(5))
CLOSE = {"price": "close"}


def test_the_golden_bot_is_valid_long_and_short() -> None:
    assert problems(GOLDEN, BINANCE) == []
    assert problems(replace(GOLDEN, side="short"), BINANCE) == []


def test_a_deleted_bot_may_leave_everything_out() -> None:
    assert problems(BotConfig(bot_id="x", user_id="alice", state="deleted"), BINANCE) == []


def tp(percent: str, of: Any = "average") -> TakeProfit:
    return TakeProfit(percent=percent, of=of)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"pairs": []}, "pairs", "at least one"),
    ({"pairs": [SYMBOL, SYMBOL]}, "pairs", "twice"),
    ({"entry": ""}, "entry", "needs an entry"),
    ({"entry": {}}, "entry", "needs an entry"),
    ({"entry": "close <"}, "entry", "column 8"),
    ({"entry": "close < 30 and clse > 2"}, "entry", "column 16"),
    ({"entry": "rsi(14) <"}, "entry", "column 10"),
    ({"entry": "rsj(14) < 30"}, "entry", "column 1: "),
    ({"entry": {"op": "lt", "left": CLOSE, "right": "x"}}, "entry.right", "expected"),
    ({"entry": {"all": []}}, "entry.all", "at least one"),
    ({"entry": {"op": "lt", "left": {**CLOSE, "timeframe": "x"}, "right": 1}}, "entry.left.timeframe", "'x'"),
    ({"base_order_volume": "0"}, "base_order_volume", "is 0"),
    ({"safety_order_volume": "0"}, "safety_order_volume", "is 0"),
    ({"volume_scale": "0"}, "volume_scale", "is 0"),
    ({"volume_scale": "9999", "max_safety_orders": 9}, "volume_scale", "more than"),
    ({"base_order_volume": "9999999999999999"}, "base_order_volume", "more than"),
    ({"price_deviation": "0"}, "price_deviation", "is 0"),
    ({"step_scale": "0"}, "step_scale", "is 0"),
    ({"step_scale": "4", "max_safety_orders": 6}, "step_scale", "order 5 of 6 deviates by 341 %"),
    ({"price_deviation": "100"}, "price_deviation", "safety order 1 of 5 deviates by 100 %"),
    ({"price_deviation": "25", "step_scale": "1"}, "price_deviation", "order 4 of 5 deviates by 100 %"),
    ({"side": "short", "price_deviation": "100"}, "price_deviation", "100 %"),
    ({"fee": "100"}, "fee", "nothing of a sale"),
    ({"slippage": "100"}, "slippage", "nothing of a sale"),
    ({"side": "short", "take_profit": tp("100")}, "take_profit.percent", "a short cannot gain"),
    ({"take_profit": tp("0")}, "take_profit.percent", "does not cover fees"),
    ({"take_profit": tp("0.1")}, "take_profit.percent", "average does not cover fees of 0.1 % per side"),
    ({"take_profit": tp("2", "base")}, "take_profit.percent", "once safety order 5 is filled"),
    ({"stop_loss": StopLoss(percent="0")}, "stop_loss.percent", "is 0"),
    ({"stop_loss": StopLoss(percent="100")}, "stop_loss.percent", "at or below zero"),
    ({"base_order_volume": "4.99"}, "base_order_volume", "minimum notional 5"),
    ({"safety_order_volume": "4"}, "safety_order_volume", "order 1: 4 is below the minimum notional 5"),
    ({"volume_scale": "0.5"}, "safety_order_volume", "safety order 4: 3.75 is below"),
    ({"base_order_volume": "6", "stop_loss": StopLoss(percent="20")}, "stop_loss.percent", "4.8"),
    ({"base_order_volume": "6", "side": "short", "take_profit": tp("20")}, "take_profit.percent", "4.8"),
]  # fmt: skip


@pytest.mark.parametrize(
    "changes, field, reason", REFUSED, ids=[f"{field}: {reason}" for _, field, reason in REFUSED]
)
def test_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    found = problems(replace(GOLDEN, **changes), BINANCE)
    assert [problem.field for problem in found] == [field]
    assert reason in found[0].reason


ALLOWED: list[dict[str, Any]] = [
    {"take_profit": None},
    {"stop_loss": StopLoss(percent="10")},  # above the ladder's last rungs: they are simply never reached
    {"side": "short", "stop_loss": StopLoss(percent="150")},
    {"max_safety_orders": 0, "safety_order_volume": "0", "price_deviation": "0", "step_scale": "0"},
    {"max_safety_orders": 1, "step_scale": "0", "volume_scale": "0"},
    {"take_profit": tp("0.11")},
    {"take_profit": tp("3", "base")},
    {"entry": {"any": [{"op": "crosses_above", "left": CLOSE, "right": 100}, {"at": 60_000}]}},
    {"entry": "close < 30 and not (close > 40)"},
    {"entry": 'rsi(14) < 30 and close > ema(200, "1h")', "timeframe": "5m"},
    {"base_order_volume": "6", "stop_loss": StopLoss(percent="10")},
]


@pytest.mark.parametrize("changes", ALLOWED)
def test_allowed(changes: dict[str, Any]) -> None:
    assert problems(replace(GOLDEN, **changes), BINANCE) == []


def test_every_problem_is_told_at_once() -> None:
    bot = replace(
        GOLDEN, pairs=[], entry="", base_order_volume="0", fee="100", stop_loss=StopLoss(percent="0")
    )
    found = problems(bot)
    assert [problem.field for problem in found[:4]] == ["pairs", "entry", "base_order_volume", "fee"]
    assert found[-1].field == "stop_loss.percent"


def test_an_unknown_indicator_in_a_tree_is_told_with_its_place() -> None:
    (found,) = problems(replace(GOLDEN, entry={"op": "lt", "left": {"indicator": "rsj"}, "right": 30}))
    assert found.field.startswith("entry.left")
    assert "rsj" in found.reason
