"""The demo's bots and its alert: about shapes and first prices, so that they work on any market."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig, Grid, StopLoss, TakeProfit
from streams.cli.amounts import short

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


def demo_bots(symbols: Sequence[str], effective_from_ms: int, first_price: Decimal) -> list[BotConfig]:
    """Five bots on the first symbols: buy dips, sell spikes, follow a trend on all of them, trade a grid, and save a
    little every four hours. `first_price`: the first symbol's first close, about which the grid lies.
    """
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
        _grid(first, effective_from_ms, first_price),
        BotConfig(
            bot_id="saver",
            user_id=USER,
            revision=1,
            pairs=[second],
            entry='schedule("0 */4 * * *", "UTC")',
            base_order_volume="50",
            effective_from_ms=effective_from_ms,
        ),
    ]


def demo_alerts(symbols: Sequence[str], effective_from_ms: int) -> list[AlertCommand]:
    """One alert that only notifies."""
    return [
        AlertCommand(
            alert_id="oversold",
            user_id=USER,
            symbol=symbols[0],
            condition="rsi(14) < 25",
            frequency="once_per_bar_close",
            effective_from_ms=effective_from_ms,
        )
    ]


def _grid(symbol: str, effective_from_ms: int, price: Decimal) -> BotConfig:
    """Nine levels, 1 % apart, about `price`."""

    def at(factor: str) -> str:
        return short(price * Decimal(factor), 5) or ""

    return BotConfig(
        bot_id="grid-trader",
        user_id=USER,
        kind="grid",
        revision=1,
        pairs=[symbol],
        grid=Grid(
            lower=at("0.96"),
            upper=at("1.04"),
            levels=9,
            spacing="geometric",
            quantity="100",
            stop_below=at("0.85"),
        ),
        effective_from_ms=effective_from_ms,
    )
