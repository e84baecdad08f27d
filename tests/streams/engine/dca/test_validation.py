"""What is refused, under which field, and why; and what is not."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule, Grid, LadderStep, StopLoss, TakeProfit, TargetStep
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


def table(*rows: tuple[str, str], anchor: str = "base_fill") -> dict[str, Any]:
    steps = tuple(LadderStep(deviation=deviation, volume=volume) for deviation, volume in rows)
    return {**BY_TABLE, "steps": steps, "anchor": anchor}


def targets(*rows: tuple[str, str], **more: Any) -> TakeProfit:
    return TakeProfit(steps=tuple(TargetStep(percent=p, amount=a) for p, a in rows), **more)


BY_TABLE: dict[str, Any] = {
    "price_deviation": "1", "step_scale": "1", "volume_scale": "1", "safety_order_volume": "0",
    "max_safety_orders": 0,
}  # fmt: skip
TWICE = {"max_active_deals": 2, "max_active_deals_per_pair": 2}
NO_LADDER = {"max_safety_orders": 0, "safety_order_volume": "0"}
PERIODIC = {**NO_LADDER, "entry": 'schedule("0 9 * * MON", "Europe/Berlin")', "take_profit": None}

REFUSED += [
    ({"side": "neutral"}, "side", "is a grid's"),
    ({"grid": Grid(lower="1", upper="2", levels=2, quantity="1")}, "grid", "kind is dca"),
    (table(("5", "10"), ("5", "10")), "steps[1].deviation", "not beyond the step before"),
    (table(("0", "10")), "steps[0].deviation", "is 0"),
    (table(("5", "0")), "steps[0].volume", "is 0"),
    (table(("5", "10"), ("100", "10")), "steps[1].deviation", "100 % or more"),
    (table(("5", "10"), ("4", "10"), anchor="average"), "steps[1].deviation", "less than the step before"),
    (table(("5", "4")), "steps[0].volume", "safety order 1: 4 is below the minimum notional"),
    (table(("5", "9999999999999999")), "steps", "more than"),
    ({**table(("5", "10")), "max_safety_orders": 3}, "max_safety_orders", "given by steps, of which there are 1"),
    ({**table(("5", "10")), "volume_scale": "2"}, "volume_scale", "given by steps"),
    ({**table(("5", "10")), "price_deviation": "2"}, "price_deviation", "given by steps"),
    ({"anchor": "average", "step_scale": "0.9"}, "step_scale", "above the one before"),
    ({**NO_LADDER, "safety_condition": "close < 9"}, "safety_condition", "no safety orders"),
    ({"safety_condition": "close < 9", "gap_through": "merge"}, "gap_through", "nothing to merge"),
    ({"safety_condition": "close < 9", "max_active_safety_orders": 2}, "max_active_safety_orders", "the next one"),
    ({"safety_condition": "close <"}, "safety_condition", "column"),
    ({"safety_condition": {"trail": {"percent": "3", "side": "below"}}}, "safety_condition", "stop_loss.trailing"),
    ({"max_active_safety_orders": 1, "gap_through": "merge"}, "gap_through", "nothing to merge"),
    ({"take_profit": targets(("2", "50"), ("3", "40"))}, "take_profit.steps", "add up to 90"),
    ({"take_profit": targets(("3", "50"), ("2", "50"))}, "take_profit.steps[1].percent", "not above"),
    ({"take_profit": targets(("3", "0"), ("4", "100"))}, "take_profit.steps[0].amount", "is 0"),
    ({"take_profit": targets(("0.1", "50"), ("4", "50"))}, "take_profit.steps[0].percent", "does not cover"),
    ({"take_profit": TakeProfit(percent="2", trailing="0")}, "take_profit.trailing", "is 0"),
    ({"take_profit": TakeProfit(percent="2", trailing="2")}, "take_profit.trailing", "below the average"),
    ({"side": "short", "take_profit": TakeProfit(percent="2", trailing="2.1")}, "take_profit.trailing", "above the"),
    ({"stop_loss": StopLoss(percent="5", trailing=True, reference="average")}, "stop_loss.from", "follows"),
    ({"stop_loss": StopLoss(percent="5", trailing=True, timeout_s=5)}, "stop_loss.timeout_s", "wait beyond"),
    ({"stop_loss": StopLoss(percent="5", break_even=True)}, "stop_loss.break_even", "needs take_profit.steps"),
    (
        {
            "stop_loss": StopLoss(percent="5", break_even=True, trailing=True),
            "take_profit": targets(("3", "50"), ("4", "50")),
        },
        "stop_loss.break_even",
        "follows the price already",
    ),
    ({"close": CloseRule(when="")}, "close.when", "needs a condition"),
    ({"close": CloseRule(when="rsj(14) > 70")}, "close.when", "column 1"),
    ({"close": CloseRule(when={"all": []})}, "close.when.all", "at least one"),
    ({"max_active_deals_per_pair": 2}, "max_active_deals_per_pair", "above max_active_deals"),
    (
        {"max_active_deals": 40, "max_active_deals_per_pair": 40},
        "max_active_deals_per_pair",
        "40 deals of a pair could wait for 520 alerts",
    ),
    ({"accumulate": True}, "accumulate", "no safety orders"),
    ({**PERIODIC, **TWICE}, "max_active_deals_per_pair", "one deal per pair"),
    ({"side": "short", "fee_in": "base"}, "fee_in", "a short pays in quote"),
    ({"reinvest_percent": "100.1"}, "reinvest_percent", "above 100"),
]  # fmt: skip


@pytest.mark.parametrize(
    "changes, field, reason", REFUSED, ids=[f"{field}: {reason}" for _, field, reason in REFUSED]
)
def test_refused(changes: dict[str, Any], field: str, reason: str) -> None:
    found = problems(replace(GOLDEN, **changes), BINANCE)
    assert [problem.field for problem in found] == [field]
    assert reason in found[0].reason


ALLOWED: list[dict[str, Any]] = [
    table(("5", "10"), ("9", "20")),
    {**table(("5", "10"), ("9", "20")), "max_safety_orders": 2},
    table(("5", "10"), ("5", "10"), anchor="average"),
    table(("5", "10"), ("4", "10"), anchor="previous_order"),
    {"price_deviation": "60", "step_scale": "1", "anchor": "previous_order"},
    {"gap_through": "merge", "max_active_safety_orders": 3},
    {"safety_condition": "rsi(14) < 30", "gap_through": "one_per_bar"},
    {"take_profit": targets(("2", "50"), ("3", "25"), ("4", "12.5"), ("5", "12.5"), trailing="1")},
    {"take_profit": targets(("3", "50"), ("4", "50")), "stop_loss": StopLoss(percent="5", break_even=True)},
    {"stop_loss": StopLoss(percent="5", trailing=True)},
    {"stop_loss": StopLoss(percent="5", timeout_s=300, reference="average")},
    {"close": CloseRule(when="rsi(14) > 70 or close > 200", min_profit="-3")},
    {**TWICE, "max_active_safety_orders": 2, "cooldown_s": 60, "start_delay_s": 60},
    {"max_active_deals": 20, "max_active_deals_per_pair": 20, "max_active_safety_orders": 1},
    PERIODIC,
    {**PERIODIC, "take_profit": tp("2"), "accumulate": True},
    {"disable_after_deals": 3, "reinvest_percent": "100", "deal_timeout_s": 600, "fee_in": "base"},
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
