"""The demo's bots: their conditions are about shapes, so that they work on any prices."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.bots import BotConfig, StopLoss, TakeProfit

USER: Final = "demo"
MAX_PAIRS: Final = 8

_MONEY: Final[dict[str, Any]] = {
    "user_id": USER,
    "revision": 1,
    "base_order_volume": "100",
    "safety_order_volume": "200",
    "max_safety_orders": 4,
    "price_deviation": "0.5",
    "step_scale": "1.4",
    "volume_scale": "1.5",
    "fee": "0.1",
}


def demo_bots(symbols: Sequence[str], effective_from_ms: int) -> list[BotConfig]:
    """Three bots on the first symbols: buy dips, sell spikes, follow a trend on all of them."""
    first, second = symbols[0], symbols[1 % len(symbols)]
    common = _MONEY | {"effective_from_ms": effective_from_ms}
    return [
        BotConfig(
            bot_id="dip-buyer",
            pairs=[first],
            entry="rsi(14) < 30",
            take_profit=TakeProfit(percent="0.8"),
            stop_loss=StopLoss(percent="15"),
            **common,
        ),
        BotConfig(
            bot_id="spike-seller",
            pairs=[second],
            side="short",
            entry="rsi(14) > 72 and close > bollinger(20).hband",
            take_profit=TakeProfit(percent="0.8"),
            cooldown_s=1_800,
            **common,
        ),
        BotConfig(
            bot_id="trend-follower",
            pairs=list(symbols[:MAX_PAIRS]),
            entry='crosses_above(ema(9), ema(21)) and close > ema(20, "15m")',
            take_profit=TakeProfit(percent="1"),
            stop_loss=StopLoss(percent="8", reference="average"),
            max_active_deals=len(symbols[:MAX_PAIRS]),
            **common,
        ),
    ]
